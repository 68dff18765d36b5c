"""The plan fence at work: what waits is offered to `appointments`, and kept as it was answered.

Between two transactions nothing is held. Whoever dies in between leaves a change that waits; the next one offers it
again under the same ids and gets the same answers. Two at once do no harm: the first that keeps an answer decides.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.chassis.call import Answer, Call
from services.doctors.model import fence
from services.doctors.model.fence import Change, Reply, Sending, State, Verdict
from services.doctors.repository.work import SqlWork

Show = Callable[[Change], dict[str, Any]]
# Being offered anew above what is there already ends after so many rounds; the job goes on later.
_ROUNDS = 6


class Appointments(Protocol):
    """Where plans are offered."""

    def apply(self, sending: Sending, *, request_id: str) -> Reply:
        """Offer a plan; the same sending gets the same answer."""


class Transactions(Protocol):
    """Where changes are kept."""

    def begin(self, call: Call) -> AbstractContextManager[SqlWork]:
        """One unit of work."""


class PlanFence:
    """Takes a change that waits to its end. clock: the time at which an answer came."""

    def __init__(
        self,
        store: Transactions,
        *,
        appointments: Appointments,
        new_id: Callable[[], UUID],
        clock: Callable[[], datetime],
    ) -> None:
        self._store, self._appointments, self._new_id, self._clock = store, appointments, new_id, clock

    def settle(self, change: Change, *, call: Call, show: Show, status: int = 200) -> Answer:
        """Take a change to its end for the request that asked for it, and answer.

        Raises:  HasBookings: it was given up.
        """

        def answer(settled: Change) -> None:
            call.answer(show(settled), status=202 if settled.is_open else status)

        settled = self._run(change, call=call, answer=answer)
        fence.ensure_kept(settled)
        return call.answered or Answer(show(settled), status)

    def go_on(self, change: Change, *, call: Call) -> Change:
        """Take a change to its end, or as far as it goes now, on behalf of the one who asked for it."""
        own = dataclasses.replace(
            call,
            id=self._new_id(),
            actor=change.actor,
            operation=change.operation,
            action=change.action,
            request_id=change.request_id,
        )
        return self._run(change, call=own, answer=None)

    def _run(self, change: Change, *, call: Call, answer: Callable[[Change], None] | None) -> Change:
        for round_ in range(_ROUNDS):
            reply = self._offer(change)
            is_last = reply.verdict is Verdict.AWAY or round_ == _ROUNDS - 1
            change = self._keep(change, reply, call=call, answer=answer, is_last=is_last)
            if is_last or not change.is_open:
                break
        return change

    def _offer(self, change: Change) -> Reply:
        """Offer all that the change wants now, in order, until one is not taken."""
        clashing: list[Any] = []
        more = False
        for number, sending in enumerate(fence.sendings(change) if change.is_open else ()):
            reply = self._appointments.apply(sending, request_id=change.request_id)
            if reply.verdict is not Verdict.APPLIED:
                return dataclasses.replace(reply, step=number)
            clashing += reply.clashing
            more = more or reply.more
        return Reply(verdict=Verdict.APPLIED, clashing=tuple(clashing), more=more)

    def _keep(
        self, asked: Change, reply: Reply, *, call: Call, answer: Callable[[Change], None] | None, is_last: bool
    ) -> Change:
        with self._store.begin(call) as tx:
            now = tx.change_to_settle(asked.id)
            # Somebody else may have kept an answer meanwhile: then this one is about what is no longer so.
            is_same = (now.state, now.steps) == (asked.state, asked.steps)
            after = fence.decided(now, reply, at=self._clock(), new_id=self._new_id) if now.is_open and is_same else now
            if after is not now:
                tx.settle(now, after)
            is_over = not after.is_open
            if answer is not None and (is_over or is_last) and after.state is not State.WITHDRAWN:
                _trace(call, after)
                answer(after)
            else:
                tx.answer_later()
                if is_over and now.is_open:
                    _trace(call, after)
            return after


def _trace(call: Call, change: Change) -> None:
    """The audit entry: of what, which version, which fields; that it failed when it was given up."""
    is_kept, shown = change.state is not State.WITHDRAWN, change.shown
    record, version = (change.subject_id, None) if shown is None else (shown.id, shown.version)
    outcome = "success" if is_kept else "failed"
    call.audit(record=record, version=version if is_kept else None, fields=change.fields, outcome=outcome)
