"""A closed loop of clients over kept connections: each sends the next request when its last one is answered.

What is sent was encoded before, and of an answer only the status and the length are read, so that on a machine of few
cores the clients take little of what they measure. Each process has some threads and a share of the requests; a list
that is used up ends the load early, and the figures say for how long it lasted.
"""

from __future__ import annotations

import multiprocessing
import socket
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

_ANSWER_S, _JOIN_S = 20.0, 60.0
_BROKEN = 0
Sample = tuple[float, float, int]


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is sent to where, by how many.

    requests: whole HTTP requests. clients: over all processes.
    """

    host: str
    port: int
    requests: Sequence[bytes]
    clients: int = 16
    processes: int = 2


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What came of a load within its measured seconds.

    statuses: 0 stands for no answer at all. seconds: taken by each request that was answered as wanted, in order.
    client_cpu_s: of the clients themselves, warming up included.
    """

    lasted_s: float
    statuses: Counter[int]
    seconds: Sequence[float]
    client_cpu_s: float

    @property
    def per_s(self) -> float:
        """Requests answered as wanted, per second."""
        return len(self.seconds) / self.lasted_s if self.lasted_s > 0 else 0.0

    def percentile_ms(self, share: int) -> float:
        """Of the requests that were answered as wanted."""
        if len(self.seconds) < 2:
            return float("nan")
        return statistics.quantiles(self.seconds, n=100, method="inclusive")[share - 1] * 1000


class Running:
    """A load that has been started; `begin` lets it go, `answers` waits for its end."""

    def __init__(self, load: Load) -> None:
        context = multiprocessing.get_context("spawn")
        self._gate, self._results = context.Barrier(load.processes + 1), context.Queue()
        self._end = context.Value("d", 0.0, lock=False)
        threads = load.clients // load.processes
        self._processes = [
            context.Process(
                target=_work,
                args=(load.host, load.port, load.requests[n :: load.processes], threads),
                kwargs={"gate": self._gate, "end": self._end, "results": self._results},
                daemon=True,
            )
            for n in range(load.processes)
        ]
        for each in self._processes:
            each.start()

    def begin(self, *, lasts_s: float) -> None:
        """Let all clients go at the same moment, for so long."""
        self._end.value = time.monotonic() + _JOIN_S + lasts_s
        self._gate.wait(_JOIN_S)
        self._end.value = time.monotonic() + lasts_s

    def answers(self, *, since: float, wanted: int) -> Answered:
        """Wait for the end; what was answered since a moment of the monotonic clock.

        Raises:  queue.Empty: a process of clients has been lost.
        """
        ends = self._end.value + _JOIN_S
        parts: list[tuple[list[Sample], float]] = [
            self._results.get(timeout=max(1.0, ends - time.monotonic())) for _ in self._processes
        ]
        for each in self._processes:
            each.join(_JOIN_S)
        samples = [each for part, _ in parts for each in part if since <= each[0] <= self._end.value]
        last = max((each[0] for each in samples), default=since)
        return Answered(
            lasted_s=last - since,
            statuses=Counter(status for _, _, status in samples),
            seconds=sorted(taken for _, taken, status in samples if status == wanted),
            client_cpu_s=sum(cpu for _, cpu in parts),
        )


def encoded(method: str, path: str, body: bytes, headers: dict[str, str]) -> bytes:
    """One HTTP request as it goes over the wire."""
    given = {"host": "127.0.0.1", "content-type": "application/json", "content-length": str(len(body)), **headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body


def _work(host: str, port: int, requests: Sequence[bytes], threads: int, *, gate: Any, end: Any, results: Any) -> None:
    samples: list[list[Sample]] = [[] for _ in range(threads)]
    waiting, lock = iter(requests), threading.Lock()
    clients = [
        threading.Thread(target=_send, args=(host, port, waiting, lock, end, found), daemon=True) for found in samples
    ]
    gate.wait(_JOIN_S)
    for each in clients:
        each.start()
    for each in clients:
        each.join()
    results.put(([each for found in samples for each in found], time.process_time()))


def _send(host: str, port: int, waiting: Iterator[bytes], lock: threading.Lock, end: Any, found: list[Sample]) -> None:
    connection: socket.socket | None = None
    while time.monotonic() < end.value:
        with lock:
            request = next(waiting, None)
        if request is None:
            break
        started = time.monotonic()
        try:
            connection = connection or _opened(host, port)
            connection.sendall(request)
            status = _status(connection)
        except (OSError, ValueError):
            status = _BROKEN
            if connection is not None:
                connection.close()
            connection = None
        ended = time.monotonic()
        found.append((ended, ended - started, status))
    if connection is not None:
        with suppress(OSError):
            connection.close()


def _opened(host: str, port: int) -> socket.socket:
    made = socket.create_connection((host, port), timeout=_ANSWER_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def _status(connection: socket.socket) -> int:
    """Read one answer to its end; every server here says its length."""
    got = b""
    while (head := got.find(b"\r\n\r\n")) < 0:
        got += _some(connection)
    lower = got[:head].lower()
    at = lower.index(b"content-length:") + 15
    length = int(lower[at:].split(b"\r\n", 1)[0])
    left = length - (len(got) - head - 4)
    while left > 0:
        left -= len(_some(connection))
    return int(got[9:12])


def _some(connection: socket.socket) -> bytes:
    got = connection.recv(65536)
    if not got:
        raise ConnectionResetError
    return got
