"""A consumer: reads what is new, in order; beside it, tries again what failed and takes over from the dead."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from functools import partial

from services.chassis import logs, redis
from services.chassis.bus import counts
from services.chassis.bus.group import RETRY, WAITING, Entry, Group, Pending
from services.chassis.bus.handling import DONE, Handling, Outcome, Result
from services.chassis.bus.timing import Timing
from services.chassis.stores import StoreAway

_BUS_PAUSE_S = 0.5


class Consumer:
    """One process's part in a group; `read` and `retry` have threads of their own: a bad event delays nobody."""

    def __init__(
        self, group: Group, handling: Handling, *, reader: redis.Client, name: str, timing: Timing | None = None
    ) -> None:
        """`reader` is a client that may block for `timing.block_s`."""
        self._group = group
        self._handling = handling
        self._reader = reader
        self._name = name
        self._timing = timing or Timing()
        self._where = (group.stream, group.name)
        for each in (counts.LOST, counts.REDELIVERED, counts.TAKEN_OVER):
            each.labels(*self._where)  # an alert must see the first one grow from zero
        self._touched = 0.0
        self._looked_for_dead = float("-inf")

    def read(self, stop: threading.Event) -> None:
        """Handle new entries until told to stop."""
        self._through_outages(stop, self._read_some)

    def retry(self, stop: threading.Event) -> None:
        """Try again what waits, and look for what the dead have left, until told to stop."""
        self._through_outages(stop, self._retry_some)

    def _through_outages(self, stop: threading.Event, work: Callable[[threading.Event], None]) -> None:
        made = False
        while not stop.is_set():
            try:
                if not made:
                    self._group.ensure()
                    made = True
                work(stop)
            except StoreAway as error:
                logs.logger().warning("consumer.paused", store=error.store, reason=error.reason)
                stop.wait(_BUS_PAUSE_S)

    def _read_some(self, stop: threading.Event) -> None:
        timing = self._timing
        batch = self._group.read(self._reader, consumer=self._name, count=timing.batch, block_s=timing.block_s)
        self._touched = time.monotonic()
        self._handle(batch, stop)
        if self._handling.in_batches and 0 < len(batch) < timing.batch:
            stop.wait(timing.gather_s)

    def _handle(self, batch: Sequence[Entry], stop: threading.Event) -> None:
        if self._handling.in_batches and len(batch) > 1 and self._handled_together(batch, stop):
            return
        for place, entry in enumerate(batch):
            rest = [each.id for each in batch[place:]]
            if stop.is_set():
                self._group.put_aside(*rest, attempts=0)  # for another process, at once
                return
            if not self._still_ours(rest):
                return
            self._settle([entry], self._in_place(partial(self._alone, entry), rest, stop))

    def _handled_together(self, batch: Sequence[Entry], stop: threading.Event) -> bool:
        """Handle a batch at once; False when something in it failed: nothing was kept, and each is taken alone."""
        ids = [each.id for each in batch]
        results = self._in_place(partial(self._handling.handle_together, batch), ids, stop)
        if any(result.outcome is Outcome.FAILED for result in results):
            return False
        self._settle(batch, results)
        return True

    def _alone(self, entry: Entry) -> list[Result]:
        return [self._handling.handle(entry)]

    def _still_ours(self, rest: Sequence[str]) -> bool:
        """Say that we live, now and then; False when we were silent so long that others have taken the rest."""
        silent_s = time.monotonic() - self._touched
        if silent_s > self._timing.dead_after_s:
            return False
        if silent_s > self._timing.dead_after_s / 4:
            self._group.keep(self._name, rest)
            self._touched = time.monotonic()
        return True

    def _in_place(
        self, attempt: Callable[[], list[Result]], rest: Sequence[str], stop: threading.Event
    ) -> list[Result]:
        """Handle; while the handler's store is away, wait with what is in hand: what comes next would fare the same."""
        results = attempt()
        for pause_s in self._timing.away_s:
            is_away = any(result.outcome is Outcome.AWAY for result in results)
            if not is_away or stop.wait(pause_s) or not self._still_ours(rest):
                break
            results = attempt()
        return results

    def _retry_some(self, stop: threading.Event) -> None:
        self._look_for_dead(stop)
        for waiting in self._group.pending(idle_s=self._timing.backoff_s[0], holder=WAITING):
            if stop.is_set():
                return
            if waiting.idle_s >= self._timing.pause_s(waiting.id, attempts=waiting.count):
                self._try_again(waiting)
        stop.wait(self._timing.look_s)

    def _try_again(self, waiting: Pending) -> None:
        if self._is_lost(waiting.id):
            return
        entry = self._group.take(waiting, consumer=f"{RETRY}{self._name}", attempt=waiting.count + 1)
        if entry is not None:
            counts.REDELIVERED.labels(*self._where).inc()
            self._settle([entry], self._alone(entry))

    def _look_for_dead(self, stop: threading.Event) -> None:
        if time.monotonic() - self._looked_for_dead < self._timing.takeover_every_s:
            return
        for left in self._group.pending(idle_s=self._timing.dead_after_s):
            if stop.is_set():
                return
            if left.holder != WAITING and not self._is_lost(left.id):
                self._take_over(left)
        self._group.forget_idle_consumers()
        self._looked_for_dead = time.monotonic()

    def _take_over(self, left: Pending) -> None:
        attempts = left.count if left.holder.startswith(RETRY) else 0
        if attempts >= self._timing.attempts:
            # It has now ended so many processes: nobody takes it up again, not even to read what it is.
            entry = self._group.take(left, consumer=f"{RETRY}{self._name}", attempt=attempts)
            if entry is not None:
                self._bury(entry, Result(outcome=Outcome.FAILED, error="ConsumerDied"))
        elif self._group.take_over(left, attempts=attempts):
            counts.TAKEN_OVER.labels(*self._where).inc()

    def _settle(self, entries: Sequence[Entry], results: Sequence[Result]) -> None:
        """Let go of what is done with, at once, and of each other in the way that it needs."""
        done = [entry.id for entry, result in zip(entries, results, strict=True) if result.outcome in DONE]
        if done:
            self._group.done(*done)
        for entry, result in zip(entries, results, strict=True):
            if result.outcome in DONE:
                counts.HANDLED.labels(*self._where, result.outcome.value).inc()
            else:
                self._settle_failure(entry, result)

    def _settle_failure(self, entry: Entry, result: Result) -> None:
        counts.FAILED.labels(*self._where, result.error).inc()
        if result.outcome is Outcome.AWAY:
            self._group.put_aside(entry.id, attempts=entry.attempt - 1)  # no fault of the event
        elif result.outcome is Outcome.INVALID or entry.attempt >= self._timing.attempts:
            self._bury(entry, result)
        else:
            self._group.put_aside(entry.id, attempts=entry.attempt)

    def _bury(self, entry: Entry, result: Result) -> None:
        """Keep where it is and why, never what it says."""
        facts = {
            "event_id": entry.fields.get("id", ""),
            "type": entry.fields.get("type", ""),
            "error": result.error,
            "attempts": str(entry.attempt),
            "trace": result.trace_id,
        }
        self._group.bury(entry, facts=facts)
        counts.DEAD.labels(*self._where, result.error).inc()
        counts.HANDLED.labels(*self._where, "dead").inc()
        logs.logger().error("event.dead", stream=self._group.stream, entry=entry.id, **facts)

    def _is_lost(self, entry_id: str) -> bool:
        if not self._group.drop_if_lost(entry_id):
            return False
        counts.LOST.labels(*self._where).inc()
        logs.logger().error("event.lost", stream=self._group.stream, group=self._group.name, entry=entry_id)
        return True
