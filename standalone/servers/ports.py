"""Ports on this machine: which are free, and whether somebody listens."""

from __future__ import annotations

import random
import socket
from collections.abc import Container

HOST = "127.0.0.1"

# Below the range from which Linux gives ports to outgoing connections (32768 and up), so that a port which is kept in
# a file is not lost to some passing client before the next start.
FIRST, LAST = 20000, 32000

# Not of `random`, which tests begin anew with the same seed: in two processes they would be given the same ports.
_chance = random.SystemRandom()
_given: set[int] = set()


def is_free(port: int) -> bool:
    """Whether a server could listen on this port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def is_open(port: int, *, timeout_s: float = 0.5) -> bool:
    """Whether somebody answers on this port."""
    try:
        with socket.create_connection((HOST, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def free(*, taken: Container[int] = ()) -> int:
    """A port on which nobody listens, other than those already spoken for; never the same one twice in one process."""
    for _ in range(1000):
        port = _chance.randint(FIRST, LAST)
        if port not in taken and port not in _given and is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port between {FIRST} and {LAST}")
