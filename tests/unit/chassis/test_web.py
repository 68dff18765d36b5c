"""Every request passes the chassis: what it lets in, what it refuses, and in which words."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.chassis import spec
from services.chassis.call import Answer, Call
from services.chassis.config import ServiceSettings, load
from services.chassis.service import Mismatch, Service, require_match
from services.chassis.stores import KeyReused, KeyRunning, Replayed, StoreAway, StoreBusy
from services.chassis.testing import House
from services.kernel.errors import Conflict, Forbidden, NotFound, Stale

ID = "01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20"
GOOD = {"name": "Ada", "count": 1}


class Things:
    """A controller whose answers and failures the tests choose."""

    def __init__(self) -> None:
        self.fail: list[Exception] = []
        self.calls: list[Call] = []
        self.forget_audit = False

    def _done(self, call: Call) -> None:
        self.calls.append(call)
        if self.fail:
            raise self.fail.pop(0)
        call.audit(patient=ID, version=1)
        call.audited = not self.forget_audit

    def make_thing(self, body: dict[str, object], call: Call) -> Answer:
        """Make one."""
        self._done(call)
        return call.answer({"id": ID, "version": 1, "name": body["name"]}, status=201)

    def list_things(self, limit: int, color: list[str] | None) -> dict[str, object]:
        """List them."""
        return {"items": [], "limit": limit, "color": color, "next_cursor": None}

    def get_thing(self, thing_id: str, call: Call) -> dict[str, object]:
        """Get one."""
        self._done(call)
        return {"id": thing_id}

    def change_thing(self, thing_id: str, body: dict[str, object], call: Call) -> dict[str, object]:
        """Change one."""
        self._done(call)
        return {"id": thing_id, "version": (call.expected_version or 0) + 1, "name": body["name"]}

    def open_door(self) -> dict[str, object]:
        """Open it."""
        return {"open": True}

    def knock_door(self, x_knock: str, raw: bytes) -> dict[str, object]:
        """Knock."""
        return {"knock": x_knock, "raw": raw.decode()}


class World:
    """The service of the tests, and what it has written down."""

    def __init__(self, folder: Path) -> None:
        here = Path(__file__).parent
        for name in ("common.yaml", "permissions.yaml"):
            shutil.copy(here.parents[2] / "openapi" / name, folder)
        shutil.copy(here / "things.yaml", folder)
        values = {"BUS_URL": "redis://-", "IDENTITY_URL": "http://-", "SERVICE_SECRET": "-", "OPENAPI_DIR": str(folder)}
        self.things, self.denied, self.away = Things(), [], False
        self.service = Service(
            name="things",
            settings=load(ServiceSettings, values),
            controller=self.things,
            audit=lambda call: self.denied.append(call.entry),
            readiness={"store": self._ready},
            migrate=lambda: None,
        )
        self.house = House(self.service)

    def _ready(self) -> None:
        if self.away:
            raise StoreAway("postgresql", "08006")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.house.close()


def test_a_good_request_is_answered_with_its_headers(world: World) -> None:
    got = world.house.call("make_thing", body=GOOD)
    assert (got.status, got.body) == (201, {"id": ID, "version": 1, "name": "Ada"})
    assert got.headers["etag"] == '"1"'
    assert got.headers["location"] == f"/api/v1/things/{ID}"
    assert got.headers["x-request-id"].startswith("test-")
    [call] = world.things.calls
    assert call.key is not None
    assert (call.operation, call.action, call.actor.roles) == ("make_thing", "create", {"super_admin"})


def test_defaults_and_lists_in_the_query_reach_the_method(world: World) -> None:
    assert world.house.call("list_things").body["limit"] == 50
    got = world.house.send(
        "GET", "/api/v1/things?color=red&color=blue&limit=7", headers={"authorization": "Bearer nurse@n"}
    )
    assert (got.body["limit"], got.body["color"]) == (7, ["red", "blue"])


def test_a_method_that_asks_for_them_gets_a_header_and_the_bytes_of_the_body(world: World) -> None:
    """What somebody else has signed is signed byte by byte."""
    raw = b'{"count":  1, "name": "Ada"}'
    got = world.house.call("knock_door", role=None, raw=raw, headers={"X-Knock": "thrice"})
    assert (got.status, got.body) == (200, {"knock": "thrice", "raw": raw.decode()})
    for headers in ({}, {"X-Knock": "far too long"}):
        refused = world.house.call("knock_door", role=None, raw=raw, headers=headers)
        assert refused.status == 422
        assert refused.body["errors"][0]["parameter"] == "X-Knock"


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=1&limit=2", 400, "malformed_request"),
        ("secret=Smith", 400, "malformed_request"),
        ("limit=%ff", 400, "malformed_request"),
        ("limit=0", 422, "invalid_request"),
        ("limit=many", 422, "invalid_request"),
        ("limit=+5", 422, "invalid_request"),
        ("limit=99999999999999999999999", 422, "invalid_request"),
        ("color=%00", 422, "invalid_request"),
        ("color=tooolong", 422, "invalid_request"),
    ],
)
def test_a_bad_query_is_refused_without_an_echo(world: World, query: str, status: int, code: str) -> None:
    got = world.house.send("GET", f"/api/v1/things?{query}", headers={"authorization": "Bearer nurse@n"})
    assert (got.status, got.body["code"]) == (status, code)
    assert b"Smith" not in got.raw
    assert b"secret" not in got.raw


def test_every_bad_field_is_listed_by_pointer_and_nothing_is_echoed(world: World) -> None:
    sent = {"count": "Canary", "day": "not-a-date", "note": "x" * 21, "Surname": "Canary"}
    got = world.house.call("make_thing", body=sent)
    assert got.status == 422
    assert {(each["pointer"], each["rule"]) for each in got.body["errors"]} == {
        ("/name", "required"),
        ("/count", "type"),
        ("/day", "format"),
        ("/note", "maxLength"),
        ("", "additionalProperties"),
    }
    assert b"Canary" not in got.raw
    assert b"Surname" not in got.raw
    assert world.things.calls == []


@pytest.mark.parametrize(
    ("raw", "status", "rule"),
    [
        (b"{", 400, "json"),
        (b'{"name": NaN, "count": 1}', 400, "json"),
        (b'{"name": "\xff", "count": 1}', 400, "json"),
        (b'{"name": "\\ud800", "count": 1}', 400, "json"),
        (b"[" * 5000, 400, "json"),
        (b'{"name": "a", "name": "b", "count": 1}', 400, "repeated_name"),
        (b'{"name": "a\\u0000b", "count": 1}', 422, "control_character"),
        ('{"name": "a\u202eb", "count": 1}'.encode(), 422, "pattern"),
        (b'{"name": "   ", "count": 1}', 422, "pattern"),
        (b"", 400, "required"),
        (b"[]", 422, "type"),
        (b"null", 422, "type"),
        (json.dumps({"name": "n" * 121, "count": 1}).encode(), 422, "maxLength"),
        (b'{"name": "a", "count": 4294967296}', 422, "maximum"),
    ],
)
def test_bad_bodies_are_refused_by_their_rule(world: World, raw: bytes, status: int, rule: str) -> None:
    got = world.house.call("make_thing", raw=raw)
    assert got.status == status
    assert rule in {each["rule"] for each in got.body["errors"]}
    assert world.things.calls == []


def test_names_in_any_script_are_let_in(world: World) -> None:
    for name in ("Ægir Þórsson", "李小龍", "محمد", "O'Brien-Łukasz", "Нина", "🙂 ok", "x" * 120):
        assert world.house.call("make_thing", body={**GOOD, "name": name}).body["name"] == name


def test_a_body_over_the_limit_or_of_another_type_is_refused(world: World) -> None:
    assert world.house.call("make_thing", raw=b" " * (1 << 20) + b"{}").body["code"] == "too_large"
    got = world.house.call("make_thing", raw=b"a=1", headers={"content-type": "application/x-www-form-urlencoded"})
    assert (got.status, got.body["code"]) == (415, "unsupported_media_type")


def test_without_a_token_that_counts_nobody_gets_in(world: World) -> None:
    for headers in (
        {},
        {"authorization": "Basic eA=="},
        {"authorization": "Bearer ghost@x"},
        {"authorization": "Bearer"},
    ):
        got = world.house.send("GET", "/api/v1/things", headers=headers)
        assert (got.status, got.body["code"]) == (401, "not_signed_in")
        assert "www-authenticate" in got.headers
    assert world.house.call("open_door", role=None).body == {"open": True}


def test_a_missing_permission_is_refused_before_the_body_is_read_and_leaves_a_trace(world: World) -> None:
    got = world.house.call("make_thing", role="auditor", raw=b"{")
    assert (got.status, got.body["code"]) == (403, "not_allowed")
    [entry] = world.denied
    assert (entry.operation, entry.outcome, entry.roles) == ("make_thing", "denied", ("auditor",))


def test_what_the_method_refuses_leaves_a_trace_too(world: World) -> None:
    for error, status, outcome in ((NotFound(), 404, "not_found"), (Forbidden(), 403, "denied")):
        world.things.fail = [error]
        assert world.house.call("get_thing", thing_id=ID).status == status
        assert world.denied.pop().outcome == outcome


def test_dangerous_operations_wait_for_a_live_policy(world: World) -> None:
    world.house.policy.is_live = False
    got = world.house.call("change_thing", thing_id=ID, body=GOOD, version=1)
    assert (got.status, got.headers["retry-after"]) == (503, "5")
    assert world.house.call("get_thing", thing_id=ID).status == 200


def test_keys_and_versions_are_demanded(world: World) -> None:
    got = world.house.send(
        "POST", "/api/v1/things", headers={"authorization": "Bearer super_admin@x", "content-type": "application/json"},
        content=json.dumps(GOOD).encode(),
    )  # fmt: skip
    assert (got.status, got.body["errors"]) == (428, [{"parameter": "Idempotency-Key", "rule": "required"}])
    got = world.house.call("change_thing", thing_id=ID, body=GOOD)
    assert (got.status, got.body["errors"]) == (428, [{"parameter": "If-Match", "rule": "required"}])
    got = world.house.call("change_thing", thing_id=ID, body=GOOD, headers={"if-match": "*"})
    assert (got.status, got.body["errors"]) == (422, [{"parameter": "If-Match", "rule": "etag"}])
    assert world.house.call("change_thing", thing_id=ID, body=GOOD, version=4).headers["etag"] == '"5"'


def test_equal_requests_have_equal_fingerprints_and_others_have_not(world: World) -> None:
    world.house.call("make_thing", raw=b'{"name": "a", "count": 1}')
    world.house.call("make_thing", raw=b'{"count":1,"name":"a"}')
    world.house.call("make_thing", raw=b'{"count":2,"name":"a"}')
    first, second, third = (call.key.fingerprint for call in world.things.calls if call.key)
    assert first == second != third


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Conflict(), 409, "conflict"),
        (KeyRunning(), 409, "still_running"),
        (KeyReused(), 422, "key_reused"),
        (StoreAway("postgresql", "08006"), 503, "unavailable"),
        (ValueError("Canary"), 500, "unexpected"),
    ],
)
def test_each_error_has_its_status_and_no_text_of_it_goes_out(
    world: World, error: Exception, status: int, code: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    world.things.fail = [error]
    got = world.house.call("make_thing", body=GOOD)
    assert (got.status, got.body["code"]) == (status, code)
    assert got.headers["content-type"] == "application/problem+json"
    written = capfdbinary.readouterr()
    assert b"Canary" not in got.raw + written.out + written.err
    assert b'"event":"request.refused"' in written.out.splitlines()[-1]
    assert f'"code":"{code}"'.encode() in written.out.splitlines()[-1]
    if status == 503:
        assert got.headers["retry-after"] == "1"


def test_a_stale_version_names_the_fields(world: World) -> None:
    world.things.fail = [Stale(fields=["name"])]
    got = world.house.call("change_thing", thing_id=ID, body=GOOD, version=1)
    assert (got.status, got.body["fields"]) == (412, ["name"])


def test_a_replayed_answer_says_so(world: World) -> None:
    world.things.fail = [Replayed(Answer({"id": ID, "version": 1}, 201))]
    got = world.house.call("make_thing", body=GOOD)
    assert (got.status, got.headers["idempotency-replayed"], got.headers["etag"]) == (201, "true", '"1"')


def test_two_units_of_work_that_met_are_tried_again_at_most_twice(world: World) -> None:
    world.things.fail = [StoreBusy("postgresql", "40001")] * 2
    assert world.house.call("make_thing", body=GOOD).status == 201
    world.things.calls.clear()
    world.things.fail = [StoreBusy("postgresql", "40001")] * 3
    assert world.house.call("make_thing", body=GOOD).status == 503
    assert len(world.things.calls) == 3


def test_no_answer_goes_out_without_its_audit_entry(world: World) -> None:
    world.things.forget_audit = True
    assert world.house.call("get_thing", thing_id=ID).status == 500


@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "OPTIONS"])
def test_another_method_gets_405_with_the_allowed_ones(world: World, method: str) -> None:
    got = world.house.send(method, "/api/v1/things", headers={"authorization": "Bearer nurse@n"})
    assert (got.status, got.body["code"]) == (405, "method_not_allowed")
    assert "GET" in got.headers["allow"]


def test_unknown_paths_are_problems_too(world: World) -> None:
    for path in ("/", "/api/v1/nothing", "/api/v1/things/", "/ui", "/openapi.yaml"):
        got = world.house.send("GET", path)
        assert (got.status, got.body["code"]) == (404, "not_found"), path


def test_an_id_of_another_form_is_named(world: World) -> None:
    got = world.house.call("get_thing", thing_id="Canary")
    assert (got.status, got.body["errors"]) == (422, [{"parameter": "thing_id", "rule": got.body["errors"][0]["rule"]}])
    assert b"Canary" not in got.raw


def test_health_metrics_and_contract_are_served_beside_the_operations(world: World) -> None:
    assert world.house.send("GET", "/healthz").status == 200
    assert world.house.send("GET", "/readyz").status == 200
    world.away = True
    got = world.house.send("GET", "/readyz")
    assert (got.status, got.body["missing"]) == (503, ["store"])
    assert world.house.send("GET", "/healthz").status == 200
    world.house.call("open_door", role=None)
    metrics = world.house.send("GET", "/metrics").raw
    assert b'http_route="/api/v1/doors"' in metrics
    got = world.house.send("GET", "/openapi.json")
    assert got.body["paths"]["/api/v1/doors"]
    again = world.house.send("GET", "/openapi.json", headers={"if-none-match": got.headers["etag"]})
    assert again.status == 304


def test_while_draining_it_is_not_ready_and_still_answers(world: World) -> None:
    world.house.web.app.drain()
    assert world.house.send("GET", "/readyz").status == 503
    assert world.house.call("open_door", role=None).status == 200


def test_operations_and_methods_must_be_equal(world: World) -> None:
    class Lacking:
        def make_thing(self) -> None: ...

        def unknown_thing(self) -> None: ...

    with pytest.raises(Mismatch, match="unknown_thing"):
        require_match(world.house.contract, Lacking())


def test_a_contract_with_a_broken_reference_or_without_a_permission_is_refused(tmp_path: Path) -> None:
    text = (Path(__file__).parent / "things.yaml").read_text(encoding="utf-8")
    shutil.copy(Path(__file__).parents[3] / "openapi" / "common.yaml", tmp_path)
    for wrong in (text.replace("schemas/Id'", "schemas/Gone'"), text.replace("x-permission: none", "x-other: none")):
        (tmp_path / "things.yaml").write_text(wrong, encoding="utf-8")
        with pytest.raises(spec.ContractError):
            spec.load(tmp_path, "things")
