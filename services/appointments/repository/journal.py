"""The journal in PostgreSQL: what the streams of the records carry into it, and what is read from it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from services.appointments import model
from services.appointments.repository import packing, queries
from services.appointments.schema.tables import answers, appointments, plans, positions, versions
from services.chassis import failpoints, sql
from services.chassis.call import Call
from services.chassis.outbox import Outgoing
from services.kernel.access import Area
from services.kernel.intervals import Interval

_BATCH = 200
_OF_PLAN = ("version", "closed", "change", "answer")


class Journal:
    """All that has ever happened to appointments."""

    def __init__(self, database: sql.Database) -> None:
        self._database = database

    # ---- carried into it ---------------------------------------------------------------------------------------------

    def take(
        self, call: Call, facility_id: UUID, entries: Sequence[tuple[str, Mapping[str, Any]]], *, after: str
    ) -> None:
        """Write down the entries behind a position, and tell their events, in one transaction with the new position.

        When somebody else has carried them meanwhile, nothing is done.
        """
        with self._database.begin(call) as unit:
            if not _step_on(unit.connection, facility_id, after=after, to=entries[-1][0]):
                return
            failpoints.reach("journal.begun")
            journal = [(entry["j"], entry.get("k")) for _, entry in entries if "j" in entry]
            found = [each for each, _ in journal if each["kind"] == "appointment"]
            if found:
                _keep_versions(unit.connection, found)
                _keep_newest(unit.connection, found)
            _keep_plans(unit.connection, facility_id, [each for each, _ in journal if each["kind"] == "plan"])
            _keep_answers(unit.connection, facility_id, [(key, j["at"]) for j, key in journal if key])
            unit.forward(*(_outgoing(each) for _, entry in entries for each in entry["o"]))
            failpoints.reach("journal.written")
        failpoints.reach("journal.committed")

    def position(self, call: Call, facility_id: UUID) -> str:
        """How far the stream of a facility has been carried."""
        with self._database.begin(call) as unit:
            start = pg.insert(positions).values(facility_id=facility_id, last_entry="0-0").on_conflict_do_nothing()
            unit.connection.execute(start)
            query = sa.select(positions.c.last_entry).where(positions.c.facility_id == facility_id)
            return str(unit.connection.execute(query).scalar_one())

    def is_new(self, facility_id: UUID) -> bool:
        """Whether nothing was ever written down of a facility."""
        known = [sa.exists().where(each.c.facility_id == facility_id) for each in (appointments, plans)]
        with self._database.read() as connection:
            return not connection.execute(sa.select(sa.or_(*known))).scalar_one()

    # ---- reading -----------------------------------------------------------------------------------------------------

    def appointment(self, facility_id: UUID, appointment_id: UUID) -> model.Appointment | None:
        """The newest version of one; None when there is none."""
        query = sa.select(appointments.c.record).where(
            appointments.c.id == appointment_id, appointments.c.facility_id == facility_id
        )
        with self._database.read() as connection:
            found = connection.execute(query).scalar_one_or_none()
        return None if found is None else packing.read(found)

    def listed(self, asked: model.Asked, *, period: Interval) -> list[model.Appointment]:
        """Appointments that start in a period, by start and id, one more than the limit."""
        table = appointments.c
        query = sa.select(table.record).where(
            table.facility_id == asked.facility_id, table.starts_at >= period.start, table.starts_at < period.end
        )
        query = query.where(queries.within(asked.areas))
        if asked.doctors:
            query = query.where(table.doctor_id.in_(asked.doctors))
        if asked.statuses:
            query = query.where(table.status.in_([each.value for each in asked.statuses]))
        if asked.after is not None:
            query = query.where(sa.tuple_(table.starts_at, table.id) > sa.tuple_(*map(sa.literal, asked.after)))
        return self._read(query.order_by(table.starts_at, table.id).limit(asked.limit + 1))

    def states(
        self, facility_id: UUID, *, areas: Collection[Area], after: UUID | None, limit: int
    ) -> list[model.Appointment]:
        """All of a facility in some areas, by id, one more than the limit."""
        table = appointments.c
        query = sa.select(table.record).where(table.facility_id == facility_id, queries.within(areas))
        if after is not None:
            query = query.where(table.id > after)
        return self._read(query.order_by(table.id).limit(limit + 1))

    def unresolved(
        self,
        facility_id: UUID,
        *,
        doctors: Collection[UUID] = (),
        areas: Collection[Area],
        before: datetime,
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[model.Appointment]:
        """Those in some areas that are over and still open, oldest end first; of some doctors, if any."""
        table, query = appointments.c, queries.over(facility_id, doctors=doctors, areas=areas, before=before)
        if after is not None:
            query = query.where(sa.tuple_(table.ends_at, table.id) > sa.tuple_(*map(sa.literal, after)))
        return self._read(query.limit(limit + 1))

    def requests(
        self, facility_id: UUID, *, doctors: Collection[UUID], areas: Collection[Area], after: UUID | None, limit: int
    ) -> list[model.Appointment]:
        """Those in some areas that wait for an answer, by id: in the order in which they were asked for."""
        query = queries.asked(facility_id, doctors=doctors, areas=areas)
        if after is not None:
            query = query.where(appointments.c.id > after)
        return self._read(query.limit(limit + 1))

    def waiting(self, wanted: model.Wanted) -> tuple[list[model.Appointment], list[model.Appointment]]:
        """The first of `requests` and of `unresolved` in one question; none of what no areas are given for."""
        if wanted.asked_in is None and wanted.over_in is None:
            return [], []
        query = queries.waiting(wanted.asked_in, wanted.over_in, of_some=bool(wanted.doctors))
        given = {
            "facility_id": wanted.facility_id,
            "doctors": list(wanted.doctors),
            "before": wanted.before,
            "most": wanted.limit + 1,
        }
        found = self._read(query, given)
        asked = [each for each in found if each.status is model.Status.PENDING]
        over = [each for each in found if each.status is not model.Status.PENDING]
        return sorted(asked, key=lambda each: each.id), sorted(over, key=lambda each: (each.ends_at, each.id))

    def of_patient(
        self,
        patient_id: UUID,
        *,
        areas: Collection[Area],
        after: tuple[datetime, UUID] | None,
        limit: int,
    ) -> list[model.Appointment]:
        """A patient's in some areas, the latest start first, one more than the limit."""
        table = appointments.c
        query = sa.select(table.record).where(table.patient_id == patient_id, queries.within(areas))
        if after is not None:
            query = query.where(sa.tuple_(table.starts_at, table.id) < sa.tuple_(*map(sa.literal, after)))
        return self._read(query.order_by(table.starts_at.desc(), table.id.desc()).limit(limit + 1))

    def changes(self, facility_id: UUID, appointment_id: UUID, *, below: int | None, limit: int) -> list[model.Change]:
        """Versions, newest first, each with the one that it followed, one more than the limit."""
        table = versions.c
        query = sa.select(versions).where(table.appointment_id == appointment_id, table.facility_id == facility_id)
        if below is not None:
            query = query.where(table.version < below)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.version.desc()).limit(limit + 2)).all()
        records = [packing.read(row.record) for row in rows] + [None]
        return [
            model.Change(
                after=packing.read(row.record), before=records[i + 1], operation=row.operation, reason=row.reason
            )
            for i, row in enumerate(rows[: limit + 1])
        ]

    def attendance(self, patient_id: UUID, *, areas: Collection[Area]) -> dict[str, int]:
        """How many of a patient's in some areas ended how, late cancellations under `late_cancelled`."""
        table = appointments.c
        is_late = sa.and_(table.late_cancelled, table.status == "cancelled")
        how = sa.case((is_late, "late_cancelled"), else_=table.status)
        query = sa.select(how.label("how"), sa.func.count()).where(
            table.patient_id == patient_id, queries.within(areas)
        )
        query = query.group_by(how)
        with self._database.read() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    # ---- for keeping the records -------------------------------------------------------------------------------------

    def facilities(self) -> list[UUID]:
        """Those of which something is written down."""
        with self._database.read() as connection:
            return list(connection.execute(sa.select(positions.c.facility_id)).scalars())

    def over(self, before: datetime, *, limit: int = _BATCH) -> list[model.Appointment]:
        """Appointments that ended before a moment and are still in the records."""
        query = sa.select(appointments.c.record).where(appointments.c.in_records, appointments.c.ends_at < before)
        return self._read(query.order_by(appointments.c.ends_at).limit(limit))

    def left(self, ids: Sequence[UUID]) -> None:
        """Note that appointments are in the journal only."""
        with self._database.read() as connection:
            connection.execute(sa.update(appointments).where(appointments.c.id.in_(ids)).values(in_records=False))

    def back(self, facility_id: UUID, appointment_id: UUID) -> list[model.Appointment]:
        """The newest version of one that will be in the records again, which is noted; none where there is none."""
        table = appointments.c
        here = sa.and_(table.id == appointment_id, table.facility_id == facility_id)
        return self._read(sa.update(appointments).where(here).values(in_records=True).returning(table.record))

    def alive(self, facility_id: UUID, *, since: datetime, after: UUID | None) -> list[model.Appointment]:
        """A batch of the appointments that belong into the records, by id; they are noted as being there."""
        table = appointments.c
        query = sa.select(table.id).where(table.facility_id == facility_id, table.ends_at >= since)
        if after is not None:
            query = query.where(table.id > after)
        chosen = query.order_by(table.id).limit(_BATCH).scalar_subquery()
        change = sa.update(appointments).where(table.id.in_(chosen)).values(in_records=True).returning(table.record)
        return sorted(self._read(change), key=lambda each: each.id)

    def plans(self, facility_id: UUID) -> list[dict[str, Any]]:
        """The plans that were applied last."""
        query = sa.select(plans).where(plans.c.facility_id == facility_id)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def answers(self, facility_id: UUID, *, since: datetime, after: str) -> list[dict[str, Any]]:
        """A batch of the stored answers since a moment, by name."""
        table = answers.c
        query = sa.select(answers).where(table.facility_id == facility_id, table.at >= since, table.name > after)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(table.name).limit(_BATCH))
            return [dict(row) for row in rows.mappings()]

    def forget_answers(self, before: datetime) -> None:
        """Drop stored answers that nobody may ask for any more."""
        with self._database.read() as connection:
            connection.execute(sa.delete(answers).where(answers.c.at < before))

    def known_versions(self, ids: Sequence[UUID]) -> set[tuple[UUID, int]]:
        """Which versions of some appointments are written down."""
        query = sa.select(versions.c.appointment_id, versions.c.version).where(versions.c.appointment_id.in_(ids))
        with self._database.read() as connection:
            return {(row.appointment_id, row.version) for row in connection.execute(query)}

    def _read(self, query: sa.Executable, given: Mapping[str, Any] | None = None) -> list[model.Appointment]:
        with self._database.read() as connection:
            return [packing.read(each) for each in connection.execute(query, given).scalars()]


