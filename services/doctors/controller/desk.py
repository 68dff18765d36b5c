"""What the methods of the controller work with, and the steps that several of them take."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from services.chassis import paging
from services.chassis.call import Answer, Call
from services.doctors import view
from services.doctors.model import access, fence, listed, plans, profiles, records
from services.doctors.model.fence import Proposal
from services.doctors.model.listed import AppointmentType, Specialization
from services.doctors.model.places import Place, ensure_usable_resources, usable
from services.doctors.model.plans import Holdings
from services.doctors.model.profiles import Doctor
from services.doctors.model.sessions import Session
from services.doctors.model.store import Fence, Identity, Reading, Store, Work
from services.kernel.errors import Forbidden

Decide = Callable[[Work], Proposal]


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Store, places, fence and maker of ids; it holds nothing of a request."""

    store: Store
    identity: Identity
    fence: Fence
    new_id: Callable[[], UUID]

    def change(self, call: Call, decide: Decide, *, status: int = 200) -> Answer:
        """Keep what is decided: at once where no plan is touched, else by the plan fence."""
        with self.store.begin(call) as tx:
            change = tx.asked_before()
            if change is None:
                proposal = decide(tx)
                if not proposal.steps:
                    return _keep_now(tx, proposal, call, status=status)
                change = tx.propose(proposal, change_id=self.new_id())
            tx.answer_later()
        answer: Answer = self.fence.settle(change, call=call, show=view.settled, status=status)
        return answer

    def page(self, kind: type[Any], /, *, limit: int, cursor: str | None, **only: Any) -> dict[str, Any]:
        """A page of records in the order of their making."""
        of = (kind.__name__, *only.items())
        after = place(cursor, limit=limit, of=of)
        with self.store.read() as tx:
            found = tx.page(kind, after=after, limit=limit + 1, **only)
        return cut(found, view.SHOWN[kind], limit=limit, of=of)

    def ensure_planner(
        self, doctor_id: UUID, call: Call, *, facility_id: UUID | None = None, session_id: UUID | None = None
    ) -> None:
        """Let those through who may plan for this doctor, before anything else is asked.

        facility_id, session_id: where hours are planned, or which; without them all is touched that the doctor does.
        """
        with self.store.read() as tx:
            doctor = tx.one(Doctor, doctor_id)
            if session_id is not None and call.actor.grants:
                facility_id = tx.one(Session, session_id).facility_id
            touched = works_at(tx, doctor, call) if facility_id is None else {facility_id}
        try:
            access.ensure_may_plan(doctor, actor=call.actor, facilities=touched)
        except Forbidden:
            call.audit(record=doctor.id)
            raise

    def known(self, tx: Work, doctor_id: UUID, call: Call) -> Holdings:
        """All that the plans of a doctor are made of, held until the end, when nothing of it waits."""
        tx.for_change(Doctor, doctor_id)
        fence.ensure_none_waits(tx.open_change(doctor_id))
        (found,) = tx.holdings([doctor_id], at=call.at)
        return found

    def where(self, body: Mapping[str, Any], call: Call) -> tuple[Place, Place]:
        """The facility and the location that a body names, as `identity` says now."""
        facility_id, location_id = UUID(body["facility_id"]), UUID(body["location_id"])
        found = self.identity.facility(facility_id, call=call)
        facility = usable(found, facility_id=facility_id, pointer="/facility_id")
        return facility, self.location(location_id, facility_id=facility_id, pointer="/location_id", call=call)

    def location(self, location_id: UUID, *, facility_id: UUID, pointer: str, call: Call) -> Place:
        """A location of a facility, as `identity` says now."""
        found = self.identity.location(location_id, call=call)
        return usable(found, facility_id=facility_id, pointer=pointer)

    def ensure_stands(self, made: listed.Resource, call: Call) -> None:
        """Let only a room or device through whose facility and location are there."""
        found = self.identity.facility(made.facility_id, call=call)
        usable(found, facility_id=made.facility_id, pointer="/facility_id")
        if made.location_id is not None:
            self.location(made.location_id, facility_id=made.facility_id, pointer="/location_id", call=call)

    def ensure_departments(self, body: Mapping[str, Any], *, had: Collection[UUID], call: Call) -> None:
        """Let only departments through that `identity` knows and the actor runs; those that the doctor had may stay."""
        for number, each in enumerate(listed.wanted(body, "department_ids")):
            if each in had:
                continue
            facility_id = self.identity.facility_of(each, call=call)
            if facility_id is None:
                raise records.refuse("unknown", f"/department_ids/{number}")
            access.ensure_may_place(each, facility_id=facility_id, actor=call.actor)

    def profile(self, tx: Work, now: Doctor, fresh: Doctor, call: Call) -> Proposal:
        """A change of a profile, with a step for each plan that it touches."""
        if fresh == now:
            return Proposal(shown=now, subject_id=now.id)
        fields = tuple(records.differing(now, fresh))
        made = Proposal(shown=fresh, records=(fresh,), fields=fields, subject_id=now.id)
        return self.stepped(tx, made, call) if profiles.touches_plans(now, fresh) else made

    def stepped(self, tx: Work, proposal: Proposal, call: Call) -> Proposal:
        """A change of all plans that the doctor has."""
        (known,) = tx.holdings([proposal.subject_id], at=call.at)
        facilities = {each.facility_id for each in known.effective}
        return self.at_facilities(known, proposal, facilities, call)

    def at_facilities(self, known: Holdings, proposal: Proposal, facilities: Collection[UUID], call: Call) -> Proposal:
        """A change of the doctor's plans at some facilities."""
        after = plans.with_records(known, proposal.records)
        steps = view.doctor_steps(known, after, facilities=facilities, at=call.at, new_id=self.new_id)
        return replace(proposal, steps=steps)


