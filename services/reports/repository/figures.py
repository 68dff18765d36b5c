"""Reports as queries. What is counted is added up by doctor first: names and specializations meet few rows then."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.reports import model, schema
from services.reports.model import Group

_AT_ONCE = 2000


class SqlFigures:
    """One side at one moment."""

    def __init__(self, connection: sa.Connection, side: schema.Side) -> None:
        self._connection, self._side = connection, side

    def doctor_of(self, account: str) -> UUID | None:
        """The doctor to whom an account belongs; None when there is none."""
        try:
            query = sa.select(self._side.doctors.c.id).where(self._side.doctors.c.user_id == UUID(account))
        except ValueError:
            return None  # an operator's, or a program's
        return self._connection.execute(query).scalar_one_or_none()

    def rows(
        self, asked: model.Asked, measures: Sequence[model.Measure], *, has_names: bool, limit: int
    ) -> Iterator[model.Row]:
        """The rows of a report in the order of their columns; those without a specialization last."""
        names = [each.name for each in measures]
        query = self._named(self._grouped(asked, measures), asked, names, has_names=has_names).limit(limit)
        with self._connection.execute(query, execution_options={"yield_per": _AT_ONCE}) as found:
            for row in found.mappings():
                group = {str(name): value for name, value in row.items() if name not in names}
                yield model.Row(group=group, counts={name: int(row[name]) for name in names})

    def total(self, asked: model.Asked, measures: Sequence[model.Measure]) -> Mapping[str, int]:
        """What all that is asked for adds up to, each appointment counted once."""
        row = self._connection.execute(sa.select(*self._counted(measures)).where(*self._wanted(asked))).one()
        return {each.name: int(getattr(row, each.name)) for each in measures}

    def newest(self) -> datetime | None:
        """When the newest event happened that is in here."""
        return self._connection.execute(sa.select(sa.func.max(self._side.appointments.c.changed_at))).scalar_one()

    def looks(self) -> list[model.Look]:
        """How far the readers were when they were looked at."""
        rows = self._connection.execute(sa.select(schema.looks)).mappings()
        return [model.Look(**row) for row in rows]

    def _wanted(self, asked: model.Asked) -> list[sa.ColumnElement[bool]]:
        table, doctors = self._side.appointments.c, self._side.doctors.c
        found = [
            table.facility_id == asked.facility_id,
            table.day.between(asked.first_day, asked.last_day),
            table.status.in_([each.value for each in asked.statuses]),
        ]
        if asked.doctors:
            found.append(table.doctor_id.in_(asked.doctors))
        if asked.specializations:
            having = doctors.specialization_ids.overlap(list(asked.specializations))
            found.append(table.doctor_id.in_(sa.select(doctors.id).where(having)))
        return found

    def _counted(self, measures: Sequence[model.Measure]) -> list[sa.ColumnElement[int]]:
        table = self._side.appointments.c
        found = []
        for each in measures:
            is_it = table.status.in_([status.value for status in each.statuses])
            found.append(
                sa.func.count().filter(sa.and_(is_it, table.is_late) if each.is_late else is_it).label(each.name)
            )
        return found

    def _grouped(self, asked: model.Asked, measures: Sequence[model.Measure]) -> sa.Subquery:
        """One row for each group; under each specialization of its doctor where they are asked for."""
        table, names = self._side.appointments.c, [each.name for each in measures]
        has_doctor = Group.DOCTOR in asked.groups or Group.SPECIALIZATION in asked.groups
        by = [table.day] if Group.DAY in asked.groups else []
        by += [table.doctor_id] if has_doctor else []
        by += [table.status] if Group.STATUS in asked.groups else []
        counted = sa.select(*by, *self._counted(measures)).where(*self._wanted(asked)).group_by(*by).subquery("counted")
        if Group.SPECIALIZATION not in asked.groups:
            return counted
        held = self._held(asked)
        again: list[Any] = [
            counted.c[each.name] for each in by if each.name != "doctor_id" or Group.DOCTOR in asked.groups
        ]
        again.append(held.c.specialization_id)
        sums = [sa.func.sum(counted.c[name]).label(name) for name in names]
        joined = counted.join(held, held.c.doctor_id == counted.c.doctor_id, isouter=not asked.specializations)
        return sa.select(*again, *sums).select_from(joined).group_by(*again).subquery("grouped")

    def _held(self, asked: model.Asked) -> sa.Subquery:
        """Which doctor has which specialization; of those that are asked for, when some are."""
        doctors = self._side.doctors.c
        each = sa.func.unnest(doctors.specialization_ids).label("specialization_id")
        held = sa.select(doctors.id.label("doctor_id"), each).subquery("held")
        if not asked.specializations:
            return held
        return sa.select(held).where(held.c.specialization_id.in_(asked.specializations)).subquery("held_of_these")

    def _named(
        self, grouped: sa.Subquery, asked: model.Asked, names: Sequence[str], *, has_names: bool
    ) -> sa.Select[Any]:
        doctors, specializations, g = self._side.doctors, self._side.specializations, grouped.c
        joined: sa.FromClause = grouped
        columns: list[Any] = []
        for each in asked.groups:
            match each:
                case Group.DAY | Group.STATUS:
                    columns.append(g[each.value])
                case Group.DOCTOR:
                    columns += [g.doctor_id, doctors.c.name.label("doctor_name")]
                    joined = joined.outerjoin(doctors, doctors.c.id == g.doctor_id)
                case Group.SPECIALIZATION:
                    columns += [g.specialization_id, specializations.c.name.label("specialization_name")]
                    joined = joined.outerjoin(specializations, specializations.c.id == g.specialization_id)
        shown = [each for each in columns if has_names or not each.name.endswith("_name")]
        order = [each.nulls_last() for each in columns if not each.name.endswith("_name")]
        return sa.select(*shown, *(g[name] for name in names)).select_from(joined).order_by(*order)
