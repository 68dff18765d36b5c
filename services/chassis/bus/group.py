"""One consumer group on one stream, as it lies in Redis: who has which entry, how often it was tried, since when.

Redis keeps three things for each entry that was given out and not acknowledged (it is *pending*): its holder, when it
was given out, and a counter. That is all the state there is, so it survives every process of ours:

- A reader holds what it has read, under its own name. If it dies, nobody knows what it had begun, so nothing counts.
- `waiting` holds what waits for its next attempt; the counter says how many attempts have failed.
- A second reader, `retry.<name>`, takes one waiting entry at a time; the counter says which attempt this is. If it
  dies, that attempt has failed: an entry that kills its process ends among the dead letters too.

XAUTOCLAIM cannot tell `waiting` from the dead, so XPENDING with IDLE and XCLAIM with the same minimum do its work.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import redis as driver

from services.chassis import redis

WAITING = "waiting"
RETRY = "retry."
_PAGE = 200
_IDLE_CONSUMER_MS = 3_600_000

# A consumer is deleted with its pending entries, so only one without any may go: looked at and deleted in one step.
_DELETE_IDLE = """
if #redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2]) == 0 then
  return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
end
return 0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One entry of the stream, with which attempt at handling it this is."""

    id: str
    fields: Mapping[str, str]
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pending:
    """An entry that was given out and not acknowledged."""

    id: str
    holder: str
    idle_s: float
    count: int


def dead_letters_of(group: str) -> str:
    """The stream of a group's dead letters."""
    return f"dead.{group}"


class Group:
    """A consumer group on a stream; every method is one look or one atomic step, and StoreAway when the bus is away."""

    def __init__(self, bus: redis.Client, *, stream: str, name: str) -> None:
        self.stream = stream
        self.name = name
        self._bus = bus
        self._delete_idle = bus.register_script(_DELETE_IDLE)

    def ensure(self) -> None:
        """Be there, from the first entry on: nothing that was published before the group is lost to it."""
        with redis.translated():
            try:
                self._bus.xgroup_create(self.stream, self.name, id="0", mkstream=True)
            except driver.ResponseError as error:
                if not str(error).startswith("BUSYGROUP"):
                    raise

    def read(self, reader: redis.Client, *, consumer: str, count: int, block_s: float) -> list[Entry]:
        """New entries for a consumer, after up to `block_s`. A group that was lost with the bus is made anew."""
        with redis.translated():
            try:
                found: Any = reader.xreadgroup(
                    self.name, consumer, {self.stream: ">"}, count=count, block=max(1, int(block_s * 1000))
                )
            except driver.ResponseError as error:
                if not _is_lost(error):
                    raise
                self.ensure()
                return []
        return [Entry(id=id_, fields=fields, attempt=1) for _, entries in found or () for id_, fields in entries]

    def done(self, *ids: str) -> int:
        """These need nothing more; how many of them were still pending."""
        with redis.translated():
            return int(self._bus.xack(self.stream, self.name, *ids))

    def put_aside(self, *ids: str, attempts: int) -> None:
        """These wait for their next attempt, after so many that have failed."""
        self._hand(WAITING, ids, min_idle_s=0, count=attempts)

    def keep(self, consumer: str, ids: Sequence[str]) -> None:
        """The consumer is alive and still has these."""
        self._hand(consumer, ids, min_idle_s=0, count=None)

    def pending(self, *, idle_s: float, holder: str | None = None) -> Iterator[Pending]:
        """Entries, of one holder or of all, that nobody has touched for so long, oldest first."""
        start = "-"
        while True:
            with redis.translated():
                try:
                    page: Any = self._bus.xpending_range(
                        self.stream, self.name, start, "+", _PAGE, holder, idle=int(idle_s * 1000)
                    )
                except driver.ResponseError as error:
                    if _is_lost(error):
                        return
                    raise
            for row in page:
                yield Pending(
                    id=row["message_id"],
                    holder=row["consumer"],
                    idle_s=row["time_since_delivered"] / 1000,
                    count=row["times_delivered"],
                )
            if len(page) < _PAGE:
                return
            start = f"({page[-1]['message_id']}"

    def take(self, entry: Pending, *, consumer: str, attempt: int) -> Entry | None:
        """Take a waiting entry for one attempt; None when another process was faster."""
        with redis.translated():
            found: Any = self._bus.xclaim(
                self.stream, self.name, consumer, int(entry.idle_s * 1000), [entry.id], retrycount=attempt
            )
        if not found or found[0][0] is None:
            return None
        return Entry(id=entry.id, fields=found[0][1], attempt=attempt)

    def take_over(self, entry: Pending, *, attempts: int) -> bool:
        """Put an entry of a dead consumer among the waiting; False when another process was faster."""
        return bool(self._hand(WAITING, [entry.id], min_idle_s=entry.idle_s, count=attempts))

    def drop_if_lost(self, id: str) -> bool:  # noqa: A002 - the field's name
        """Whether a pending entry is no longer in the stream; then nobody can handle it, and it is pending no more."""
        with redis.translated():
            if self._bus.xrange(self.stream, id, id, count=1):
                return False
            self._bus.xack(self.stream, self.name, id)
        return True

    def bury(self, entry: Entry, *, facts: Mapping[str, str]) -> None:
        """Make an entry a dead letter, and be done with it, in one step."""
        letter: Any = {"stream": self.stream, "entry": entry.id, **facts}
        with redis.translated():
            steps = self._bus.pipeline(transaction=True)
            steps.xadd(dead_letters_of(self.name), letter)
            steps.xack(self.stream, self.name, entry.id)
            steps.execute()

    def forget_idle_consumers(self) -> None:
        """Delete consumers that have nothing and have not asked for an hour: names of processes that are gone."""
        with redis.translated():
            try:
                consumers: Any = self._bus.xinfo_consumers(self.stream, self.name)
            except driver.ResponseError:
                return  # no stream or no group: nothing to forget
            for each in consumers:
                if each["pending"] == 0 and each["idle"] > _IDLE_CONSUMER_MS and each["name"] != WAITING:
                    self._delete_idle(keys=[self.stream], args=[self.name, each["name"]])

    def _hand(self, holder: str, ids: Sequence[str], *, min_idle_s: float, count: int | None) -> list[str]:
        if not ids:
            return []
        with redis.translated():
            try:
                handed: Any = self._bus.xclaim(
                    self.stream,
                    self.name,
                    holder,
                    int(min_idle_s * 1000),
                    list(ids),
                    idle=0,
                    retrycount=count,
                    justid=True,
                )
            except driver.ResponseError as error:
                if _is_lost(error):
                    return []
                raise
        return list(handed)


def _is_lost(error: driver.ResponseError) -> bool:
    """Whether the stream or its group is gone, as after the loss of the bus."""
    return str(error).startswith("NOGROUP")
