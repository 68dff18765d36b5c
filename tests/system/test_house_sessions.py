"""What ends access ends it everywhere: signing out, closed accounts, roles taken away, refresh tokens used twice."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.system.house import Person, Reply, hire, new_patient, sign_in

HOLDS_WITHIN_S = 2.0
STEP_S = 0.1
PATIENCE_S = 6.0


@pytest.fixture
def somebody(admin: Person) -> Person:
    """Whose roles open all four services."""
    return hire(admin, "receptionist", "doctor", "auditor")


@pytest.mark.target("C-08")
def test_signing_out_ends_the_session_in_every_service(somebody: Person):
    probes = _probes(somebody)
    somebody.send("DELETE", "/api/v1/sessions/current").expect(204)
    _refused_in_time(probes, status=401)
    _refresh(somebody, somebody.tokens["refresh_token"]).expect(401)
    somebody.sign_in()
    assert {service: probe().status for service, probe in probes.items()} == dict.fromkeys(probes, 200)


@pytest.mark.target("C-08")
def test_signing_out_leaves_other_sessions_as_they_are(somebody: Person):
    other = Person(somebody.client, somebody.id, somebody.username, somebody.roles, somebody.password).sign_in()
    probes, others = _probes(somebody), _probes(other)
    somebody.send("DELETE", "/api/v1/sessions/current").expect(204)
    _refused_in_time(probes, status=401)
    assert {service: probe().status for service, probe in others.items()} == dict.fromkeys(others, 200)


@pytest.mark.target("C-08")
def test_a_disabled_account_is_shut_out_of_every_service(admin: Person, somebody: Person):
    probes = _probes(somebody)
    assert admin.post(f"/api/v1/users/{somebody.id}/disable").expect(200).json["active"] is False
    _refused_in_time(probes, status=401)
    _refresh(somebody, somebody.tokens["refresh_token"]).expect(401)
    sign_in(somebody.client, somebody.username, password=somebody.password).expect(401)


@pytest.mark.target("C-08")
@pytest.mark.row("SEC-09")
def test_a_role_that_is_taken_away_opens_nothing_in_any_service(admin: Person, somebody: Person):
    probes = _probes(somebody)
    bare = {"name": "visitor", "title": "Visitor", "description": "Opens the own account."}
    admin.post("/api/v1/roles", {**bare, "permissions": ["account.open"]}).expect(201)
    path = f"/api/v1/users/{somebody.id}"
    version = admin.get(path).expect(200).etag
    changed = admin.send("PUT", f"{path}/roles", {"roles": ["visitor"]}, if_match=version).expect(200)
    assert changed.json["roles"] == ["visitor"]
    _refused_in_time(probes, status=403)
    somebody.get("/api/v1/account").expect(200)


@pytest.mark.target("C-08")
def test_each_refresh_gives_the_next_pair_of_tokens(somebody: Person):
    first = somebody.tokens
    somebody.tokens = _refresh(somebody, first["refresh_token"]).expect(200).json
    assert somebody.tokens["session_id"] == first["session_id"]
    assert somebody.tokens["refresh_token"] != first["refresh_token"]
    assert somebody.tokens["access_token"] != first["access_token"]
    assert {probe().status for probe in _probes(somebody).values()} == {200}
    somebody.tokens = _refresh(somebody, somebody.tokens["refresh_token"]).expect(200).json
    somebody.get("/api/v1/account").expect(200)


@pytest.mark.target("C-08")
@pytest.mark.row("SEC-01")
def test_a_refresh_token_that_is_used_again_ends_its_session(somebody: Person):
    assert somebody.tokens["expires_in"] <= 600
    stolen = somebody.tokens["refresh_token"]
    somebody.tokens = _refresh(somebody, stolen).expect(200).json
    probes = _probes(somebody)
    assert _refresh(somebody, stolen).expect(401).json["code"] == "refresh_refused"
    _refused_in_time(probes, status=401)
    _refresh(somebody, somebody.tokens["refresh_token"]).expect(401)
    probes = _probes(somebody.sign_in())
    somebody.send("DELETE", "/api/v1/sessions/current").expect(204)
    _refused_in_time(probes, status=401)
    _refresh(somebody, somebody.tokens["refresh_token"]).expect(401)


@pytest.mark.target("C-08")
@pytest.mark.row("SEC-18")
def test_sessions_are_listed_and_end_one_by_one_or_all_at_once(admin: Person, somebody: Person):
    other = Person(somebody.client, somebody.id, somebody.username, somebody.roles, somebody.password).sign_in()
    probes, others = _probes(somebody), _probes(other)
    listed = somebody.get("/api/v1/sessions").expect(200).json["items"]
    current = {each["id"]: each["current"] for each in listed}
    assert current == {somebody.tokens["session_id"]: True, other.tokens["session_id"]: False}
    somebody.send("DELETE", f"/api/v1/sessions/{other.tokens['session_id']}").expect(204)
    _refused_in_time(others, status=401)
    assert {probe().status for probe in probes.values()} == {200}
    others = _probes(other.sign_in())
    assert admin.post(f"/api/v1/users/{somebody.id}/end-sessions").expect(200).json["ended"] == 2
    _refused_in_time({**others, **{f"{name}, first": probe for name, probe in probes.items()}}, status=401)


def _probes(person: Person) -> dict[str, Callable[[], Reply]]:
    """One request to each service that this person may make now."""
    made = person.post("/api/v1/patients", new_patient()).expect(201)
    path = made.headers["location"]
    probes: dict[str, Callable[[], Reply]] = {
        "identity": lambda: person.get("/api/v1/users?limit=1"),
        "patients": lambda: person.get(path),
        "history": lambda: person.get(f"{path}/allergies"),
        "audit": lambda: person.post("/api/v1/audit-entries/search?limit=1", {"action": "export"}, key=None),
    }
    for probe in probes.values():
        probe().expect(200)
    return probes


def _refused_in_time(probes: dict[str, Callable[[], Reply]], *, status: int) -> None:
    """Every service refuses two seconds after the change was answered at the latest, and goes on refusing."""
    began, took = time.monotonic(), {}
    while len(took) < len(probes) and time.monotonic() - began < PATIENCE_S:
        for service in probes.keys() - took.keys():
            if probes[service]().status == status:
                took[service] = time.monotonic() - began
        time.sleep(STEP_S)
    said = {service: f"{took[service]:.2f} s" if service in took else "never" for service in sorted(probes)}
    assert took.keys() == probes.keys(), f"refused with {status} after (polled every {STEP_S} s): {said}"
    assert max(took.values()) <= HOLDS_WITHIN_S, f"refused with {status} after (polled every {STEP_S} s): {said}"
    for service, probe in probes.items():
        assert probe().status == status, f"{service} lets in again"


def _refresh(person: Person, token: str) -> Reply:
    return person.client.send("POST", "/api/v1/sessions/refresh", {"refresh_token": token})
