"""What people want to be told, and what facilities send."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.call import Answer, Call
from services.notifications import view
from services.notifications.controller.desk import Desk, keep, own_account
from services.notifications.model.access import ensure_runs
from services.notifications.model.preferences import read_choices
from services.notifications.model.replies import Meaning, meaning, signed_at
from services.notifications.model.settings import read_settings
from services.notifications.model.words import Kind


class Choosing:
    """Operations on preferences, on settings of facilities, and what comes back by SMS."""

    _desk: Desk

    def get_patient_notification_preferences(self, patient_id: str, call: Call) -> Answer:
        """Which messages a patient wants."""
        self._desk.callers.require_patient(UUID(patient_id), call=call)
        with self._desk.store.begin(call) as tx:
            found = tx.preferences(Kind.PATIENT, UUID(patient_id))
            call.audit(patient=found.owner_id, version=found.version)
            return call.answer(view.preferences(found))

    def set_patient_notification_preferences(self, patient_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Say which messages a patient wants."""
        self._desk.callers.require_patient(UUID(patient_id), call=call)
        choices = read_choices(body)
        with self._desk.store.begin(call) as tx:
            before = tx.preferences(Kind.PATIENT, UUID(patient_id))
            wanted = dataclasses.replace(before, choices=choices)
            return keep(tx, before, wanted, call, show=view.preferences, patient=before.owner_id)

    def get_own_notification_preferences(self, call: Call) -> dict[str, Any]:
        """Which messages the own account gets."""
        with self._desk.store.read() as tx:
            return view.preferences(tx.preferences(Kind.ACCOUNT, own_account(call)))

    def set_own_notification_preferences(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Choose which messages the own account gets."""
        choices = read_choices(body)
        with self._desk.store.begin(call) as tx:
            before = tx.preferences(Kind.ACCOUNT, own_account(call))
            wanted = dataclasses.replace(before, choices=choices)
            return keep(tx, before, wanted, call, show=view.preferences, record=before.owner_id)

    def receive_sms_reply(self, body: Mapping[str, Any], raw: bytes, x_signature: str, call: Call) -> Answer:
        """What somebody has answered to an SMS."""
        desk = self._desk
        signed = signed_at(x_signature, raw, secret=desk.reply_secret, at=call.at)
        understood = meaning(body["text"])
        with desk.store.begin(call) as tx:
            fields = []
            if understood is not Meaning.OTHER:
                is_stopped, key = understood is Meaning.STOP, desk.key_of(body["from"])
                is_noted = tx.note_stop(key, is_stopped=is_stopped, at=signed, source="reply")
                fields = ["sms"] if is_noted else []
            call.audit(fields=fields)
            return call.answer({"understood": understood.value})

    def get_notification_settings(self, facility_id: str, call: Call) -> dict[str, Any]:
        """What a facility sends, by which way, and when."""
        ensure_runs(UUID(facility_id), actor=call.actor)
        self._desk.callers.require_facility(UUID(facility_id), call=call)
        with self._desk.store.read() as tx:
            return view.settings(tx.settings(UUID(facility_id)))

    def set_notification_settings(self, facility_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Set what a facility sends, by which way, and when."""
        ensure_runs(UUID(facility_id), actor=call.actor)
        self._desk.callers.require_facility(UUID(facility_id), call=call)
        wanted = read_settings(body, facility_id=UUID(facility_id))
        with self._desk.store.begin(call) as tx:
            before = tx.settings(wanted.facility_id)
            return keep(tx, before, wanted, call, show=view.settings, record=before.facility_id)
