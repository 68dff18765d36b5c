"""Plans, as their owner says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.appointments import model, view
from services.appointments.controller.desk import Desk
from services.chassis.call import Answer, Call


class Plans:
    """What bookings are decided on."""

    _desk: Desk

    def apply_plan(self, facility_id: str, plan_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a plan the one that bookings are decided on."""
        change = model.read_change(
            body, facility_id=UUID(facility_id), plan_id=UUID(plan_id), at=call.at, house=self._desk.house
        )
        fields = [name for name in ("doctor", "closures") if name in body]
        call.audit(record=plan_id, version=change.version, fields=fields)
        clashing, more = self._desk.store.apply(call, change)
        return call.answer(view.applied(change.version, clashing, more=more))
