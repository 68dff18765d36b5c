"""From the streams of the records into the journal, out of the records what is over, and back into empty records."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from prometheus_client import Gauge

from services.appointments import model
from services.appointments.repository import arguments, packing
from services.appointments.repository.journal import ANSWERS_KEPT, Journal, parsed
from services.appointments.repository.records import Records
from services.appointments.schema.keys import FACILITIES, Keys
from services.chassis import redis
from services.chassis.call import Call
from services.chassis.outbox import Backlog, Outbox, Outgoing, Publish
from services.kernel.access import Actor

_BATCH = 200

WAITING = Gauge("infirmary_unjournaled_entries", "Changes that are in the records and not in the journal yet.")
OLDEST = Gauge("infirmary_unjournaled_oldest_seconds", "Age of the oldest of them; 0 when there is none.")


class Streams:
    """The outbox of the appointments: what waits in the streams of the records is carried into the journal first."""

    def __init__(
        self, carrier: Carrier, journaled: Outbox, *, new_id: Callable[[], UUID], clock: Callable[[], datetime]
    ) -> None:
        self._carrier, self._journaled, self._new_id, self._clock = carrier, journaled, new_id, clock

    def send(self, publish: Publish, *, limit: int = 100) -> int:
        """Carry on what waits in the records, then hand up to `limit` unsent events to `publish`, and say how many."""
        id_, actor = self._new_id(), Actor(subject="service:appointments", roles=frozenset({"service"}))
        self._carrier.carry(Call(id=id_, operation="carry", actor=actor, at=self._clock(), request_id=str(id_)))
        return self._journaled.send(publish, limit=limit)

    def backlog(self) -> Backlog:
        """What waits in the journal; what waits in the records is a metric of its own."""
        return self._journaled.backlog()

    def sent_since(self, since: datetime, *, batch: int = 100) -> Iterator[Sequence[Outgoing]]:
        """What was sent at or after `since`."""
        return self._journaled.sent_since(since, batch=batch)

    def purge(self, before: datetime) -> int:
        """Forget what was sent before this moment, and say how many."""
        return self._journaled.purge(before)


class Carrier:
    """Moves what has happened between records and journal; any number of them may work at once."""

    def __init__(self, records: Records, journal: Journal, *, window: timedelta, clock: Callable[[], datetime]) -> None:
        self._records, self._journal, self._window, self._clock = records, journal, window, clock

    def carry(self, call: Call) -> None:
        """Carry every facility's stream on into the journal, and tell its events."""
        for facility_id in (None, *self._records.facilities()):
            while self._carry_batch(call, facility_id):
                pass

    def measure(self, _call: Call) -> None:
        """How much waits in all streams, and since when."""
        waiting, oldest_ms = 0, 0
        for facility_id in (None, *self._records.facilities()):
            out = Keys(facility_id).out
            with redis.translated():
                node = redis.node(self._records.connection, out)
                first: Any = node.xrange(out, count=1)
                length: Any = node.xlen(out)
            waiting += int(length)
            if first:
                began = int(first[0][0].partition("-")[0])
                oldest_ms = began if not oldest_ms else min(began, oldest_ms)
        WAITING.set(waiting)
        OLDEST.set(max(0.0, self._clock().timestamp() - oldest_ms / 1000) if oldest_ms else 0)

    def tidy(self, call: Call) -> None:
        """Take what ended before the live window out of the records, and old answers out of the journal."""
        self._journal.forget_answers(call.at - ANSWERS_KEPT)
        while found := self._journal.over(call.at - self._window):
            gone = [each for facility in _by_facility(found) for each in self._forget(*facility)]
            if gone:
                self._journal.left(gone)
            if len(gone) < len(found):
                return  # the rest has changed since, and waits for the journal

    def rebuild(self, call: Call, *, say: Callable[[str], object]) -> None:
        """Put back into the records all that the journal has of the live window; while it runs nothing is booked."""
        self.carry(call)
        for facility_id in self._journal.facilities():
            self._follow_on(call, facility_id)
            if facility_id.int == 0:
                continue  # what belongs to no facility has no records
            keys = Keys(facility_id)
            with redis.translated():
                redis.node(self._records.connection, keys.origin).delete(keys.origin)
            counts = self._restore(facility_id, since=call.at - self._window)
            with redis.translated():
                redis.node(self._records.connection, FACILITIES).sadd(FACILITIES, facility_id.hex)
                redis.node(self._records.connection, keys.origin).set(keys.origin, call.at.isoformat())
            say(f"{facility_id}: {counts[0]} appointments, {counts[1]} answers, {counts[2]} plans")

    def _follow_on(self, call: Call, facility_id: UUID) -> None:
        """Let a stream that was lost go on behind what was carried: another server's clock may be behind."""
        out, last = Keys(facility_id if facility_id.int else None).out, self._journal.position(call, facility_id)
        with redis.translated():
            node = redis.node(self._records.connection, out)
            if not node.exists(out) and last != "0-0":
                node.xadd(out, {"e": '{"o":[]}'}, id=_behind(last))

    def _carry_batch(self, call: Call, facility_id: UUID | None) -> bool:
        keys, name = Keys(facility_id), facility_id or UUID(int=0)
        with redis.translated():
            node = redis.node(self._records.connection, keys.out)
            if not node.exists(keys.out):
                return False
        last = self._journal.position(call, name)
        with redis.translated():
            found: Any = node.xrange(keys.out, min=f"({last}", count=_BATCH)
        if found:
            self._journal.take(call, name, [(entry, parsed(fields)) for entry, fields in found], after=last)
            last = self._journal.position(call, name)
        with redis.translated():
            node.xtrim(keys.out, minid=_behind(last), approximate=False)
        return len(found) == _BATCH

    def _forget(self, facility_id: UUID, found: Sequence[model.Appointment]) -> list[UUID]:
        keys = Keys(facility_id)
        gone = [
            {
                "record": keys.record(each.id),
                "version": str(each.version),
                "members": arguments.leaves(keys, each),
            }
            for each in found
        ]
        self._records.script("forget", keys, {"gone": gone})
        left = {each.id for each in self._records.appointments(facility_id, [each.id.hex for each in found])}
        return [each.id for each in found if each.id not in left]

    def _restore(self, facility_id: UUID, *, since: datetime) -> tuple[int, int, int]:
        keys, after, appointments, name, answers = Keys(facility_id), None, 0, "", 0
        while batch := self._journal.alive(facility_id, since=since, after=after):
            self._records.put_back(facility_id, batch)
            after, appointments = batch[-1].id, appointments + len(batch)
        now = self._clock()
        while rows := self._journal.answers(facility_id, since=now - ANSWERS_KEPT, after=name):
            self._records.script("restore", keys, _restored(keys, answers=rows, now=now))
            name, answers = rows[-1]["name"], answers + len(rows)
        plans = self._journal.plans(facility_id)
        self._records.script("restore", keys, _restored(keys, plans=plans))
        return appointments, answers, len(plans)


