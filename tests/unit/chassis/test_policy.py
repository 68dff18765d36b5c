"""The state of the policy: versions decide, entries may repeat and come in any order, and what is past is forgotten."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.chassis import spec
from services.chassis.policy import system_roles
from services.chassis.policy_stream import PolicyState, Role, Subject, state_from_json, state_to_json

OPENAPI = Path(__file__).resolve().parents[3] / "openapi"
UNTIL = 2_000_000_000.0
subjects = some.builds(
    Subject,
    roles=some.lists(some.sampled_from(["nurse", "doctor"]), max_size=2).map(tuple),
    active=some.booleans(),
    version=some.integers(1, 9),
    until=some.just(UNTIL),
    areas=some.sampled_from([{}, {"nurse": {"facilities": ["f"], "departments": ["d"]}}]),
    links=some.sampled_from([(), (("r", "own", None),), (("r", "linked", 7),)]),
)


def entry(kind: str, **body: object) -> tuple[str, dict[str, object]]:
    return kind, body


def state_of(*entries: tuple[str, dict[str, object]]) -> PolicyState:
    state = PolicyState()
    for kind, body in entries:
        state.apply(kind, body=body)
    return state


FIRST = entry("subject", subject="u-1", roles=["nurse"], active=True, version=1, until=UNTIL)
SECOND = entry("subject", subject="u-1", roles=[], active=False, version=2, until=UNTIL)


def test_a_later_version_replaces_an_earlier_one_and_never_the_other_way() -> None:
    assert state_of(FIRST, SECOND) == state_of(SECOND, FIRST) == state_of(SECOND, SECOND, FIRST)
    assert not state_of(SECOND, FIRST).subjects["u-1"].active


def test_an_ended_session_stays_ended() -> None:
    state = state_of(entry("session", session="s-1", until=UNTIL), entry("session", session="s-1", until=5))
    assert state.sessions == {"s-1": UNTIL}


def test_what_no_living_token_contradicts_is_forgotten_and_own_roles_stay() -> None:
    state = state_of(
        FIRST,
        entry("subject", subject="u-2", roles=[], active=True, version=1, until=100),
        entry("session", session="s-1", until=100),
        entry("role", role="porter", permissions=["patients.read"], version=1),
    )
    assert state.without_past(100) == state_of(
        FIRST, entry("role", role="porter", permissions=["patients.read"], version=1)
    )


def test_a_heartbeat_changes_nothing() -> None:
    assert state_of(entry("heartbeat")) == PolicyState()


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("subject", {}),
        ("subject", {"subject": "u", "roles": None, "active": True, "version": 1, "until": 1}),
        ("subject", {"subject": "u", "roles": [], "active": "no", "version": 1, "until": 1}),
        ("subject", {"subject": "u", "roles": [], "active": True, "version": "x", "until": 1}),
        ("session", {"session": "s"}),
        ("role", {"role": "r", "permissions": 5, "version": 1}),
        ("role", {"role": "r", "permissions": [], "version": 1, "second_factor": "yes"}),
        ("key", {"key": "k"}),
        ("subject", {"subject": "u", "roles": [], "active": True, "version": 1, "until": 1, "areas": []}),
        ("subject", {"subject": "u", "roles": [], "active": True, "version": 1, "until": 1, "links": [["r"]]}),
    ],
)
def test_an_entry_that_is_not_of_the_form_is_refused_and_changes_nothing(kind: str, body: dict[str, object]) -> None:
    state = PolicyState()
    with pytest.raises((KeyError, TypeError, ValueError)):
        state.apply(kind, body=body)
    assert state == PolicyState()


@given(
    some.dictionaries(some.text(max_size=5), subjects, max_size=5), some.dictionaries(some.text(max_size=5), subjects)
)
def test_merging_gives_the_same_whatever_comes_first_and_twice(one: dict, other: dict) -> None:
    """Where two say different things under one version, either may win: the publisher never does that."""
    same = {name for name in one.keys() & other.keys() if one[name].version == other[name].version}
    one = {name: each for name, each in one.items() if name not in same}
    left, right = PolicyState(dict(one)), PolicyState(dict(other))
    left.merge(PolicyState(dict(other)))
    right.merge(PolicyState(dict(one)))
    assert left == right
    left.merge(PolicyState(dict(other)))
    assert left == right


@given(some.dictionaries(some.text(max_size=5), subjects, max_size=5))
def test_a_state_survives_its_snapshot(found: dict[str, Subject]) -> None:
    state = PolicyState(found, {"s-1": 12.5}, {"porter": Role(frozenset({"patients.read"}), 3)}, {"k-1": 7.5})
    assert state_from_json(orjson.loads(orjson.dumps(state_to_json(state)))) == state


def test_the_star_stands_for_every_permission_and_no_role_names_an_unknown_one() -> None:
    permissions = spec.permissions(OPENAPI)
    roles = system_roles(permissions)
    everything = frozenset(permissions["permissions"])
    assert roles["super_admin"] == everything
    assert all(each <= everything for each in roles.values())
