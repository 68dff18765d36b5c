"""An answer leaves in one piece, over a real socket."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from services.chassis.listening import _Gathering


def sent(work: Callable[[_Gathering], None]) -> tuple[list[bytes], list[dict]]:
    """What the other side gets of what is written in one turn, packet by packet; and what the loop complains of."""
    complaints: list[dict] = []

    async def run() -> list[bytes]:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: complaints.append(context))
        here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        there.setblocking(False)
        transport, _ = await loop.connect_accepted_socket(asyncio.Protocol, here)
        work(_Gathering(transport, loop))
        got = [await loop.sock_recv(there, 1024)]
        transport.close()
        there.close()
        return got

    return uvloop.run(run()), complaints


def written(*parts: bytes, then: str = "") -> Callable[[_Gathering], None]:
    def work(transport: _Gathering) -> None:
        for each in parts:
            transport.write(each)
        if then:
            getattr(transport, then)()

    return work


@pytest.mark.parametrize("then", ["", "close"])
def test_what_is_written_in_one_turn_comes_together(then: str) -> None:
    assert sent(written(b"head, ", b"body", then=then)) == ([b"head, body"], [])


def test_to_whom_has_gone_within_the_turn_nothing_is_sent_and_nobody_complains() -> None:
    assert sent(written(b"head", then="abort")) == ([b""], [])
