"""A file that is made whole, then sent in parts: as fast as its client takes them, and closed at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from services.chassis.bridge import IN_PARTS, REQUEST, Bridge
from services.chassis.downloads import CHUNK, Download
from tests.waiting import wait_for

SCOPE: dict[str, Any] = {
    "type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": [], "http_version": "1.1",
    "server": ("test", 80), "client": ("test", 1), "scheme": "http", "root_path": "", "extensions": {REQUEST: None},
}  # fmt: skip


def file_of(*parts: bytes) -> Download:
    return Download(iter(parts), media_type="text/csv", name="figures.csv")


@pytest.mark.parametrize("size", [0, 1, CHUNK, 3 * CHUNK + 7, 40 * CHUNK])
def test_a_file_comes_out_as_it_went_in_and_says_how_large_it_is(size):
    file = file_of(*(b"x" * 1000 for _ in range(size // 1000)), b"y" * (size % 1000))
    assert file.size == size
    chunks = list(file)
    assert b"".join(chunks) == b"x" * (size // 1000 * 1000) + b"y" * (size % 1000)
    assert all(len(each) == CHUNK for each in chunks[:-1])
    file.close()


def test_what_goes_wrong_while_it_is_made_leaves_no_file():
    def parts() -> Iterator[bytes]:
        yield b"x" * 2_000_000
        raise LookupError

    with pytest.raises(LookupError):
        Download(parts(), media_type="text/csv", name="figures.csv")


class Slow:
    """A client that takes one part when the test says so; and what it has got."""

    def __init__(self) -> None:
        self.got: list[dict[str, Any]] = []
        self.may_take = asyncio.Semaphore(0)

    async def send(self, message: dict[str, Any]) -> None:
        await self.may_take.acquire()
        self.got.append(message)


class Parts:
    """An answer that says how far it was made, and whether it was closed."""

    def __init__(self, count: int) -> None:
        self.left, self.made, self.is_closed = count, 0, False

    def __iter__(self) -> Parts:
        return self

    def __next__(self) -> bytes:
        if self.made == self.left:
            raise StopIteration
        self.made += 1
        return b"%d" % self.made

    def close(self) -> None:
        self.is_closed = True


def app_of(parts: Parts) -> Callable[..., Parts]:
    def app(environ: dict[str, Any], start: Any) -> Parts:
        environ[IN_PARTS] = True
        start("200 OK", [("Content-Type", "text/csv")])
        return parts

    return app


async def until(is_so: Callable[[], bool]) -> None:
    await asyncio.to_thread(wait_for, is_so, within_s=10, step_s=0.001)


def test_the_next_part_is_made_when_the_client_has_taken_the_one_before():
    async def run() -> None:
        parts = Parts(3)
        bridge, client = Bridge(app_of(parts), threads=1), Slow()
        request = asyncio.create_task(bridge(SCOPE, None, client.send))
        client.may_take.release()  # the head
        await until(lambda: parts.made == 1)
        for taken in (1, 2):
            client.may_take.release()
            await until(lambda taken=taken: parts.made == taken + 1)
            assert len(client.got) == taken + 1
        assert not parts.is_closed
        client.may_take.release()
        client.may_take.release()
        await request
        assert [each.get("body") for each in client.got] == [None, b"1", b"2", b"3", b""]
        assert [each.get("more_body", False) for each in client.got] == [False, True, True, True, False]
        assert parts.is_closed
        bridge.close()

    asyncio.run(run())


def test_a_client_that_goes_away_closes_the_file():
    async def run() -> None:
        parts = Parts(3)

        async def gone(message: dict[str, Any]) -> None:
            if message.get("body") == b"2":
                raise OSError("gone")

        bridge = Bridge(app_of(parts), threads=1)
        with pytest.raises(OSError, match="gone"):
            await bridge(SCOPE, None, gone)
        assert (parts.made, parts.is_closed) == (2, True)
        bridge.close()

    asyncio.run(run())
