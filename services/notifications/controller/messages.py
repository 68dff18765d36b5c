"""Messages that are read in the house and in the portal."""

from __future__ import annotations

from uuid import UUID

from services.chassis.call import Answer, Call
from services.notifications import view
from services.notifications.controller.desk import Desk, cut, own_account, place
from services.notifications.model.words import Kind


class Messages:
    """Operations on messages."""

    _desk: Desk

    def list_own_messages(
        self, call: Call, limit: int = 50, cursor: str | None = None, *, unread: bool | None = None
    ) -> Answer:
        """Messages to the own account, newest first."""
        account_id = own_account(call)
        of = (call.operation, account_id, unread)
        before = place(cursor, limit=limit, of=of)
        with self._desk.store.read() as tx:
            found = tx.messages(Kind.ACCOUNT, account_id, before=before, limit=limit + 1, is_unread=unread)
        return Answer(cut(found, view.message, limit=limit, of=of)[1])

    def mark_own_message_read(self, message_id: str, call: Call) -> Answer:
        """Note that a message was read."""
        with self._desk.store.begin(call) as tx:
            found = tx.mark_read(UUID(message_id), account_id=own_account(call), at=call.at)
            call.audit(record=found.id)
            return call.answer(view.message(found))

    def list_patient_messages(self, patient_id: str, call: Call, limit: int = 50, cursor: str | None = None) -> Answer:
        """Messages to a patient in the portal, newest first."""
        of = (call.operation, patient_id)
        before = place(cursor, limit=limit, of=of)
        self._desk.callers.require_patient(UUID(patient_id), call=call)
        with self._desk.store.begin(call) as tx:
            found = tx.messages(Kind.PATIENT, UUID(patient_id), before=before, limit=limit + 1)
            call.audit(patient=patient_id)
            return call.answer(cut(found, view.message, limit=limit, of=of)[1])
