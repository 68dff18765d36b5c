"""An id that is none of one's business answers, byte for byte, as one that names nothing: for every place of an id."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from services.chassis.service import new_id
from services.chassis.spec import Operation
from services.chassis.testing import Got
from tests.access.foreign import GONE_BY, Place, World, guessed, places
from tests.access.matrix import MAY
from tests.contract import requests
from tests.contract.contracts import OPERATIONS, named
from tests.contract.journey import Journey
from tests.contract.subjects import token

# Operations that take ids as they are, and why nobody learns anything by that.
TAKEN_AS_THEY_ARE = {
    "apply_plan": "only the service that owns plans calls it, and what it says becomes the truth",
    "send_test_message": "a message to an account that nobody has is kept, and read by nobody",
}
# What belongs to no facility and no person: whoever may do something with one of them may with every one.
OF_THE_WHOLE_HOUSE = {
    "specialization_id": "one list for the whole house",
    "type_id": "one list for the whole house",
    "service_account_id": "a program acts for the whole house",
    "key_id": "it belongs to a program",
}
# Operations that show what lies elsewhere to everybody who may call them, and why.
DIRECTORY = "who and what there is in the house is a directory, for everybody who works here and for people who choose"
KNOWN_TO_ALL = {
    **dict.fromkeys(
        ("get_facility", "get_location", "list_locations", "get_department", "list_departments"), DIRECTORY
    ),
    **dict.fromkeys(("list_doctors", "get_doctor", "get_doctor_photo", "list_type_minutes"), DIRECTORY),
    **dict.fromkeys(("list_doctor_sessions", "get_doctor_session", "get_doctor_plan", "list_doctor_plans"), DIRECTORY),
    **dict.fromkeys(("list_closures", "get_closure", "list_resources", "get_resource"), DIRECTORY),
    "list_user_names": "what colleagues are called stands beside what they did, wherever; no patient has a name there",
}
# Things of the directory that are named beside the own ones, and why another answer than to nothing tells no more.
LOOKED_UP = "where it lies can be looked up"
NAMED_OPENLY = {
    ("create_department", "location_id"): LOOKED_UP,
    ("change_doctor_session", "location_id"): LOOKED_UP,
    ("create_resource", "location_id"): LOOKED_UP,
    ("add_doctor_session", "location_id"): LOOKED_UP,
    ("add_doctor_session", "resource_id"): LOOKED_UP,
    ("create_doctor", "department_id"): LOOKED_UP,
    ("update_doctor", "department_id"): LOOKED_UP,
    ("add_doctor_session", "doctor_id"): "a facility may plan hours of a doctor who works elsewhere too",
}
# Things of the directory that are managed: who may not is refused with 403, which hides nothing that a look would show.
REFUSED_OPENLY = {"doctor_id", "doctor_session_id", "resource_id"}
# What concerns only staff: answers to a patient leave it out or leave it empty.
FOR_STAFF = {
    "created_by", "changed_by", "recorded_by", "by", "session_id", "seat", "resource_ids", "closing", "overbook_reason",
    "overlap_reason", "retro_reason", "late_cancelled", "arrived_at", "started_at", "completed_at", "department_ids",
}  # fmt: skip
# What is a person's own, and so nobody else's who holds the role of a patient; the rest is the directory that patients
# choose from.
PERSONAL = {
    "patient_id", "appointment_id", "hold_id", "allergy_id", "problem_id", "message_id", "session_id", "delivery_id",
    "subscription_id", "link_id",
}  # fmt: skip
WITH_IDS = [each for each in OPERATIONS if places(each) and each.operation_id not in TAKEN_AS_THEY_ARE]
FOR_PATIENTS = [
    each
    for each in WITH_IDS
    if "patient" in MAY[each.operation_id] and PERSONAL & {place.kind for place in places(each)}
]
LEAST, LEAST_OF_ONE = 500, 6
ELSEWHERE = OTHER, GONE = "somebody else's", "somebody else's that is gone"
Send = Callable[[Mapping[str, Any], str], Got]


@pytest.fixture(scope="session")
def worlds(houses, links) -> dict[str, World]:
    """Things in another facility and of another patient."""

    def begin() -> Journey:
        return Journey(houses, links=links)

    return {OTHER: World(begin), GONE: World(begin, gone=True)}


@pytest.fixture
def request_of(performed):
    """A right request of an operation, and the journey on which it was made."""

    def made(operation: Operation) -> tuple[dict[str, Any], Journey]:
        name = next(iter(requests.body_examples(operation)), "")
        _, journey = performed.with_journey(operation, name)
        return {name: value for name, value in journey.sent.items() if name != "key"}, journey

    return made


@pytest.fixture
def sender(houses):
    """Sends requests of one operation; who acts is said by a token."""

    def of(operation: Operation) -> Send:
        def send(sent: Mapping[str, Any], authorization: str) -> Got:
            headers = {**sent.get("headers", {}), "authorization": f"Bearer {authorization}"}
            rest = {name: value for name, value in sent.items() if name not in {"headers", "subject"}}
            return houses[operation.service].call(operation.operation_id, role=None, headers=headers, **rest)

        return send

    return of


def of_one_facility(sent: Mapping[str, Any], facility: str) -> str:
    """A token of an account that may do everything, in one facility only."""
    subject, _, session = sent.get("subject", requests.SUPER_ADMIN).partition("/")
    return token("super_admin", subject=subject, session=session or "test", facilities=[facility])


def said(got: Got) -> tuple[int, bytes, list[str]]:
    """All that an answer says, but the number of the request."""
    return got.status, got.raw.replace(got.headers["x-request-id"].encode(), b""), sorted(got.headers)


def differing(send: Callable[[str], Got], place: Place, ids: Mapping[str, str]) -> list[str]:
    """Those of the ids that were tried in a place whose answer is another one than that of an id of nothing."""
    nothing = said(send(str(new_id())))
    answers = {name: said(send(value)) for name, value in ids.items()}
    return [
        f"{place.where} {place.way} {name}: {answer[:2]} and not {nothing[:2]}"
        for name, answer in answers.items()
        if answer != nothing and not (place.kind in REFUSED_OPENLY and name in ELSEWHERE and is_refusal(answer))
    ]


def is_refusal(answer: tuple[int, bytes, list[str]]) -> bool:
    """Whether an answer says that this is not for who asks, and nothing else."""
    return answer[0] == 403 and b'"code":"not_allowed"' in answer[1]


def foreign(operation: Operation, place: Place, worlds: Mapping[str, World]) -> dict[str, str]:
    """The ids of things elsewhere that are tried in a place, where there is an elsewhere."""
    if operation.operation_id in KNOWN_TO_ALL or (operation.operation_id, place.kind) in NAMED_OPENLY:
        return {}
    ids = {name: world.id(place.kind) for name, world in worlds.items()}
    if place.kind in OF_THE_WHOLE_HOUSE:
        ids.pop(OTHER)
    return {name: value for name, value in ids.items() if value is not None}


def innermost(operation: Operation) -> Place:
    """Where an operation names the thing that it is about: last in its path, else wherever it takes an id."""
    found = places(operation)
    return next((place for place in reversed(found) if place.where == "path"), found[0])


def tried(
    operation: Operation, place: Place, sent: Mapping[str, Any], *, worlds: Mapping[str, World]
) -> dict[str, str]:
    """What is tried in a place: things elsewhere everywhere, guesses where the operation names what it is about."""
    guesses = guessed(place, sent) if place == innermost(operation) else {}
    return guesses | foreign(operation, place, worlds)


def test_there_are_six_ids_for_each_operation_and_five_hundred_in_all():
    counts = {each.operation_id: len(guessed(innermost(each), requests.path_of(each))) for each in WITH_IDS}
    assert min(counts.values()) >= LEAST_OF_ONE
    assert sum(counts.values()) >= LEAST


def test_the_exceptions_name_what_there_is():
    kinds = {place.kind for operation in WITH_IDS for place in places(operation)}
    assert {*TAKEN_AS_THEY_ARE, *KNOWN_TO_ALL, *(name for name, _ in NAMED_OPENLY)} <= {
        each.operation_id for each in OPERATIONS
    }
    assert {*OF_THE_WHOLE_HOUSE, *PERSONAL, *GONE_BY} <= kinds


@pytest.mark.target("C-03")
@pytest.mark.parametrize("operation", WITH_IDS, ids=named)
def test_who_acts_for_one_facility_learns_nothing_of_what_lies_elsewhere(worlds, request_of, sender, operation):
    sent, journey = request_of(operation)
    send = sender(operation)
    who = of_one_facility(sent, journey.made.get("facility_id", requests.NOBODY_HERE))
    wrong = []
    for place in places(operation):
        ids = tried(operation, place, sent, worlds=worlds)
        wrong += differing(lambda value, at=place: send(at.put(sent, value), who), place, ids)
    assert wrong == []


@pytest.mark.target("C-03")
@pytest.mark.parametrize(
    "operation",
    [
        each
        for each in WITH_IDS
        if each.operation_id not in KNOWN_TO_ALL
        and not each.permission.startswith("account.")
        and {place.kind for place in places(each) if place.where == "path"} - OF_THE_WHOLE_HOUSE.keys() - REFUSED_OPENLY
        and "{doctor_id}" not in each.path  # a doctor who works nowhere yet is anybody's
    ],
    ids=named,
)
def test_a_right_request_of_another_facility_is_one_on_nothing(request_of, sender, operation):
    """All ids fit together, and the account that sends them acts elsewhere."""
    sent, _ = request_of(operation)
    send, who = sender(operation), of_one_facility(sent, str(new_id()))
    assert said(send(sent, who)) == said(send(emptied(operation, sent), who))


def emptied(operation: Operation, sent: Mapping[str, Any]) -> dict[str, Any]:
    """The same request with a path that names nothing."""
    empty = dict(sent)
    for place in places(operation):
        if place.where == "path":
            empty = place.put(empty, str(new_id()))
    return empty


@pytest.mark.target("C-03")
@pytest.mark.parametrize("operation", FOR_PATIENTS, ids=named)
def test_a_patient_learns_nothing_of_others_nor_of_those_whose_link_has_ended(worlds, request_of, sender, operation):
    sent, journey = request_of(operation)
    send = sender(operation)
    subject, _, session = sent.get("subject", requests.SUPER_ADMIN).partition("/")
    wrong = []
    for place in (each for each in places(operation) if each.kind in PERSONAL):
        ended = worlds[OTHER].patient(place.kind)
        links = [[journey.made["patient_id"], "own", None]] if "patient_id" in journey.made else []
        links += [[ended, "linked", 1]] if ended else []
        who = token("patient", subject=subject, session=session or "test", links=links)
        ids = tried(operation, place, sent, worlds=worlds)
        wrong += differing(lambda value, at=place, by=who: send(at.put(sent, value), by), place, ids)
    assert wrong == []


@pytest.mark.target("C-05")
@pytest.mark.parametrize(
    "operation",
    [
        each
        for each in FOR_PATIENTS
        if each.method == "GET"
        and {"patient_id", "appointment_id"} & {place.kind for place in places(each) if place.where == "path"}
        and each.operation_id != "list_appointment_changes"  # what was before, and by whom, is there for staff only
    ],
    ids=named,
)
def test_a_patient_is_shown_the_own_record_and_of_it_nothing_that_concerns_staff_only(request_of, sender, operation):
    sent, journey = request_of(operation)
    who = token("patient", subject=str(new_id()), links=[[journey.made["patient_id"], "own", None]])
    got = sender(operation)(sent, who)
    assert got.status == 200, got.body
    assert {name for name, value in members(got.body) if value not in (None, [], False)} & FOR_STAFF == set()


def members(node: Any) -> Iterator[tuple[str, Any]]:
    """Every member of every object in an answer."""
    for each in node if isinstance(node, list) else node.values() if isinstance(node, Mapping) else ():
        yield from members(each)
    if isinstance(node, Mapping):
        yield from node.items()


@pytest.mark.target("C-03")
@pytest.mark.parametrize("operation_id", ["get_patient", "list_allergies", "get_appointment"])
def test_how_long_a_refusal_takes_is_printed(worlds, request_of, sender, figure, rounds, operation_id):
    """What time would tell is a figure, not an assertion: it depends on the machine."""
    [operation] = [each for each in OPERATIONS if each.operation_id == operation_id]
    sent, _ = request_of(operation)
    send, who, place = sender(operation), of_one_facility(sent, str(new_id())), places(operation)[-1]
    other = worlds[OTHER].id(place.kind)
    took: dict[str, list[float]] = {"foreign": [], "missing": []}
    for _ in range(rounds(full=400, short=20)):
        for kind, value in (("foreign", other), ("missing", str(new_id()))):
            begun = time.perf_counter()
            assert send(place.put(sent, value), who).status == 404
            took[kind].append(time.perf_counter() - begun)
    gap = abs(statistics.median(took["foreign"]) - statistics.median(took["missing"]))
    figure(f"{operation_id}: gap between the medians of foreign and missing", round(gap * 1000, 2), "ms")
