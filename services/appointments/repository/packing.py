"""Appointments as they lie in the stores: JSON without what is empty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import orjson

from services.appointments import model

_IDS = frozenset(
    {"id", "facility_id", "patient_id", "doctor_id", "location_id", "session_id", "appointment_type_id", "series_id"}
)
_TIMES = frozenset({"starts_at", "ends_at", "created_at", "changed_at", "arrived_at", "started_at", "completed_at"})
_WORDS: Mapping[str, type[StrEnum]] = {"status": model.Status, "created_as": model.Acting, "changed_as": model.Acting}
_NAMES = tuple(each.name for each in fields(model.Appointment))


def to_plain(appointment: model.Appointment) -> dict[str, Any]:
    """An appointment as a plain dict of what is not empty."""
    plain = {name: getattr(appointment, name) for name in _NAMES}
    closing = appointment.closing
    plain["closing"] = None if closing is None else {"reason_code": closing.reason_code, "note": closing.note}
    return {name: value for name, value in plain.items() if value is not None and value is not False}


def packed(plain: object) -> bytes:
    """Plain values as JSON; ids and times as text in UTC."""
    return orjson.dumps(plain, option=orjson.OPT_UTC_Z)


def read(plain: Mapping[str, Any]) -> model.Appointment:
    """The appointment again."""
    found = {name: _value(name, value) for name, value in plain.items() if name in _NAMES}
    return model.Appointment(**found)


def _value(name: str, value: Any) -> Any:
    if name in _IDS:
        return UUID(value)
    if name in _TIMES:
        return datetime.fromisoformat(value).astimezone(UTC)
    if name in _WORDS:
        return _WORDS[name](value)
    match name:
        case "resource_ids" | "added_resource_ids" | "department_ids":
            return tuple(UUID(each) for each in value)
        case "closing":
            return model.Closing(value["reason_code"], value.get("note"))
    return value
