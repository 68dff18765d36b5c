"""One method for each operation of the contract: load, decide, save."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any, Protocol, TypeVar
from uuid import UUID

from services.chassis import paging
from services.chassis.call import Answer, Call
from services.kernel.errors import NotFound
from services.patients import model, view

S = TypeVar("S", bound=model.Status)


class FacilitiesView(Protocol):
    """What `identity` says."""

    def require(self, facility_id: UUID, /, *, call: Call) -> None:
        """Answer when there is this facility; NotFound otherwise."""


class PatientsController:
    """The registration desk.

    house: what this hospital takes for granted. new_id: makes time-ordered ids.
    """

    def __init__(
        self,
        *,
        store: model.PatientStore,
        facilities: FacilitiesView,
        house: model.House,
        new_id: Callable[[], UUID],
    ) -> None:
        self._store, self._facilities = store, facilities
        self._house = house
        self._new_id = new_id

    def register_patient(self, body: dict[str, Any], call: Call) -> Answer:
        """Register a patient, unless somebody like this is registered already and that was not confirmed."""
        person = model.read_demographics(body, today=self._today(call.at), house=self._house)
        confirmed, desks = body.get("confirm_duplicate", False), self._desks(body, call)
        with self._store.begin(call) as tx:
            others, shown = tx.alike(model.probe(person, house=self._house)), self._shown(tx, call)
            model.ensure_identifiers_free(person, others, shown=shown, forgive_same_name=not confirmed)
            likely = model.likely_duplicates(person, others, house=self._house)
            if likely and not confirmed:
                return self._warn(likely, shown, call)
            patient = model.register(person, id=self._new_id(), number=tx.next_number(), at=call.at)
            tx.add(patient)
            tx.keep_known(*(self._known(patient, where) for where in desks))
            tx.record(model.happened("registered", patient))
            call.audit(patient=patient.id, version=patient.version)
            return call.answer(view.patient(patient, today=self._today(call.at)), status=201)

    def get_patient(self, patient_id: str, call: Call) -> Answer:
        """One patient's demographics."""
        with self._store.begin(call) as tx:
            patient = self._in_reach(tx, tx.patient(UUID(patient_id)), call)
            call.audit(patient=patient.id, version=patient.version)
            return call.answer(view.patient(patient, today=self._today(call.at)))

    def update_patient(self, patient_id: str, body: dict[str, Any], call: Call) -> Answer:
        """Change demographics, starting from the version that the caller has seen."""
        with self._store.begin(call) as tx:
            today = self._today(call.at)
            before = self._to_change(tx, patient_id, call)
            patient = model.change(before, body, today=today, house=self._house, at=call.at)
            fields = model.changed_fields(before, patient)
            if fields:
                holders, shown = tx.holders(patient.person.identifiers), self._shown(tx, call)
                model.ensure_identifiers_free(patient.person, holders, but=patient.id, shown=shown)
                tx.save(patient)
                tx.record(model.happened("changed", patient, fields=fields))
            call.audit(patient=patient.id, version=patient.version, fields=fields)
            return call.answer(view.patient(patient, today=today))

    def deactivate_patient(self, patient_id: str, reason: str, call: Call) -> Answer:
        """Deactivate a record: hidden from search, kept whole."""
        with self._store.begin(call) as tx:
            before = self._to_change(tx, patient_id, call)
            patient = model.deactivate(before, reason=reason, at=call.at)
            return self._keep_standing(tx, before, patient, call, happened="deactivated")

    def restore_patient(self, patient_id: str, call: Call) -> Answer:
        """Restore a deactivated record."""
        with self._store.begin(call) as tx:
            before = self._to_change(tx, patient_id, call)
            patient = model.restore(before, at=call.at)
            return self._keep_standing(tx, before, patient, call, happened="restored")

    def mark_deceased(self, patient_id: str, body: dict[str, Any], call: Call) -> Answer:
        """Record that a patient has died."""
        with self._store.begin(call) as tx:
            before = self._to_change(tx, patient_id, call)
            died = date.fromisoformat(body["deceased_on"])
            patient = model.mark_deceased(before, on=died, today=self._today(call.at), at=call.at)
            return self._keep_standing(tx, before, patient, call, happened="deceased")

    def search_patients(
        self, body: dict[str, Any], call: Call, *, limit: int = 50, cursor: str | None = None
    ) -> Answer:
        """Find patients by part of a name, phone, MRN, identifier or birth date."""
        # The cursor belongs to the list and not to what was typed: even a hash of a birth date could be guessed.
        search, of = model.read_search(body, house=self._house), [call.operation]
        place = model.hit_at(paging.page(cursor, limit=limit, of=of).after)
        with self._store.begin(call) as tx:
            found = tx.matching(search, within=self._reach(call), limit=model.MOST_RANKED + 1)
            hits = model.hits_after(model.ranked(found[: model.MOST_RANKED], asked=search), place=place)
            shown, following = paging.cut(hits, limit=limit, keys=lambda hit: [hit.score, str(hit.id)], of=of)
            patients = tx.patients([hit.id for hit in shown])
            call.audit(found=[patient.id for patient in patients])
            more, today = len(found) > model.MOST_RANKED, self._today(call.at)
            return call.answer(view.search_page(shown, patients, next_cursor=following, truncated=more, today=today))

    def list_patient_changes(self, patient_id: str, call: Call, limit: int = 50, cursor: str | None = None) -> Answer:
        """What was changed since the registration, field by field."""
        of = [call.operation, patient_id]
        page = paging.page(cursor, limit=limit, of=of)
        place = model.place_at(page.after)
        with self._store.begin(call) as tx:
            patient = self._in_reach(tx, tx.patient(UUID(patient_id)), call)
            # Three more: one to see whether there is a next page, one that a page before may have used up, and the
            # version that the oldest is compared with.
            up_to = None if place is None else place.version
            versions = tx.versions(patient.id, up_to=up_to, limit=limit + 3)
            changes = model.changes(versions, after=place)
            shown, following = paging.cut(changes, limit=limit, keys=lambda each: [each.version, each.field], of=of)
            call.audit(patient=patient.id, version=patient.version)
            return call.answer(view.change_page(shown, next_cursor=following, has_names=call.actor.is_at_work))

    def get_patient_standing(self, patient_id: str, call: Call, permission: str | None = None) -> dict[str, Any]:
        """Whether a record exists and may be acted on, with the permission that somebody is about to use."""
        with self._store.read() as store:
            status = self._in_reach(store, store.status(UUID(patient_id)), call, permission=permission)
            return view.standing(status)

    def find_patient_summaries(self, body: dict[str, Any], call: Call) -> Answer:
        """Several patients as a list shows them; who is not in reach is left out."""
        return self._several(body["patient_ids"], partial(view.summary, today=self._today(call.at)), call)

    def find_patient_contacts(self, body: dict[str, Any], call: Call) -> Answer:
        """How several patients are addressed and reached; who is not in reach is left out."""
        return self._several(body["patient_ids"], view.contact, call)

    def find_patient_standings(self, body: dict[str, Any], call: Call) -> dict[str, Any]:
        """Which of some records exist and may be acted on; those that are not in reach are left out."""
        with self._store.read() as store:
            statuses = store.statuses(self._those_in_reach(store, body["patient_ids"], call))
            return view.items(view.standing, statuses)

    def check_birth_date(self, patient_id: str, body: dict[str, Any], call: Call) -> Answer:
        """Whether this is the birth date of a record."""
        given = date.fromisoformat(body["birth_date"])
        with self._store.begin(call) as tx:
            patient = self._in_reach(tx, tx.patient_to_change(UUID(patient_id)), call)
            before = tx.birth_checks(patient.id)
            matches, after = model.checked(patient, given=given, before=before, at=call.at)
            if after is not None and after != before:
                tx.set_birth_checks(after)
            call.audit(patient=patient.id, outcome="success" if matches else "failed")
            return call.answer({"matches": matches})

    def _today(self, at: datetime) -> date:
        return self._house.today(at)

    def _reach(self, call: Call, *, permission: str | None = None) -> model.Reach:
        return model.reach(call.actor, house=self._house, at=call.at, permission=permission or call.permission)

    def _in_reach(self, tx: model.PatientsView, record: S, call: Call, *, permission: str | None = None) -> S:
        return model.in_reach(record, within=self._reach(call, permission=permission), known=tx.known)

    def _several(
        self, patient_ids: Sequence[str], show: Callable[[model.Patient], dict[str, Any]], call: Call
    ) -> Answer:
        with self._store.begin(call) as tx:
            patients = tx.patients(self._those_in_reach(tx, patient_ids, call))
            call.audit(found=[patient.id for patient in patients])
            return call.answer(view.items(show, patients))

    def _those_in_reach(self, tx: model.PatientsView, patient_ids: Sequence[str], call: Call) -> list[UUID]:
        asked = [UUID(each) for each in patient_ids]
        there = model.reached(asked, within=self._reach(call), known=tx.known)
        return [each for each in asked if each in there]

    def _shown(self, tx: model.PatientsView, call: Call) -> Callable[[Sequence[UUID]], frozenset[UUID]]:
        """Which of some records whoever registers or changes one may read too."""
        return partial(model.reached, within=self._reach(call, permission="patients.read"), known=tx.known)

    def _desks(self, body: dict[str, Any], call: Call) -> tuple[UUID | None, ...]:
        said = UUID(body["facility_id"]) if "facility_id" in body else None
        found = model.desks(call.actor, said=said)
        if said is not None:
            try:
                self._facilities.require(said, call=call)
            except NotFound:
                raise model.unknown_desk() from None
        return found

    def _known(self, patient: model.Patient, facility_id: UUID | None) -> model.Known:
        at = patient.registered_at
        return model.Known(id=self._new_id(), patient_id=patient.id, facility_id=facility_id, since=at)

    def _to_change(self, tx: model.PatientsUnit, patient_id: str, call: Call) -> model.Patient:
        patient = self._in_reach(tx, tx.patient_to_change(UUID(patient_id)), call)
        if call.expected_version != patient.version:
            raise model.stale(patient, since=tx.as_of(patient.id, version=call.expected_version or 0))
        return patient

    def _keep_standing(
        self, tx: model.PatientsUnit, before: model.Patient, patient: model.Patient, call: Call, *, happened: str
    ) -> Answer:
        tx.save(patient)
        tx.record(model.happened(happened, patient))
        call.audit(patient=patient.id, version=patient.version, fields=model.changed_fields(before, patient))
        return call.answer(view.standing(patient))

    def _warn(
        self,
        likely: list[model.Candidate],
        readable: Callable[[Sequence[UUID]], frozenset[UUID]],
        call: Call,
    ) -> Answer:
        seen = readable([each.patient.id for each in likely])
        shown = [each for each in likely if each.patient.id in seen]
        call.audit(found=[each.patient.id for each in shown])
        return call.answer(view.likely_duplicates(likely, shown, today=self._today(call.at)), status=200)
