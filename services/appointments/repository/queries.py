"""Questions to the journal that several of its lists ask: what waits, what is over, and what lies in an area."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from services.appointments import model
from services.appointments.schema.tables import appointments
from services.kernel.access import Area

_OPEN = ("booked", "arrived")
Several = Collection[UUID] | sa.BindParameter[Any]


@lru_cache(maxsize=256)
def waiting(
    asked_in: tuple[Area, ...] | None, over_in: tuple[Area, ...] | None, *, of_some: bool
) -> sa.CompoundSelect[Any]:
    """Both lists that wait at a desk; each first page asks for them, and to write the question down took longer than
    to ask it.
    """
    facility, most = sa.bindparam("facility_id"), sa.bindparam("most", type_=sa.Integer)
    doctors: Several = sa.bindparam("doctors", expanding=True) if of_some else ()
    parts = [] if asked_in is None else [asked(facility, doctors=doctors, areas=asked_in)]
    if over_in is not None:
        parts.append(over(facility, doctors=doctors, areas=over_in, before=sa.bindparam("before")))
    return sa.union_all(*(sa.select(each.limit(most).subquery().c.record) for each in parts))


def asked(facility_id: Any, *, doctors: Several, areas: Collection[Area]) -> sa.Select[Any]:
    """Those that wait for an answer, whoever has waited longest first."""
    table = appointments.c
    query = sa.select(table.record).where(
        table.facility_id == facility_id, table.status == model.Status.PENDING.value, within(areas)
    )
    return _of(query, doctors).order_by(table.id)


def over(facility_id: Any, *, doctors: Several, areas: Collection[Area], before: Any) -> sa.Select[Any]:
    """Those that are over and still open, oldest end first."""
    table = appointments.c
    query = sa.select(table.record).where(
        table.facility_id == facility_id, table.status.in_(_OPEN), table.ends_at <= before, within(areas)
    )
    return _of(query, doctors).order_by(table.ends_at, table.id)


def _of(query: sa.Select[Any], doctors: Several) -> sa.Select[Any]:
    """Those of some doctors, if any are named."""
    is_one = isinstance(doctors, sa.BindParameter)
    return query.where(appointments.c.doctor_id.in_(doctors)) if is_one or doctors else query


def within(areas: Collection[Area]) -> sa.ColumnElement[bool]:
    """What lies in one of some areas; see model/reach.py, is_within."""
    return sa.or_(sa.false(), *map(_of_area, areas))


def _of_area(area: Area) -> sa.ColumnElement[bool]:
    table, found = appointments.c, [sa.true()]
    if area.facilities is not None:
        found.append(table.facility_id.in_([UUID(each) for each in area.facilities]))
    if area.departments is not None:
        departments = table.record["department_ids"]
        is_of_none = sa.func.coalesce(sa.func.jsonb_array_length(departments), 0) == 0
        wanted = sa.cast(sorted(area.departments), pg.ARRAY(sa.Text))
        found.append(sa.or_(is_of_none, departments.has_any(wanted)))
    return sa.and_(*found)
