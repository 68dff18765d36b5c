"""Rows to domain objects and back, and the form in which a version is kept in the history and in what waits."""

from __future__ import annotations

import dataclasses
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.doctors import schema
from services.doctors.model.closures import Closure, Leave
from services.doctors.model.fence import Change, State, Step
from services.doctors.model.listed import AppointmentType, Resource, Specialization
from services.doctors.model.profiles import Doctor
from services.doctors.model.records import comparable
from services.doctors.model.sessions import Session

TABLES: dict[type[Any], sa.Table] = {
    Specialization: schema.specializations,
    AppointmentType: schema.appointment_types,
    Resource: schema.resources,
    Doctor: schema.doctors,
    Session: schema.sessions,
    Leave: schema.leave,
    Closure: schema.closures,
}
_KINDS = {kind.__name__: kind for kind in TABLES}
_READ = {sa.Uuid: UUID, sa.Date: date.fromisoformat, sa.DateTime: datetime.fromisoformat, sa.Time: time.fromisoformat}
_STEP_IDS = ("plan_id", "facility_id", "change_id", "back_id")


def made(kind: type[Any], row: Any) -> Any:
    """A flat object from its row; lists are tuples there."""
    values = ((each.name, getattr(row, each.name)) for each in dataclasses.fields(kind))
    return kind(**{name: tuple(value) if isinstance(value, list) else value for name, value in values})


def row_of(item: Any) -> dict[str, Any]:
    """A flat object as a row."""
    fields = {each.name: getattr(item, each.name) for each in dataclasses.fields(item)}
    values = {name: list(value) if isinstance(value, tuple) else value for name, value in fields.items()}
    if "comparable" in TABLES[type(item)].c:
        values["comparable"] = comparable(item.name)
    return values


def kind_of(record: Any) -> str:
    """The word by which the kind of a record is kept."""
    return type(record).__name__


def state(record: Any) -> dict[str, Any]:
    """One version in values that JSON can hold."""
    return {each.name: _plain(getattr(record, each.name)) for each in dataclasses.fields(record)}


def from_state(kind: type[Any], kept: dict[str, Any]) -> Any:
    """One version from the form in which it was kept."""
    columns = TABLES[kind].c
    return kind(**{each.name: _typed(columns[each.name].type, kept[each.name]) for each in dataclasses.fields(kind)})


def change(row: Any) -> Change:
    """A change of plans from its row."""
    values = {each.name: getattr(row, each.name) for each in dataclasses.fields(Change)}
    return Change(
        **{
            **values,
            "state": State(values["state"]),
            "records": tuple(from_state(_KINDS[each["kind"]], each["state"]) for each in values["records"]),
            "steps": tuple(_step(each) for each in values["steps"]),
            "fields": tuple(values["fields"]),
            "clashes": tuple(values["clashes"]),
            "asked_roles": tuple(values["asked_roles"]),
        }
    )


def change_row(item: Change) -> dict[str, Any]:
    """A change of plans as a row."""
    return {
        **{each.name: getattr(item, each.name) for each in dataclasses.fields(item)},
        "state": item.state.value,
        "records": [{"kind": kind_of(each), "state": state(each)} for each in item.records],
        "steps": [
            {each.name: _plain(getattr(step, each.name)) for each in dataclasses.fields(step)} for step in item.steps
        ],
        "fields": list(item.fields),
        "clashes": [dict(each) for each in item.clashes],
        "asked_roles": list(item.asked_roles),
    }


def _step(kept: dict[str, Any]) -> Step:
    return Step(**{**kept, **{name: UUID(kept[name]) for name in _STEP_IDS}})


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value


def _typed(column: Any, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column, ARRAY):
        return tuple(_typed(column.item_type, each) for each in value)
    return _READ.get(type(column), lambda each: each)(value)
