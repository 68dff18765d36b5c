"""HTTP to other programs over kept connections, with a deadline that also ends an answer which only trickles in.

A connection that missed its deadline is not used again.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection

from services.chassis import deadline, punctual

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


class _Connection(HTTPConnection):
    """A connection that keeps deadlines, and is left before the other side drops it for idleness."""

    _used_at = 0.0

    def _new_conn(self) -> socket.socket:
        return punctual.of(super()._new_conn())

    def request(self, *args: Any, **kwargs: Any) -> None:
        self._used_at = time.monotonic()
        super().request(*args, **kwargs)

    @property
    def is_connected(self) -> bool:
        return time.monotonic() - self._used_at < _IDLE_S and super().is_connected


class _TlsConnection(_Connection, HTTPSConnection):
    """The same under TLS; the context that it is given makes the socket punctual again."""


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


def pool(*, connections: int = 16, tls: ssl.SSLContext | None = None) -> urllib3.PoolManager:
    """Kept connections, so many to each address; nothing is opened before the first request.

    tls: from `punctual.tls`, for addresses that begin with https.
    """
    manager = urllib3.PoolManager(num_pools=32, maxsize=connections, block=True, retries=False, ssl_context=tls)
    manager.pool_classes_by_scheme = {"http": _Pool, "https": _TlsPool}
    return manager


def exchange(
    manager: urllib3.PoolManager | urllib3.HTTPConnectionPool,
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | Iterable[bytes] | None = None,
    largest: int,
    connect_s: float = CONNECT_S,
) -> Received:
    """Send one request and read its answer to the end, within the deadline of the context; redirects are not followed.

    manager: a pool, or the kept connections to one address. body: in parts only with a Content-Length.
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
        pool_timeout=POOL_WAIT_S,  # type: ignore[arg-type]  # a part of a second is a time too
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
