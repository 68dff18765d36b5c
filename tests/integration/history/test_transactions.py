"""One suite over the real history and over the stand-in of the unit tests: what holds for one holds for the other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.chassis.call import Call
from services.chassis.stores import StoreBusy
from services.history import model
from services.kernel.access import Actor
from services.kernel.errors import NotFound
from tests.unit.history import making
from tests.unit.history.fakes import FakeHistory

OTHER = UUID("01939c3e-0000-7000-8000-000000000002")
IDS = [UUID(f"01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b{number:02x}") for number in range(5)]


@pytest.fixture(params=["mongo", "memory"])
def store(request):
    """A history, real and stood in for."""
    if request.param == "memory":
        return FakeHistory()
    return request.getfixturevalue("house").service.controller._store


def call():
    """A call of an operation."""
    actor = Actor(subject="nurse-1", roles=frozenset({"nurse"}))
    return Call(id=UUID(int=1), operation="x", action="create", actor=actor, at=datetime.now(UTC), request_id="r1")


def kept(store, *entries):
    """Keep problems, each in a unit of work of its own."""
    for each in entries:
        with store.begin(call()) as tx:
            tx.problems.add(each)
    return entries


def problems(count):
    """Problems with ids in order."""
    return [replace(making.problem(), id=each) for each in IDS[:count]]


def test_what_is_kept_is_read_back_equal(store):
    allergy, statement = making.recorded()
    reaction = model.Reaction(manifestation=allergy.substance, severity=model.Severity.SEVERE)
    allergy = replace(allergy, reactions=(reaction, replace(reaction, severity=None)), onset="2019", note="x")
    [problem] = kept(store, replace(making.problem(), resolved_on="2020-01"))
    with store.begin(call()) as tx:
        tx.allergies.add(allergy)
        tx.save_statement(statement)
    with store.begin(call()) as tx:
        assert tx.allergies.get(allergy.id, patient_id=allergy.patient_id) == allergy
        assert tx.problems.get(problem.id, patient_id=problem.patient_id) == problem
        assert tx.statement(allergy.patient_id) == statement
        assert tx.active_allergies(allergy.patient_id) == [allergy]


def test_what_is_not_there_is_not_found(store):
    [problem] = kept(store, making.problem())
    with store.begin(call()) as tx:
        for entry_id, patient_id in ((problem.id, OTHER), (IDS[4], problem.patient_id)):
            with pytest.raises(NotFound):
                tx.problems.get(entry_id, patient_id=patient_id)
        assert tx.problems.revision(problem.id, version=2) is None
        assert tx.problems.revision(problem.id, version=None) is None
        assert tx.statement(OTHER) == model.no_statement(OTHER)
        assert tx.statement_revision(OTHER, version=1) is None


def test_pages_are_newest_first_by_status_and_patient(store):
    first, second, third = problems(3)
    third = replace(third, status=model.Status.RESOLVED)
    kept(store, first, second, third, replace(first, id=IDS[3], patient_id=OTHER))
    both = [model.Status.ACTIVE, model.Status.RESOLVED]
    with store.begin(call()) as tx:
        where = {"statuses": both, "before": None, "limit": 10}
        assert tx.problems.page(first.patient_id, **where) == [third, second, first]
        assert tx.problems.page(first.patient_id, **where | {"limit": 2}) == [third, second]
        assert tx.problems.page(first.patient_id, **where | {"before": third.id}) == [second, first]
        assert tx.problems.page(first.patient_id, **where | {"statuses": [model.Status.ACTIVE]}) == [second, first]
        assert tx.problems.page(first.patient_id, **where | {"limit": 0}) == [third, second, first]


def test_every_version_is_kept(store):
    [first] = kept(store, making.problem())
    second = replace(first, note="y", version=2)
    with store.begin(call()) as tx:
        tx.problems.save(second)
    with store.begin(call()) as tx:
        assert tx.problems.get(first.id, patient_id=first.patient_id) == second
        assert [tx.problems.revision(first.id, version=each) for each in (1, 2)] == [first, second]


def test_a_version_that_does_not_follow_is_refused(store):
    [first] = kept(store, making.problem())
    with pytest.raises(StoreBusy), store.begin(call()) as tx:
        tx.problems.save(replace(first, version=3))
    with pytest.raises(StoreBusy), store.begin(call()) as tx:
        tx.problems.add(first)
    _, statement = making.recorded()
    for wrong in (replace(statement, version=2), replace(statement, version=3)):
        with pytest.raises(StoreBusy), store.begin(call()) as tx:
            tx.save_statement(wrong)


def test_a_unit_of_work_that_breaks_off_leaves_nothing(store):
    problem = making.problem()

    def break_off():
        with store.begin(call()) as tx:
            tx.problems.add(problem)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    with store.begin(call()) as tx, pytest.raises(NotFound):
        tx.problems.get(problem.id, patient_id=problem.patient_id)
