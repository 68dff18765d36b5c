"""Where an appointment still fits, and places that are kept for a while."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from services.appointments import model, view
from services.appointments.controller import counts
from services.appointments.controller.attending import nowhere
from services.appointments.controller.desk import Desk
from services.chassis import paging
from services.chassis.call import Answer, Call
from services.kernel.errors import FieldError, Invalid, NotFound
from services.kernel.intervals import Interval

_USUAL, _LONGEST = timedelta(days=7), timedelta(days=62)


class Finding:
    """Free places and holds."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def find_free_places(
        self,
        facility_id: str,
        appointment_type_id: str,
        call: Call,
        *,
        limit: int = 50,
        cursor: str | None = None,
        since: str | None = None,
        until: str | None = None,
        doctor_id: str | None = None,
        specialization_id: str | None = None,
    ) -> dict[str, Any]:
        """Free places of a doctor, or of all doctors of a specialization."""
        period = model.period(since, until, at=call.at, usual=_USUAL, longest=_LONGEST)
        of = (facility_id, appointment_type_id, doctor_id, specialization_id)
        page = paging.page(cursor, limit=limit, of=of)
        house, facility = self._rules(call, facility_id), UUID(facility_id)
        plans = self._reached(call, self._plans(call, facility, doctor_id, specialization_id), house)
        if doctor_id is not None and not plans:
            raise NotFound  # of a department that is out of reach
        found = self._found(call, UUID(appointment_type_id), house.bookable(period, at=call.at), plans)
        rest = [each for each in found if _key(each) > _after(page)]
        counts.searched(found)
        shown, following = paging.cut(rest, limit=limit, keys=_key, of=of)
        return view.page([view.place(each) for each in shown], next_cursor=following)

    def find_first_free_place(
        self, facility_id: str, specialization_id: str, appointment_type_id: str, call: Call, since: str | None = None
    ) -> dict[str, Any]:
        """The earliest free place over all doctors of a specialization; between equals the less busy doctor's."""
        house, facility = self._rules(call, facility_id), UUID(facility_id)
        asked = model.period(since, None, at=call.at, usual=_LONGEST, longest=_LONGEST)
        said = self._plans(call, facility, None, specialization_id)
        period, plans = house.bookable(asked, at=call.at), self._reached(call, said, house)
        if period is None:
            return {"place": None}
        schedules = self._desk.store.schedules(facility, plans, period=period)
        found = model.first_free(plans, schedules, type_id=UUID(appointment_type_id), period=period, at=call.at)
        counts.searched(found)
        return {"place": None if found is None else view.place(found)}

    def hold_place(self, facility_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Keep a place for a few minutes."""
        desk, facility, hold_id = self._desk, UUID(facility_id), self._desk.new_id()
        type_id, house = UUID(body["appointment_type_id"]), desk.house_for(call, facility)
        model.ensure_plain(body, actor=call.actor, facility_id=facility)
        desk.store.replay(call, facility_id=facility)

        def want(plan: model.DoctorPlan) -> model.Wish:
            return model.wish(plan, body, type_id=type_id)

        def decide(plan: model.DoctorPlan) -> Answer:
            spot = model.find_spot(plan, body, type_id=type_id, house=desk.house, at=call.at, actor=call.actor)
            stored = desk.store.hold(call, spot, hold_id=hold_id, house=house, answer=view.hold(spot, hold_id=hold_id))
            counts.HOLDS.labels("made").inc()
            return call.answer(stored, status=201)

        return desk.decided(call, facility_id=facility, doctor_id=UUID(body["doctor_id"]), want=want, decide=decide)

    def release_hold(self, facility_id: str, hold_id: str, call: Call) -> Answer:
        """Give a held place back."""
        call.audit(record=hold_id)
        self._desk.store.release(call, facility_id=UUID(facility_id), hold_id=UUID(hold_id))
        counts.HOLDS.labels("given_back").inc()
        return call.answer(status=204)

    def _rules(self, call: Call, facility_id: str) -> model.House:
        house = self._desk.house_for(call, UUID(facility_id))
        self._desk.facilities.require(UUID(facility_id), call=call)
        return house

    def _reached(self, call: Call, plans: Iterable[model.DoctorPlan], house: model.House) -> list[model.DoctorPlan]:
        """The plans in reach, with the types that may be booked by those who ask."""

        def is_in_reach(plan: model.DoctorPlan) -> bool:
            where: dict[str, Any] = {"facility_id": plan.facility_id, "departments": plan.departments}
            return bool(call.actor.scope.records) or model.covers(call.actor, **where)

        return [house.shown(each) for each in plans if is_in_reach(each)]

    def _found(
        self, call: Call, type_id: UUID, period: Interval | None, plans: list[model.DoctorPlan]
    ) -> list[model.Place]:
        if period is None:
            return []
        schedules = self._desk.store.schedules(plans[0].facility_id, plans, period=period) if plans else {}

        def of(plan: model.DoctorPlan) -> Iterator[model.Place]:
            schedule, minutes = schedules[plan.doctor_id], plan.types[type_id].minutes
            return model.free_places(
                plan, type_id=type_id, minutes=minutes, period=period, schedule=schedule, at=call.at
            )

        return sorted((place for plan in plans if type_id in plan.types for place in of(plan)), key=_key)

    def _plans(
        self, call: Call, facility_id: UUID, doctor: str | None, specialization: str | None
    ) -> list[model.DoctorPlan]:
        if (doctor is None) == (specialization is None):
            raise Invalid(errors=[FieldError("one_of_doctor_id_and_specialization_id", parameter="doctor_id")])
        doctors = self._desk.doctors

        def said(*, is_fresh: bool) -> list[model.DoctorPlan]:
            asked: dict[str, Any] = {"facility_id": facility_id, "call": call, "is_fresh": is_fresh}
            if specialization is not None:
                return doctors.plans(specialization_id=UUID(specialization), **asked)
            return [doctors.plan(UUID(doctor), **asked)]

        known = said(is_fresh=False)
        return known if self._desk.store.are_of_now(known) else said(is_fresh=True)


def _after(page: paging.Page) -> tuple[int, str]:
    match page.after:
        case None:
            return (0, "")
        case [int() as start, str() as doctor]:
            return (start, doctor)
    raise nowhere()


def _key(place: model.Place) -> tuple[int, str]:
    return (place.start, str(place.doctor_id))
