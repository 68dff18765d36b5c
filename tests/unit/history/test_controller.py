"""The controller asks whose record it is, loads, lets the rules decide, saves, tells and says what was done."""

from __future__ import annotations

from itertools import count
from uuid import UUID

import pytest

from services.chassis import spec
from services.chassis.call import Call
from services.chassis.config import ServiceSettings
from services.chassis.schemas import Schema
from services.history import model
from services.history.controller import HistoryController
from services.kernel.access import Actor, Scope
from services.kernel.errors import NotFound, Stale
from tests.unit.history.fakes import FakeHistory, FakePatients
from tests.unit.history.making import AT, PATIENT

NOBODY = UUID("01939c3e-0000-7000-8000-0000000000ff")
ALLERGY = {
    "substance": {"display": "Penicillin"},
    "category": "medication",
    "criticality": "high",
    "certainty": "confirmed",
    "reactions": [{"manifestation": {"display": "Rash"}, "severity": "mild"}, {"manifestation": {"display": "Itch"}}],
}
PROBLEM = {"condition": {"display": "Often tired"}, "certainty": "unconfirmed"}
EVERYWHERE = Scope()
CONTRACT = spec.load(ServiceSettings.model_fields["openapi_dir"].default, "history")


class Desk:
    """A controller with what it was given, and a way to call it."""

    def __init__(self, standing="active", merged_into=None):
        self.store = FakeHistory()
        said = model.Standing(standing=standing, merged_into=merged_into)
        self.patients = FakePatients(**{str(PATIENT): said})
        numbers = count(1)
        self.controller = HistoryController(
            store=self.store, patients=self.patients, new_id=lambda: UUID(int=next(numbers))
        )

    def call(self, operation, *, patient=PATIENT, roles=("doctor",), scope=EVERYWHERE, version=None, **arguments):
        """Call an operation, and check that its answer is as the contract has it."""
        actor = Actor(subject="doctor-1", session="s1", roles=frozenset(roles), scope=scope)
        call = Call(
            id=UUID(int=0),
            operation=operation,
            action=CONTRACT.operations[operation].audit,
            actor=actor,
            at=AT,
            request_id="r1",
            expected_version=version,
        )
        answer = getattr(self.controller, operation)(patient_id=str(patient), call=call, **arguments)
        answers = CONTRACT.operations[operation].document["responses"]
        schema = answers[str(answer.status)]["content"]["application/json"]["schema"]
        assert Schema(schema, CONTRACT.document["components"]).errors(answer.body) == []
        return answer.body


@pytest.fixture
def desk():
    """A controller over an empty history with one patient."""
    return Desk()


def test_a_controller_has_the_operations_of_its_contract():
    public = {name for name in dir(HistoryController) if not name.startswith("_")}
    assert public == set(CONTRACT.operations)


def test_what_is_added_is_saved_told_and_audited_with_the_names_of_its_fields(desk):
    added = desk.call("add_allergy", body=ALLERGY)
    [event], [entry] = desk.store.events, desk.store.entries
    assert (event.type, event.subject) == ("history.allergy_recorded.v1", added["id"])
    assert (entry.patient_id, entry.record_id, entry.version) == (str(PATIENT), added["id"], 1)
    assert entry.fields == tuple(sorted(ALLERGY))
    assert desk.store.statement(PATIENT).asked is model.Asked.HAS_ALLERGIES
    assert [each["severity"] for each in added["reactions"]] == ["mild", None]


def test_every_operation_answers_as_its_contract_says(desk):
    """Each is called once; the answers fit the schemas of the contract, which `call` checks."""
    first = desk.call("add_allergy", body=ALLERGY)["id"]
    second = desk.call("add_problem", body=PROBLEM)["id"]
    reason = {"reason": "x"}
    desk.call("get_allergy", allergy_id=first)
    desk.call("resolve_allergy", allergy_id=first, body=reason, version=1)
    desk.call("mark_allergy_entered_in_error", allergy_id=first, body=reason, version=2)
    desk.call("declare_no_known_allergies")
    desk.call("get_allergy_statement")
    desk.call("withdraw_no_known_allergies", body=reason, version=4)
    desk.call("get_problem", problem_id=second)
    desk.call("resolve_problem", problem_id=second, body={"resolved_on": "2026"}, version=1)
    desk.call("mark_problem_entered_in_error", problem_id=second, body=reason, version=2)
    assert len(desk.call("list_allergies", include_errors=True)["items"]) == 1
    assert len(desk.call("list_problems", include_errors=True)["items"]) == 1
    assert {each.operation for each in desk.store.entries} == set(CONTRACT.operations)


def test_a_page_goes_on_where_the_last_one_ended(desk):
    for number in range(5):
        desk.call("add_problem", body={**PROBLEM, "condition": {"display": f"Problem {number}"}})
    shown, cursor = [], None
    for _ in range(3):
        page = desk.call("list_problems", limit=2, cursor=cursor)
        shown += [each["condition"]["display"] for each in page["items"]]
        cursor = page["next_cursor"]
    assert shown == [f"Problem {number}" for number in (4, 3, 2, 1, 0)]
    assert cursor is None


def test_a_refused_change_leaves_nothing(desk):
    added = desk.call("add_problem", body=PROBLEM)
    before = (len(desk.store.events), len(desk.store.entries))
    with pytest.raises(Stale):
        desk.call("resolve_problem", problem_id=added["id"], body={}, version=7)
    assert (len(desk.store.events), len(desk.store.entries)) == before
    assert desk.call("get_problem", problem_id=added["id"])["version"] == 1


def test_who_does_not_work_here_does_not_see_who_wrote_it(desk):
    added = desk.call("add_problem", body=PROBLEM)
    assert added["recorded_by"] == "doctor-1"
    shown = desk.call("get_problem", problem_id=added["id"], scope=Scope(areas=(), own=str(PATIENT)))
    assert shown == {**added, "recorded_by": None, "changed_by": None}
    [listed] = desk.call("list_problems", scope=Scope(areas=(), own=str(PATIENT)))["items"]
    assert listed == shown
    statement = desk.call("declare_no_known_allergies")
    assert statement["stated_by"] == "doctor-1"
    assert desk.call("get_allergy_statement", scope=Scope(areas=()))["stated_by"] is None


@pytest.mark.parametrize("operation", ["list_allergies", "get_allergy_statement", "list_problems"])
def test_of_an_unknown_patient_nothing_is_shown(desk, operation):
    with pytest.raises(NotFound):
        desk.call(operation, patient=NOBODY)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("add_allergy", {"body": ALLERGY}), ("add_problem", {"body": PROBLEM}), ("declare_no_known_allergies", {})],
)
def test_a_merged_record_takes_nothing_new(operation, arguments):
    desk = Desk("merged", merged_into=str(NOBODY))
    with pytest.raises(model.PatientMerged):
        desk.call(operation, **arguments)
    assert desk.call("list_allergies")["items"] == []
