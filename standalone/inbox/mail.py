"""The mail server of the inbox: takes every mail that is sent to anybody, and reads what the page shows of it."""

from __future__ import annotations

import asyncio
import email
import re
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
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
        if fault.loses_answer and isinstance(server.transport, asyncio.Transport):
            server.transport.abort()
        return "250 2.0.0 Ok: kept"


def read(raw: bytes) -> dict[str, Any]:
    """What a mail says: subject, text, some headers, names of its files, and the entry for a calendar if it has one."""
    mail = email.message_from_bytes(raw)
    parts = [each for each in mail.walk() if not each.is_multipart()]
    written = [each for each in parts if each.get_content_maintype() == "text" and not each.get_filename()]
    kinds = {each.get_content_type(): each for each in reversed(written)}
    plain = kinds.get("text/plain") or kinds.get("text/html")
    calendar = kinds.get("text/calendar")
    return {
        **{name: _header(mail, header) for name, header in _SHOWN.items()},
        "subject": _header(mail, "Subject"),
        "text": "" if plain is None else _text(plain).replace("\r\n", "\n"),
        "attachments": [name for name in (each.get_filename() for each in parts) if name],
        "invitation": None if calendar is None else _invitation(calendar),
    }


def _header(mail: Message, name: str) -> str:
    """A header as it was meant: encoded words (RFC 2047), or UTF-8 as it is (RFC 6532)."""
    for key, value in mail.raw_items():
        if key.lower() == name.lower():
            unfolded = "".join(str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace").splitlines())
            try:
                return str(make_header(decode_header(unfolded)))
            except (MessageError, LookupError, ValueError):  # no words that can be decoded: shown as they came
                return unfolded
    return ""


def _text(part: Message) -> str:
    raw = part.get_payload(decode=True)
    content = raw if isinstance(raw, bytes) else b""
    try:
        return content.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:
        return content.decode("utf-8", "replace")


def _invitation(part: Message) -> dict[str, str]:
    """What calendars act on."""
    lines = re.sub(r"\r?\n[ \t]", "", _text(part)).splitlines()
    # A time zone that comes along has a DTSTART of its own.
    event = lines[lines.index("BEGIN:VEVENT") :] if "BEGIN:VEVENT" in lines else []
    found = {name: _property(event, key) or _property(lines, key) for name, key in _CALENDAR.items()}
    return {**found, "mime_method": str(part.get_param("method") or "")}


def _property(lines: list[str], key: str) -> str:
    """The value of the first such line, with what is said of it before the colon (`TZID=Europe/Berlin:2030…`)."""
    for line in lines:
        if line[: len(key)].upper() == key and line[len(key) : len(key) + 1] in {":", ";"}:
            return line[len(key) + 1 :]
    return ""