def works_at(tx: Reading, doctor: Doctor, call: Call) -> set[UUID]:
    """Where a doctor has hours now or ahead; looked up only for those who are narrowed to places."""
    if not call.actor.grants:
        return set()
    return {each.facility_id for known in tx.holdings([doctor.id], at=call.at) for each in known.effective}


def ensure_manages(tx: Reading, doctor: Doctor, call: Call) -> Doctor:
    """The doctor, for one whose role holds wherever the doctor works."""
    access.ensure_may_manage(doctor, actor=call.actor, facilities=works_at(tx, doctor, call))
    return doctor


def ensure_specializations(tx: Work, body: Mapping[str, Any], *, had: Sequence[UUID] = ()) -> None:
    """Let only specializations through that are there; they stay until this is kept."""
    known = tx.hold(Specialization, listed.wanted(body, "specialization_ids"))
    listed.ensure_known(body, "specialization_ids", known, had=had)


def ensure_fits_lists(tx: Work, session: Session, body: Mapping[str, Any], *, had: Sequence[UUID] = ()) -> None:
    """Let only types, rooms and devices through that are there, in use, and of the facility."""
    known = tx.hold(AppointmentType, listed.wanted(body, "appointment_type_ids"))
    listed.ensure_known(body, "appointment_type_ids", known, had=had)
    if "resource_ids" in body:
        wanted = tuple(listed.wanted(body, "resource_ids"))
        ensure_usable_resources(wanted, tx.hold(listed.Resource, wanted), facility_id=session.facility_id)


def refuse_stale(tx: Work, record: Any, call: Call) -> None:
    """Refuse a change that starts from an old version of a record, with the fields that others changed since."""
    expected = call.expected_version
    if expected is not None and expected != record.version:
        records.refuse_stale(record.version, expected=expected, since=tx.fields_since(record.id, version=expected))


def place(cursor: str | None, *, limit: int, of: Sequence[object]) -> UUID | None:
    """The id after which a page begins."""
    return paging.page(cursor, limit=limit, of=of).after_id


def cut(
    found: Sequence[Any], show: Callable[[Any], dict[str, Any]], *, limit: int, of: Sequence[object]
) -> dict[str, Any]:
    """A page, from one item more than it holds."""
    items, following = paging.cut(found, limit=limit, keys=lambda each: [str(each.id)], of=of)
    return view.page([show(each) for each in items], next_cursor=following)


def _keep_now(tx: Work, proposal: Proposal, call: Call, *, status: int) -> Answer:
    tx.put_in_force(proposal.records)
    call.audit(record=proposal.shown.id, version=proposal.shown.version, fields=proposal.fields)
    return call.answer(view.untouched(proposal.shown), status=status)
