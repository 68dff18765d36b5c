"""What a script is told about a step: the keys that it may touch, and what it has to check and to write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from services.appointments import model
from services.appointments.model.times import minutes_of
from services.appointments.schema.keys import Keys
from services.kernel.intervals import Interval

ANSWERS_KEPT_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class Entry:
    """A member of some sorted sets."""

    keys: Sequence[str]
    first: int
    last: int
    seat: int
    taking: str

    def member(self, id: UUID) -> str:  # noqa: A002 - the thing's own
        """As it stands in the sets."""
        return f"{id.hex} {self.first} {self.last} {self.seat} {self.taking}"

    def plain(self) -> dict[str, Any]:
        """As a script wants it."""
        return {name: getattr(self, name) for name in self.__slots__}


def entries(keys: Keys, appointment: model.Appointment) -> list[Entry]:
    """Where an appointment stands, as it is: in the days of the doctor and of each room, and with the patient."""
    first, last = minutes_of(appointment.starts_at), minutes_of(appointment.ends_at)
    taking = _taking(appointment)
    seat = appointment.seat or 0
    doctor = [*keys.doctor(appointment.doctor_id, first, last)]
    found = [
        Entry(doctor, first, last, seat, taking.value),
        Entry([keys.patient(appointment.patient_id)], first, last, seat, taking.value),
    ]
    rooms = (keys.resource(each, first, last) for each in appointment.resource_ids)
    return [*found, *(Entry(each, first, last, 0, taking.value) for each in rooms)]


def leaves(keys: Keys, before: model.Appointment | None) -> list[dict[str, Any]]:
    """The members that the version before has left behind."""
    found = [] if before is None else entries(keys, before)
    return [{"keys": list(each.keys), "member": each.member(before.id)} for each in found if before is not None]


def of_spot(keys: Keys, spot: model.Spot, *, is_over: bool, may_overlap: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """A place: what is checked of it, and the keys for that."""
    first, last = minutes_of(spot.time.start), minutes_of(spot.time.end)
    named = {
        "doctor": keys.doctor(spot.plan.doctor_id, first, last),
        "resources": [keys.resource(each, first, last) for each in spot.resources],
        "closed": [key for each in (spot.plan.doctor_id, *spot.closed) for key in keys.closed(each, first, last)],
    }
    told = {
        "first": first,
        "last": last,
        "capacity": spot.opening.session.capacity,
        "shared": len(spot.opening.session.resources),
        "over": is_over,
        "overlap": may_overlap,
        "limits": [of_limit(each, days=_days(keys, spot.plan.doctor_id, each)) for each in spot.limits],
    }
    return named, told


def of_limit(limit: model.Limit, *, days: Sequence[str] = ()) -> dict[str, Any]:
    """A limit; without days it is one of the patient's."""
    first, last = minutes_of(limit.period.start), minutes_of(limit.period.end)
    return {"name": limit.name, "days": list(days), "first": first, "last": last, "most": limit.most}


def of_plan(plan: model.DoctorPlan) -> dict[str, str]:
    """The versions that a booking names."""
    return {
        "doctor": plan.doctor_id.hex,
        "version": str(plan.version),
        "facility_version": str(plan.facility_version),
    }


def closed(keys: Keys, closures: Sequence[model.Closure], *, period: Interval) -> list[dict[str, Any]]:
    """What is closed within a period, with the days that it touches."""
    found = []
    for each in closures:
        first, last = minutes_of(max(each.time.start, period.start)), _up(min(each.time.end, period.end))
        if last > first:
            days = keys.closed(each.scope_id, first, last)
            found.append({"id": each.id.hex, "first": first, "last": last, "keys": days})
    return found


def fresh(closures: Sequence[model.Closure], *, period: Interval) -> list[dict[str, Any]]:
    """The closures of a facility, with the days of doctors that have to be looked at."""
    found = []
    for each in closures:
        first, last = minutes_of(max(each.time.start, period.start)), _up(min(each.time.end, period.end))
        if last > first:
            days = list(range(first // 1440, (last - 1) // 1440 + 1))
            found.append({"scope": each.scope, "of": each.scope_id.hex, "first": first, "last": last, "days": days})
    return found


def flat(named: Mapping[str, Any]) -> list[str]:
    """All keys of a script, to be declared; the first decides which node runs it."""
    return list(dict.fromkeys(_all(named.values())))


def _taking(appointment: model.Appointment) -> model.Taking:
    if appointment.is_blocking:
        return model.Taking.OVER if appointment.is_overbooked else model.Taking.BOOKED
    return model.Taking.ASKED if appointment.status is model.Status.PENDING else model.Taking.NOT


def _all(values: Any) -> Iterator[str]:
    for each in values:
        if isinstance(each, str):
            yield each
        elif each is not None:
            yield from _all(each)


def _days(keys: Keys, doctor_id: UUID, limit: model.Limit) -> list[str]:
    return keys.doctor(doctor_id, minutes_of(limit.period.start), minutes_of(limit.period.end))


def _up(at: datetime) -> int:
    return -(-int(at.timestamp()) // 60)
