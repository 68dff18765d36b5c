"""One transaction: what is changed, with its history, its events and what waits of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.chassis.call import Call
from services.chassis.sql import Unit
from services.chassis.stores import KeyReused, StoreBusy
from services.doctors import schema
from services.doctors.model import fence, profiles
from services.doctors.model.closures import Closure
from services.doctors.model.errors import NameTaken
from services.doctors.model.fence import Change, Proposal, State
from services.doctors.model.listed import Specialization
from services.doctors.model.places import Place
from services.doctors.model.plans import Plan
from services.doctors.model.profiles import Doctor, Photo
from services.doctors.model.records import differing
from services.doctors.repository import rows
from services.doctors.repository.reading import SqlReading, _by_id
from services.kernel.events import Event

_TAKEN = {"specializations_name_is_taken", "appointment_types_name_is_taken", "resources_name_is_taken"}
# Whoever meets what another transaction has just made begins again, and then sees it.
_RACES = {"claims_pkey", "plan_changes_one_is_open", "plan_changes_intent"}
# The request that has begun a change takes it to its end within this time; after it, the job does.
_OWN_TIME = timedelta(seconds=12)


class SqlWork(SqlReading):
    """Reads and writes over one transaction."""

    def __init__(self, unit: Unit, *, call: Call) -> None:
        super().__init__(unit.connection)
        self._unit, self._call = unit, call

    def record(self, *events: Event) -> None:
        """Tell these events when the unit commits."""
        self._unit.record(*events)

    def answer_later(self) -> None:
        """Commit without the answer to the request: it comes with the end of what was begun.

        The key was admitted when the unit began; `DoctorsStore.begin` gives it back after the commit.
        """
        self._call.key = None

    # ---- records ----------------------------------------------------------------------------------------------------

    def for_change(self, kind: type[Any], record_id: UUID) -> Any:
        """One record as it is now, held until the end against changes by others; NotFound when there is none."""
        return self._one(kind, _by_id(kind, record_id).with_for_update())

    def fields_since(self, record_id: UUID, *, version: int) -> list[str]:
        """Names of the fields that changed after a version."""
        table = schema.record_versions.c
        query = sa.select(sa.func.unnest(table.fields)).where(table.record_id == record_id, table.version > version)
        return sorted(set(self._connection.execute(query).scalars()))

    def keep(self, record: Any, *, fields: Sequence[str]) -> None:
        """The next version of a record, or its first."""
        table, row = rows.TABLES[type(record)], rows.row_of(record)
        if record.version == 1:
            self._execute(sa.insert(table).values(row))
        else:
            before = table.c.id == record.id, table.c.version == record.version - 1
            if self._execute(sa.update(table).where(*before).values(row)).rowcount != 1:
                raise StoreBusy("postgresql", "version_moved")
        if isinstance(record, Doctor):
            self._claim(record, only=True)
        self._keep_version(record, fields=fields)

    def put_in_force(self, records: Sequence[Any]) -> None:
        """The next versions of several records, and what has happened to doctors among them."""
        for record in records:
            before = None if record.version == 1 else self.one(type(record), record.id)
            if isinstance(record, Doctor):
                self.record(*profiles.events(before, record))
            self.keep(record, fields=differing(before, record))

    def hold(self, kind: type[Any], wanted: Iterable[UUID]) -> dict[UUID, Any]:
        """Those that there are of these, held until the end against being deleted."""
        table = rows.TABLES[kind]
        query = sa.select(table).where(table.c.id.in_(list(wanted))).order_by(table.c.id)
        return {each.id: each for each in self._all(kind, query.with_for_update(read=True, key_share=True))}

    def is_used(self, specialization_id: UUID) -> bool:
        """Whether a doctor or an appointment type has a specialization, or would have it by a change that waits."""
        doctors, types, changes = schema.doctors.c, schema.appointment_types.c, schema.plan_changes.c
        waiting = [{"kind": "Doctor", "state": {"specialization_ids": [str(specialization_id)]}}]
        either = sa.or_(
            sa.exists().where(doctors.specialization_ids.contains([specialization_id])),
            sa.exists().where(types.specialization_ids.contains([specialization_id])),
            sa.exists().where(changes.records.contains(waiting), sa.text(schema.OPEN)),
        )
        return bool(self._connection.execute(sa.select(either)).scalar_one())

    def delete_specialization(self, record: Specialization) -> None:
        """Delete one that is held; its versions stay in the history."""
        self._execute(sa.delete(schema.specializations).where(schema.specializations.c.id == record.id))

    def set_minutes(self, doctor_id: UUID, type_id: UUID, *, minutes: int | None) -> None:
        """How long a type takes with a doctor; None for as long as with all."""
        table = schema.type_minutes
        where = (table.c.doctor_id == doctor_id, table.c.type_id == type_id)
        if minutes is None:
            self._execute(sa.delete(table).where(*where))
        else:
            row = {"doctor_id": doctor_id, "type_id": type_id, "minutes": minutes}
            keys = ["doctor_id", "type_id"]
            self._execute(
                insert(table).values(row).on_conflict_do_update(index_elements=keys, set_={"minutes": minutes})
            )

    def keep_photo(self, photo: Photo) -> None:
        """The photo of a doctor, in place of any before."""
        row = {"media_type": photo.media_type, "data": photo.data, "changed_at": photo.changed_at}
        made = insert(schema.photos).values(doctor_id=photo.doctor_id, **row)
        self._execute(made.on_conflict_do_update(index_elements=["doctor_id"], set_=row))

    def remove_photo(self, doctor_id: UUID) -> None:
        """No photo of a doctor."""
        self._execute(sa.delete(schema.photos).where(schema.photos.c.doctor_id == doctor_id))

    # ---- places and plans -------------------------------------------------------------------------------------------

    def keep_place(self, place: Place) -> None:
        """What is known of a place, unless something newer is."""
        row = {"facility_id": place.facility_id, "zone": place.zone, "is_active": place.is_active}
        made = insert(schema.places).values(id=place.id, version=place.version, **row)
        newer = schema.places.c.version < made.excluded.version
        changed = {**row, "version": place.version}
        self._execute(made.on_conflict_do_update(index_elements=["id"], set_=changed, where=newer))

    def facility_plan(self, facility_id: UUID, *, zone: str) -> Plan:
        """The plan of a facility, held until the end; made when there is none."""
        self._make_plan(facility_id, facility_id, zone=zone)
        plans = schema.plans.c
        query = sa.select(schema.plans).where(plans.plan_id == facility_id, plans.facility_id == facility_id)
        found: Plan = rows.made(Plan, self._connection.execute(query.with_for_update()).one())
        return found

    def closures_at(self, facility_id: UUID, *, at: datetime) -> list[Closure]:
        """Closures of a facility that are not over."""
        return self._coming(Closure, schema.closures.c.facility_id == facility_id, at=at)

    # ---- changes of plans -------------------------------------------------------------------------------------------

    def open_change(self, subject_id: UUID) -> Change | None:
        """The change of these plans that waits, if there is one."""
        table = schema.plan_changes
        query = sa.select(table).where(table.c.subject_id == subject_id, sa.text(schema.OPEN))
        row = self._connection.execute(query).one_or_none()
        return None if row is None else rows.change(row)

    def asked_before(self) -> Change | None:
        """The change that the same request has asked for before, unless it was given up.

        Raises:  KeyReused: the key stood on another request.
        """
        table = schema.plan_changes
        query = sa.select(table).where(table.c.intent == self._intent, table.c.state != State.WITHDRAWN.value)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        if self._call.key is not None and row.fingerprint != self._call.key.fingerprint:
            raise KeyReused
        return rows.change(row)

    def propose(self, proposal: Proposal, *, change_id: UUID, is_due: bool = False) -> Change:
        """Keep a change as pending; when it `is_due` the job takes it up at once."""
        call = self._call
        made = Change(
            id=change_id,
            subject_id=proposal.subject_id,
            is_of_doctor=proposal.is_of_doctor,
            state=State.PENDING,
            clashing=proposal.clashing,
            records=proposal.records,
            fields=proposal.fields,
            steps=proposal.steps,
            applied=0,
            clashes=(),
            more=False,
            operation=call.operation,
            action=call.action,
            asked_by=call.actor.subject,
            asked_roles=tuple(sorted(call.actor.roles)),
            request_id=call.request_id,
            intent=self._intent,
            fingerprint=None if call.key is None else call.key.fingerprint,
            asked_at=call.at,
            due_at=call.at if is_due else call.at + _OWN_TIME,
            settled_at=None,
        )
        for step in proposal.steps:
            self._make_plan(step.plan_id, step.facility_id, zone=step.zone)
        for record in proposal.records:
            if isinstance(record, Doctor):
                self._claim(record, only=False)
        self._execute(sa.insert(schema.plan_changes).values(rows.change_row(made)))
        return made

    def change_to_settle(self, change_id: UUID) -> Change:
        """One change of plans, held until the end."""
        table = schema.plan_changes
        return self._one_change(sa.select(table).where(table.c.id == change_id).with_for_update())

    def settle(self, now: Change, after: Change) -> None:
        """Keep what was decided of a change; when it is over, put it in force or take the versions it has used."""
        table = schema.plan_changes
        self._execute(sa.update(table).where(table.c.id == after.id).values(rows.change_row(after)))
        if now.is_open and not after.is_open:
            self._settle_plans(after)
            if after.state is State.EFFECTIVE:
                self.put_in_force(after.records)
            elif after.is_of_doctor:
                self._claim(self.one(Doctor, after.subject_id), only=True)

    def _settle_plans(self, change: Change) -> None:
        plans = schema.plans
        held = sa.select(plans).where(plans.c.plan_id == change.subject_id).with_for_update()
        known = {row.facility_id: rows.made(Plan, row) for row in self._connection.execute(held)}
        after = fence.plans_after(change, known)
        for each in after:
            where = (plans.c.plan_id == each.plan_id, plans.c.facility_id == each.facility_id)
            values = {"zone": each.zone, "version": each.version, "last_version": each.last_version}
            self._execute(sa.update(plans).where(*where).values(values))
        self.record(*fence.plan_events(list(known.values()), after))

    def _make_plan(self, plan_id: UUID, facility_id: UUID, *, zone: str) -> None:
        row = {"plan_id": plan_id, "facility_id": facility_id, "zone": zone, "version": 0, "last_version": 0}
        self._execute(insert(schema.plans).values(row).on_conflict_do_nothing())

    def _claim(self, doctor: Doctor, *, only: bool) -> None:
        """What belongs to one doctor only belongs to this one; with `only`, nothing else does any more.

        Raises:  LicenceTaken, AccountTaken: it belongs to another.
        """
        table, wanted = schema.claims, profiles.claims(doctor)
        if only:
            self._execute(sa.delete(table).where(table.c.doctor_id == doctor.id, table.c.key.not_in(list(wanted))))
        held = sa.select(table.c.key, table.c.doctor_id).where(table.c.key.in_(list(wanted)))
        holders = {row.key: row.doctor_id for row in self._connection.execute(held)}
        for key, taken in wanted.items():
            if holders.get(key, doctor.id) != doctor.id:
                raise taken
        # In one order everywhere, so that two transactions with the same claims wait and never deadlock.
        missing = [{"key": key, "doctor_id": doctor.id} for key in sorted(wanted.keys() - holders.keys())]
        if missing:
            self._execute(sa.insert(table).values(missing))

    def _keep_version(self, record: Any, *, fields: Sequence[str]) -> None:
        values = {
            "record_id": record.id,
            "version": record.version,
            "kind": rows.kind_of(record),
            "at": self._call.at,
            "by": self._call.actor.subject,
            "operation": self._call.operation,
            "request_id": self._call.request_id,
            "fields": list(fields),
            "state": rows.state(record),
        }
        self._execute(sa.insert(schema.record_versions).values(values))

    @property
    def _intent(self) -> str:
        key = self._call.key
        return str(self._call.id) if key is None else f"{key.principal}\n{key.key}"

    def _execute(self, statement: Any) -> Any:
        try:
            return self._connection.execute(statement)
        except sa.exc.IntegrityError as error:
            cause = error.orig
            name = cause.diag.constraint_name if isinstance(cause, psycopg.Error) else None
            if name in _TAKEN:
                raise NameTaken from None
            if name in _RACES:
                raise StoreBusy("postgresql", "23505") from error
            raise
