"""Schedules in Redis: every write is one script, with its audit entry, its events, its answer and its journal entry."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from threading import Lock
from typing import Any
from uuid import UUID

import orjson

from services.appointments import model
from services.appointments.model.times import minutes_of
from services.appointments.repository import arguments, packing, scripts
from services.appointments.repository.refusing import RecordsLost, clashes, refusal, with_end
from services.appointments.schema.keys import FACILITIES, Keys, digest
from services.chassis import outbox, redis
from services.chassis.call import Call
from services.chassis.scripts import Script
from services.chassis.stores import StoreAway
from services.kernel.events import Event


class Records:
    """All schedules.

    is_new: whether nothing was ever written down of a facility, so that empty records are whole. texts: the scripts.
    """

    def __init__(
        self,
        connection: redis.Client | redis.Cluster,
        *,
        service: str,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
        is_new: Callable[[UUID], bool],
        texts: Mapping[str, Script] | None = None,
    ) -> None:
        self.connection = connection
        self._service, self._clock, self._new_id, self._is_new = service, clock, new_id, is_new
        self._scripts = texts or scripts.load()
        self._known: set[UUID] = set()
        self._lock = Lock()

    # ---- writing -----------------------------------------------------------------------------------------------------

    def replay(self, call: Call, *, facility_id: UUID) -> None:
        """Find the answer that a request was given before.

        Raises:  Replayed, KeyReused: as the key says.
        """
        if call.key is None:
            return
        keys = Keys(facility_id)
        named = {"answer": keys.answer(call.key.principal, call.key.key)}
        with redis.translated():
            is_known = redis.node(self.connection, named["answer"]).exists(named["answer"])
        if is_known:  # the script also waits until replicas have what the answer tells of
            self._say("replay", named, {"keys": named, "tag": keys.tag, "fingerprint": call.key.fingerprint.hex()})

    def commit(self, call: Call, step: model.Step, *, answer: Any, status: int) -> Any:
        """Make a step true; the body of the answer, with the number of the place.

        Raises:  PlaceTaken, PlaceClosed, ResourceTaken, PatientBusy, HoldOver, LimitReached, PlanMoved, Stale;
                 Replayed, KeyReused: as the key says. StoreAway: unknown whether it is true.
        """
        keys, after = Keys(step.after.facility_id), step.after
        record, kept = packing.packed(packing.to_plain(after)), packing.packed([status, answer])
        named: dict[str, Any] = {
            "origin": keys.origin,
            "plans": keys.plans,
            "doctors": keys.doctors,
            "out": keys.out,
            "record": keys.record(after.id),
            "patient": keys.patient(after.patient_id),
        }
        told = self._told(call, keys, after.id) | {
            "doctor": after.doctor_id.hex,
            "version": str(after.version),
            "expected": None if step.before is None else str(step.before.version),
            "record": record.decode(),
            "leaves": arguments.leaves(keys, step.before),
            "patient_limits": [arguments.of_limit(each) for each in step.patient_limits],
            "open_limit": step.open_limit,
            "own_limit": step.own_limit,
            "hold": None if step.hold_id is None else step.hold_id.hex,
            "entry": self._entry(call, [step.event], journal=_journal(call, step, record), answer=kept),
        }
        told |= _stored(call, keys, named, answer=kept)
        if step.spot is None:
            told["enters"] = [each.plain() for each in arguments.entries(keys, after)]
            return self._run("settle", after.facility_id, named, told, call)[1]
        may_overlap = after.overlap_reason is not None
        more, told["spot"] = arguments.of_spot(keys, step.spot, is_over=after.is_overbooked, may_overlap=may_overlap)
        told["plan"] = arguments.of_plan(step.spot.plan)
        return self._run("place", after.facility_id, named | more, told, call)[1]

    def hold(
        self,
        call: Call,
        spot: model.Spot,
        *,
        hold_id: UUID,
        house: model.House,
        answer: Any,
    ) -> Any:
        """Keep a place for a while; the body of the answer, with the moment at which it ends.

        Raises:  as commit.
        """
        keys = Keys(spot.plan.facility_id)
        more, told_spot = arguments.of_spot(keys, spot, is_over=False, may_overlap=True)
        named = more | {
            "origin": keys.origin,
            "plans": keys.plans,
            "record": keys.record(hold_id),
            "holds": keys.holds(call.actor.subject),
            "held": keys.held,
        }
        told = self._told(call, keys, hold_id) | {
            "spot": told_spot,
            "plan": arguments.of_plan(spot.plan),
            "hold_ms": int(house.hold.total_seconds() * 1000),
            "most": house.holds,
        }
        told |= _stored(call, keys, named, answer=packing.packed([201, answer]))
        return with_end(self._run("hold", spot.plan.facility_id, named, told, call)[1])

    def release(self, call: Call, *, facility_id: UUID, hold_id: UUID) -> None:
        """Give a held place back.

        Raises:  NotFound: it is not held by this account any more.
        """
        keys = Keys(facility_id)
        named = {"record": keys.record(hold_id), "out": keys.out}
        told = self._told(call, keys, hold_id) | {"hold": hold_id.hex, "entry": self._entry(call, [])}
        self._run("release", facility_id, named, told, call)

    def note(self, call: Call, *, facility_id: UUID | None = None) -> None:
        """Write down who saw or tried what; of a facility without records, where the traces without a facility are."""
        keys = Keys(facility_id if facility_id is not None and self._is_carried(facility_id) else None)
        told = {"keys": {"out": keys.out}, "tag": keys.tag, "entry": self._entry(call, [])}
        self._say("note", {"out": keys.out}, told)
        call.committed()

    def apply(self, call: Call, change: model.PlanChange) -> tuple[list[model.Clash], bool]:
        """Make a plan the one of now.

        Raises:  PlanClashes, PlanSuperseded.
        """
        keys, since = Keys(change.facility_id), change.period.start
        field = "facility" if change.plan is None else change.plan_id.hex
        named: dict[str, Any] = {"plans": keys.plans, "origin": keys.origin, "doctors": keys.doctors, "out": keys.out}
        told = self._told(call, keys, change.change_id) | {
            "field": field,
            "version": str(change.version),
            "change": change.change_id.hex,
            "refuse": change.is_refused_by_clashes,
            "first": minutes_of(since),
            "closed": arguments.closed(keys, change.closures, period=change.period),
        }
        if change.plan is None:
            told["fresh"] = arguments.fresh(change.closures, period=change.period)
        else:
            windows = change.plan.windows(change.period)
            told["windows"] = [[minutes_of(each.start), minutes_of(each.end)] for each in windows]
            named["days"] = keys.doctor(change.plan_id, minutes_of(since), minutes_of(change.period.end))
        journal = {
            "kind": "plan",
            "field": field,
            "version": change.version,
            "closed": told["closed"],
            "change": change.change_id.hex,
            "answer": None,  # the script fills it in
        }
        told["entry"] = self._entry(call, [], journal=journal)
        found = self._run("plan", change.facility_id, named, told, call)
        return clashes(found["clashing"]), bool(found["more"])

    def put_back(self, facility_id: UUID, found: Sequence[model.Appointment]) -> None:
        """Put back what the journal has; a version that is there and as new stays, and an older one leaves nothing."""
        keys = Keys(facility_id)
        there = {each.id: each for each in self.appointments(facility_id, [each.id.hex for each in found])}
        told = [
            {
                "record": keys.record(each.id),
                "version": str(each.version),
                "known": str(there[each.id].version) if each.id in there else "0",
                "data": packing.packed(packing.to_plain(each)).decode(),
                "doctor": each.doctor_id.hex,
                "leaves": arguments.leaves(keys, there.get(each.id)),
                "enters": [
                    {"keys": list(entry.keys), "first": entry.first, "member": entry.member(each.id)}
                    for entry in arguments.entries(keys, each)
                ],
            }
            for each in found
        ]
        self.script("restore", keys, {"records": told, "answers": [], "plans": []})

    def script(self, name: str, keys: Keys, told: Mapping[str, Any]) -> None:
        """Run a script that keeps the records, on one facility."""
        named = {"origin": keys.origin, "plans": keys.plans, "doctors": keys.doctors}
        self._say(name, named, {**told, "keys": named, "tag": keys.tag})

    # ---- reading -----------------------------------------------------------------------------------------------------

    def appointment(self, facility_id: UUID, appointment_id: UUID) -> model.Appointment | None:
        """One appointment as it is now; None when it is not in the live window."""
        keys = Keys(facility_id)
        [found] = self._texts([keys.record(appointment_id)])
        return None if found is None else packing.read(orjson.loads(found))

    def appointments(self, facility_id: UUID, ids: Sequence[str]) -> list[model.Appointment]:
        """Several of them, in this order; those that have gone since are left out."""
        keys = Keys(facility_id)
        found = self._texts([keys.record(UUID(hex=each)) for each in ids])
        return [packing.read(orjson.loads(each)) for each in found if each is not None]

    def standing(self, groups: Sequence[Sequence[str]]) -> list[list[model.Taken]]:
        """What stands in each group of days, once each; holds that are over are left out."""
        with self._pipeline(groups[0][0] if groups and groups[0] else FACILITIES) as together:
            for each in groups:
                for key in each:
                    together.zrange(key, 0, -1)
            found = iter(together.execute())
        read = [[taken for _ in each for taken in map(_taken, next(found))] for each in groups]
        alive = self._living(groups, read)
        return [
            list({each.id: each for each in group if each.id in alive or not _is_held(each)}.values()) for group in read
        ]

    def are_of_now(self, plans: Sequence[model.DoctorPlan]) -> bool:
        """Whether these plans of one facility are the ones that bookings are decided on."""
        if not plans:
            return True
        keys, told = Keys(plans[0].facility_id), [arguments.of_plan(each) for each in plans]
        with redis.translated():
            node = redis.node(self.connection, keys.plans)
            found: Any = node.hmget(keys.plans, ["facility", *(each["doctor"] for each in told)])
        facility = {each["facility_version"] for each in told} == {found[0] or "0"}
        return facility and found[1:] == [each["version"] for each in told]

    def doctors(self, facility_id: UUID) -> list[UUID]:
        """The doctors with appointments."""
        keys = Keys(facility_id)
        with redis.translated():
            found: Any = redis.node(self.connection, keys.doctors).smembers(keys.doctors)
        return sorted(UUID(hex=each) for each in found)

    def facilities(self) -> list[UUID]:
        """The facilities that have records."""
        with redis.translated():
            found: Any = redis.node(self.connection, FACILITIES).smembers(FACILITIES)
        return sorted(UUID(hex=each) for each in found)

    def ping(self) -> None:
        """Answer when the records answer."""
        with redis.translated():
            redis.node(self.connection, FACILITIES).ping()

    # ---- within ------------------------------------------------------------------------------------------------------

    def _run(self, name: str, facility_id: UUID, named: dict[str, Any], told: dict[str, Any], call: Call) -> Any:
        self._know(facility_id)
        told["keys"] = named
        try:
            found = self._say(name, named, told)
        except RecordsLost:
            self._begin(facility_id)
            found = self._say(name, named, told)
        if name != "hold":
            call.committed()
        return None if not found else orjson.loads(found)

    def _say(self, name: str, named: Mapping[str, Any], told: Mapping[str, Any]) -> str:
        # A null of JSON counts as true in Lua.
        said = packing.packed({each: value for each, value in told.items() if value is not None})
        word, more = self._scripts[name].run(self.connection, keys=arguments.flat(named), arguments=[said])
        if word == "ok":
            return str(more)
        raise refusal(word, more)

    def _told(self, call: Call, keys: Keys, id: UUID) -> dict[str, Any]:  # noqa: A002 - the thing's own
        return {"tag": keys.tag, "id": id.hex, "by": call.actor.subject, "open_seat": model.OPEN_SEAT}

    def _entry(
        self,
        call: Call,
        events: Sequence[Event],
        *,
        journal: Mapping[str, Any] | None = None,
        answer: bytes | None = None,
    ) -> str:
        """What goes into the stream: events and audit entry in their envelopes, and what the journal keeps.

        answer: status and body, packed.
        """
        sent = outbox.outgoing(call, events, service=self._service, new_id=self._new_id)
        entry: dict[str, Any] = {"o": [[str(each.id), each.stream, each.type, each.event] for each in sent]}
        if journal is not None:
            entry["j"] = {**journal, "at": call.at, "by": call.actor.subject, "operation": call.operation}
        if call.key is not None and answer is not None:
            key = call.key
            name = digest(key.principal, key.key)
            entry["k"] = {"name": name, "f": key.fingerprint.hex(), "a": orjson.Fragment(answer)}
        return packing.packed(entry).decode()

    def _know(self, facility_id: UUID) -> None:
        """Note a facility among those whose streams are carried on, before anything is written in it."""
        if facility_id in self._known:
            return
        with redis.translated():
            redis.node(self.connection, FACILITIES).sadd(FACILITIES, facility_id.hex)
        self._known.add(facility_id)

    def _is_carried(self, facility_id: UUID) -> bool:
        """Whether what is written in a facility is carried on; an address may name any."""
        if facility_id in self._known:
            return True
        with redis.translated():
            found = redis.node(self.connection, FACILITIES).sismember(FACILITIES, facility_id.hex)
        if found:
            self._known.add(facility_id)
        return bool(found)

    def _begin(self, facility_id: UUID) -> None:
        """Begin the records of a facility of which nothing was ever written down.

        Raises:  StoreAway: something was, so these records are lost and have to be rebuilt.
        """
        with self._lock:
            if not self._is_new(facility_id):
                raise StoreAway("redis", "records_lost")
            self._known.discard(facility_id)
            self._know(facility_id)
            keys = Keys(facility_id)
            with redis.translated():
                redis.node(self.connection, keys.origin).set(keys.origin, self._clock().isoformat(), nx=True)

    def _texts(self, names: Sequence[str]) -> list[str | None]:
        if not names:
            return []
        with self._pipeline(names[0]) as together:
            for each in names:
                together.hget(each, "d")
            found: list[str | None] = together.execute()
        return found

    def _living(self, groups: Sequence[Sequence[str]], read: Sequence[Sequence[model.Taken]]) -> set[str]:
        held = {each.id for group in read for each in group if _is_held(each)}
        if not held:
            return set()
        tag = next(key for group in groups for key in group).partition(":")[0]
        with self._pipeline(tag) as together:
            together.time()
            for each in sorted(held):
                together.hget(f"{tag}:a:{each}", "u")
            (seconds, micros), *ends = together.execute()
        now_ms = seconds * 1000 + micros // 1000
        return {each for each, end in zip(sorted(held), ends, strict=True) if end is not None and int(end) > now_ms}

    @contextmanager
    def _pipeline(self, key: str) -> Iterator[Any]:
        with redis.translated():
            yield redis.node(self.connection, key).pipeline(transaction=False)


def _journal(call: Call, step: model.Step, record: bytes) -> dict[str, Any]:
    return {
        "kind": "appointment",
        "reason": step.reason,
        "request_id": call.request_id,
        "record": orjson.Fragment(record),
    }


def _stored(call: Call, keys: Keys, named: dict[str, Any], *, answer: bytes) -> dict[str, Any]:
    """What a script needs to keep the answer under the request's key; the answer itself is needed in any case."""
    told: dict[str, Any] = {"answer": answer.decode()}
    if call.key is not None:
        named["answer"] = keys.answer(call.key.principal, call.key.key)
        told |= {"fingerprint": call.key.fingerprint.hex(), "answers_kept_ms": arguments.ANSWERS_KEPT_MS}
    return told


def _taken(member: str) -> model.Taken:
    id_, first, last, seat, taking = member.split(" ")
    return model.Taken(id_, int(first), int(last), int(seat), model.Taking(taking))


def _is_held(taken: model.Taken) -> bool:
    return taken.taking is model.Taking.HELD
