"""What was sent to whom, once more what was sent already, and a message to see whether a channel works."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis import outbox
from services.chassis.call import Answer, Call
from services.notifications import view
from services.notifications.controller.desk import Desk, cut, moment, place
from services.notifications.model.access import in_reach, within
from services.notifications.model.deliveries import Claimed, Delivery, attempted, resent, settled
from services.notifications.model.errors import ChannelNotSetUp
from services.notifications.model.store import Asked, Settled
from services.notifications.model.trial import trial_delivery
from services.notifications.model.words import Way


class Deliveries:
    """Operations on deliveries."""

    _desk: Desk

    def list_deliveries(
        self,
        call: Call,
        *,
        limit: int = 50,
        cursor: str | None = None,
        patient_id: str | None = None,
        facility_id: str | None = None,
        status: str | None = None,
        lost: bool | None = None,
        channel: str | None = None,
        event: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> Answer:
        """Deliveries, newest first."""
        asked = Asked(
            patient_id=_id(patient_id), facility_id=_id(facility_id), status=status, is_lost=lost,
            way=channel, topic=event,
            since=moment(since, parameter="since"), until=moment(until, parameter="until"),
        )  # fmt: skip
        of = (call.operation, *dataclasses.astuple(asked))
        before = place(cursor, limit=limit, of=of)
        with self._desk.store.begin(call) as tx:
            found = tx.deliveries(asked, within=within(call.actor), before=before, limit=limit + 1)
            shown, page = cut(found, view.delivery, limit=limit, of=of)
            patients = dict.fromkeys(each.patient_id for each in shown if each.patient_id is not None)
            call.audit(patient=asked.patient_id, found=list(patients))
            return call.answer(page)

    def get_delivery(self, delivery_id: str, call: Call) -> Answer:
        """One delivery with its attempts."""
        with self._desk.store.begin(call) as tx:
            found = in_reach(tx.delivery(UUID(delivery_id)), actor=call.actor)
            call.audit(patient=found.patient_id, record=found.id)
            return call.answer(view.delivery_in_full(found, tx.attempts(found.id)))

    def resend_delivery(self, delivery_id: str, call: Call) -> Answer:
        """Send a message again."""
        with self._desk.store.begin(call) as tx:
            before = in_reach(tx.delivery(UUID(delivery_id)), actor=call.actor)
            origin = {"request_id": call.request_id, "trace_parent": outbox.trace_parent()}
            fresh = resent(before, id=self._desk.new_id(), at=call.at, **origin)
            tx.add([fresh])
            call.audit(patient=fresh.patient_id, record=fresh.id)
            return call.answer(view.delivery(fresh), status=201)

    def send_test_message(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Send one test message now."""
        desk = self._desk
        if Way(body["channel"]) not in desk.channels:
            raise ChannelNotSetUp
        made = trial_delivery(
            body, id=desk.new_id(), at=call.at, lease=desk.lease, request_id=call.request_id, hosts=desk.hosts
        )
        with desk.store.begin(call) as tx:
            tx.add_under_way(made)
            call.audit(record=made.id)
        self._try(made)
        with desk.store.read() as tx:
            return Answer(view.delivery_in_full(tx.delivery(made.id), tx.attempts(made.id)), 201)

    def _try(self, made: Delivery) -> None:
        """Hand it over, and keep what came of it. Should this end in between, the worker sends it again."""
        desk, claimed = self._desk, Claimed(delivery=made)
        with desk.in_hand:
            outcome = attempted(desk.channels[made.way], made)
        at = desk.clock()
        after = settled(claimed, outcome, at=at, retrying=desk.retrying)
        done = Settled(claimed=claimed, after=after, outcome=outcome, at=at)
        desk.turns.turn(made.way, settled=done, at=at, lease=desk.lease, is_last=True)


def _id(text: str | None) -> UUID | None:
    return None if text is None else UUID(text)
