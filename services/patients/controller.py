"""One method for each operation of the contract: load, decide, save."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

from services.chassis import paging
from services.chassis.call import Answer, Call
from services.patients import model, view


class PatientsController:
    """The registration desk.

    house: whose calendar day counts, and which country a number without one is of. new_id: makes time-ordered ids.
    """

    def __init__(self, *, store: model.PatientStore, house: model.House, new_id: Callable[[], UUID]) -> None:
        self._store = store
        self._house = house
        self._new_id = new_id

    def register_patient(self, body: dict[str, Any], call: Call) -> Answer:
        """Register a patient, unless somebody like this is registered already and that was not confirmed."""
        person = model.read_demographics(body, today=self._today(call.at), house=self._house)
        confirmed = body.get("confirm_duplicate", False)
        with self._store.begin(call) as tx:
            others = tx.alike(model.probe(person, house=self._house))
            model.ensure_identifiers_free(person, others, actor=call.actor, forgive_same_name=not confirmed)
            likely = model.likely_duplicates(person, others, house=self._house)
            if likely and not confirmed:
                return self._warn(likely, call)
            patient = model.register(person, id=self._new_id(), number=tx.next_number(), at=call.at)
            tx.add(patient)
            tx.record(model.happened("registered", patient))
            call.audit(patient=patient.id, version=patient.version)
            return call.answer(view.patient(patient, today=self._today(call.at)), status=201)

    def get_patient(self, patient_id: str, call: Call) -> Answer:
        """One patient's demographics."""
        with self._store.begin(call) as tx:
            patient = model.readable(tx.patient(UUID(patient_id)), actor=call.actor)
            call.audit(patient=patient.id, version=patient.version)
            return call.answer(view.patient(patient, today=self._today(call.at)))

    def update_patient(self, patient_id: str, body: dict[str, Any], call: Call) -> Answer:
        """Change demographics, starting from the version that the caller has seen."""
        with self._store.begin(call) as tx:
            today = self._today(call.at)
            before = self._to_change(tx, patient_id, call, permission="patients.update")
            patient = model.change(before, body, today=today, house=self._house, at=call.at)
            fields = model.changed_fields(before, patient)
            if fields:
                model.ensure_identifiers_free(
                    patient.person, tx.holders(patient.person.identifiers), but=patient.id, actor=call.actor
                )
                tx.save(patient)
                tx.record(model.happened("changed", patient, fields=fields))
            call.audit(patient=patient.id, version=patient.version, fields=fields)
            return call.answer(view.patient(patient, today=today))

    def deactivate_patient(self, patient_id: str, reason: str, call: Call) -> Answer:
        """Deactivate a record: hidden from search, kept whole."""
        with self._store.begin(call) as tx:
            before = self._to_change(tx, patient_id, call, permission="patients.deactivate")
            patient = model.deactivate(before, reason=reason, at=call.at)
            return self._keep_standing(tx, before, patient, call, happened="deactivated")

    def restore_patient(self, patient_id: str, call: Call) -> Answer:
        """Restore a deactivated record."""
        with self._store.begin(call) as tx:
            before = self._to_change(tx, patient_id, call, permission="patients.restore")
            patient = model.restore(before, at=call.at)
            return self._keep_standing(tx, before, patient, call, happened="restored")

    def mark_deceased(self, patient_id: str, body: dict[str, Any], call: Call) -> Answer:
        """Record that a patient has died."""
        with self._store.begin(call) as tx:
            before = self._to_change(tx, patient_id, call, permission="patients.mark_deceased")
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
            found = tx.matching(search, limit=model.MOST_RANKED + 1)
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
            patient = model.readable(tx.patient(UUID(patient_id)), actor=call.actor)
            # Three more: one to see whether there is a next page, one that a page before may have used up, and the
            # version that the oldest is compared with.
            up_to = None if place is None else place.version
            versions = tx.versions(patient.id, up_to=up_to, limit=limit + 3)
            changes = model.changes(versions, after=place)
            shown, following = paging.cut(changes, limit=limit, keys=lambda each: [each.version, each.field], of=of)
            call.audit(patient=patient.id, version=patient.version)
            return call.answer(view.change_page(shown, next_cursor=following))

    def get_patient_contact(self, patient_id: str, call: Call) -> Answer:
        """How a patient is addressed and reached."""
        with self._store.begin(call) as tx:
            patient = model.reachable(tx.patient(UUID(patient_id)), actor=call.actor)
            call.audit(patient=patient.id, version=patient.version)
            return call.answer(view.contact(patient))

    def get_patient_standing(self, patient_id: str) -> dict[str, Any]:
        """Whether a record exists and may be acted on."""
        with self._store.read() as store:
            return view.standing(store.patient(UUID(patient_id)))

    def _today(self, at: datetime) -> date:
        return self._house.today(at)

    def _to_change(self, tx: model.PatientsUnit, patient_id: str, call: Call, *, permission: str) -> model.Patient:
        patient = model.changeable(tx.patient_to_change(UUID(patient_id)), actor=call.actor, permission=permission)
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

    def _warn(self, likely: list[model.Candidate], call: Call) -> Answer:
        shown = [each for each in likely if model.may_read(each.patient, actor=call.actor)]
        call.audit(found=[each.patient.id for each in shown])
        return call.answer(view.likely_duplicates(likely, shown, today=self._today(call.at)), status=200)
