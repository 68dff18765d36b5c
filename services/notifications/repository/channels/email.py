"""E-mail by SMTP (RFC 5321): one connection that is kept between messages, and what each answer of a server means.

Until the end of the text has gone out nothing can have been taken: whatever fails before is tried again without doubt.
After it, a broken connection leaves the outcome unknown; the Message-ID, the same in every attempt, tells a repeat.
"""

from __future__ import annotations

import re
import smtplib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

from services.chassis import deadline, punctual
from services.notifications.model.channels import (
    Accepted,
    ChannelAway,
    Deferred,
    NotSent,
    OutcomeUnknown,
    Outgoing,
    Refused,
)
from services.notifications.repository.channels import mail
from services.notifications.repository.channels.mail import Mailbox

CONNECT_S: Final = 5.0
WHOLE_S: Final = 15.0
IDLE_S: Final = 30.0
_CHECK_S: Final = 2.0
_FRESH_S: Final = 1.0
_GOODBYE_S: Final = 1.0
_TOO_LARGE = 552
_TAKEN = frozenset(range(200, 300))
_WANTS_SIGN_IN = frozenset({530, 534, 535, 538})
_QUEUED = re.compile(rb"\b(?:queued as |id=)([\w-]{1,64})")

Tls = Literal["none", "starttls", "tls"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Relay:
    """The server that takes our mail.

    tls: `tls` from the first byte (port 465), `starttls` (587), or `none`. ca_file: the authorities to trust instead of
    the system's. user: signs in when it is not empty.
    """

    host: str
    port: int
    tls: Tls = "starttls"
    user: str = ""
    password: str = ""
    ca_file: Path | None = None


class EmailChannel:
    """E-mail through one relay.

    sender: the address that it comes from. clock: this moment, for the header Date. idle_s: how long a connection is
    kept without a message. whole_s: the longest that one message may take.
    """

    name = "email"

    def __init__(
        self,
        relay: Relay,
        *,
        sender: str,
        clock: Callable[[], datetime],
        idle_s: float = IDLE_S,
        whole_s: float = WHOLE_S,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._relay, self._sender, self._clock = relay, mail.mailbox(sender), clock
        self._idle_s, self._whole_s, self._monotonic = idle_s, whole_s, monotonic
        self._tls = None if relay.tls == "none" else punctual.tls(relay.ca_file)
        self._lock = threading.Lock()
        self._client: _Client | None = None
        self._used_at = 0.0
        self._is_clean = True  # the last message was taken, so no transaction is open
        self._timer: threading.Timer | None = None

    def send(self, message: Outgoing) -> Accepted:
        """Hand one message to the relay.

        Raises:  Deferred, Refused, ChannelAway, OutcomeUnknown.
        """
        to = mail.mailbox(message.to)
        raw = mail.mail(message, to=to, sender=self._sender, at=self._clock())
        with self._lock, deadline.within(self._whole_s):
            client = self._kept()
            try:
                if client is not None and self._begins(client, to=to, size=len(raw)):
                    return self._sent(client, to=to, raw=raw)
                self._drop()
                client = self._connected()
                if not self._begins(client, to=to, size=len(raw)):
                    self._drop()
                    raise Deferred("smtp_lost")
                return self._sent(client, to=to, raw=raw)
            finally:
                self._used_at = self._monotonic()
                self._watch()

    def close(self) -> None:
        """Say goodbye to the relay, if there is a connection."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None
            self._hang_up()

    # ---- one message -------------------------------------------------------------------------------------------------

    def _begins(self, client: _Client, *, to: Mailbox, size: int) -> bool:
        """Whether the server begins with a message; not when the connection has come to its end.

        Raises:  Refused, Deferred, ChannelAway: it will not have this sender, or not now.
        """
        if to.needs_utf8 and not client.has_extn("smtputf8"):
            raise Refused("smtp_no_utf8")
        options = ["SMTPUTF8"] if to.needs_utf8 else []
        options += [f"SIZE={size}"] if client.has_extn("size") else []
        self._is_clean = False
        try:
            code, _ = client.mail(str(self._sender), options)
        except OSError:
            return False
        if code == 421:  # it has had enough of this connection
            return False
        if code != 250:
            # Who may not send gets on with no other message either; only the size is a fault of this one.
            raise _refusal(code, never=Refused if code == _TOO_LARGE else ChannelAway)
        return True

    def _sent(self, client: _Client, *, to: Mailbox, raw: bytes) -> Accepted:
        """Addressee and text, and what the server makes of it.

        Raises:  Refused, Deferred, ChannelAway: it did not take it. OutcomeUnknown: it did not say.
        """
        try:
            self._expect(client.rcpt(str(to))[0], good=frozenset({250, 251}))
            self._expect(client.docmd("DATA")[0], good=frozenset({354}))
            client.send(_ended(raw))
        except NotSent:
            raise
        except OSError:
            self._drop()
            raise Deferred("smtp_lost") from None
        try:
            code, said = client.getreply()
        except OSError:
            code, said = 0, b""
        if not 200 <= code < 600 or 300 <= code < 400:
            self._drop()
            raise OutcomeUnknown("smtp_no_answer")
        self._expect(code, good=_TAKEN)
        self._is_clean = True
        named = _QUEUED.search(said)
        return Accepted(reference=None if named is None else named[1].decode("ascii", "replace"))

    def _expect(self, code: int, *, good: frozenset[int]) -> None:
        if code in good:
            return
        if code == 421 or not 400 <= code < 600:
            self._drop()
        raise _refusal(code, never=ChannelAway if code in _WANTS_SIGN_IN else Refused)

    # ---- the connection ----------------------------------------------------------------------------------------------

    def _kept(self) -> _Client | None:
        """The connection of the message before, if the server still answers on it."""
        client = self._client
        if client is None:
            return None
        rested_s = self._monotonic() - self._used_at
        if self._is_clean and rested_s < _FRESH_S:
            return client
        try:
            with deadline.within(_CHECK_S):
                if rested_s < self._idle_s and client.rset()[0] == 250:
                    return client
        except OSError:
            pass
        self._drop()
        return None

    def _connected(self) -> _Client:
        """A new connection, encrypted and signed in as the relay wants it.

        Raises:  ChannelAway.
        """
        client = _Client(self._relay, tls=self._tls)
        try:
            client.open()
        except smtplib.SMTPResponseException as refusal:
            client.close()
            raise ChannelAway(f"smtp_{refusal.smtp_code}") from None
        except smtplib.SMTPNotSupportedError:
            client.close()
            raise ChannelAway("smtp_no_starttls" if client.is_plain else "smtp_no_auth") from None
        except ssl.SSLError:
            client.close()
            raise ChannelAway("smtp_tls") from None
        except OSError:
            client.close()
            raise ChannelAway("smtp_away") from None
        self._client = client
        return client

    def _drop(self) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None

    def _hang_up(self) -> None:
        if self._client is None:
            return
        try:
            with deadline.within(_GOODBYE_S):
                self._client.quit()
        except OSError:
            pass
        self._drop()

    def _watch(self) -> None:
        """Have the connection closed once nothing has been sent for a while: servers count how many are open."""
        if self._client is not None and self._timer is None:
            rest_s = self._idle_s - (self._monotonic() - self._used_at)
            self._timer = threading.Timer(max(rest_s, 0.0), self._rested)
            self._timer.daemon = True
            self._timer.start()

    def _rested(self) -> None:
        with self._lock:
            self._timer = None
            if self._monotonic() - self._used_at >= self._idle_s:
                self._hang_up()
            self._watch()


class _Client(smtplib.SMTP):
    """A connection to one relay, not opened yet."""

    def __init__(self, relay: Relay, *, tls: ssl.SSLContext | None) -> None:
        super().__init__(local_hostname="localhost", timeout=CONNECT_S)  # the name is replaced once we know our address
        self._relay, self._context = relay, tls
        self._host = relay.host  # what the certificate must say

    def open(self) -> None:
        """Connect, encrypt, sign in.

        Raises:  OSError, and what smtplib makes of it.
        """
        code, said = self.connect(self._relay.host, self._relay.port)
        if code != 220:
            raise smtplib.SMTPConnectError(code, said)
        self.local_hostname = _own_name(self.sock)
        self.ehlo_or_helo_if_needed()
        if self.is_plain:
            self.starttls(context=self._context)
            self.ehlo_or_helo_if_needed()
        if self._relay.user:
            self.login(self._relay.user, self._relay.password)

    @property
    def is_plain(self) -> bool:
        """Whether it is to be encrypted, and is not yet."""
        return self._context is not None and not isinstance(self.sock, ssl.SSLSocket)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # as SMTP_SSL of the library does
        plain = punctual.connect(host, port, within_s=timeout)
        if self._relay.tls != "tls" or self._context is None:
            return plain
        try:
            return self._context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise


def _refusal(code: int, *, never: type[NotSent]) -> NotSent:
    if 400 <= code < 500:
        return Deferred(f"smtp_{code}")
    return never(f"smtp_{code}") if 500 <= code < 600 else Deferred("smtp_unclear")


def _ended(raw: bytes) -> bytes:
    """The text as it goes out: dots at the beginning of a line doubled, and the line that ends it (RFC 5321 §4.5.2)."""
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    return re.sub(rb"(?m)^\.", b"..", lines).removesuffix(b"\r\n") + b"\r\n.\r\n"


def _own_name(connected: socket.socket | None) -> str:
    """Our name in EHLO: the machine's if it is a full one, else its address (RFC 5321 §4.1.4); no DNS is asked."""
    name = socket.gethostname()
    if "." in name or connected is None:
        return name
    address = connected.getsockname()[0]
    return f"[IPv6:{address}]" if ":" in address else f"[{address}]"
