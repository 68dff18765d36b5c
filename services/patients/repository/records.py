"""Patient records in PostgreSQL: the record, its version in the history, its claims and its keys in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.chassis.call import Call
from services.chassis.sql import Database, Unit
from services.chassis.stores import StoreBusy
from services.kernel.errors import NotFound
from services.kernel.events import Event
from services.patients import model
from services.patients.repository import knowing
from services.patients.schema import (
    birth_checks,
    doctor_accounts,
    history,
    identifier_claims,
    known,
    mrn_sequence,
    patients,
    search_keys,
)

# Whoever meets a claim that another transaction has just made begins again, and then sees whose it is.
_RACES = frozenset({"identifier_claims_pkey", "patients_mrn_key"})
_MOST_ALIKE = 50
# Asked for every booking: made once, and of the record only what is answered.
_STATUSES = sa.select(*(patients.c[field.name] for field in fields(model.Status)))
_STATUS = _STATUSES.where(patients.c.id == sa.bindparam("patient_id"))
# One parameter, however many there are: the same text each time, which the driver has prepared.
_SEVERAL = patients.c.id == sa.any_(sa.bindparam("patient_ids", type_=ARRAY(sa.Uuid)))
_PATIENTS = sa.select(patients).where(_SEVERAL)
# Columns that hold what the history holds, in the same form.
_AS_KEPT = (
    "family_name",
    "given_name",
    "middle_name",
    "prefix",
    "administrative_gender",
    "sex_at_birth",
    "phones",
    "emails",
    "addresses",
    "language",
    "zone",
    "contact_preference",
    "identifiers",
    "deactivation_reason",
)


class PatientsDatabase:
    """All patient records of the house.

    house: how phone numbers without a country are read into search keys.
    """

    def __init__(self, database: Database, *, house: model.House) -> None:
        self._database = database
        self._house = house

    @contextmanager
    def begin(self, call: Call) -> Iterator[PatientsWork]:
        """One unit of work: all of it is kept, or nothing."""
        with self._database.begin(call) as unit:
            yield PatientsWork(unit, call=call, house=self._house)

    @contextmanager
    def read(self) -> Iterator[PatientsRead]:
        """Reading without a unit of work."""
        with self._database.read() as connection:
            yield PatientsRead(connection)


class PatientsRead:
    """What can be read."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def patient(self, patient_id: UUID) -> model.Patient:
        """One record as it is now; NotFound when there is none."""
        return self._one(sa.select(patients).where(patients.c.id == patient_id))

    def status(self, patient_id: UUID) -> model.Status:
        """How one record stands; NotFound when there is none."""
        found = self._connection.execute(_STATUS, {"patient_id": patient_id}).mappings().one_or_none()
        if found is None:
            raise NotFound
        return model.Status(**found)

    def statuses(self, patient_ids: Sequence[UUID]) -> list[model.Status]:
        """How several records stand, in the order that was asked for."""
        rows = self._connection.execute(_STATUSES.where(_SEVERAL), {"patient_ids": list(patient_ids)}).mappings()
        found = {row["id"]: model.Status(**row) for row in rows}
        return [found[each] for each in patient_ids if each in found]

    def patients(self, patient_ids: Sequence[UUID]) -> list[model.Patient]:
        """Several records, in the order that was asked for."""
        rows = self._connection.execute(_PATIENTS, {"patient_ids": list(patient_ids)})
        found = {row.id: _patient(row) for row in rows}
        return [found[each] for each in patient_ids if each in found]

    def known(self, patient_ids: Sequence[UUID]) -> list[model.Known]:
        """Why these patients are known, and where."""
        return knowing.of(self._connection, patient_ids)

    def matching(self, search: model.Search, *, within: model.Reach, limit: int) -> list[model.Found]:
        """Records within reach that fit all terms, those that fit exactly first, at most `limit`."""
        keys = search_keys.c.found_by
        query = sa.select(search_keys.c.patient_id, search_keys.c.sort_name).where(*map(_fits, search.terms))
        if not search.include_inactive:
            query = query.where(search_keys.c.listed)
        query = query.where(knowing.reached(search_keys.c.patient_id, within))
        tiers = [keys.contains(_texts(each)).desc() for each in (search.exact, search.pieces) if each]
        query = query.order_by(*tiers, search_keys.c.sort_name, search_keys.c.patient_id).limit(limit)
        return [model.Found(id=row.patient_id, sort_name=row.sort_name) for row in self._connection.execute(query)]

    def alike(self, probe: model.Probe) -> list[model.Patient]:
        """Records that may be the same person."""
        keys = search_keys.c.found_by
        either = [sa.and_(keys.overlap(_texts((*probe.surest, *probe.years))), keys.overlap(_texts(probe.names)))]
        if probe.identifiers:
            either.append(keys.overlap(_texts(probe.identifiers)))
        query = (
            sa.select(patients)
            .join(search_keys, search_keys.c.patient_id == patients.c.id)
            .where(sa.or_(*either), patients.c.merged_into.is_(None))
            # Those with the same facts first, so that the limit never cuts off the most probable.
            .order_by(keys.overlap(_texts((*probe.identifiers, *probe.surest))).desc(), patients.c.id)
            .limit(_MOST_ALIKE)
        )
        return [_patient(row) for row in self._connection.execute(query)]

    def holders(self, identifiers: Sequence[model.Identifier]) -> list[model.Patient]:
        """Records that hold one of these identifiers."""
        if not identifiers:
            return []
        claimed = sa.select(identifier_claims.c.patient_id).where(
            identifier_claims.c.key.in_([each.key for each in identifiers])
        )
        return [
            _patient(row) for row in self._connection.execute(sa.select(patients).where(patients.c.id.in_(claimed)))
        ]

    def as_of(self, patient_id: UUID, *, version: int) -> model.Snapshot | None:
        """A record as it was in one version; None when there never was such a version."""
        query = sa.select(history.c.record).where(history.c.patient_id == patient_id, history.c.version == version)
        found: model.Snapshot | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def versions(self, patient_id: UUID, *, up_to: int | None, limit: int) -> list[model.KeptVersion]:
        """Versions of a record, newest first, from `up_to` down."""
        query = sa.select(history).where(history.c.patient_id == patient_id)
        if up_to is not None:
            query = query.where(history.c.version <= up_to)
        rows = self._connection.execute(query.order_by(history.c.version.desc()).limit(limit))
        return [model.KeptVersion(version=row.version, at=row.at, by=row.by, record=row.record) for row in rows]

    def _one(self, query: sa.Select[Any]) -> model.Patient:
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise NotFound
        return _patient(row)


