"""What reaches a service through the gateway, and what a client can and cannot say about itself."""

from __future__ import annotations

import uuid

import pytest

from tests.system import edge

PROBLEM = {"type", "title", "status", "code", "request_id"}


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with edge.running(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def patients(gateway):
    upstream = gateway.only("patients")
    upstream.requests.clear()
    return upstream


def is_problem(answer, *, status, code):
    assert answer.status == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert set(answer.json) == PROBLEM
    assert (answer.json["status"], answer.json["code"]) == (status, code)
    assert answer.json["type"] == f"urn:infirmary:problem:{code}"
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert uuid.UUID(answer.json["request_id"])
    return True


@pytest.mark.parametrize(
    ("method", "path", "service"),
    [
        ("GET", edge.PATIENT, "patients"),
        ("PATCH", edge.PATIENT, "patients"),
        ("POST", "/api/v1/patients/search", "patients"),
        ("POST", f"{edge.PATIENT}/allergies", "history"),
        ("GET", f"{edge.PATIENT}/allergies/01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b21", "history"),
        ("GET", "/api/v1/users?limit=5", "identity"),
    ],
)
def test_an_operation_reaches_its_service_unchanged(gateway, method, path, service):
    answer = gateway.send(method, path, token=edge.token(), body=None if method == "GET" else b'{"a": 1}')
    assert (answer.status, answer.json) == (200, {"service": service})
    got = gateway.only(service).asked()[-1]
    assert (got.method, got.path) == (method, path)
    assert got.body == (b"" if method == "GET" else b'{"a": 1}')


def test_a_public_operation_needs_no_token(gateway):
    assert gateway.send("POST", "/api/v1/sessions", body=b"{}").status == 200
    assert gateway.send("GET", "/api/v1/.well-known/jwks.json").status == 200


def test_the_token_itself_is_passed_on(gateway, patients):
    mine = edge.token()
    gateway.send("GET", edge.PATIENT, token=mine)
    assert patients.requests[0].headers["authorization"] == f"Bearer {mine}"


FORGED = {
    "x-user-id": "someone-else", "x-user-roles": "super_admin", "x-user-anything": "1", "x-original-url": "/admin",
    "x-original-host": "evil.test", "x-rewrite-url": "/admin", "x-http-method-override": "DELETE",
    "x-method-override": "DELETE", "x-http-method": "DELETE", "x-forwarded-host": "evil.test",
    "x-forwarded-port": "1", "x-forwarded-prefix": "/x", "x-forwarded-server": "evil", "forwarded": "for=1.2.3.4",
    "x-real-ip": "1.2.3.4", "x-client-ip": "1.2.3.4", "true-client-ip": "1.2.3.4", "cf-connecting-ip": "1.2.3.4",
    "x-host": "evil.test", "x-envoy-max-retries": "100", "x-envoy-retry-on": "5xx", "x-envoy-internal": "true",
    "x-envoy-upstream-rq-timeout-ms": "1", "x-envoy-force-trace": "1", "x-envoy-original-path": "/admin",
    "x-infirmary-anything": "1", "baggage": "patient=1", "x-ot-span-context": "1", "tracestate": "a=b",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
}  # fmt: skip


@pytest.mark.target("C-27")
@pytest.mark.parametrize("name", sorted(FORGED))
def test_a_header_that_only_we_may_say_does_not_arrive(gateway, patients, name):
    assert gateway.send("GET", edge.PATIENT, token=edge.token(), headers={name.upper(): FORGED[name]}).status == 200
    assert patients.requests[0].headers[name] is None
    assert patients.requests[0].method == "GET"
    assert patients.requests[0].path == edge.PATIENT


@pytest.mark.target("C-27")
@pytest.mark.parametrize("said", ["1.2.3.4", "1.2.3.4, 5.6.7.8", "127.0.0.1", "::1", "x" * 400])
def test_the_source_address_is_the_one_of_the_connection(gateway, patients, said):
    gateway.send(
        "GET", edge.PATIENT, token=edge.token(), headers={"x-forwarded-for": said, "x-forwarded-proto": "https"}
    )
    assert patients.requests[0].headers.get_all("x-forwarded-for") == ["127.0.0.1"]
    assert patients.requests[0].headers.get_all("x-forwarded-proto") == ["http"]


@pytest.mark.parametrize("said", ["1", "86400000", "-5", "soon"])
def test_the_deadline_is_ours(gateway, patients, said):
    gateway.send("GET", edge.PATIENT, token=edge.token(), headers={"x-deadline-ms": said})
    assert patients.requests[0].headers.get_all("x-deadline-ms") == ["9750"]


@pytest.mark.parametrize("said", ["", "01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20", "a\tb", "x" * 900])
def test_the_request_id_is_always_ours_and_everywhere_the_same(gateway, patients, said):
    answer = gateway.send("GET", edge.PATIENT, token=edge.token(), headers={"x-request-id": said})
    assert answer.headers.get_all("x-request-id") == patients.requests[0].headers.get_all("x-request-id")
    assert uuid.UUID(answer.headers["x-request-id"]).version == 4
    assert answer.headers["x-request-id"] != said


@pytest.mark.parametrize("name", ["x-request-id", "x-forwarded-for", "x-forwarded-proto", "x-deadline-ms"])
def test_a_connection_header_cannot_take_our_headers_away(gateway, patients, name):
    """Envoy refuses some of these names outright; what does arrive has the header."""
    answer = gateway.send("GET", edge.PATIENT, token=edge.token(), headers={"connection": f"close, {name}"})
    assert answer.status == 200 or is_problem(answer, status=400, code="malformed_request")
    assert [bool(request.headers[name]) for request in patients.requests] == [True] * (answer.status == 200)


def test_a_connection_header_that_takes_the_token_away_is_no_token(gateway, patients):
    answer = gateway.send("GET", edge.PATIENT, token=edge.token(), headers={"connection": "close, authorization"})
    assert is_problem(answer, status=401, code="not_signed_in")
    assert not patients.requests


@pytest.mark.parametrize("method", ["PUT", "DELETE", "POST", "HEAD", "TRACE"])
def test_a_method_that_is_not_offered_is_405_and_says_which_are(gateway, patients, method):
    answer = gateway.send(method, edge.PATIENT, token=edge.token())
    assert answer.headers["allow"] == "GET, OPTIONS, PATCH"
    assert answer.status == 405
    assert method == "HEAD" or is_problem(answer, status=405, code="method_not_allowed")
    assert not patients.requests


def test_a_literal_path_does_not_fall_back_to_the_parameter_beside_it(gateway, patients):
    assert gateway.send("GET", "/api/v1/patients/search", token=edge.token()).status == 405
    assert not patients.requests


def test_options_says_what_a_path_offers(gateway):
    answer = gateway.send("OPTIONS", edge.PATIENT)
    assert (answer.status, answer.headers["allow"], answer.body) == (204, "GET, OPTIONS, PATCH", b"")
    assert answer.headers["access-control-allow-origin"] is None


@pytest.mark.target("C-26")
@pytest.mark.parametrize(
    "path",
    ["/metrics", "/healthz", "/readyz", "/openapi.json", "/stats", "/config_dump", "/api/v1", "/api/v1/",
     "/api/v2/users", "/gateway", "/gateway/healthz/x", "/docs/openapi/nobody.json", "/docs/openapi/",
     "/docs/../metrics", "/favicon.ico"],
)  # fmt: skip
def test_what_no_contract_names_is_404(gateway, path):
    before = sum(len(each.asked()) for (each,) in gateway.upstreams.values())
    assert is_problem(gateway.send("GET", path, token=edge.token()), status=404, code="not_found")
    assert sum(len(each.asked()) for (each,) in gateway.upstreams.values()) == before


def test_the_gateway_says_that_it_lives(gateway):
    assert gateway.send("GET", "/gateway/healthz").status == 200


@pytest.mark.parametrize(
    ("method", "path"), [("GET", edge.PATIENT), ("GET", "/nowhere"), ("GET", "/docs/"), ("PUT", edge.PATIENT)]
)
def test_every_answer_carries_the_security_headers(gateway, method, path):
    answer = gateway.send(method, path)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert answer.headers["cache-control"] in {"no-store", "no-cache"}
    assert answer.headers["strict-transport-security"] is None
    assert answer.headers["server"] is None
    assert not [name for name in answer.headers if name.lower().startswith("x-envoy")]


def test_what_a_service_says_about_itself_is_trimmed_and_what_it_says_about_caching_stays(gateway, patients):
    told = {"server": "upstream/1", "x-powered-by": "x", "cache-control": "private, max-age=5", "etag": '"3"'}
    patients.answer = lambda _: (200, told, b"{}")
    try:
        answer = gateway.send("GET", edge.PATIENT, token=edge.token())
    finally:
        patients.answer = patients.usual
    assert (answer.headers["server"], answer.headers["x-powered-by"]) == (None, None)
    assert (answer.headers["cache-control"], answer.headers["etag"]) == ("private, max-age=5", '"3"')


def test_a_problem_of_a_service_arrives_as_the_service_said_it(gateway, patients):
    told = b'{"type": "urn:infirmary:problem:stale_version", "errors": [1]}'
    patients.answer = lambda _: (412, {"content-type": "application/problem+json"}, told)
    try:
        answer = gateway.send("PATCH", edge.PATIENT, token=edge.token(), body=b"{}")
    finally:
        patients.answer = patients.usual
    assert (answer.status, answer.body) == (412, told)


def test_a_request_that_says_it_is_grpc_is_refused_in_the_words_of_grpc(gateway, patients):
    """The one place where Envoy has a form of its own: status 200, refusal in `grpc-status`, our words as message."""
    answer = gateway.send("GET", edge.PATIENT, headers={"content-type": "application/grpc"})
    assert (answer.status, answer.headers["grpc-status"]) == (200, "16")
    assert '"code":"not_signed_in"' in answer.headers["grpc-message"]
    assert not patients.requests
