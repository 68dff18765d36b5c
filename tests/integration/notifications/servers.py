"""Mail servers for tests of the channels: as they should be, and the beginnings of ones that are not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from standalone.servers import ports
from tests.scripted import Line
from tests.waiting import wait_for

HOST = "localhost"


@dataclass
class Taken:
    """What a mail server has seen. replies: by name of the address, or of a step, what it says instead of yes."""

    mails: list[bytes] = field(default_factory=list)
    receivers: list[str] = field(default_factory=list)
    options: list[list[str]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    commands: list[str] = field(default_factory=list)
    replies: dict[str, str] = field(default_factory=dict)
    users: list[bytes] = field(default_factory=list)


class _Handler:
    def __init__(self, taken: Taken) -> None:
        self._taken = taken

    async def handle_MAIL(self, _server, _session, envelope, address, options):  # noqa: N802
        if reply := self._taken.replies.get("MAIL"):
            return reply
        envelope.mail_from = address
        self._taken.options.append(options)
        return "250 OK"

    async def handle_RCPT(self, _server, _session, envelope, address, _options):  # noqa: N802
        if reply := self._taken.replies.get(address) or self._taken.replies.get("RCPT"):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_RSET(self, _server, _session, _envelope):  # noqa: N802
        self._taken.commands.append("RSET")
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802
        if reply := self._taken.replies.get("DATA"):
            return reply
        self._taken.mails.append(envelope.original_content)
        self._taken.receivers += envelope.rcpt_tos
        return "250 2.0.0 Ok: queued as 4F2B-x"


class _Counted(SMTP):
    """Counts its connections."""

    def __init__(self, *args: Any, taken: Taken, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._taken = taken

    def connection_made(self, transport):
        if not hasattr(self, "_is_counted"):  # STARTTLS makes the same connection once more
            self._is_counted = True
            self._taken.opened += 1
        super().connection_made(transport)

    def connection_lost(self, error):
        self._taken.closed += 1
        super().connection_lost(error)


@contextmanager
def mail_server(taken: Taken, *, user: tuple[str, str] | None = None, **options: Any) -> Iterator[int]:
    """A mail server with these options of aiosmtpd; its port. user: the one who may send, with the password."""
    implicit_tls = options.pop("ssl_context", None)
    if user is not None:

        def checks(server, session, envelope, mechanism, given: LoginPassword) -> AuthResult:
            taken.users.append(given.login)
            is_right = (given.login, given.password) == tuple(each.encode() for each in user)
            return AuthResult(success=is_right, handled=False)

        options |= {"auth_required": True, "authenticator": checks}

    class Counting(Controller):
        def factory(self):
            return _Counted(self.handler, taken=taken, **self.SMTP_kwargs)

    server = Counting(
        _Handler(taken),
        hostname=options.pop("address", "127.0.0.1"),
        port=ports.free(),
        ssl_context=implicit_tls,
        server_hostname=HOST,
        **options,
    )
    server.start()
    wait_for(lambda: taken.closed == 1, what="the knock of the server at its own door")
    taken.opened = taken.closed = 0
    try:
        yield server.port
    finally:
        server.stop()


def greet(line: Line) -> None:
    """An SMTP server's beginning."""
    line.say("220 here")
    line.hear()
    line.say("250-here")
    line.say("250 SIZE 1000000")


def take_until_data(line: Line) -> None:
    """MAIL, RCPT and DATA, all granted, and the text read to its end."""
    for reply in ("250 ok", "250 ok", "354 go on"):
        line.hear()
        line.say(reply)
    while line.hear() != b".":
        pass
