"""Reads, inside a transaction and outside.

Plans are read version first: whoever gets an older version than the content books against a version that is refused,
and reads again. The other way round a booking could be decided on what is not in force.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.doctors import schema
from services.doctors.model.closures import Closure, Leave
from services.doctors.model.fence import Change, State
from services.doctors.model.listed import AppointmentType
from services.doctors.model.places import Place
from services.doctors.model.plans import Holdings, Plan
from services.doctors.model.profiles import Doctor, Photo
from services.doctors.model.sessions import Session
from services.doctors.repository import rows
from services.kernel.errors import NotFound

# A session may end on the day after it began, and days of zones differ.
_OVER = timedelta(days=2)
_NOT_SHOWN = {Session: "is_withdrawn", Leave: "is_removed", Closure: "is_removed"}


class SqlReading:
    """Reads over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def one(self, kind: type[Any], record_id: UUID) -> Any:
        """One record as it is now; NotFound when there is none."""
        return self._one(kind, _by_id(kind, record_id))

    def page(self, kind: type[Any], /, *, after: UUID | None, limit: int, **only: object) -> list[Any]:
        """Records in the order of their making; `only` filters, and None in it does not."""
        table = rows.TABLES[kind]
        query = _shown(kind).order_by(table.c.id).limit(limit)
        if after is not None:
            query = query.where(table.c.id > after)
        for name, value in only.items():
            if value is not None:
                column = table.c[name]
                query = query.where(column.contains([value]) if name.endswith("_ids") else column == value)
        return self._all(kind, query)

    def photo(self, doctor_id: UUID) -> Photo:
        """The photo of a doctor; NotFound when there is none."""
        row = self._connection.execute(
            sa.select(schema.photos).where(schema.photos.c.doctor_id == doctor_id)
        ).one_or_none()
        if row is None:
            raise NotFound
        return Photo(**{**row._mapping, "data": bytes(row.data)})  # noqa: SLF001 - the public way to a row's names

    def place(self, place_id: UUID) -> Place | None:
        """A facility or location, as far as it is known here."""
        row = self._connection.execute(sa.select(schema.places).where(schema.places.c.id == place_id)).one_or_none()
        return None if row is None else rows.made(Place, row)

    def holdings(self, doctor_ids: Sequence[UUID], *, at: datetime) -> list[Holdings]:
        """All that the plans of these doctors are made of, in the order that was asked for."""
        plans = self._by_doctor(Plan, schema.plans, schema.plans.c.plan_id, doctor_ids)
        facilities = {each.facility_id for all_ in plans.values() for each in all_}
        versions = self._facility_versions(facilities)
        closures = self._coming(Closure, schema.closures.c.facility_id.in_(facilities), at=at)
        doctors = {each.id: each for each in self._all(Doctor, _among(Doctor, "id", doctor_ids))}
        sessions = self._sessions(doctor_ids, at=at)
        leave = _grouped(self._coming(Leave, schema.leave.c.doctor_id.in_(doctor_ids), at=at))
        types = self._all(AppointmentType, _shown(AppointmentType).where(schema.appointment_types.c.is_active))
        minutes = self._minutes(doctor_ids)
        return [
            Holdings(
                doctor=doctors[each],
                sessions=tuple(sessions[each]),
                leave=tuple(leave[each]),
                plans=tuple(plans[each]),
                closures=tuple(closures),
                facility_versions=versions,
                types=tuple(sorted(types, key=lambda kind: kind.id)),
                minutes=minutes[each],
            )
            for each in doctor_ids
            if each in doctors
        ]

    def planned_doctors(
        self, facility_id: UUID, *, after: UUID | None, limit: int, specialization_id: UUID | None, at: datetime
    ) -> list[UUID]:
        """Doctors with a plan and a session that is not over at a facility."""
        plans, sessions, doctors = schema.plans.c, schema.sessions.c, schema.doctors.c
        goes_on = sa.exists().where(
            sessions.doctor_id == plans.plan_id, sessions.facility_id == facility_id, *_not_over(at)
        )
        query = (
            sa.select(doctors.id)
            .join_from(schema.doctors, schema.plans, plans.plan_id == doctors.id)
            .where(plans.facility_id == facility_id, plans.version > 0, goes_on)
            .order_by(doctors.id)
            .limit(limit)
        )
        if after is not None:
            query = query.where(doctors.id > after)
        if specialization_id is not None:
            query = query.where(doctors.specialization_ids.contains([specialization_id]))
        return list(self._connection.execute(query).scalars())

    def changes(self, *, after: UUID | None, limit: int, states: Collection[State]) -> list[Change]:
        """Changes of plans, oldest first."""
        table = schema.plan_changes
        query = sa.select(table).where(table.c.state.in_([each.value for each in states])).order_by(table.c.id)
        if after is not None:
            query = query.where(table.c.id > after)
        return [rows.change(row) for row in self._connection.execute(query.limit(limit))]

    def change(self, change_id: UUID) -> Change:
        """One change of plans; NotFound when there is none."""
        table = schema.plan_changes
        return self._one_change(sa.select(table).where(table.c.id == change_id))

    def due_changes(self, *, at: datetime, limit: int) -> list[UUID]:
        """Changes that wait and should be tried again, oldest first."""
        table = schema.plan_changes.c
        query = sa.select(table.id).where(sa.text(schema.OPEN), table.due_at <= at).order_by(table.id).limit(limit)
        return list(self._connection.execute(query).scalars())

    def behind_their_places(self, *, at: datetime, limit: int) -> list[UUID]:
        """Doctors whose plans or sessions have another zone than their facility or location, and no open change."""
        plans, sessions, changes = schema.plans.c, schema.sessions.c, schema.plan_changes.c
        facility, location = schema.places.alias("facility").c, schema.places.alias("location").c
        by_plan = sa.select(plans.plan_id.label("doctor_id")).where(
            plans.facility_id == facility.id, plans.zone != facility.zone, plans.version > 0
        )
        by_session = sa.select(sessions.doctor_id).where(
            sessions.location_id == location.id, sessions.zone != location.zone, *_not_over(at)
        )
        behind = sa.union(by_plan, by_session).subquery()
        waits = sa.exists().where(changes.subject_id == behind.c.doctor_id, sa.text(schema.OPEN))
        is_doctor = sa.exists().where(schema.doctors.c.id == behind.c.doctor_id)
        query = sa.select(behind.c.doctor_id).where(~waits, is_doctor).order_by(behind.c.doctor_id).limit(limit)
        return list(self._connection.execute(query).scalars())

    def _facility_versions(self, facilities: Collection[UUID]) -> dict[UUID, int]:
        plans = schema.plans.c
        query = sa.select(plans.facility_id, plans.version).where(
            plans.plan_id == plans.facility_id, plans.facility_id.in_(facilities)
        )
        return {row.facility_id: row.version for row in self._connection.execute(query)}

    def _sessions(self, doctor_ids: Sequence[UUID], *, at: datetime) -> dict[UUID, list[Session]]:
        query = _among(Session, "doctor_id", doctor_ids).where(*_not_over(at)).order_by(schema.sessions.c.id)
        return _grouped(self._all(Session, query))

    def _coming(self, kind: type[Any], where: sa.ColumnElement[bool], *, at: datetime) -> list[Any]:
        table = rows.TABLES[kind].c
        return self._all(kind, _shown(kind).where(where, table.ends_at > at).order_by(table.id))

    def _minutes(self, doctor_ids: Sequence[UUID]) -> dict[UUID, dict[UUID, int]]:
        table = schema.type_minutes
        found: dict[UUID, dict[UUID, int]] = defaultdict(dict)
        for row in self._connection.execute(sa.select(table).where(table.c.doctor_id.in_(doctor_ids))):
            found[row.doctor_id][row.type_id] = row.minutes
        return found

    def _by_doctor(
        self, kind: type[Any], table: sa.Table, column: sa.Column[Any], doctor_ids: Sequence[UUID]
    ) -> dict[UUID, list[Any]]:
        found: dict[UUID, list[Any]] = defaultdict(list)
        for row in self._connection.execute(sa.select(table).where(column.in_(doctor_ids))):
            found[getattr(row, column.name)].append(rows.made(kind, row))
        return found

    def _all(self, kind: type[Any], query: sa.Select[Any]) -> list[Any]:
        return [rows.made(kind, row) for row in self._connection.execute(query)]

    def _one(self, kind: type[Any], query: sa.Select[Any]) -> Any:
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFound
        return rows.made(kind, row)

    def _one_change(self, query: sa.Select[Any]) -> Change:
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFound
        return rows.change(row)


def _shown(kind: type[Any]) -> sa.Select[Any]:
    """Those that were not taken back."""
    table = rows.TABLES[kind]
    query = sa.select(table)
    return query.where(~table.c[_NOT_SHOWN[kind]]) if kind in _NOT_SHOWN else query


def _by_id(kind: type[Any], record_id: UUID) -> sa.Select[Any]:
    return _shown(kind).where(rows.TABLES[kind].c.id == record_id)


def _among(kind: type[Any], column: str, wanted: Collection[UUID]) -> sa.Select[Any]:
    return sa.select(rows.TABLES[kind]).where(rows.TABLES[kind].c[column].in_(wanted))


def _not_over(at: datetime) -> list[sa.ColumnElement[bool]]:
    sessions = schema.sessions.c
    ends = sa.or_(sessions.valid_to.is_(None), sessions.valid_to >= at.date() - _OVER)
    return [~sessions.is_withdrawn, ends]


def _grouped(found: Sequence[Any]) -> dict[UUID, list[Any]]:
    groups: dict[UUID, list[Any]] = defaultdict(list)
    for each in found:
        groups[each.doctor_id].append(each)
    return groups
