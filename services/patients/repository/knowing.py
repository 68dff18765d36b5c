"""Where patients are known, as rows and as part of a query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.kernel.access import Area
from services.patients import model
from services.patients.schema import doctor_accounts, known

_WITH_ACCOUNT = known.outerjoin(doctor_accounts, doctor_accounts.c.doctor_id == known.c.doctor_id)


def of(connection: sa.Connection, patient_ids: Sequence[UUID]) -> list[model.Known]:
    """Why these patients are known, and where."""
    query = sa.select(known, doctor_accounts.c.account).select_from(_WITH_ACCOUNT)
    rows = connection.execute(query.where(known.c.patient_id.in_(patient_ids))).mappings()
    return [model.Known(**row) for row in rows]


def keep(connection: sa.Connection, table: sa.Table, *facts: model.Known | model.DoctorAccount) -> None:
    """Keep what is known now, each unless something newer of the same thing is known."""
    (key,) = (each.name for each in table.primary_key)
    rows: dict[Any, dict[str, Any]] = {}
    for fact in sorted(facts, key=lambda each: each.version):
        row = {each.name: getattr(fact, each.name) for each in fields(fact) if each.name in table.c}
        rows[row[key]] = row  # one statement changes a row once: of several versions the newest stands
    if not rows:
        return
    made = insert(table).values([rows[each] for each in sorted(rows)])  # in one order everywhere, so none deadlocks
    fresh = {each.name: made.excluded[each.name] for each in table.c if each.name != key}
    connection.execute(
        made.on_conflict_do_update(index_elements=[key], set_=fresh, where=made.excluded.version > table.c.version)
    )


def reached(patient_id: sa.ColumnElement[UUID], within: model.Reach) -> sa.ColumnElement[bool]:
    """Whether the record of a row is within reach; says in SQL what `model.reached` says of one record."""
    if within.is_everywhere:
        return sa.true()
    found: list[sa.ColumnElement[bool]] = [patient_id.in_(within.records)]
    if within.areas:
        standing = sa.or_(known.c.ends_at.is_(None), known.c.ends_at >= within.known_since)
        opens = sa.or_(*(_opens(each, within) for each in within.areas))
        here = sa.and_(known.c.patient_id == patient_id, ~known.c.is_taken_back, standing, opens)
        found.append(sa.exists().select_from(_WITH_ACCOUNT).where(here))
    return sa.or_(*found)


def _opens(area: Area, within: model.Reach) -> sa.ColumnElement[bool]:
    both: list[Any] = []
    if area.facilities is not None:
        both.append(known.c.facility_id.in_(list(map(UUID, area.facilities))))
    if area.is_assigned:
        mine = sa.cast(doctor_accounts.c.account, sa.Text) == within.account
        fresh = sa.and_(known.c.doctor_id.is_(None), known.c.since >= within.open_since)
        both.append(sa.or_(mine, fresh))
    return sa.and_(sa.true(), *both)
