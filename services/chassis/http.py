"""HTTP to other programs over kept connections, with a deadline that also ends an answer which only trickles in.

A timeout of a socket counts from byte to byte, so a peer that sends one byte a second is never late. Here each wait for
bytes gets what remains until the deadline of the context, and a connection that missed one is not used again.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection

from services.chassis import deadline

CONNECT_S: Final = 0.25
POOL_WAIT_S: Final = 0.25
_IDLE_S: Final = 30.0
_CHUNK: Final = 64 * 1024


class TooLarge(Exception):
    """The answer is larger than the caller takes."""


@dataclass(frozen=True, slots=True)
class Received:
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _PunctualSocket(socket.socket):
    """A socket whose every wait ends with the deadline of the context."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self._hurry()
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self._hurry()
        super().sendall(*args, **kwargs)

    def _hurry(self) -> None:
        remaining = deadline.remaining_s()
        if remaining is not None:
            if remaining <= 0:
                raise TimeoutError("deadline")
            self.settimeout(remaining)


class _Connection(HTTPConnection):
    """A connection that keeps deadlines, and is left before the other side drops it for idleness."""

    _used_at = 0.0

    def _new_conn(self) -> socket.socket:
        plain = super()._new_conn()
        timeout = plain.gettimeout()
        punctual = _PunctualSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
        punctual.settimeout(timeout)
        return punctual

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._used_at = time.monotonic()
        super().request(*args, **kwargs)

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self._used_at < _IDLE_S and super().is_connected


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


def pool(*, connections: int = 16) -> urllib3.PoolManager:
    """Kept connections, so many to each address; nothing is opened before the first request."""
    manager = urllib3.PoolManager(num_pools=32, maxsize=connections, block=True, retries=False)
    manager.pool_classes_by_scheme = {**manager.pool_classes_by_scheme, "http": _Pool}
    return manager


def exchange(
    manager: urllib3.PoolManager,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    largest: int,
    connect_s: float = CONNECT_S,
) -> Received:
    """Send one request and read its answer to the end, within the deadline of the context; redirects are not followed.

    connect_s: how long a connection may take; another network is farther away than one's own.

    Raises:  urllib3's HTTPError or OSError: no answer, or not in time. TooLarge.
    """
    remaining = deadline.remaining_s()
    if remaining is not None and remaining <= 0:
        raise TimeoutError("deadline")
    wait = urllib3.Timeout(connect=connect_s if remaining is None else min(connect_s, remaining), read=remaining)
    answer = manager.urlopen(
        method,
        url,
        headers=dict(headers),
        body=body,
        timeout=wait,
        pool_timeout=POOL_WAIT_S,
        redirect=False,
        preload_content=False,
        decode_content=False,
    )
    try:
        whole = _read(answer, largest=largest)
    except BaseException:
        answer.close()  # what is left of the answer must not meet the next request on this connection
        raise
    answer.release_conn()
    return Received(answer.status, {name.lower(): value for name, value in answer.headers.items()}, whole)


def get(manager: urllib3.PoolManager, url: str, *, within_s: float, largest: int) -> Received:
    """Fetch one JSON document from an address of ours.

    Raises:  as exchange.
    """
    with deadline.within(within_s):
        return exchange(manager, "GET", url, headers={"accept": "application/json"}, largest=largest)


def _read(answer: urllib3.BaseHTTPResponse, *, largest: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    while part := answer.read1(_CHUNK):
        if deadline.is_past():
            raise TimeoutError("deadline")
        size += len(part)
        if size > largest:
            raise TooLarge
        parts.append(part)
    return b"".join(parts)
