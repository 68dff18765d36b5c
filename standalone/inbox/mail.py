"""The mail server of the inbox: takes every mail that is sent to anybody, and reads what the page shows of it."""

from __future__ import annotations

import asyncio
import email
import email.policy
import re
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

from standalone.inbox.faults import Faults
from standalone.inbox.store import Store

_SHOWN = {
    "from": "From",
    "message_id": "Message-ID",
    "language": "Content-Language",
    "request_id": "X-Request-ID",
    "auto_submitted": "Auto-Submitted",
}
_CALENDAR = {"method": "METHOD", "uid": "UID", "sequence": "SEQUENCE", "start": "DTSTART", "status": "STATUS"}


class MailSink:
    """Keeps every mail, then says so."""

    def __init__(self, store: Store, faults: Faults) -> None:
        self._store, self._faults = store, faults

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802
        """A mail has come."""
        fault = self._faults.next("email")
        await asyncio.sleep(fault.delay_s)
        if fault.refuses_with:
            return f"{fault.refuses_with} as asked for"
        content = envelope.content or b""
        raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else content
        found = read(raw)
        found["envelope_from"] = envelope.mail_from or ""
        self._store.add(
            "email",
            to=envelope.rcpt_tos,
            subject=found.pop("subject"),
            text=found.pop("text"),
            reference=found["message_id"],
            more=found,
        )
        if fault.loses_answer and server.transport is not None:
            server.transport.abort()
        return "250 2.0.0 Ok: kept"


def read(raw: bytes) -> dict[str, Any]:
    """What a mail says: subject, text, some headers, names of its files, and the entry for a calendar if it has one."""
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    part = mail.get_body(preferencelist=("plain", "html"))
    text = str(part.get_content()).replace("\r\n", "\n") if part is not None else ""
    shown = {name: str(mail.get(header, "")) for name, header in _SHOWN.items()}
    files = [each.get_filename() or "" for each in mail.iter_attachments()]
    return {
        **shown,
        "subject": str(mail.get("Subject", "")),
        "text": text,
        "attachments": files,
        "invitation": _invitation(mail),
    }


def _invitation(mail: EmailMessage) -> dict[str, str] | None:
    """The entry for a calendar that stands beside the text: what calendars act on."""
    part = next((each for each in mail.walk() if each.get_content_type() == "text/calendar"), None)
    if part is None:
        return None
    raw = part.get_payload(decode=True)
    lines = re.sub(r"\r?\n[ \t]", "", raw.decode("utf-8", "replace") if isinstance(raw, bytes) else "").splitlines()
    # A time zone that comes along has a DTSTART of its own.
    calendar = lines[: lines.index("BEGIN:VTIMEZONE")] if "BEGIN:VTIMEZONE" in lines else lines
    event = lines[lines.index("BEGIN:VEVENT") :] if "BEGIN:VEVENT" in lines else []
    found = {name: _property(event, key) or _property(calendar, key) for name, key in _CALENDAR.items()}
    return {**found, "mime_method": str(part.get_param("method") or "")}


def _property(lines: list[str], key: str) -> str:
    """The value of the first such line, with what is said of it before the colon (`TZID=Europe/Berlin:2030…`)."""
    for line in lines:
        if line[: len(key)].upper() == key and line[len(key) : len(key) + 1] in {":", ";"}:
            return line[len(key) + 1 :]
    return ""
