"""A peer over real sockets that answers, fails, hangs, trickles or breaks off, as a test tells it."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Behaviour = Callable[["Connection"], None]


@dataclass
class Request:
    """One request as it arrived."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Connection:
    """One connection of a caller, with the request that was read from it."""

    socket: socket.socket
    request: Request
    stopping: threading.Event
    keep: bool = True

    def answer(self, status: int, body: Any = None, *, headers: dict[str, str] | None = None) -> None:
        raw = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        head = {"content-type": "application/json", "content-length": str(len(raw)), **(headers or {})}
        lines = [f"HTTP/1.1 {status} X", *(f"{name}: {value}" for name, value in head.items()), "", ""]
        self.socket.sendall("\r\n".join(lines).encode() + raw)

    def reset(self) -> None:
        """Break off with RST, as a killed peer does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
        self.keep = False

    def trickle(self, raw: bytes, *, every_s: float) -> None:
        """Send one byte at a time."""
        self.keep = False
        for index in range(len(raw)):
            if self.stopping.wait(every_s):
                return
            self.socket.sendall(raw[index : index + 1])

    def hang(self) -> None:
        """Say nothing until the test is over."""
        self.keep = False
        self.stopping.wait(30)


def always(status: int, body: Any = None, *, headers: dict[str, str] | None = None) -> Behaviour:
    """Answer the same each time."""
    return lambda connection: connection.answer(status, body, headers=headers)


def in_turn(*behaviours: Behaviour) -> Behaviour:
    """The first request gets the first, and so on; the last one goes on."""
    left = list(behaviours)
    lock = threading.Lock()

    def behave(connection: Connection) -> None:
        with lock:
            next_one = left.pop(0) if len(left) > 1 else left[0]
        next_one(connection)

    return behave


@dataclass
class Peer:
    """A server on a free port; `requests` is what arrived, `connections` how many were opened."""

    behaviour: Behaviour
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self._stopping = threading.Event()
        self._open: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._spawn(self._accept)

    def stop(self) -> None:
        self._stopping.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for each in self._open:
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(5)
        for each in self._open:
            each.close()

    def _spawn(self, work: Callable[..., None], *arguments: Any) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._open.append(connection)
            self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection.makefile("rb") as reader:
                while (request := _read(reader)) is not None:
                    self.requests.append(request)
                    served = Connection(connection, request, self._stopping)
                    self.behaviour(served)
                    if not served.keep:
                        break
        except OSError:
            pass
        finally:
            connection.close()


def _read(reader: Any) -> Request | None:
    first = reader.readline().decode("latin1").split()
    if len(first) != 3:
        return None
    headers: dict[str, str] = {}
    while line := reader.readline().decode("latin1").strip():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(first[0], first[1], headers, reader.read(int(headers.get("content-length", 0))))
