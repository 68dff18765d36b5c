"""Browsers that show messages, and the key that they subscribe with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.call import Answer, Call
from services.notifications import view
from services.notifications.controller.desk import Desk, own_account
from services.notifications.model.subscriptions import ensure_room, subscription
from services.notifications.model.words import Kind


class Browsers:
    """Operations on push subscriptions."""

    _desk: Desk

    def get_push_key(self) -> dict[str, Any]:
        """The public key that a browser subscribes with."""
        return {"key": self._desk.push_key}

    def list_own_push_subscriptions(self, call: Call) -> dict[str, Any]:
        """Browsers that show messages to the own account."""
        with self._desk.store.read() as tx:
            return view.page([view.subscription(each) for each in tx.subscriptions(Kind.ACCOUNT, own_account(call))])

    def add_own_push_subscription(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Show messages to the own account in this browser."""
        return self._subscribe(body, call, kind=Kind.ACCOUNT, owner_id=own_account(call))

    def remove_own_push_subscription(self, subscription_id: str, call: Call) -> Answer:
        """Show no more messages to the own account in a browser."""
        return self._unsubscribe(UUID(subscription_id), call, kind=Kind.ACCOUNT, owner_id=own_account(call))

    def list_patient_push_subscriptions(self, patient_id: str, call: Call) -> Answer:
        """Browsers that show messages to a patient."""
        self._desk.callers.require_patient(UUID(patient_id), call=call)
        with self._desk.store.begin(call) as tx:
            found = tx.subscriptions(Kind.PATIENT, UUID(patient_id))
            call.audit(patient=patient_id)
            return call.answer(view.page([view.subscription(each) for each in found]))

    def add_patient_push_subscription(self, patient_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Show messages to a patient in a browser."""
        self._desk.callers.require_patient(UUID(patient_id), call=call)
        return self._subscribe(body, call, kind=Kind.PATIENT, owner_id=UUID(patient_id))

    def remove_patient_push_subscription(self, patient_id: str, subscription_id: str, call: Call) -> Answer:
        """Show no more messages to a patient in a browser."""
        self._desk.callers.require_patient(UUID(patient_id), call=call)
        return self._unsubscribe(UUID(subscription_id), call, kind=Kind.PATIENT, owner_id=UUID(patient_id))

    def _subscribe(self, body: Mapping[str, Any], call: Call, *, kind: Kind, owner_id: UUID) -> Answer:
        fresh = subscription(
            body, id=self._desk.new_id(), kind=kind, owner_id=owner_id, at=call.at, hosts=self._desk.hosts
        )
        with self._desk.store.begin(call) as tx:
            tx.hold_owner(kind, owner_id)
            ensure_room(tx.subscriptions(kind, owner_id), fresh)
            kept = tx.subscribe(fresh)
            call.audit(patient=owner_id if kind is Kind.PATIENT else None, record=kept.id)
            return call.answer(view.subscription(kept), status=201)

    def _unsubscribe(self, subscription_id: UUID, call: Call, *, kind: Kind, owner_id: UUID) -> Answer:
        with self._desk.store.begin(call) as tx:
            tx.unsubscribe(subscription_id, kind=kind, owner_id=owner_id)
            call.audit(patient=owner_id if kind is Kind.PATIENT else None, record=subscription_id)
            return call.answer(status=204)
