"""A store of patient records in memory, for tests of the rules; one suite holds it to the behaviour of the real one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from uuid import UUID

from services.chassis.call import Call
from services.chassis.stores import StoreBusy
from services.kernel.errors import NotFound
from services.kernel.events import Event
from services.patients import model


class FakePatientStore:
    """Records by id, every version of them, and the events that were told."""

    def __init__(self, *, house: model.House) -> None:
        self.house = house
        self.now: dict[UUID, model.Patient] = {}
        self.kept: dict[UUID, list[model.KeptVersion]] = {}
        self.told: list[Event] = []
        self.number = 1000000
        self.birth_checks: dict[UUID, model.BirthChecks] = {}
        self.known: dict[UUID, model.Known] = {}
        self.accounts: dict[UUID, model.DoctorAccount] = {}

    @contextmanager
    def begin(self, call: Call) -> Iterator[FakeWork]:
        """One unit of work; what fails leaves nothing."""
        before = dict(self.now), {key: list(value) for key, value in self.kept.items()}, list(self.told)
        try:
            yield FakeWork(self, call)
        except BaseException:
            self.now, self.kept, self.told = before
            raise
        call.audited = call.entry is not None

    @contextmanager
    def read(self) -> Iterator[FakeWork]:
        """Reading without a unit of work."""
        yield FakeWork(self, None)


class FakeWork:
    """What can be read and done."""

    def __init__(self, store: FakePatientStore, call: Call | None) -> None:
        self._store = store
        self._call = call

    def patient(self, patient_id: UUID) -> model.Patient:
        if patient_id not in self._store.now:
            raise NotFound
        return self._store.now[patient_id]

    patient_to_change = status = patient

    def birth_checks(self, patient_id: UUID) -> model.BirthChecks | None:
        return self._store.birth_checks.get(patient_id)

    def set_birth_checks(self, checks: model.BirthChecks) -> None:
        self._store.birth_checks[checks.patient_id] = checks

    def patients(self, patient_ids: Sequence[UUID]) -> list[model.Patient]:
        return [self._store.now[each] for each in patient_ids if each in self._store.now]

    statuses = patients

    def known(self, patient_ids: Sequence[UUID]) -> list[model.Known]:
        found = [each for each in self._store.known.values() if each.patient_id in patient_ids]
        accounts = {each.doctor_id: each.account for each in self._store.accounts.values()}
        return [replace(each, account=accounts.get(each.doctor_id)) for each in found]

    def keep_known(self, *facts: model.Known) -> None:
        self._store.known |= {
            each.id: each
            for each in facts
            if each.id not in self._store.known or self._store.known[each.id].version < each.version
        }

    def keep_doctor_account(self, fact: model.DoctorAccount) -> None:
        before = self._store.accounts.get(fact.doctor_id)
        if before is None or before.version < fact.version:
            self._store.accounts[fact.doctor_id] = fact

    def matching(self, search: model.Search, *, within: model.Reach, limit: int) -> list[model.Found]:
        found = []
        reached = model.reached(list(self._store.now), within=within, known=self.known)
        for each in self._store.now.values():
            keys = set(model.keys_of(each, house=self._store.house))
            fits = all(
                keys & set(term.any_of) or any(keys >= set(group) for group in term.all_of) for term in search.terms
            )
            if fits and each.id in reached and (each.is_listed or search.include_inactive):
                tiers = [not keys >= set(tier) for tier in (search.exact, search.pieces)]
                found.append((tiers, model.sort_name(each.person), each.id))
        return [model.Found(id=each, sort_name=name) for _, name, each in sorted(found)[:limit]]

    def alike(self, probe: model.Probe) -> list[model.Patient]:
        found = []
        for each in self._store.now.values():
            keys = set(model.keys_of(each, house=self._store.house))
            same = keys & {*probe.surest, *probe.years} and keys & set(probe.names)
            if each.merged_into is None and (same or keys & set(probe.identifiers)):
                found.append((not keys & {*probe.identifiers, *probe.surest}, each.id, each))
        return [each for _, _, each in sorted(found)[:50]]

    def holders(self, identifiers: Sequence[model.Identifier]) -> list[model.Patient]:
        asked = {each.key for each in identifiers if each.is_exclusive}
        return [each for each in self._store.now.values() if asked & {one.key for one in each.person.identifiers}]

    def as_of(self, patient_id: UUID, *, version: int) -> model.Snapshot | None:
        return next((each.record for each in self._store.kept.get(patient_id, ()) if each.version == version), None)

    def versions(self, patient_id: UUID, *, up_to: int | None, limit: int) -> list[model.KeptVersion]:
        found = [each for each in self._store.kept.get(patient_id, ()) if up_to is None or each.version <= up_to]
        return found[::-1][:limit]

    def next_number(self) -> int:
        self._store.number += 1
        return self._store.number

    def add(self, patient: model.Patient) -> None:
        self._keep(patient)

    def save(self, patient: model.Patient) -> None:
        if self._store.now[patient.id].version != patient.version - 1:
            raise StoreBusy("memory", "version_moved")
        self._keep(patient)

    def record(self, *events: Event) -> None:
        self._store.told += events

    def _keep(self, patient: model.Patient) -> None:
        assert self._call is not None
        if any(each.id != patient.id for each in self.holders(patient.person.identifiers)):
            raise StoreBusy("memory", "claimed")
        self._store.now[patient.id] = patient
        kept = model.KeptVersion(
            version=patient.version, at=patient.changed_at, by=self._call.actor.subject, record=model.snapshot(patient)
        )
        self._store.kept.setdefault(patient.id, []).append(kept)
