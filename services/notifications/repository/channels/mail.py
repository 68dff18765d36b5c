"""A message as a mail: RFC 5322 headers, text in any script, and an invitation as calendars of all makers read it.

Every header is made of words that were cleaned first, and encoded as a whole: no name and no subject can begin a header
of its own or turn the direction of what stands beside it.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime

import idna

from services.notifications.model.channels import Outgoing, Refused

INVITATION_FILE = "invite.ics"
_LINE_END = re.compile(r"\r\n|\r|\n")
_METHODS = frozenset({"REQUEST", "CANCEL"})
_ATOM = re.compile(r"[^\s\x00-\x1f\x7f()<>\[\]:;@\\,\"]+")
_LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
_REQUEST_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_PLAIN_NAME = re.compile(r"[\w !#$%&'*+/=?^`{|}~-]+", re.ASCII)
# Turn the direction of all that follows. Isolates and marks, which texts of mixed scripts need, end with their text.
_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e")
_ISOLATES = frozenset("\u2066\u2067\u2068\u2069")
_LONGEST_NAME, _LONGEST_SUBJECT = 120, 240


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


def is_request_id(text: str) -> bool:
    """Whether a text can stand in a header X-Request-ID as it is."""
    return _REQUEST_ID.fullmatch(text) is not None


def words(text: str, *, longest: int, isolates: bool = False) -> str:
    """A text as one line that stays within itself: without controls, line ends and changes of direction."""
    spaced = "".join(" " if unicodedata.category(c) in {"Cc", "Zl", "Zp"} else c for c in _written(text))
    dropped = _OVERRIDES if isolates else _OVERRIDES | _ISOLATES
    return " ".join("".join(c for c in spaced if c not in dropped).split())[:longest].strip()


def mail(message: Outgoing, *, to: Mailbox, sender: Mailbox, at: datetime) -> bytes:
    """The whole mail, lines ended by CRLF."""
    name = words(message.from_name, longest=_LONGEST_NAME)
    headers = {
        "Date": format_datetime(at),
        "From": f"{_phrase(name)} <{sender}>" if name else str(sender),
        "To": str(to),
        "Subject": _unstructured(words(message.subject, longest=_LONGEST_SUBJECT, isolates=True)),
        "Message-ID": f"<{message.delivery_id}@{sender.domain}>",
        "Auto-Submitted": "auto-generated",
        "MIME-Version": "1.0",
    }
    if _LANGUAGE.fullmatch(message.language):
        headers["Content-Language"] = message.language
    if is_request_id(message.request_id):
        headers["X-Request-ID"] = message.request_id
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode("utf-8") + _entity(message)


def _entity(message: Outgoing) -> bytes:
    """The text; with an invitation, the same as a calendar's entry beside it, and once more as a file.

    Outlook and Gmail act on the alternative, Apple's Mail and most others on the file. All of it is seven bits wide, so
    that it goes through every server, and the same in every attempt.
    """
    text = _part("text/plain; charset=utf-8", _text(message.text))
    if message.invitation is None:
        return text
    if message.invitation.method not in _METHODS:
        raise ValueError("the method of an invitation is REQUEST or CANCEL")
    ics, name = _base64(message.invitation.ics), f'name="{INVITATION_FILE}"'
    calendar = _part(f"text/calendar; charset=utf-8; method={message.invitation.method}", ics)
    file = _part(f"application/ics; {name}", ics, f"Content-Disposition: attachment; file{name}")
    both = _multipart("alternative", text, calendar, mark=message.delivery_id.hex)
    return _multipart("mixed", both, file, mark=message.delivery_id.hex)


def _part(kind: str, encoded: tuple[str, bytes], *more: str) -> bytes:
    encoding, body = encoded
    head = [f"Content-Type: {kind}", f"Content-Transfer-Encoding: {encoding}", *more]
    return "".join(f"{line}\r\n" for line in head).encode("ascii") + b"\r\n" + body


def _multipart(kind: str, *parts: bytes, mark: str) -> bytes:
    """Several parts as one (RFC 2046 §5.1); what stands between them cannot occur in any encoding that is used."""
    line = f"=_{kind}_{mark}"
    between = f"\r\n--{line}\r\n".encode("ascii")
    head = f'Content-Type: multipart/{kind};\r\n boundary="{line}"\r\n'.encode("ascii")
    return head + between + between.join(parts) + f"\r\n--{line}--\r\n".encode("ascii")


def _text(text: str) -> tuple[str, bytes]:
    """A text in the shorter of the two encodings: what is mostly ASCII stays readable."""
    lines = _LINE_END.sub("\r\n", _written(text).replace("\0", ""))
    raw = (lines if lines.endswith("\r\n") else lines + "\r\n").encode("utf-8")
    quoted, packed = binascii.b2a_qp(raw), _base64(raw)
    return ("quoted-printable", quoted) if len(quoted) <= len(packed[1]) else packed


def _base64(raw: bytes) -> tuple[str, bytes]:
    return "base64", base64.encodebytes(raw).replace(b"\n", b"\r\n")


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
