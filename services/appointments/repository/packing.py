"""Appointments as they lie in the stores: JSON without what is empty."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

import orjson

from services.appointments import model

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
    found = {name: _READERS[name](value) for name, value in plain.items() if name in _READERS}
    return model.Appointment(**found)


def _as_it_is(value: Any) -> Any:
    return value


def _moment(value: str) -> datetime:
    found = datetime.fromisoformat(value)
    return found if found.tzinfo is UTC else found.astimezone(UTC)


def _several(value: Sequence[str]) -> tuple[UUID, ...]:
    return tuple(map(_often, value))


def _closing(value: Mapping[str, Any]) -> model.Closing:
    return model.Closing(value["reason_code"], value.get("note"))


_often = lru_cache(maxsize=4096)(UUID)
"""An id of something that many appointments name: a list of a day has the same few in each."""
_STATUSES: Mapping[str, model.Status] = {each.value: each for each in model.Status}
_ACTING: Mapping[str, model.Acting] = {each.value: each for each in model.Acting}
_READERS: Mapping[str, Callable[[Any], Any]] = {
    **dict.fromkeys(_NAMES, _as_it_is),
    **dict.fromkeys(("id", "patient_id", "series_id"), UUID),
    **dict.fromkeys(("facility_id", "doctor_id", "location_id", "session_id", "appointment_type_id"), _often),
    **dict.fromkeys(("resource_ids", "added_resource_ids", "department_ids"), _several),
    **dict.fromkeys(
        ("starts_at", "ends_at", "created_at", "changed_at", "arrived_at", "started_at", "completed_at"), _moment
    ),
    **dict.fromkeys(("created_as", "changed_as"), _ACTING.__getitem__),
    "status": _STATUSES.__getitem__,
    "closing": _closing,
}
