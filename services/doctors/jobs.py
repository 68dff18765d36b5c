"""Timed work of the doctors: changes of plans that wait, and clocks that were moved."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Protocol
from uuid import UUID

from services.chassis import logs
from services.chassis.call import Call
from services.chassis.stores import StoreError
from services.doctors import view
from services.doctors.model import plans, sessions
from services.doctors.model.fence import Change, Proposal
from services.doctors.model.plans import Holdings, Plan
from services.doctors.model.profiles import Doctor
from services.doctors.model.sessions import Session
from services.doctors.model.store import Store, Work

_AT_ONCE = 100


class GoingOn(Protocol):
    """What takes a change that waits as far as it goes."""

    def go_on(self, change: Change, *, call: Call) -> Change:
        """Ask `appointments` again, and keep what follows."""


def settle_changes(call: Call, *, store: Store, fence: GoingOn) -> None:
    """Try changes of plans again that wait, in the order in which they were asked for."""
    with store.read() as tx:
        due = tx.due_changes(at=call.at, limit=_AT_ONCE)
    for change_id in due:
        try:
            with store.read() as tx:
                change = tx.change(change_id)
            fence.go_on(change, call=call)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be settled must not keep the others waiting
            logs.logger().error("plan.not_settled", change=str(change_id), exc_info=error)


def follow_places(call: Call, *, store: Store, new_id: Callable[[], UUID]) -> None:
    """Begin a change of the plans whose facility, or a location of whose sessions, has another clock than before."""
    with store.read() as tx:
        behind = tx.behind_their_places(at=call.at, limit=_AT_ONCE)
    for doctor_id in behind:
        own = dataclasses.replace(call, id=new_id(), action="update")
        with store.begin(own) as tx:
            doctor = tx.for_change(Doctor, doctor_id)
            if tx.open_change(doctor.id) is None:
                (known,) = tx.holdings([doctor.id], at=call.at)
                proposal = _followed(tx, known, own, new_id=new_id)
                if proposal.steps:
                    tx.propose(proposal, change_id=new_id(), is_due=True)


def _followed(tx: Work, known: Holdings, call: Call, *, new_id: Callable[[], UUID]) -> Proposal:
    moved = tuple(_moved(tx, each, call) for each in known.sessions)
    changed = tuple(each for each in moved if each not in known.sessions)
    after = plans.with_records(dataclasses.replace(known, plans=tuple(_by_clock(tx, p) for p in known.plans)), changed)
    facilities = {each.facility_id for each in [*changed, *(p for p in after.plans if p not in known.plans)]}
    wanted = facilities & {each.facility_id for each in known.effective}
    steps = view.doctor_steps(known, after, facilities=wanted, at=call.at, new_id=new_id)
    shown: Any = changed[-1] if changed else known.doctor
    # What has happened to the clock is not asked for: appointments that do not fit any more are kept and named.
    return Proposal(
        shown=shown, records=changed, fields=("zone",), steps=steps, subject_id=known.doctor.id, clashing="keep"
    )


def _moved(tx: Work, session: Session, call: Call) -> Session:
    place = tx.place(session.location_id)
    return session if place is None else sessions.moved_zone(session, zone=place.zone, at=call.at)


def _by_clock(tx: Work, plan: Plan) -> Plan:
    place = tx.place(plan.facility_id)
    return plan if place is None else dataclasses.replace(plan, zone=place.zone)
