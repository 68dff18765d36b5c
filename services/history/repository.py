"""The history in MongoDB, and what `patients` says about a record. The only file that talks to either.

Every filter is built here from typed values (UUID, integers, words of our own); nothing that a client sent becomes a
key or an operator of a query.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Generic, TypeVar
from uuid import UUID

from pymongo.errors import DuplicateKeyError

from services.chassis import mongo
from services.chassis.asking import Asking
from services.chassis.call import Call
from services.chassis.client import Client
from services.chassis.stores import StoreBusy
from services.history import model, schema
from services.kernel.errors import NotFound
from services.kernel.events import Event

E = TypeVar("E", model.Allergy, model.Problem)

_NEWEST_FIRST = -1


class HistoryStore:
    """The history, one unit of work at a time."""

    def __init__(self, documents: mongo.Documents) -> None:
        self._documents = documents

    @contextmanager
    def begin(self, call: Call) -> Iterator[model.Transaction]:
        """One transaction with all that belongs to the call."""
        with self._documents.begin(call) as unit:
            yield HistoryTransaction(unit, call=call)


class HistoryTransaction:
    """The history within one transaction."""

    def __init__(self, unit: mongo.Unit, *, call: Call) -> None:
        self._unit, self._call = unit, call
        self.allergies = _Entries(
            unit, call, name=schema.ALLERGIES, to_document=schema.from_allergy, from_document=schema.to_allergy
        )
        self.problems = _Entries(
            unit, call, name=schema.PROBLEMS, to_document=schema.from_problem, from_document=schema.to_problem
        )

    def active_allergies(self, patient_id: UUID) -> list[model.Allergy]:
        """All allergies of a patient that stand."""
        return self.allergies.page(patient_id, statuses=[model.Status.ACTIVE], before=None, limit=0)

    def statement(self, patient_id: UUID) -> model.Statement:
        """What stands about a patient's allergies as a whole."""
        found = self._statements.find_one({"_id": patient_id}, session=self._unit.session)
        return model.no_statement(patient_id) if found is None else schema.to_statement(found)

    def statement_revision(self, patient_id: UUID, *, version: int | None) -> model.Statement | None:
        """The statement as it was in a version, or nothing."""
        found = _revision(self._unit, schema.STATEMENTS, entry_id=patient_id, version=version)
        return None if found is None else schema.to_statement(found)

    def save_statement(self, statement: model.Statement) -> None:
        """Keep the next version; two writers of one patient meet here, and the second starts anew."""
        document = schema.from_statement(statement)
        if statement.version == 1:
            _insert(self._unit, schema.STATEMENTS, document)
        else:
            _replace(self._unit, schema.STATEMENTS, document)
        _keep(self._unit, self._call, schema.STATEMENTS, document, patient_id=statement.patient_id)

    def record(self, *events: Event) -> None:
        """Tell the house when the transaction commits."""
        self._unit.record(*events)

    @property
    def _statements(self) -> Any:
        return self._unit.collection(schema.STATEMENTS)


class _Entries(Generic[E]):
    """One collection of entries within one transaction."""

    def __init__(
        self,
        unit: mongo.Unit,
        call: Call,
        *,
        name: str,
        to_document: Callable[[E], schema.Document],
        from_document: Callable[[schema.Document], E],
    ) -> None:
        self._unit, self._call, self._name = unit, call, name
        self._to_document, self._from_document = to_document, from_document

    def get(self, entry_id: UUID, *, patient_id: UUID) -> E:
        """One entry of one patient; that another patient has it is not told."""
        query = {"_id": entry_id, "patient_id": patient_id}
        found = self._unit.collection(self._name).find_one(query, session=self._unit.session)
        if found is None:
            raise NotFound
        return self._from_document(found)

    def revision(self, entry_id: UUID, *, version: int | None) -> E | None:
        """The entry as it was in a version, or nothing."""
        found = _revision(self._unit, self._name, entry_id=entry_id, version=version)
        return None if found is None else self._from_document(found)

    def page(self, patient_id: UUID, *, statuses: Sequence[model.Status], before: UUID | None, limit: int) -> list[E]:
        """The newest entries; ids are ordered by time. A limit of 0 is none."""
        query: dict[str, Any] = {"patient_id": patient_id, "status": {"$in": [status.value for status in statuses]}}
        if before is not None:
            query["_id"] = {"$lt": before}
        found = self._unit.collection(self._name).find(query, session=self._unit.session)
        return [self._from_document(each) for each in found.sort("_id", _NEWEST_FIRST).limit(limit)]

    def add(self, entry: E) -> None:
        """Keep a new entry and its first revision."""
        document = self._to_document(entry)
        _insert(self._unit, self._name, document)
        _keep(self._unit, self._call, self._name, document, patient_id=entry.patient_id)

    def save(self, entry: E) -> None:
        """Keep the next version of an entry and its revision."""
        document = self._to_document(entry)
        _replace(self._unit, self._name, document)
        _keep(self._unit, self._call, self._name, document, patient_id=entry.patient_id)


def _insert(unit: mongo.Unit, name: str, document: schema.Document) -> None:
    try:
        unit.collection(name).insert_one(document, session=unit.session)
    except DuplicateKeyError as error:
        raise StoreBusy("mongodb", "inserted_meanwhile") from error


def _replace(unit: mongo.Unit, name: str, document: schema.Document) -> None:
    query = {"_id": document["_id"], "version": document["version"] - 1}
    if unit.collection(name).replace_one(query, document, session=unit.session).matched_count != 1:
        raise StoreBusy("mongodb", "changed_meanwhile")


def _keep(unit: mongo.Unit, call: Call, kind: str, document: schema.Document, *, patient_id: UUID) -> None:
    by, operation = call.actor.subject, call.operation
    kept = schema.revision(kind, document, patient_id=patient_id, at=call.at, by=by, operation=operation)
    unit.collection(schema.REVISIONS).insert_one(kept, session=unit.session)


def _revision(unit: mongo.Unit, kind: str, *, entry_id: UUID, version: int | None) -> schema.Document | None:
    key = {"kind": kind, "id": entry_id, "version": version}
    found = unit.collection(schema.REVISIONS).find_one({"_id": key}, session=unit.session)
    return None if found is None else dict(found["document"])


class PatientsService:
    """What `patients` says about a record; opening a chart asks several times, so an answer holds for three seconds."""

    def __init__(self, client: Client, *, monotonic: Callable[[], float], kept_s: float = 3.0) -> None:
        self._standing = Asking(
            client, "get_patient_standing", of="patients", read=_standing, kept_s=kept_s, monotonic=monotonic
        )

    def standing(self, patient_id: UUID, *, call: Call) -> model.Standing:
        """How a record stands, for the permission that is about to be used.

        Raises:  NotFound, Forbidden, NotSignedIn: as `patients` says. Unavailable: it says nothing.
        """
        return self._standing(call, path={"patient_id": patient_id}, query={"permission": call.permission})


def _standing(body: Mapping[str, Any]) -> model.Standing:
    return model.Standing(standing=body["standing"], merged_into=body.get("merged_into"))
