"""Looks whether what must always be true of appointments is true of the records: the invariants, one by one."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from prometheus_client import Counter, Gauge

from services.appointments import model
from services.appointments.repository import arguments, packing
from services.appointments.repository.journal import Journal, parsed
from services.appointments.repository.records import Records
from services.appointments.schema.keys import Keys
from services.chassis import redis
from services.chassis.call import Call

INVARIANTS = ("I1", "I2", "I3", "I6", "index")
VIOLATIONS = Counter(
    "infirmary_invariant_violations_total",
    "What must always be true and was not, counted anew at each look.",
    ["invariant"],
)
LOOKED = Gauge("infirmary_invariants_checked_timestamp_seconds", "When that was.")
_SCAN = 500


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong: which invariant, and the appointments that show it."""

    invariant: str
    appointments: tuple[UUID, ...]


class Auditor:
    """Reads all records of every facility; for one facility in a few hundred milliseconds per ten thousand."""

    def __init__(self, records: Records, journal: Journal) -> None:
        self._records, self._journal = records, journal

    def look(self, call: Call) -> list[Violation]:
        """All that is wrong now; counted by invariant for whoever watches.

        Records and schedules are read one after the other, so what is changed meanwhile looks wrong: what counts is
        wrong at two looks.
        """
        found = [each for facility_id in self._records.facilities() for each in self._twice(facility_id)]
        counts = Counts(each.invariant for each in found)
        for name in INVARIANTS:
            VIOLATIONS.labels(name).inc(counts[name])
        LOOKED.set(call.at.timestamp())
        return found

    def _twice(self, facility_id: UUID) -> list[Violation]:
        first = list(self.violations(facility_id))
        return [each for each in self.violations(facility_id) if each in first] if first else []

    def violations(self, facility_id: UUID) -> Iterator[Violation]:
        """All that is wrong in one facility."""
        keys = Keys(facility_id)
        records = list({each.id: each for each in self._all(keys)}.values())  # SCAN may name a key twice
        blocking = [each for each in records if each.is_blocking]
        yield from _over_capacity(_grouped(blocking, lambda each: [each.doctor_id]), by_seat=True)
        yield from _over_capacity(_grouped(blocking, lambda each: each.resource_ids), by_seat=False)
        yield from _twice_at_a_time(_grouped(blocking, lambda each: [each.patient_id]))
        yield from self._unwritten(keys, records)
        yield from self._misplaced(keys, records)

    def _all(self, keys: Keys) -> Iterator[model.Appointment]:
        for batch in _batches(self._names(keys, "a"), _SCAN):
            with redis.translated():
                together = redis.node(self._records.connection, keys.origin).pipeline(transaction=False)
                for name in batch:
                    together.hmget(name, "v", "d")
                found = together.execute()
            yield from (packing.read(orjson.loads(data)) for version, data in found if version and data)

    def _names(self, keys: Keys, kind: str) -> Iterator[str]:
        node: Any = redis.node(self._records.connection, keys.origin)
        with redis.translated():
            yield from node.scan_iter(match=f"{keys.tag}:{kind}:*", count=_SCAN)

    def _unwritten(self, keys: Keys, records: Sequence[model.Appointment]) -> Iterator[Violation]:
        """I6: the version that stands has its entry, with events and audit, in the stream or in the journal."""
        with redis.translated():
            found: Any = redis.node(self._records.connection, keys.out).xrange(keys.out)
        entries = [parsed(fields) for _, fields in found]
        waiting = {
            (UUID(each["j"]["record"]["id"]), each["j"]["record"]["version"])
            for each in entries
            if each.get("j", {}).get("kind") == "appointment" and len(each["o"]) == 2
        }
        for batch in _batches(records, _SCAN):
            known = waiting | self._journal.known_versions([each.id for each in batch])
            yield from (Violation("I6", (each.id,)) for each in batch if (each.id, each.version) not in known)

    def _misplaced(self, keys: Keys, records: Sequence[model.Appointment]) -> Iterator[Violation]:
        """The schedules hold what the records say, and nothing else beside holds and closures."""
        wanted = {
            (key, entry.member(each.id))
            for each in records
            for entry in arguments.entries(keys, each)
            for key in entry.keys
        }
        there = set()
        for kind in ("d", "r", "p"):
            for batch in _batches(self._names(keys, kind), _SCAN):
                with redis.translated():
                    together = redis.node(self._records.connection, keys.origin).pipeline(transaction=False)
                    for name in batch:
                        together.zrange(name, 0, -1)
                    for name, members in zip(batch, together.execute(), strict=True):
                        there |= {(name, member) for member in members if not member.endswith((" h", " l"))}
        for _, member in sorted(wanted ^ there):
            yield Violation("index", (UUID(hex=member.partition(" ")[0]),))


def _over_capacity(groups: Iterable[list[model.Appointment]], *, by_seat: bool) -> Iterator[Violation]:
    """I1 and I3: what overlaps has numbers of its own, within the capacity; a room is in one session at a time."""
    for group in groups:
        counted = [each for each in group if not (by_seat and each.is_overbooked)]
        for one, other in _overlapping(counted):
            if one.seat == other.seat if by_seat else one.session_id != other.session_id:
                yield Violation("I1", (one.id, other.id))
        if by_seat:
            yield from (Violation("I3", (each.id,)) for each in counted if not 1 <= (each.seat or 0) <= each.capacity)


def _twice_at_a_time(groups: Iterable[list[model.Appointment]]) -> Iterator[Violation]:
    """I2: nobody has two appointments at a time, unless a reason was given."""
    for group in groups:
        for one, other in _overlapping(group):
            if one.overlap_reason is None and other.overlap_reason is None:
                yield Violation("I2", (one.id, other.id))


def _overlapping(group: list[model.Appointment]) -> Iterator[tuple[model.Appointment, model.Appointment]]:
    ordered = sorted(group, key=lambda each: each.starts_at)
    for index, one in enumerate(ordered):
        for other in ordered[index + 1 :]:
            if other.starts_at >= one.ends_at:
                break
            yield one, other


def _grouped(records: Iterable[model.Appointment], names: Any) -> Iterable[list[model.Appointment]]:
    groups: dict[UUID, list[model.Appointment]] = {}
    for each in records:
        for name in names(each):
            groups.setdefault(name, []).append(each)
    return groups.values()


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    batch: list[Any] = []
    for each in items:
        batch.append(each)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
