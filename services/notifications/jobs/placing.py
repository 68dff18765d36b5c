"""Messages that are read in the house: many at a time, each put into its inbox in the transaction that settles it.

Nothing leaves the house, so there is no outcome that nobody knows: whatever happens to the process, a message is in its
inbox and settled, or it waits as before.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID

from services.chassis import failpoints, logs
from services.chassis.stores import StoreError
from services.kernel.errors import Unavailable
from services.notifications.jobs import noting
from services.notifications.jobs.sending import IDLE_S, PATIENTS_AWAY, STORE_PAUSE_S, Means, longer
from services.notifications.model.deliveries import Claimed, Outcome, Result, hindrance, settled
from services.notifications.model.people import ACTIVE
from services.notifications.model.store import Due, Settled
from services.notifications.model.words import Way

AT_ONCE: Final = 50
_CHANNEL: Final = Way.IN_APP.value
_BAD: Final = Outcome(result=Result.DEFERRED, code="error")


class Placing:
    """The inboxes of the house: a part of the worker."""

    def __init__(self, means: Means) -> None:
        self._means, self._pause_s = means, 0.0

    def run(self, stop: threading.Event) -> None:
        """Put what is due into its inbox until told to stop."""
        while not stop.is_set():
            try:
                count = self._place_some()
            except StoreError as error:
                logs.logger().warning("sending.paused", channel=_CHANNEL, reason=error.reason)
                stop.wait(STORE_PAUSE_S)
            except Unavailable:
                logs.logger().warning("channel.away", channel=_CHANNEL, reason=PATIENTS_AWAY)
                self._pause_s = longer(self._pause_s)
                stop.wait(self._pause_s)
            else:
                self._pause_s = 0.0
                if count < AT_ONCE:
                    stop.wait(IDLE_S)

    def _place_some(self) -> int:
        """All that is due, up to a limit; how many it was. When something in it fails, each is taken alone."""
        means = self._means
        due = means.places.due(at=means.clock(), limit=AT_ONCE)
        patients = {each.patient_id for each in due if each.patient_id is not None}
        standings = means.peers.standings(patients, call=means.call(_CHANNEL)) if patients else {}
        if due and not self._is_placed(due, standings):
            for each in due:
                if not self._is_placed([each], standings):
                    self._place([each], standings, outcome=_BAD)
        return len(due)

    def _is_placed(self, due: Sequence[Due], standings: Mapping[UUID, str]) -> bool:
        try:
            self._place(due, standings)
        except StoreError:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be handled does not end the others
            if len(due) == 1:
                logs.logger().error("message.failed", channel=_CHANNEL, delivery=str(due[0].id), exc_info=error)
            return False
        return True

    def _place(self, due: Sequence[Due], standings: Mapping[UUID, str], *, outcome: Outcome | None = None) -> None:
        """In one transaction; `outcome`: what becomes of them, where it is known already."""
        means = self._means
        at = means.clock()
        failpoints.reach("send.before")
        with means.places.taken([each.id for each in due], at=at) as group:
            done = [self._settled(each, outcome or self._outcome(each, standings)) for each in group.claimed]
            group.settle(done)
        failpoints.reach("send.after")
        for each in done:
            with noting.in_its_trace(each.claimed.delivery, channel=_CHANNEL) as span:
                noting.note(each.claimed, each.outcome, channel=_CHANNEL, at=each.at, span=span)

    def _outcome(self, claimed: Claimed, standings: Mapping[UUID, str]) -> Outcome:
        means, patient_id = self._means, claimed.delivery.patient_reader
        standing = ACTIVE if patient_id is None else standings[patient_id]
        found = hindrance(claimed, standing=standing, at=means.clock(), retrying=means.retrying)
        return found or Outcome(result=Result.ACCEPTED)

    def _settled(self, claimed: Claimed, outcome: Outcome) -> Settled:
        at = self._means.clock()
        after = settled(claimed, outcome, at=at, retrying=self._means.retrying)
        return Settled(claimed=claimed, after=after, outcome=outcome, at=at)
