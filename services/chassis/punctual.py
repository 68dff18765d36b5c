"""Sockets that keep the deadline of the context, so that an answer which only trickles in ends in time too.

A timeout of a socket counts from byte to byte: a peer that sends one byte a second is never late. Here each wait for
bytes gets what remains until the deadline.
"""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

from services.chassis import deadline


class PunctualSocket(socket.socket):
    """A socket whose every wait ends with the deadline of the context."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Take bytes."""
        _hurry(self)
        return super().recv_into(*args, **kwargs)

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        """Send bytes; the wait counts for all of them together."""
        _hurry(self)
        super().sendall(*args, **kwargs)


class PunctualTls(ssl.SSLSocket):
    """The same under TLS; a handshake is a wait like any other."""

    def do_handshake(self, *args: Any, **kwargs: Any) -> None:
        """Agree on keys."""
        _hurry(self)
        super().do_handshake(*args, **kwargs)

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        """Take bytes."""
        _hurry(self)
        return super().recv_into(*args, **kwargs)

    def send(self, *args: Any, **kwargs: Any) -> int:
        """Send some of the bytes; `sendall` is made of these."""
        _hurry(self)
        return super().send(*args, **kwargs)


def connect(host: str, port: int, *, within_s: float) -> PunctualSocket:
    """A connection, made within so many seconds and the deadline.

    Raises:  OSError: there is none.
    """
    remaining = deadline.remaining_s()
    if remaining is not None and remaining <= 0:
        raise TimeoutError("deadline")
    wait = within_s if remaining is None else min(within_s, remaining)
    return of(socket.create_connection((host, port), timeout=wait))


def of(plain: socket.socket) -> PunctualSocket:
    """The same connection, punctual; the socket that was given is spent."""
    timeout = plain.gettimeout()
    punctual = PunctualSocket(plain.family, plain.type, plain.proto, fileno=plain.detach())
    punctual.settimeout(timeout)
    return punctual


def tls(ca_file: Path | None = None) -> ssl.SSLContext:
    """TLS that checks certificate and name: against the system's authorities, or against those of one file alone."""
    context = ssl.create_default_context(cafile=None if ca_file is None else str(ca_file))
    context.sslsocket_class = PunctualTls
    return context


def _hurry(waiting: socket.socket) -> None:
    remaining = deadline.remaining_s()
    if remaining is None:
        return
    if remaining <= 0:
        raise TimeoutError("deadline")
    waiting.settimeout(remaining)
