"""One method per operation of the history: load, decide, save."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.chassis import paging
from services.chassis.call import Answer, Call
from services.history import model, view


class HistoryController:
    """The operations on allergies, on the statement about them, and on problems.

    Before anything is looked up, each asks `patients` whether there is such a record for whoever asks. The patient is
    named to the audit first, so that a refusal is kept with whose record it was about.
    """

    def __init__(self, *, store: model.Store, patients: model.PatientDirectory, new_id: Callable[[], UUID]) -> None:
        self._store, self._patients, self._new_id = store, patients, new_id

    # --- allergies

    def list_allergies(
        self,
        patient_id: str,
        call: Call,
        *,
        status: str | None = None,
        include_errors: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Answer:
        """A page of a patient's allergies, with what is known of them as a whole."""
        patient, _ = self._open(patient_id, call)
        statuses = model.shown(status, include_errors=include_errors)
        of = ("allergies", patient, *statuses)
        before = paging.page(cursor, limit=limit, of=of).after_id
        with self._store.begin(call) as tx:
            found = tx.allergies.page(patient, statuses=statuses, before=before, limit=limit + 1)
            items, following = paging.cut(found, limit=limit, keys=_keys, of=of)
            call.audit(patient=patient, found=[each.id for each in items])
            page = view.allergies(items, asked=tx.statement(patient).asked, next_cursor=following)
            return _seen(call, page)

    def get_allergy(self, patient_id: str, allergy_id: str, call: Call) -> Answer:
        """One allergy, whatever its status."""
        patient, _ = self._open(patient_id, call, record=allergy_id)
        with self._store.begin(call) as tx:
            allergy = tx.allergies.get(UUID(allergy_id), patient_id=patient)
            call.audit(patient=patient, record=allergy.id, version=allergy.version)
            return _seen(call, view.allergy(allergy))

    def add_allergy(self, patient_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Record an allergy; what was said about no known allergies ends."""
        patient, standing = self._open(patient_id, call)
        model.check_may_add(standing)
        draft, id_ = _allergy_draft(body), self._new_id()
        with self._store.begin(call) as tx:
            before, active = tx.statement(patient), tx.active_allergies(patient)
            allergy, statement = model.record_allergy(
                draft, allergy_id=id_, statement=before, active=active, at=call.at, by=call.actor.subject
            )
            tx.allergies.add(allergy)
            tx.save_statement(statement)
            tx.record(model.allergy_recorded(allergy))
            call.audit(patient=patient, record=allergy.id, version=1, fields=list(body))
            return call.answer(view.allergy(allergy), status=201)

    def resolve_allergy(self, patient_id: str, allergy_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Say that an allergy no longer stands."""
        return self._change_allergy(
            patient_id, allergy_id, body, call, change=model.resolve_allergy, told=model.allergy_resolved
        )

    def mark_allergy_entered_in_error(
        self, patient_id: str, allergy_id: str, body: Mapping[str, Any], call: Call
    ) -> Answer:
        """Say that an allergy should never have been recorded."""
        change, told = model.mark_allergy_entered_in_error, model.allergy_entered_in_error
        return self._change_allergy(patient_id, allergy_id, body, call, change=change, told=told)

    # --- the statement about allergies

    def get_allergy_statement(self, patient_id: str, call: Call) -> Answer:
        """Whether anybody asked this patient for allergies, and what the answer was."""
        patient, _ = self._open(patient_id, call)
        with self._store.begin(call) as tx:
            statement = tx.statement(patient)
            call.audit(patient=patient, version=statement.version)
            return _seen(call, view.statement(statement))

    def declare_no_known_allergies(self, patient_id: str, call: Call) -> Answer:
        """Say that the patient was asked and knows of no allergies."""
        patient, standing = self._open(patient_id, call)
        model.check_may_add(standing)
        with self._store.begin(call) as tx:
            statement = model.declare_none_known(tx.statement(patient), at=call.at, by=call.actor.subject)
            tx.save_statement(statement)
            tx.record(model.none_known_declared(statement))
            call.audit(patient=patient, version=statement.version, fields=["asked"])
            return call.answer(view.statement(statement))

    def withdraw_no_known_allergies(self, patient_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Say that a statement of no known allergies was made in error."""
        patient, _ = self._open(patient_id, call)
        with self._store.begin(call) as tx:
            before = tx.statement(patient)
            earlier = tx.statement_revision(patient, version=call.expected_version)
            model.check_version(before, expected=call.expected_version, earlier=earlier)
            after = model.withdraw_none_known(before, reason=body["reason"], at=call.at, by=call.actor.subject)
            tx.save_statement(after)
            tx.record(model.none_known_withdrawn(after))
            call.audit(patient=patient, version=after.version, fields=model.changed_fields(before, after))
            return call.answer(view.statement(after))

    # --- problems

    def list_problems(
        self,
        patient_id: str,
        call: Call,
        *,
        status: str | None = None,
        include_errors: bool = False,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Answer:
        """A page of a patient's problems."""
        patient, _ = self._open(patient_id, call)
        statuses = model.shown(status, include_errors=include_errors)
        of = ("problems", patient, *statuses)
        before = paging.page(cursor, limit=limit, of=of).after_id
        with self._store.begin(call) as tx:
            found = tx.problems.page(patient, statuses=statuses, before=before, limit=limit + 1)
            items, following = paging.cut(found, limit=limit, keys=_keys, of=of)
            call.audit(patient=patient, found=[each.id for each in items])
            return _seen(call, view.problems(items, next_cursor=following))

    def get_problem(self, patient_id: str, problem_id: str, call: Call) -> Answer:
        """One problem, whatever its status."""
        patient, _ = self._open(patient_id, call, record=problem_id)
        with self._store.begin(call) as tx:
            problem = tx.problems.get(UUID(problem_id), patient_id=patient)
            call.audit(patient=patient, record=problem.id, version=problem.version)
            return _seen(call, view.problem(problem))

    def add_problem(self, patient_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Record a problem, by its code or in words."""
        patient, standing = self._open(patient_id, call)
        model.check_may_add(standing)
        draft, id_ = _problem_draft(body), self._new_id()
        problem = model.record_problem(draft, problem_id=id_, patient_id=patient, at=call.at, by=call.actor.subject)
        with self._store.begin(call) as tx:
            tx.problems.add(problem)
            tx.record(model.problem_recorded(problem))
            call.audit(patient=patient, record=problem.id, version=1, fields=list(body))
            return call.answer(view.problem(problem), status=201)

    def resolve_problem(self, patient_id: str, problem_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Say that a problem is over."""

        def resolve(problem: model.Problem) -> model.Problem:
            over = {"resolved_on": body.get("resolved_on"), "reason": body.get("reason")}
            return model.resolve_problem(problem, **over, at=call.at, by=call.actor.subject)

        return self._change_problem(patient_id, problem_id, call, change=resolve, told=model.problem_resolved)

    def mark_problem_entered_in_error(
        self, patient_id: str, problem_id: str, body: Mapping[str, Any], call: Call
    ) -> Answer:
        """Say that a problem should never have been recorded."""

        def mark(problem: model.Problem) -> model.Problem:
            reason = body["reason"]
            return model.mark_problem_entered_in_error(problem, reason=reason, at=call.at, by=call.actor.subject)

        return self._change_problem(patient_id, problem_id, call, change=mark, told=model.problem_entered_in_error)

    # --- what several of them share

    def _open(self, patient_id: str, call: Call, *, record: str | None = None) -> tuple[UUID, model.Standing]:
        patient = UUID(patient_id)
        call.audit(patient=patient, record=record)
        return patient, self._patients.standing(patient, call=call)

    def _change_allergy(
        self,
        patient_id: str,
        allergy_id: str,
        body: Mapping[str, Any],
        call: Call,
        *,
        change: Callable[..., tuple[model.Allergy, model.Statement]],
        told: Callable[[model.Allergy], Any],
    ) -> Answer:
        patient, _ = self._open(patient_id, call, record=allergy_id)
        with self._store.begin(call) as tx:
            before, statement = tx.allergies.get(UUID(allergy_id), patient_id=patient), tx.statement(patient)
            earlier = tx.allergies.revision(before.id, version=call.expected_version)
            model.check_version(before, expected=call.expected_version, earlier=earlier)
            after, statement = change(
                before, reason=body["reason"], statement=statement, at=call.at, by=call.actor.subject
            )
            tx.allergies.save(after)
            tx.save_statement(statement)
            tx.record(told(after))
            changed = model.changed_fields(before, after)
            call.audit(patient=patient, record=after.id, version=after.version, fields=changed)
            return call.answer(view.allergy(after))

    def _change_problem(
        self,
        patient_id: str,
        problem_id: str,
        call: Call,
        *,
        change: Callable[[model.Problem], model.Problem],
        told: Callable[[model.Problem], Any],
    ) -> Answer:
        patient, _ = self._open(patient_id, call, record=problem_id)
        with self._store.begin(call) as tx:
            before = tx.problems.get(UUID(problem_id), patient_id=patient)
            earlier = tx.problems.revision(before.id, version=call.expected_version)
            model.check_version(before, expected=call.expected_version, earlier=earlier)
            after = change(before)
            tx.problems.save(after)
            tx.record(told(after))
            changed = model.changed_fields(before, after)
            call.audit(patient=patient, record=after.id, version=after.version, fields=changed)
            return call.answer(view.problem(after))


def _seen(call: Call, body: dict[str, Any]) -> Answer:
    return call.answer(view.seen(body, is_at_work=call.actor.is_at_work))


def _keys(entry: model.Allergy | model.Problem) -> list[str]:
    return [str(entry.id)]


def _term(raw: Mapping[str, Any]) -> model.Term:
    return model.Term(display=raw["display"], system=raw.get("system"), code=raw.get("code"))


def _allergy_draft(body: Mapping[str, Any]) -> model.AllergyDraft:
    return model.AllergyDraft(
        substance=_term(body["substance"]),
        category=model.Category(body["category"]),
        criticality=model.Criticality(body["criticality"]),
        certainty=model.Certainty(body["certainty"]),
        reactions=tuple(_reaction(each) for each in body.get("reactions", ())),
        onset=body.get("onset"),
        note=body.get("note"),
    )


def _reaction(raw: Mapping[str, Any]) -> model.ReactionDraft:
    severity = raw.get("severity")
    return model.ReactionDraft(
        manifestation=_term(raw["manifestation"]), severity=None if severity is None else model.Severity(severity)
    )


def _problem_draft(body: Mapping[str, Any]) -> model.ProblemDraft:
    return model.ProblemDraft(
        condition=_term(body["condition"]),
        certainty=model.Certainty(body["certainty"]),
        onset=body.get("onset"),
        note=body.get("note"),
    )
