"""Servers on sockets that do, connection by connection, what a test has written down for them."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import BinaryIO


@dataclass
class Scripted:
    """A server whose every connection follows a script. asked: the lines that it read."""

    port: int
    connections: int = 0
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def scripted(script: Callable[[Line], None], *, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """A server that runs `script` for each connection; what it does wrong is its subject. tls: from the first byte."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = Scripted(listening.getsockname()[1])
    stopped = threading.Event()

    def serve() -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            server.connections += 1
            threading.Thread(target=follow, args=(connection,), daemon=True).start()

    def follow(plain: socket.socket) -> None:
        try:
            connection = plain if tls is None else tls.wrap_socket(plain, server_side=True)
            with connection, connection.makefile("rwb") as file:
                script(Line(file, server, stopped))
        except (OSError, ValueError):
            return  # the other side has had enough

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        stopped.set()
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join(5)


@dataclass
class Line:
    """One connection as a script sees it."""

    file: BinaryIO
    server: Scripted
    stopped: threading.Event

    def say(self, text: str) -> None:
        self.file.write(text.encode() + b"\r\n")
        self.file.flush()

    def hear(self) -> bytes:
        line = self.file.readline()
        if not line:
            raise OSError("nobody there")
        self.server.asked.append(line.rstrip())
        return line.rstrip()

    def trickle(self, text: str, *, every_s: float = 0.05) -> None:
        """One byte after the other, until the other side has gone."""
        for byte in text.encode():
            if self.stopped.wait(every_s):
                return
            self.file.write(bytes([byte]))
            self.file.flush()

    def rest(self) -> None:
        """Say nothing more."""
        self.stopped.wait(30)


def read_request(line: Line) -> dict[bytes, bytes]:
    """An HTTP request, read to its end; its headers."""
    line.hear()
    headers: dict[bytes, bytes] = {}
    while head := line.hear():
        name, _, value = head.partition(b": ")
        headers[name.lower()] = value
    line.file.read(int(headers.get(b"content-length", b"0")))
    return headers
