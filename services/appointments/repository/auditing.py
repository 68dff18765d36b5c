"""Looks whether what must always be true of appointments is true of the records: the invariants, one by one."""

from __future__ import annotations

from collections import Counter as Counts
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
LOOKED = Gauge("infirmary_invariants_checked_timestamp_seconds", "When appointments were looked at, all in their turn.")
_AT_ONCE = {"a": 500, "d": 50, "r": 50, "p": 250}
"""How many keys of a kind are looked at together; a doctor's day holds many appointments, a patient few."""
_IN_ONE_LOOK = 50_000


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that is wrong: which invariant, and the appointments that show it."""

    invariant: str
    appointments: tuple[UUID, ...]


Members = Mapping[str, Sequence[tuple[str, model.Appointment | None]]]
"""By the key of a sorted set: each member that speaks of an appointment, and that appointment, when there is one."""


class Auditor:
    """Reads all records and schedules of every facility, a few at a time, so that it needs no more room for many.

    Records and schedules are read one after the other, so what is changed meanwhile looks wrong: what counts is what
    is wrong at two looks.
    """

    def __init__(self, records: Records, journal: Journal) -> None:
        self._records, self._journal = records, journal
        self._round: Iterator[_Part] | None = None

    def look(self, call: Call) -> list[Violation]:
        """All that is wrong now; counted by invariant for whoever watches."""
        return self._counted((found for part in self._parts() for found in part.wrong), call)

    def look_on(self, call: Call, *, most: int = _IN_ONE_LOOK) -> None:
        """Go on for so many keys where the last look ended, in rounds; count what is wrong there."""
        self._counted((found for part in self._next(most) for found in part.wrong), call)

    def _next(self, most: int) -> Iterator[_Part]:
        going, self._round = self._round or self._parts(), None  # lost when a store goes away: then it begins again
        for part in going:
            yield part
            most -= part.keys
            if most <= 0:
                self._round = going
                return

    def _counted(self, found: Iterable[Violation], call: Call) -> list[Violation]:
        wrong = list(dict.fromkeys(found))  # what lies on two days, or with two rooms, is met twice
        counts = Counts(each.invariant for each in wrong)
        for name in INVARIANTS:
            VIOLATIONS.labels(name).inc(counts[name])
        LOOKED.set(call.at.timestamp())
        return wrong

    def _parts(self) -> Iterator[_Part]:
        for facility_id in self._records.facilities():
            keys = Keys(facility_id)
            gathered: dict[str, list[str]] = {kind: [] for kind in _AT_ONCE}
            for name in self._names(keys):
                kind = name.split(":")[1]
                gathered[kind].append(name)
                if len(gathered[kind]) == _AT_ONCE[kind]:
                    yield self._part(keys, kind, gathered[kind])
                    gathered[kind] = []
            yield from (self._part(keys, kind, names) for kind, names in gathered.items() if names)

    def _part(self, keys: Keys, kind: str, names: list[str]) -> _Part:
        first = set(self._wrong(keys, kind, names))
        again = [each for each in self._wrong(keys, kind, names) if each in first] if first else []
        return _Part(keys=len(names), wrong=again)

    def _wrong(self, keys: Keys, kind: str, names: list[str]) -> Iterator[Violation]:
        if kind == "a":
            records = [each for each in self._read(keys, names) if each is not None]
            yield from (Violation("I3", (each.id,)) for each in records if not _fits(each))
            yield from self._unwritten(keys, records)
            yield from self._missing(keys, records)
        else:
            members = self._members(keys, names)
            yield from _unfounded(keys, members)
            yield from _CLASHES[kind](members)

    def _names(self, keys: Keys) -> Iterator[str]:
        node = self._node(keys)
        with redis.translated():
            yield from node.scan_iter(match=f"{keys.tag}:[{''.join(_AT_ONCE)}]:*", count=1000)

    def _read(self, keys: Keys, names: Sequence[str]) -> list[model.Appointment | None]:
        """The appointments under some keys; nothing where there is none, or a hold."""
        with redis.translated():
            together = self._node(keys).pipeline(transaction=False)
            for name in names:
                together.hmget(name, "v", "d")
            found = together.execute()
        return [packing.read(orjson.loads(data)) if version and data else None for version, data in found]

    def _members(self, keys: Keys, names: Sequence[str]) -> Members:
        with redis.translated():
            together = self._node(keys).pipeline(transaction=False)
            for name in names:
                together.zrange(name, 0, -1)
            there = dict(zip(names, together.execute(), strict=True))
        told = {name: [each for each in members if not each.endswith((" h", " l"))] for name, members in there.items()}
        ids = list({_id_of(each) for members in told.values() for each in members})
        known = dict(zip(ids, self._read(keys, [keys.record(each) for each in ids]), strict=True))
        return {name: [(each, known[_id_of(each)]) for each in members] for name, members in told.items()}

    def _unwritten(self, keys: Keys, records: Sequence[model.Appointment]) -> Iterator[Violation]:
        """I6: the version that stands has its entry, with events and audit, in the journal or still in the stream."""
        known = self._journal.known_versions([each.id for each in records])
        left = [each for each in records if (each.id, each.version) not in known]
        if not left:
            return
        with redis.translated():
            entries = [parsed(fields) for _, fields in self._node(keys).xrange(keys.out)]
        waiting = {
            (UUID(each["j"]["record"]["id"]), each["j"]["record"]["version"])
            for each in entries
            if each.get("j", {}).get("kind") == "appointment" and len(each["o"]) == 2
        }
        yield from (Violation("I6", (each.id,)) for each in left if (each.id, each.version) not in waiting)

    def _missing(self, keys: Keys, records: Sequence[model.Appointment]) -> Iterator[Violation]:
        """A record that does not stand in one of its schedules as it is."""
        wanted = [(each.id, *place) for each in records for place in _places(keys, each)]
        with redis.translated():
            together = self._node(keys).pipeline(transaction=False)
            for _, key, member in wanted:
                together.zscore(key, member)
            found = together.execute()
        yield from (
            Violation("index", (id_,)) for (id_, _, _), score in zip(wanted, found, strict=True) if score is None
        )

    def _node(self, keys: Keys) -> Any:
        return redis.node(self._records.connection, keys.origin)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    keys: int
    wrong: list[Violation]


def _places(keys: Keys, record: model.Appointment) -> Iterator[tuple[str, str]]:
    """The schedules that an appointment stands in, and how."""
    for entry in arguments.entries(keys, record):
        yield from ((key, entry.member(record.id)) for key in entry.keys)


def _id_of(member: str) -> UUID:
    return UUID(hex=member.partition(" ")[0])


def _fits(record: model.Appointment) -> bool:
    """I3: a number within the capacity."""
    return not record.is_blocking or record.is_overbooked or 1 <= (record.seat or 0) <= record.capacity


def _unfounded(keys: Keys, members: Members) -> Iterator[Violation]:
    """What stands in a schedule beside holds and closures, and in no record as it stands there."""
    for key, told in members.items():
        for member, record in told:
            if record is None or (key, member) not in set(_places(keys, record)):
                yield Violation("index", (_id_of(member),))


def _blocking(members: Members) -> Iterator[list[model.Appointment]]:
    for told in members.values():
        yield [each for _, each in told if each is not None and each.is_blocking]


def _one_number_twice(members: Members) -> Iterator[Violation]:
    """I1 and I3: what overlaps with a doctor has numbers of its own."""
    for group in _blocking(members):
        for one, other in _overlapping([each for each in group if not each.is_overbooked]):
            if one.seat == other.seat:
                yield _pair("I1", one, other)


def _room_in_two_sessions(members: Members) -> Iterator[Violation]:
    """I1: a room or device is in one session at a time."""
    for group in _blocking(members):
        for one, other in _overlapping(group):
            if one.session_id != other.session_id:
                yield _pair("I1", one, other)


def _patient_twice_at_a_time(members: Members) -> Iterator[Violation]:
    """I2: nobody has two appointments at a time, unless a reason was given."""
    for group in _blocking(members):
        for one, other in _overlapping(group):
            if one.overlap_reason is None and other.overlap_reason is None:
                yield _pair("I2", one, other)


_CLASHES: Mapping[str, Callable[[Members], Iterator[Violation]]] = {
    "d": _one_number_twice,
    "r": _room_in_two_sessions,
    "p": _patient_twice_at_a_time,
}


def _pair(invariant: str, one: model.Appointment, other: model.Appointment) -> Violation:
    return Violation(invariant, (min(one.id, other.id), max(one.id, other.id)))


def _overlapping(group: list[model.Appointment]) -> Iterator[tuple[model.Appointment, model.Appointment]]:
    ordered = sorted(group, key=lambda each: each.starts_at)
    for index, one in enumerate(ordered):
        for other in ordered[index + 1 :]:
            if other.starts_at >= one.ends_at:
                break
            yield one, other
