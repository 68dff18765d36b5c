"""Timed work: run at start and then in its rhythm, by every worker or by one in the house."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from prometheus_client import Counter, Histogram

from services.chassis import logs, redis
from services.chassis.call import Call
from services.chassis.stores import StoreAway, StoreError
from services.kernel.access import Actor

LEASE_S: Final = 30.0
# A worker that finds the period taken looks again after this, so that it steps in soon when the other dies.
_LOOK_AGAIN_S: Final = 5.0

RUNS = Counter("infirmary_job_runs_total", "Runs of timed work, by outcome.", ["name", "outcome"])
SECONDS = Histogram("infirmary_job_seconds", "How long a run took.", ["name"], buckets=(0.01, 0.1, 1, 10, 60, 600))

# Only the holder may lengthen or end a lease: another may have it by now.
_LENGTHEN = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end return 0"
_END = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Timed work: runs when the worker starts and then every `every_s` seconds.

    `run` gets a call of its own, as an operation does. With `alone` it runs once in the house per period, however many
    workers there are; it must still be safe to run twice, because a lease can be lost.
    """

    name: str
    every_s: float
    run: Callable[[Call], None]
    alone: bool = False


class Timer:
    """One job of one service in one worker."""

    def __init__(
        self,
        job: Job,
        *,
        service: str,
        bus: redis.Client,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self._job = job
        self._service = service
        self._bus = bus
        self._clock = clock
        self._new_id = new_id
        RUNS.labels(job.name, "failed")  # an alert must see the first one grow from zero

    def run(self, stop: threading.Event) -> None:
        """Run the job in its rhythm until told to stop; a run that fails is counted, and the next comes in its time."""
        while not stop.is_set():
            began = time.monotonic()
            ran = self._alone() if self._job.alone else self._once()
            rest_s = self._job.every_s - (time.monotonic() - began)
            stop.wait(max(0.0, rest_s) if ran else min(self._job.every_s, _LOOK_AGAIN_S))

    def _once(self) -> bool:
        """Run the job; whether it did its work."""
        began, outcome = time.monotonic(), "done"
        try:
            with redis.translated():  # a job may speak to the bus by a client of its own
                self._job.run(self._call())
        except StoreError as error:
            outcome = "store_away"
            logs.logger().warning("job.paused", job=self._job.name, store=error.store, reason=error.reason)
        except Exception as error:  # noqa: BLE001 - a job that fails once must not end the relay and the consumers
            outcome = "failed"
            logs.logger().error("job.failed", job=self._job.name, exc_info=error)
        SECONDS.labels(self._job.name).observe(time.monotonic() - began)
        RUNS.labels(self._job.name, outcome).inc()
        return outcome == "done"

    def _alone(self) -> bool:
        """Run the job if nobody else has in this period; whether it is done for this period."""
        key, holder = f"lease.{self._service}.{self._job.name}", secrets.token_hex(8)
        began = time.monotonic()
        try:
            with redis.translated():
                taken = bool(self._bus.set(key, holder, nx=True, px=int(LEASE_S * 1000)))
            if not taken:
                return False
            with self._renewed(key, holder):
                done = self._once()
            left_ms = int((self._job.every_s - (time.monotonic() - began)) * 1000)
            with redis.translated():
                if done and left_ms > 0:
                    self._bus.eval(_LENGTHEN, 1, key, holder, str(left_ms))
                else:
                    self._bus.eval(_END, 1, key, holder)
        except StoreAway as error:
            logs.logger().warning("job.paused", job=self._job.name, store=error.store, reason=error.reason)
            return False
        return done

    @contextmanager
    def _renewed(self, key: str, holder: str) -> Iterator[None]:
        over = threading.Event()

        def renew() -> None:
            while not over.wait(LEASE_S / 3):
                try:
                    with redis.translated():
                        self._bus.eval(_LENGTHEN, 1, key, holder, str(int(LEASE_S * 1000)))
                except StoreAway:
                    continue  # there are two more tries before the lease ends

        thread = threading.Thread(target=renew, name=f"lease-{self._job.name}", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _call(self) -> Call:
        id_ = self._new_id()
        actor = Actor(subject=f"service:{self._service}", roles=frozenset({"service"}))
        return Call(id=id_, operation=f"job:{self._job.name}", actor=actor, at=self._clock(), request_id=str(id_))