def _restored(
    keys: Keys,
    *,
    answers: Iterable[dict[str, Any]] = (),
    plans: Iterable[dict[str, Any]] = (),
    now: datetime | None = None,
) -> dict[str, Any]:
    return {
        "records": [],
        "answers": [_answer(keys, each, now) for each in answers if now is not None],
        "plans": [_plan(each) for each in plans],
    }


def _answer(keys: Keys, row: dict[str, Any], now: datetime) -> dict[str, Any]:
    left = row["at"] + ANSWERS_KEPT - now
    return {
        "key": f"{keys.tag}:k:{row['name']}",
        "fingerprint": row["fingerprint"],
        "answer": packing.packed(row["answer"]).decode(),
        "left_ms": max(1000, int(left.total_seconds() * 1000)),
    }


def _plan(row: dict[str, Any]) -> dict[str, Any]:
    enters = [
        {"key": key, "first": each["first"], "member": f"{each['id']} {each['first']} {each['last']} 0 l"}
        for each in row["closed"]
        for key in each["keys"]
    ]
    return {
        "field": row["field"],
        "version": str(row["version"]),
        "closed": packing.packed([{"key": each["key"], "member": each["member"]} for each in enters]).decode(),
        "change": packing.packed({"change": row["change"], "answer": packing.packed(row["answer"]).decode()}).decode(),
        "enters": enters,
    }


def _by_facility(found: Iterable[model.Appointment]) -> Iterable[tuple[UUID, list[model.Appointment]]]:
    groups: dict[UUID, list[model.Appointment]] = {}
    for each in found:
        groups.setdefault(each.facility_id, []).append(each)
    return groups.items()


def _behind(entry: str) -> str:
    """The first id after an entry: all up to it may go."""
    milliseconds, _, number = entry.partition("-")
    return f"{milliseconds}-{int(number) + 1}"