class PatientsWork(PatientsRead):
    """What can be done in one unit of work."""

    def __init__(self, unit: Unit, *, call: Call, house: model.House) -> None:
        super().__init__(unit.connection)
        self._unit = unit
        self._call = call
        self._house = house

    def patient_to_change(self, patient_id: UUID) -> model.Patient:
        """One record as it is now, held until the end against changes by others; NotFound when there is none."""
        return self._one(sa.select(patients).where(patients.c.id == patient_id).with_for_update())

    def birth_checks(self, patient_id: UUID) -> model.BirthChecks | None:
        """How often the birth date of a record was given wrongly."""
        row = self._connection.execute(
            sa.select(birth_checks).where(birth_checks.c.patient_id == patient_id)
        ).one_or_none()
        return None if row is None else model.BirthChecks(**row._mapping)  # noqa: SLF001 - the way to a row's names

    def set_birth_checks(self, checks: model.BirthChecks) -> None:
        """Keep that count; the record is held."""
        values = {"wrong": checks.wrong, "since": checks.since}
        made = insert(birth_checks).values(patient_id=checks.patient_id, **values)
        self._connection.execute(made.on_conflict_do_update(index_elements=["patient_id"], set_=values))

    def next_number(self) -> int:
        """The next number of the sequence of MRNs; never the same twice, with gaps."""
        return int(self._connection.execute(sa.select(mrn_sequence.next_value())).scalar_one())

    def add(self, patient: model.Patient) -> None:
        """Keep the first version of a new record."""
        with _races():
            self._connection.execute(patients.insert().values(_row(patient)))
            self._connection.execute(search_keys.insert().values(_keys(patient, house=self._house)))
            self._keep(patient)

    def save(self, patient: model.Patient) -> None:
        """Keep the next version of a record."""
        row = _row(patient)
        before = patients.c.id == patient.id, patients.c.version == patient.version - 1
        with _races():
            if self._connection.execute(patients.update().where(*before).values(row)).rowcount != 1:
                raise StoreBusy("postgresql", "version_moved")
            keys = _keys(patient, house=self._house)
            self._connection.execute(search_keys.update().where(search_keys.c.patient_id == patient.id).values(keys))
            self._connection.execute(identifier_claims.delete().where(identifier_claims.c.patient_id == patient.id))
            self._keep(patient)

    def keep_known(self, *facts: model.Known) -> None:
        """Keep why patients are known, each unless something newer of the same thing is known."""
        knowing.keep(self._connection, known, *facts)

    def keep_doctor_account(self, fact: model.DoctorAccount) -> None:
        """Keep how a doctor signs in, unless something newer is known."""
        knowing.keep(self._connection, doctor_accounts, fact)

    def record(self, *events: Event) -> None:
        """Tell these events when the unit commits."""
        self._unit.record(*events)

    def _keep(self, patient: model.Patient) -> None:
        """The version in the history, and the identifiers that from now on belong to this record."""
        kept = {
            "patient_id": patient.id,
            "version": patient.version,
            "at": patient.changed_at,
            "by": self._call.actor.subject,
            "operation": self._call.operation,
            "request_id": self._call.request_id,
            "record": model.snapshot(patient),
        }
        self._connection.execute(history.insert().values(kept))
        # In one order everywhere, so that two transactions with the same identifiers wait and never deadlock.
        claims = sorted(each.key for each in patient.person.identifiers if each.is_exclusive)
        if claims:
            rows = [{"key": key, "patient_id": patient.id, "version": patient.version} for key in claims]
            self._connection.execute(identifier_claims.insert(), rows)


