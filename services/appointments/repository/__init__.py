"""Where appointments are kept: schedules in Redis, the journal in PostgreSQL, and what other services say."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from services.appointments import model
from services.appointments.model.times import minutes_of
from services.appointments.repository.journal import Journal
from services.appointments.repository.records import Records
from services.appointments.schema.keys import Keys
from services.chassis.call import Call
from services.kernel.access import Area
from services.kernel.errors import NotFound
from services.kernel.intervals import Interval

_CHUNK = 100
_MARGIN = timedelta(days=1)
_AROUND = timedelta(hours=25)
"""As long as a day can be: limits of a day or a session count what lies before and behind a period too."""


class AppointmentsStore:
    """Records and journal as one: what is live is asked of the records, what is older of the journal.

    window: how long what is over stays in the records.
    """

    def __init__(self, records: Records, journal: Journal, *, window: timedelta, clock: Callable[[], datetime]) -> None:
        self._records, self._journal, self._window, self._clock = records, journal, window, clock

    def replay(self, call: Call, *, facility_id: UUID) -> None:
        """Find the answer that a request was given before."""
        self._records.replay(call, facility_id=facility_id)

    def commit(self, call: Call, step: model.Step, *, answer: Any, status: int = 200) -> Any:
        """Make a step true and give its answer, with the number of the place filled in.

        An appointment that has left the records comes back first; it leaves them again with the next tidying.
        """
        before = step.before
        if before is not None and before.ends_at < self._clock() - self._window + _MARGIN:
            for known in self._journal.back(before.facility_id, before.id):
                self._records.put_back(before.facility_id, [known])
        return self._records.commit(call, step, answer=answer, status=status)

    def hold(self, call: Call, spot: model.Spot, *, hold_id: UUID, house: model.House, answer: Any) -> Any:
        """Keep a place for a while; the answer says until when."""
        return self._records.hold(call, spot, hold_id=hold_id, house=house, answer=answer)

    def release(self, call: Call, *, facility_id: UUID, hold_id: UUID) -> None:
        """Give a held place back; NotFound when it is not held by this account any more."""
        self._records.release(call, facility_id=facility_id, hold_id=hold_id)

    def apply(self, call: Call, change: model.PlanChange) -> tuple[list[model.Clash], bool]:
        """Make a plan the one of now; the appointments that do not fit it, and whether there are more."""
        return self._records.apply(call, change)

    def are_of_now(self, plans: Sequence[model.DoctorPlan]) -> bool:
        """Whether these plans of one facility are the ones that bookings are decided on."""
        return self._records.are_of_now(plans)

    def note(self, call: Call, *, facility_id: UUID | None = None) -> None:
        """Write down who saw what, before it is shown."""
        self._records.note(call, facility_id=facility_id)

    def schedules(
        self,
        facility_id: UUID,
        plans: Sequence[model.DoctorPlan],
        *,
        period: Interval,
        patient_id: UUID | None = None,
        added: Sequence[UUID] = (),
    ) -> Mapping[UUID, model.Schedule]:
        """What stands in the schedules of some doctors, the rooms of their sessions and some more, by doctor."""
        keys = Keys(facility_id)
        first, last = (minutes_of(each) for each in (period.start - _AROUND, period.end + _AROUND))
        rooms = sorted({room for plan in plans for session in plan.sessions for room in session.resources} | {*added})
        groups = [keys.doctor(plan.doctor_id, first, last) for plan in plans]
        groups += [keys.resource(room, first, last) for room in rooms]
        groups += [] if patient_id is None else [[keys.patient(patient_id)]]
        found = self._records.standing(groups)
        by_room = dict(zip(rooms, found[len(plans) :], strict=False))
        patient = [] if patient_id is None else found[-1]
        return {
            plan.doctor_id: model.Schedule(doctor=taken, resources=by_room, patient=patient)
            for plan, taken in zip(plans, found, strict=False)
        }

    def appointment(self, facility_id: UUID, appointment_id: UUID) -> model.Appointment:
        """One appointment as it is now; NotFound when there is none."""
        found = self._records.appointment(facility_id, appointment_id)
        found = found or self._journal.appointment(facility_id, appointment_id)
        if found is None:
            raise NotFound
        return found

    def listed(self, asked: model.Asked) -> list[model.Appointment]:
        """Appointments of a period by start and id, one more than the limit."""
        since, period = self._clock() - self._window + _MARGIN, asked.period
        found: dict[UUID, model.Appointment] = {}
        if period.start < since:
            old = Interval(period.start, min(period.end, since))
            found |= {each.id: each for each in self._journal.listed(asked, period=old)}
        if period.end > since:
            live = Interval(max(period.start, since), period.end)
            found |= {each.id: each for each in self._live(asked, live, wanted=asked.limit + 1)}
        return sorted(found.values(), key=_place)[: asked.limit + 1]

    def unresolved(
        self,
        facility_id: UUID,
        *,
        areas: Collection[Area],
        before: datetime,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[model.Appointment]:
        """Appointments in some areas that are over and still open, oldest first, one more than the limit."""

        def read(last: model.Appointment | None) -> list[model.Appointment]:
            place = after if last is None else (last.ends_at, last.id)
            return self._journal.unresolved(facility_id, areas=areas, before=before, after=place, limit=limit)

        return self._still(read, partial(_is_over, areas=areas, before=before), limit=limit)

    def requests(
        self, facility_id: UUID, *, doctors: Collection[UUID], areas: Collection[Area], after: UUID | None, limit: int
    ) -> list[model.Appointment]:
        """Requests in some areas that wait, oldest first, one more than the limit; doctors: only theirs, if any."""

        def read(last: model.Appointment | None) -> list[model.Appointment]:
            place = after if last is None else last.id
            return self._journal.requests(facility_id, doctors=doctors, areas=areas, after=place, limit=limit)

        return self._still(read, partial(_is_asked, areas=areas), limit=limit)

    def waiting(self, wanted: model.Wanted) -> tuple[list[model.Appointment], list[model.Appointment]]:
        """Requests, and what is over and still open, each one more than the limit and in the areas given for it."""
        asked, over = self._journal.waiting(wanted)
        asked_in, over_in, before = wanted.asked_in or (), wanted.over_in or (), wanted.before
        of: dict[str, Any] = {"doctors": wanted.doctors, "limit": wanted.limit}

        def more_asked(last: model.Appointment | None) -> list[model.Appointment]:
            if last is None:
                return asked
            return self._journal.requests(wanted.facility_id, areas=asked_in, after=last.id, **of)

        def more_over(last: model.Appointment | None) -> list[model.Appointment]:
            if last is None:
                return over
            place = (last.ends_at, last.id)
            return self._journal.unresolved(wanted.facility_id, areas=over_in, before=before, after=place, **of)

        return (
            self._still(more_asked, partial(_is_asked, areas=asked_in), limit=wanted.limit),
            self._still(more_over, partial(_is_over, areas=over_in, before=before), limit=wanted.limit),
        )

    def states(
        self, facility_id: UUID, *, areas: Collection[Area], after: UUID | None, limit: int
    ) -> list[model.Appointment]:
        """All appointments of a facility in some areas that are written down, by id, one more than the limit."""
        return self._journal.states(facility_id, areas=areas, after=after, limit=limit)

    def of_patient(
        self,
        patient_id: UUID,
        *,
        areas: Collection[Area],
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[model.Appointment]:
        """A patient's appointments in some areas, the latest start first, one more than the limit."""
        old = self._journal.of_patient(patient_id, areas=areas, after=after, limit=limit)
        found = {each.id: each for each in old}
        for facility_id in self._records.facilities():
            [taken] = self._records.standing([[Keys(facility_id).patient(patient_id)]])
            live = self._records.appointments(facility_id, [each.id for each in taken])
            found |= {each.id: each for each in live}
        newest = sorted((each for each in found.values() if _is_within(each, areas)), key=_place, reverse=True)
        return [each for each in newest if after is None or _place(each) < after][: limit + 1]

    def changes(self, facility_id: UUID, appointment_id: UUID, *, below: int | None, limit: int) -> list[model.Change]:
        """Versions of an appointment, newest first, one more than the limit."""
        return self._journal.changes(facility_id, appointment_id, below=below, limit=limit)

    def attendance(self, patient_id: UUID, *, areas: Collection[Area]) -> Mapping[str, int]:
        """How many of a patient's appointments in some areas ended how."""
        return self._journal.attendance(patient_id, areas=areas)

    def _live(self, asked: model.Asked, period: Interval, *, wanted: int) -> list[model.Appointment]:
        keys, first, last = Keys(asked.facility_id), minutes_of(period.start), minutes_of(period.end)
        doctors = asked.doctors or self._records.doctors(asked.facility_id)
        if not doctors:
            return []
        groups = self._records.standing([keys.doctor(each, first, last) for each in doctors])
        places = sorted(
            (each.start, UUID(hex=each.id))
            for group in groups
            for each in group
            if first <= each.start < last and each.taking is not model.Taking.HELD
        )
        if asked.after is not None:
            mark = (minutes_of(asked.after[0]), asked.after[1])
            places = [each for each in places if each > mark]
        found: list[model.Appointment] = []
        for start in range(0, len(places), _CHUNK):
            ids = [each.hex for _, each in places[start : start + _CHUNK]]
            chunk = self._records.appointments(asked.facility_id, ids)
            wanted_too = [each for each in chunk if not asked.statuses or each.status in asked.statuses]
            found += [each for each in wanted_too if _is_within(each, asked.areas)]
            if len(found) >= wanted:
                break
        return found

    def _still(
        self,
        read: Callable[[model.Appointment | None], list[model.Appointment]],
        is_wanted: Callable[[model.Appointment], bool],
        *,
        limit: int,
    ) -> list[model.Appointment]:
        """What the journal gives page by page, where the records say that it is still so; one more than the limit."""
        kept: list[model.Appointment] = []
        last: model.Appointment | None = None
        while len(kept) <= limit:
            found = read(last)
            kept += filter(is_wanted, self._newest(found))
            if len(found) <= limit:
                break
            last = found[-1]
        return kept[: limit + 1]

    def _newest(self, found: Sequence[model.Appointment]) -> list[model.Appointment]:
        """The same as they are in the records now, where they are there."""
        by_facility: dict[UUID, list[str]] = {}
        for each in found:
            by_facility.setdefault(each.facility_id, []).append(each.id.hex)
        live = {
            each.id: each for facility, ids in by_facility.items() for each in self._records.appointments(facility, ids)
        }
        return [live.get(each.id, each) for each in found]


def _is_asked(appointment: model.Appointment, *, areas: Collection[Area]) -> bool:
    return appointment.status is model.Status.PENDING and _is_within(appointment, areas)


def _is_over(appointment: model.Appointment, *, areas: Collection[Area], before: datetime) -> bool:
    return appointment.status in model.OPEN and appointment.ends_at <= before and _is_within(appointment, areas)


def _is_within(appointment: model.Appointment, areas: Collection[Area]) -> bool:
    return model.is_within(areas, facility_id=appointment.facility_id, departments=appointment.department_ids)


def _place(appointment: model.Appointment) -> tuple[datetime, UUID]:
    return (appointment.starts_at, appointment.id)
