"""Stand-ins for what the controller is given: appointments in memory, and two services that are tables."""
# ruff: noqa: ARG002 - it has the whole of the protocols

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from services.appointments import model
from services.chassis.call import Call
from services.kernel.access import Area
from services.kernel.errors import NotFound, Stale
from services.kernel.intervals import Interval
from tests.unit.appointments.making import number


class FakeStore:
    """Appointments by id with all their versions; refuses what a test tells it to refuse."""

    def __init__(self) -> None:
        self.versions: dict[UUID, list[model.Change]] = {}
        self.steps: list[model.Step] = []
        self.holds: dict[UUID, model.Spot] = {}
        self.noted: list[str] = []
        self.applied: list[model.PlanChange] = []
        self.refusals: list[Exception] = []
        self.answered: Exception | None = None
        self.taken: list[model.Taken] = []
        self.version_of_now = 3

    def replay(self, call: Call, *, facility_id: UUID) -> None:
        if self.answered is not None:
            raise self.answered

    def commit(self, call: Call, step: model.Step, *, answer: Any, status: int = 200) -> Any:
        self._refuse()
        known = self.versions.setdefault(step.after.id, [])
        if (step.before.version if step.before else 0) != len(known):
            raise Stale
        after = step.after
        if after.seat == model.OPEN_SEAT:
            after = dataclasses.replace(after, seat=1)
        known.append(model.Change(after=after, before=step.before, operation=call.operation, reason=step.reason))
        self.steps.append(step)
        call.committed()
        return {**answer, "seat": after.seat} if "seat" in answer else answer

    def hold(self, call: Call, spot: model.Spot, *, hold_id: UUID, house: model.House, answer: Any) -> Any:
        self._refuse()
        self.holds[hold_id] = spot
        return {**answer, "expires_at": "2026-03-02T08:05:00.000Z"}

    def release(self, call: Call, *, facility_id: UUID, hold_id: UUID) -> None:
        if self.holds.pop(hold_id, None) is None:
            raise NotFound

    def apply(self, call: Call, change: model.PlanChange) -> tuple[list[model.Clash], bool]:
        self._refuse()
        self.applied.append(change)
        return [], False

    def are_of_now(self, plans: Sequence[model.DoctorPlan]) -> bool:
        return all(each.version == self.version_of_now for each in plans)

    def schedules(
        self,
        facility_id: UUID,
        plans: Sequence[model.DoctorPlan],
        *,
        period: Interval,
        patient_id: UUID | None = None,
        added: Sequence[UUID] = (),
    ) -> Mapping[UUID, model.Schedule]:
        return {each.doctor_id: model.Schedule(doctor=self.taken, resources={}) for each in plans}

    def appointment(self, facility_id: UUID, appointment_id: UUID) -> model.Appointment:
        if appointment_id not in self.versions:
            raise NotFound
        return self.versions[appointment_id][-1].after

    def listed(self, asked: model.Asked) -> list[model.Appointment]:
        found = sorted((each[-1].after for each in self.versions.values()), key=lambda each: (each.starts_at, each.id))
        fits = [each for each in found if asked.after is None or (each.starts_at, each.id) > asked.after]
        return fits[: asked.limit + 1]

    def unresolved(
        self,
        facility_id: UUID,
        *,
        areas: Collection[Area],
        before: datetime,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[model.Appointment]:
        found = [each[-1].after for each in self.versions.values()]
        return [each for each in found if each.ends_at <= before and each.status in model.OPEN][: limit + 1]

    def requests(
        self, facility_id: UUID, *, doctors: Collection[UUID], areas: Collection[Area], after: UUID | None, limit: int
    ) -> list[model.Appointment]:
        found = [each[-1].after for _, each in sorted(self.versions.items())]
        waiting = [
            each
            for each in found
            if each.status is model.Status.PENDING and each.doctor_id in (doctors or [each.doctor_id])
        ]
        return [each for each in waiting if after is None or each.id > after][: limit + 1]

    def waiting(self, wanted: model.Wanted) -> tuple[list[model.Appointment], list[model.Appointment]]:
        of: dict[str, Any] = {"after": None, "limit": wanted.limit}
        asked = self.requests(wanted.facility_id, doctors=wanted.doctors, areas=wanted.asked_in or (), **of)
        over = self.unresolved(wanted.facility_id, areas=wanted.over_in or (), before=wanted.before, **of)
        return [] if wanted.asked_in is None else asked, [] if wanted.over_in is None else over

    def states(
        self, facility_id: UUID, *, areas: Collection[Area], after: UUID | None, limit: int
    ) -> list[model.Appointment]:
        found = [each[-1].after for _, each in sorted(self.versions.items())]
        return [each for each in found if after is None or each.id > after][: limit + 1]

    def of_patient(
        self,
        patient_id: UUID,
        *,
        areas: Collection[Area],
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[model.Appointment]:
        found = [each[-1].after for each in self.versions.values() if each[-1].after.patient_id == patient_id]
        return [each for each in found if model.is_within(areas, facility_id=each.facility_id, departments=())]

    def changes(self, facility_id: UUID, appointment_id: UUID, *, below: int | None, limit: int) -> list[model.Change]:
        found = [each for each in self.versions[appointment_id] if below is None or each.after.version < below]
        return found[::-1][: limit + 1]

    def attendance(self, patient_id: UUID, *, areas: Collection[Area]) -> Mapping[str, int]:
        return {"completed": 2, "late_cancelled": 1, "booked": 3}

    def note(self, call: Call, *, facility_id: UUID | None = None) -> None:
        self.noted.append(call.operation)
        call.committed()

    def _refuse(self) -> None:
        if self.refusals:
            raise self.refusals.pop(0)


class FakeFacilities:
    """Every facility is there."""

    def require(self, facility_id: UUID, *, call: Call) -> None:
        return


class FakePatients:
    """How records stand: active, unless a test says otherwise."""

    def __init__(self) -> None:
        self.standings: dict[UUID, str] = {}

    def standing(self, patient_id: UUID, *, call: Call) -> str:
        return self.standings.get(patient_id, "active")


class FakeDoctors:
    """One plan that is known, and one that is found when it is asked for anew."""

    def __init__(self, known: model.DoctorPlan) -> None:
        self.known, self.fresh, self.asked = known, known, 0

    def plan(self, doctor_id: UUID, *, facility_id: UUID, call: Call, is_fresh: bool = False) -> model.DoctorPlan:
        self.asked += 1
        return self.fresh if is_fresh else self.known

    def plans(
        self, facility_id: UUID, *, specialization_id: UUID, call: Call, is_fresh: bool = False
    ) -> list[model.DoctorPlan]:
        self.asked += 1
        return [self.fresh if is_fresh else self.known] if specialization_id == number(60) else []
