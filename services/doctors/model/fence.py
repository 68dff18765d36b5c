"""The plan fence: a change of plans is kept as pending, agreed with `appointments`, and only then in force or given up.

A change may touch several plans, one step for each. When a step is refused, the steps that were applied before it are
taken back, each by a further version with what was in force before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from services.doctors.model.errors import HasBookings, PlanPending
from services.doctors.model.plans import Plan
from services.kernel.access import Actor
from services.kernel.events import Event


class State(StrEnum):
    """How far a change is. Withdrawing is a part of pending that only the fence knows."""

    PENDING = "pending"
    WITHDRAWING = "withdrawing"
    EFFECTIVE = "effective"
    WITHDRAWN = "withdrawn"


OPEN = frozenset({State.PENDING, State.WITHDRAWING})


class Verdict(StrEnum):
    """What `appointments` says to one step."""

    APPLIED = "applied"
    REFUSED = "refused"
    SUPERSEDED = "superseded"
    AWAY = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One plan within a change: the version and the whole content that it is to have, and the one to go back to.

    content, back: in the form that `apply_plan` wants, without version. change_id, back_id: name each sending, so that
    it can be repeated.
    """

    plan_id: UUID
    facility_id: UUID
    zone: str
    version: int
    change_id: UUID
    back_id: UUID
    content: Mapping[str, Any]
    back: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is sent to `appointments` for one step."""

    facility_id: UUID
    plan_id: UUID
    change_id: UUID
    version: int
    clashes: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back: for one sending, or for all of a change together. step: the one that it ended with."""

    verdict: Verdict
    clashing: tuple[Mapping[str, Any], ...] = ()
    more: bool = False
    version: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What is to be kept. shown: what the answer shows; records: new versions; steps: of the plans that they touch."""

    shown: Any
    records: tuple[Any, ...] = ()
    fields: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    subject_id: UUID
    is_of_doctor: bool = True
    clashing: str = "refuse"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A change of plans, kept from the moment that it was asked for.

    subject_id: the doctor, or the facility; it has one open change at most. intent: the same for the same request asked
    again. applied: how many steps have to be taken back. The last of `records` is the one that answers show.
    """

    id: UUID
    subject_id: UUID
    is_of_doctor: bool
    state: State
    clashing: str
    records: tuple[Any, ...]
    fields: tuple[str, ...]
    steps: tuple[Step, ...]
    applied: int
    clashes: tuple[Mapping[str, Any], ...]
    more: bool
    operation: str
    action: str
    asked_by: str
    asked_roles: tuple[str, ...]
    request_id: str
    intent: str
    fingerprint: bytes | None
    asked_at: datetime
    due_at: datetime
    settled_at: datetime | None

    @property
    def is_open(self) -> bool:
        """Whether it still waits."""
        return self.state in OPEN

    @property
    def shown(self) -> Any:
        """The record that answers show; None where only the clock of a facility was moved."""
        return self.records[-1] if self.records else None

    @property
    def actor(self) -> Actor:
        """Who asked for it."""
        return Actor(subject=self.asked_by, roles=frozenset(self.asked_roles))


def sendings(change: Change) -> list[Sending]:
    """What has to be sent now: the new plans, or those to go back to.

    Source:  DECISIONS, D-40.
    """
    if change.state is State.PENDING:
        return [
            Sending(
                facility_id=each.facility_id,
                plan_id=each.plan_id,
                change_id=each.change_id,
                version=each.version,
                clashes=change.clashing,
                content=each.content,
            )
            for each in change.steps
        ]
    return [
        Sending(
            facility_id=each.facility_id,
            plan_id=each.plan_id,
            change_id=each.back_id,
            version=each.version + 1,
            clashes="keep",
            content=each.back,
        )
        for each in change.steps[: change.applied]
    ]


def decided(change: Change, reply: Reply, *, at: datetime, new_id: Callable[[], UUID]) -> Change:
    """The change after what `appointments` has said.

    Source:  DECISIONS, D-40.
    """
    if reply.verdict is Verdict.AWAY or (reply.verdict is Verdict.REFUSED and change.state is State.WITHDRAWING):
        return dataclasses.replace(change, due_at=at)
    if reply.verdict is Verdict.SUPERSEDED:
        return _offered_anew(change, reply, new_id=new_id)
    if reply.verdict is Verdict.REFUSED:
        refused = dataclasses.replace(change, clashes=reply.clashing, more=reply.more, applied=reply.step)
        if reply.step:
            return dataclasses.replace(refused, state=State.WITHDRAWING)
        return dataclasses.replace(refused, state=State.WITHDRAWN, settled_at=at)
    if change.state is State.WITHDRAWING:
        return dataclasses.replace(change, state=State.WITHDRAWN, settled_at=at)
    return dataclasses.replace(
        change, state=State.EFFECTIVE, settled_at=at, clashes=reply.clashing[:200], more=reply.more
    )


def plans_after(change: Change, known: Mapping[UUID, Plan]) -> list[Plan]:
    """Where the plans stand when a change is settled; `known` by facility.

    Source:  DECISIONS, D-40.
    """
    found = []
    for number, step in enumerate(change.steps):
        plan = known[step.facility_id]
        if change.state is State.EFFECTIVE:
            found.append(dataclasses.replace(plan, version=step.version, last_version=step.version, zone=step.zone))
        elif number < change.applied:
            found.append(dataclasses.replace(plan, version=step.version + 1, last_version=step.version + 1))
        elif number == change.applied:
            found.append(dataclasses.replace(plan, last_version=step.version))
    return found


def plan_events(before: Sequence[Plan], after: Sequence[Plan]) -> list[Event]:
    """That plans have another version now.

    Source: none, plain arithmetic.
    """
    versions = {each.facility_id: each.version for each in before}
    return [
        Event(
            type="doctors.plan_changed.v1",
            subject=str(each.plan_id),
            version=each.version,
            data={"facility_id": str(each.facility_id), "plan_version": each.version},
        )
        for each in after
        if each.version != versions[each.facility_id]
    ]


def ensure_kept(change: Change) -> None:
    """Say that a change was given up, and which appointments were in its way.

    Raises:  HasBookings.
    Source: none, plain arithmetic.
    """
    if change.state is State.WITHDRAWN:
        raise HasBookings(facts={"clashing": list(change.clashes), "more": change.more})


def ensure_none_waits(change: Change | None) -> None:
    """Let one change of the same plans come to its end before the next.

    Raises:  PlanPending: names the one that waits.
    Source:  DECISIONS, D-40.
    """
    if change is not None:
        raise PlanPending(facts={"change_id": str(change.id)})


def _offered_anew(change: Change, reply: Reply, *, new_id: Callable[[], UUID]) -> Change:
    """A later version than expected is there, as after a restored database: the step is offered above it."""
    steps = list(change.steps)
    step = steps[reply.step]
    offered = step.version if change.state is State.PENDING else step.version + 1
    above = max(reply.version, offered) + 1
    version = above if change.state is State.PENDING else above - 1
    steps[reply.step] = dataclasses.replace(step, version=version, change_id=new_id(), back_id=new_id())
    return dataclasses.replace(change, steps=tuple(steps))
