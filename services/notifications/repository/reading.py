"""Reads, inside a transaction and outside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.kernel.errors import NotFound
from services.notifications import schema
from services.notifications.model.access import Within
from services.notifications.model.deliveries import Attempt, Delivery, Message
from services.notifications.model.preferences import Preferences
from services.notifications.model.settings import FacilitySettings
from services.notifications.model.store import Asked, Owner
from services.notifications.model.subscriptions import Subscription
from services.notifications.model.templates import Own, Template
from services.notifications.model.words import LOST, Kind, Way
from services.notifications.repository import rows


class SqlReading:
    """Reads over one connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def delivery(self, delivery_id: UUID) -> Delivery:
        """One delivery; NotFound when there is none."""
        row = self._one(sa.select(schema.deliveries).where(schema.deliveries.c.id == delivery_id))
        if row is None:
            raise NotFound
        return rows.delivery(row)

    def attempts(self, delivery_id: UUID) -> list[Attempt]:
        """The attempts of a delivery, in order."""
        table = schema.attempts
        query = sa.select(table).where(table.c.delivery_id == delivery_id).order_by(table.c.number)
        return [rows.attempt(row) for row in self._connection.execute(query)]

    def deliveries(self, asked: Asked, *, within: Within, before: UUID | None, limit: int) -> list[Delivery]:
        """Deliveries within reach, newest first."""
        table = schema.deliveries
        only = {
            "patient_id": asked.patient_id,
            "facility_id": asked.facility_id,
            "status": asked.status,
            "way": asked.way,
            "topic": asked.topic,
        }
        query = sa.select(table).where(*(table.c[name] == value for name, value in only.items() if value is not None))
        if asked.is_lost is not None:
            is_lost = table.c.status.in_([each.value for each in LOST])
            query = query.where(is_lost if asked.is_lost else sa.not_(is_lost))
        if within.facilities is not None:
            to_records = sa.and_(table.c.kind == Kind.PATIENT.value, table.c.patient_id.in_(within.records))
            query = query.where(sa.or_(table.c.facility_id.in_(within.facilities), to_records))
        if asked.since is not None:
            query = query.where(table.c.planned_at >= asked.since)
        if asked.until is not None:
            query = query.where(table.c.planned_at < asked.until)
        if before is not None:
            query = query.where(table.c.id < before)
        return [rows.delivery(row) for row in self._connection.execute(query.order_by(table.c.id.desc()).limit(limit))]

    def messages(
        self, kind: Kind, owner_id: UUID, *, before: UUID | None, limit: int, is_unread: bool | None = None
    ) -> list[Message]:
        """Messages to one reader, newest first."""
        table = schema.messages
        query = sa.select(table).where(table.c.kind == kind.value, table.c.owner_id == owner_id)
        if before is not None:
            query = query.where(table.c.id < before)
        if is_unread is not None:
            query = query.where(table.c.read_at.is_(None) if is_unread else table.c.read_at.is_not(None))
        return [rows.message(row) for row in self._connection.execute(query.order_by(table.c.id.desc()).limit(limit))]

    def preferences(self, kind: Kind, owner_id: UUID) -> Preferences:
        """What a person has chosen; the first version where nothing was."""
        table = schema.preferences
        row = self._one(sa.select(table).where(table.c.kind == kind.value, table.c.owner_id == owner_id))
        return Preferences(kind=kind, owner_id=owner_id) if row is None else rows.preferences(row)

    def template(self, name: str, way: Way, language: str) -> Template:
        """The words of the house; the first version, without any, where there are none."""
        table = schema.templates.c
        key = (table.name == name, table.way == way.value, table.language == language)
        row = self._one(sa.select(schema.templates).where(*key))
        return Template(name=name, way=way, language=language) if row is None else rows.template(row)

    def templates(self) -> Own:
        """All words of the house."""
        found = map(rows.template, self._connection.execute(sa.select(schema.templates)))
        return {(each.name, each.way, each.language): each for each in found}

    def settings(self, facility_id: UUID) -> FacilitySettings:
        """What a facility has decided; the first version where it has not."""
        table = schema.facility_settings
        row = self._one(sa.select(table).where(table.c.facility_id == facility_id))
        return FacilitySettings(facility_id=facility_id) if row is None else rows.settings(row)

    def subscriptions(self, kind: Kind, owner_id: UUID) -> list[Subscription]:
        """The browsers of a person, oldest first."""
        table = schema.push_subscriptions
        query = sa.select(table).where(table.c.kind == kind.value, table.c.owner_id == owner_id).order_by(table.c.id)
        return [rows.subscription(row) for row in self._connection.execute(query)]

    def stopped(self, keys: Collection[bytes]) -> set[bytes]:
        """Those of these numbers that want no more SMS."""
        table = schema.sms_stops.c
        query = sa.select(table.number_key).where(table.number_key.in_(list(keys)), table.is_stopped)
        return {bytes(each) for each in self._connection.execute(query).scalars()} if keys else set()

    def chosen(self, owners: Collection[Owner]) -> Mapping[Owner, Preferences]:
        """What some persons have chosen; of those who have not there is nothing."""
        found = self._connection.execute(sa.select(schema.preferences).where(_of(schema.preferences, owners)))
        return {(each.kind, each.owner_id): each for each in map(rows.preferences, found)}

    def browsers(self, owners: Collection[Owner]) -> Mapping[Owner, Sequence[Subscription]]:
        """The browsers of some persons, of each the oldest first."""
        table = schema.push_subscriptions
        query = sa.select(table).where(_of(table, owners)).order_by(table.c.id)
        found: dict[Owner, list[Subscription]] = {}
        for each in map(rows.subscription, self._connection.execute(query)):
            found.setdefault((each.kind, each.owner_id), []).append(each)
        return found

    def told(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Mapping[UUID, int]]:
        """By appointment: the latest version that each reader was told of, or was not to be told of."""
        table = schema.deliveries.c
        query = (
            sa.select(table.appointment_id, table.reader_id, sa.func.max(table.appointment_version).label("version"))
            .where(table.appointment_id.in_(appointment_ids), table.reader_id.is_not(None))
            .group_by(table.appointment_id, table.reader_id)
        )
        found: dict[UUID, dict[UUID, int]] = {}
        for row in self._connection.execute(query):
            found.setdefault(row.appointment_id, {})[row.reader_id] = row.version
        return found

    def _one(self, query: Any) -> Any:
        return self._connection.execute(query).one_or_none()


def _of(table: sa.Table, owners: Collection[Owner]) -> sa.ColumnElement[bool]:
    named = sa.tuple_(table.c.kind, table.c.owner_id)
    return named.in_([(kind.value, owner_id) for kind, owner_id in owners])