@contextmanager
def _races() -> Iterator[None]:
    try:
        yield
    except sa.exc.IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "constraint_name", None) in _RACES:
            raise StoreBusy("postgresql", "23505") from error
        raise


def _fits(term: model.Term) -> sa.ColumnElement[bool]:
    either = [search_keys.c.found_by.contains(_texts(group)) for group in term.all_of]
    if term.any_of:
        either.append(search_keys.c.found_by.overlap(_texts(term.any_of)))
    return sa.or_(*either)


def _texts(keys: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(keys))


def _row(patient: model.Patient) -> dict[str, Any]:
    person, kept = patient.person, model.snapshot(patient)
    return {name: kept[name] for name in _AS_KEPT} | {
        "id": patient.id,
        "mrn": patient.mrn,
        "version": patient.version,
        "birth_date": person.birth.date,
        "birth_year": person.birth.year,
        "deceased_on": patient.deceased_on,
        "merged_into": patient.merged_into,
        "registered_at": patient.registered_at,
        "changed_at": patient.changed_at,
    }


def _keys(patient: model.Patient, *, house: model.House) -> dict[str, Any]:
    return {
        "patient_id": patient.id,
        "version": patient.version,
        "listed": patient.is_listed,
        "sort_name": model.sort_name(patient.person),
        "found_by": model.keys_of(patient, house=house),
    }


def _patient(row: Any) -> model.Patient:
    return model.Patient(
        id=row.id,
        mrn=row.mrn,
        version=row.version,
        person=model.Demographics(
            family_name=row.family_name,
            given_name=row.given_name,
            middle_name=row.middle_name,
            prefix=row.prefix,
            administrative_gender=model.Gender(row.administrative_gender),
            sex_at_birth=None if row.sex_at_birth is None else model.Gender(row.sex_at_birth),
            birth=model.Birth(year=row.birth_year, date=row.birth_date),
            phones=tuple(model.Phone(**each) for each in row.phones),
            emails=tuple(model.Email(**each) for each in row.emails),
            addresses=tuple(model.Address(**each | {"lines": tuple(each["lines"])}) for each in row.addresses),
            language=row.language,
            zone=row.zone,
            contact_preference=row.contact_preference,
            identifiers=tuple(
                model.Identifier(**each | {"type": model.IdentifierType(each["type"])}) for each in row.identifiers
            ),
        ),
        deactivation_reason=row.deactivation_reason,
        deceased_on=row.deceased_on,
        merged_into=row.merged_into,
        registered_at=row.registered_at,
        changed_at=row.changed_at,
    )
