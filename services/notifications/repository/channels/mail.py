"""A message as a mail: RFC 5322 headers, text in any script, and an invitation as calendars of all makers read it.

Every header is made of words that were cleaned first, and encoded as a whole: no name and no subject can begin a header
of its own or turn the direction of what stands beside it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email import policy
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime

import idna

from services.notifications.model.channels import Invitation, Outgoing, Refused

INVITATION_FILE = "invite.ics"
_METHODS = frozenset({"REQUEST", "CANCEL"})
_ATOM = re.compile(r"[^\s\x00-\x1f\x7f()<>\[\]:;@\\,\"]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_PLAIN_NAME = re.compile(r"[\w !#$%&'*+/=?^`{|}~-]+", re.ASCII)
# Turn the direction of all that follows. Isolates and marks, which texts of mixed scripts need, end with their text.
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e")
_ISOLATES = frozenset("\u2066\u2067\u2068\u2069")
_LONGEST_NAME, _LONGEST_SUBJECT = 120, 240
# Seven bits, so that it goes through every server; lines end as SMTP wants them.
_POLICY = policy.SMTP.clone(cte_type="7bit")


@dataclass(frozen=True, slots=True)
class Mailbox:
    """An address as a server takes it: its domain in ASCII (IDNA 2008), its name as it is."""

    local: str
    domain: str

    @property
    def needs_utf8(self) -> bool:
        """Whether only a server with SMTPUTF8 (RFC 6531) can take it."""
        return not self.local.isascii()

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def mailbox(address: str) -> Mailbox:
    """An address in its two parts.

    Raises:  Refused: it is none, or none that is in use on the public net.
    """
    local, _, domain = address.rpartition("@")
    if len(address) > 320 or not _ATOM.fullmatch(local) or any(unicodedata.category(c)[0] == "C" for c in local):
        raise Refused("email_address")
    try:
        return Mailbox(local, idna.encode(domain, uts46=True).decode("ascii"))
    except idna.IDNAError:
        raise Refused("email_address") from None


def words(text: str, *, longest: int, isolates: bool = False) -> str:
    """A text as one line that stays within itself: without controls, line ends and changes of direction."""
    spaced = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in _written(text))
    dropped = _OVERRIDES if isolates else _OVERRIDES | _ISOLATES
    return " ".join("".join(c for c in spaced if c not in dropped).split())[:longest].strip()


def mail(message: Outgoing, *, to: Mailbox, sender: Mailbox, at: datetime) -> bytes:
    """The whole mail, lines ended by CRLF."""
    entity = _entity(message)
    name = words(message.from_name, longest=_LONGEST_NAME)
    headers = {
        "Date": format_datetime(at),
        "From": f"{_phrase(name)} <{sender}>" if name else str(sender),
        "To": str(to),
        "Subject": _unstructured(words(message.subject, longest=_LONGEST_SUBJECT, isolates=True)),
        "Message-ID": f"<{message.delivery_id}@{sender.domain}>",
        "Auto-Submitted": "auto-generated",
    }
    if _LANGUAGE.fullmatch(message.language):
        headers["Content-Language"] = message.language
    if _REQUEST_ID.fullmatch(message.request_id):
        headers["X-Request-ID"] = message.request_id
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("utf-8") + entity.as_bytes(policy=_POLICY)


def _entity(message: Outgoing) -> EmailMessage:
    """The text; with an invitation, the same as a calendar's entry beside it, and once more as a file.

    Outlook and Gmail act on the alternative, Apple's Mail and most others on the file.
    """
    entity = EmailMessage(policy=_POLICY)
    entity.set_content(_written(message.text).replace("\0", ""), charset="utf-8")
    if message.invitation is not None:
        _invite(entity, message.invitation)
    return entity


def _invite(entity: EmailMessage, invitation: Invitation) -> None:
    if invitation.method not in _METHODS:
        raise ValueError("the method of an invitation is REQUEST or CANCEL")
    params = {"charset": "UTF-8", "method": invitation.method}
    entity.add_alternative(invitation.ics, maintype="text", subtype="calendar", cte="base64", params=params)
    entity.add_attachment(
        invitation.ics,
        maintype="application",
        subtype="ics",
        cte="base64",
        filename=INVITATION_FILE,
        params={"name": INVITATION_FILE},
    )


def _written(text: str) -> str:
    """Without halves of characters, which no charset can write."""
    return text.encode("utf-8", "replace").decode("utf-8")


def _phrase(name: str) -> str:
    """A name before an address (RFC 5322 §3.2.5)."""
    if _PLAIN_NAME.fullmatch(name) and "=?" not in name:
        return f'"{name}"'
    return _encoded(name, header="From")


def _unstructured(text: str) -> str:
    if text.isascii() and "=?" not in text:
        return Header(text, "us-ascii", header_name="Subject").encode(linesep="\r\n")
    return _encoded(text, header="Subject")


def _encoded(text: str, *, header: str) -> str:
    """Encoded words (RFC 2047), never a character in two of them."""
    return Header(text, "utf-8", maxlinelen=75, header_name=header).encode(linesep="\r\n")