def _step_on(connection: sa.Connection, facility_id: UUID, *, after: str, to: str) -> bool:
    """Move the position on; the row stays locked until the transaction ends. False when it is elsewhere already."""
    here = sa.and_(positions.c.facility_id == facility_id, positions.c.last_entry == after)
    return connection.execute(sa.update(positions).where(here).values(last_entry=to)).rowcount == 1


def _keep_versions(connection: sa.Connection, found: Sequence[Mapping[str, Any]]) -> None:
    rows = [
        {
            "appointment_id": UUID(each["record"]["id"]),
            "version": each["record"].get("version", 1),
            "facility_id": UUID(each["record"]["facility_id"]),
            "at": _moment(each["at"]),
            "by": each["by"],
            "operation": each["operation"],
            "reason": each["reason"],
            "request_id": each["request_id"],
            "record": each["record"],
        }
        for each in found
    ]
    connection.execute(pg.insert(versions).on_conflict_do_nothing(), rows)


def _keep_newest(connection: sa.Connection, found: Sequence[Mapping[str, Any]]) -> None:
    newest = {each["record"]["id"]: each["record"] for each in found}  # in the order of the stream: the last one stands
    rows = [
        {
            "id": UUID(record["id"]),
            "facility_id": UUID(record["facility_id"]),
            "patient_id": UUID(record["patient_id"]),
            "doctor_id": UUID(record["doctor_id"]),
            "status": record["status"],
            "late_cancelled": record.get("late_cancelled", False),
            "starts_at": _moment(record["starts_at"]),
            "ends_at": _moment(record["ends_at"]),
            "version": record["version"],
            "in_records": True,
            "record": record,
        }
        for record in newest.values()
    ]
    insert = pg.insert(appointments)
    fresh = {each.name: insert.excluded[each.name] for each in appointments.columns if each.name != "id"}
    later = insert.excluded.version > appointments.c.version
    connection.execute(insert.on_conflict_do_update(index_elements=["id"], set_=fresh, where=later), rows)


