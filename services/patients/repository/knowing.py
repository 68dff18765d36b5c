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
    if not facts:
        return
    (key,) = (each.name for each in table.primary_key)
    rows = [{each.name: getattr(fact, each.name) for each in fields(fact) if each.name in table.c} for fact in facts]
    made = insert(table)
    fresh = {each.name: made.excluded[each.name] for each in table.c if each.name != key}
    later = made.excluded.version > table.c.version
    # In one order everywhere, so that two who keep the same things wait for each other and never deadlock.
    rows.sort(key=lambda row: row[key])
    connection.execute(made.on_conflict_do_update(index_elements=[key], set_=fresh, where=later), rows)


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