def _keep_plans(connection: sa.Connection, facility_id: UUID, found: Sequence[Mapping[str, Any]]) -> None:
    for each in found:
        kept = {name: each[name] for name in _OF_PLAN}
        insert = pg.insert(plans).values(facility_id=facility_id, field=each["field"], **kept)
        fresh = {name: insert.excluded[name] for name in _OF_PLAN}
        later = insert.excluded.version > plans.c.version
        connection.execute(
            insert.on_conflict_do_update(index_elements=["facility_id", "field"], set_=fresh, where=later)
        )


def _keep_answers(connection: sa.Connection, facility_id: UUID, found: Sequence[tuple[Mapping[str, Any], str]]) -> None:
    rows = [
        {
            "facility_id": facility_id,
            "name": key["name"],
            "fingerprint": key["f"],
            "answer": key["a"],
            "at": _moment(at),
        }
        for key, at in found
    ]
    if rows:
        connection.execute(pg.insert(answers).on_conflict_do_nothing(), rows)


def _outgoing(each: Sequence[str]) -> Outgoing:
    id_, stream, kind, event = each
    return Outgoing(id=UUID(id_), stream=stream, type=kind, event=event)


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def parsed(fields: Mapping[str, str]) -> dict[str, Any]:
    """An entry of a facility's stream."""
    found: dict[str, Any] = orjson.loads(fields["e"])
    return found


ANSWERS_KEPT = timedelta(days=7)
