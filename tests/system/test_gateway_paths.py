"""Tricks with paths and with the framing of requests: nothing gets round the token, and nothing is read in two ways."""

from __future__ import annotations

import re
import socket
import struct

import pytest

from tests.system import edge

ID = edge.PATIENT.rpartition("/")[2]
TRICKS = [
    f"//api/v1/patients/{ID}", f"/api//v1/patients/{ID}", f"/api/v1/patients//{ID}", f"/api/v1/patients/{ID}/",
    f"/api/v1/patients/{ID}//", f"/api/v1/./patients/{ID}", f"/api/v1/x/../patients/{ID}", f"/../api/v1/patients/{ID}",
    f"/api/v1/.well-known/jwks.json/../../patients/{ID}", f"/api/v1/sessions/../patients/{ID}",
    f"/docs/../api/v1/patients/{ID}", f"/docs/..;/api/v1/patients/{ID}", f"/api/v1/sessions/..;/patients/{ID}",
    f"/api/v1/%2e%2e/v1/patients/{ID}", f"/api/v1/sessions/%2e%2e/patients/{ID}",
    f"/api/v1/sessions%2f..%2fpatients/{ID}",
    f"/api/v1/patients%2f{ID}", f"/api/v1/patients%5c{ID}", f"/api/v1\\patients\\{ID}", f"/api/v1/patients/{ID}%00",
    f"/api/v1/patients/{ID}%0a", f"/api/v1/patients/{ID}%0d%0aX:%20y", f"/api/v1/patients/{ID};x=1",
    f"/api/v1/patients;x=1/{ID}", f"/api/v1/patients/{ID}.", f"/api/v1/patients./{ID}", f"/API/v1/patients/{ID}",
    f"/api/v1/Patients/{ID}", f"/%61pi/v1/patients/{ID}", f"/api/v1/%70atients/{ID}",
    f"/api/v1/patients/%252e%252e/{ID}",
    f"/api/v1/patients/{ID}%20", f"/api/v1/patients/{ID}#x", f"/api/v1/patients/{ID}%23x", f"/api/v1/patients/{ID}%3fx",
    f"/api/v1/sessions?/../patients/{ID}", f"http://house.test/api/v1/patients/{ID}",
    f"http://x@y/api/v1/patients/{ID}",
    f"/api/v1/patients/{ID}/%2e", f"/api/v1/patients/{ID}/..%2f", f"/api/v1/patients/{ID}/%c0%ae%c0%ae/",
    f"/api/v1/patients/{ID}\x7f", "/api/v1/patients/..", "/api/v1/patients/.", "/api/v1/patients/%2e%2e/users", "*", "",
]  # fmt: skip
CANONICAL = re.compile(
    rf"/api/v1/(sessions|users|\.well-known/jwks\.json|patients(/search|/[A-Za-z0-9._~-]+(/allergies(/{ID})?)?)?)(\?.*)?"
)


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with edge.running(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def arrived(gateway):
    upstreams = [each for instances in gateway.upstreams.values() for each in instances]
    for each in upstreams:
        each.requests.clear()
    return lambda: [request for each in upstreams for request in each.asked()]


@pytest.mark.target("C-27")
@pytest.mark.parametrize("target", TRICKS)
def test_no_path_gets_round_the_token(gateway, arrived, target):
    answer = gateway.send("GET", target)
    assert answer.status in {400, 401, 404, 405}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["code"] in {"malformed_request", "not_signed_in", "not_found", "method_not_allowed"}
    assert not arrived()


@pytest.mark.target("C-27")
@pytest.mark.parametrize("target", TRICKS)
def test_what_arrives_with_a_token_is_spelled_as_in_the_contract(gateway, arrived, target):
    """Else a service could read another path than the one that was checked."""
    gateway.send("GET", target, token=edge.token())
    assert all(CANONICAL.fullmatch(request.path) for request in arrived())


@pytest.mark.parametrize("name", ["X_User_Id", "authorization_", "x__y"])
def test_a_header_name_with_an_underscore_is_refused(gateway, arrived, name):
    """Some servers read `_` as `-`, and would take it for one of ours."""
    answer = gateway.send("GET", edge.PATIENT, token=edge.token(), headers={name: "1"})
    assert (answer.status, answer.json["code"]) == (400, "malformed_request")
    assert not arrived()


HEAD = b"POST /api/v1/sessions HTTP/1.1\r\nHost: house.test\r\n"
SMUGGLED = b"GET /api/v1/smuggled HTTP/1.1\r\nHost: house.test\r\n\r\n"
FRAMES = {
    "length and chunked": HEAD + b"Content-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "chunked and length": HEAD + b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "two lengths": HEAD + b"Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + SMUGGLED,
    "a list of lengths": HEAD + b"Content-Length: 0, 44\r\n\r\n" + SMUGGLED,
    "negative length": HEAD + b"Content-Length: -1\r\n\r\n" + SMUGGLED,
    "signed length": HEAD + b"Content-Length: +2\r\n\r\n{}" + SMUGGLED,
    "hex length": HEAD + b"Content-Length: 0x2\r\n\r\n{}" + SMUGGLED,
    "huge length": HEAD + b"Content-Length: 99999999999999999999\r\n\r\n{}",
    "unknown coding": HEAD + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "coding twice": HEAD + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "coding in a list": HEAD + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "blank before colon": HEAD + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + SMUGGLED,
    "bad chunk size": HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n" + SMUGGLED,
    "overflowing chunk size": HEAD
    + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n{}\r\n0\r\n\r\n"
    + SMUGGLED,
    "NUL in a value": HEAD + b"X-A: a\0b\r\nContent-Length: 0\r\n\r\n",
    "no host": b"POST /api/v1/sessions HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    "old protocol": b"POST /api/v1/sessions HTTP/1.0\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
    "no protocol": b"POST /api/v1/sessions\r\n\r\n",
    "unknown method": b"JUMP /api/v1/sessions HTTP/1.1\r\nHost: a\r\n\r\n",
    "a tunnel": b"CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\n",
}


@pytest.mark.target("C-27")
@pytest.mark.parametrize("kind", sorted(FRAMES))
def test_a_request_with_two_readings_is_refused(gateway, arrived, kind):
    answer = gateway.raw(FRAMES[kind])
    assert answer.status in {400, 403, 404, 413, 426}
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json["request_id"] == answer.headers["x-request-id"]
    assert not arrived()


def test_a_sloppy_request_arrives_tidied(gateway, arrived):
    """Envoy reads a folded line and a doubled blank as one blank, as the standard allows, and passes on one reading."""
    gateway.raw(HEAD + b"Connection: close\r\nX-A: 1\r\n Transfer-Encoding: chunked\r\nContent-Length: 0\r\n\r\n")
    gateway.raw(b"POST  /api/v1/sessions HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
    assert [request.path for request in arrived()] == ["/api/v1/sessions"] * 2
    assert arrived()[0].headers["x-a"] == "1 Transfer-Encoding: chunked"
    assert arrived()[0].headers["transfer-encoding"] is None


def test_the_body_of_a_good_request_is_not_read_as_another_one(gateway, arrived):
    gateway.raw(HEAD + f"Content-Length: {len(SMUGGLED)}\r\nConnection: close\r\n\r\n".encode() + SMUGGLED)
    assert [(request.path, request.body) for request in arrived()] == [("/api/v1/sessions", SMUGGLED)]


def test_a_body_without_a_length_arrives_with_one(gateway, arrived):
    chunks = b"2\r\n{}\r\n0\r\n\r\n"
    assert gateway.raw(HEAD + b"Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n" + chunks).status == 200
    (request,) = arrived()
    assert (request.body, request.headers["content-length"]) == (b"{}", "2")
    assert request.headers["transfer-encoding"] is None


def test_an_upgrade_is_not_taken_up(gateway, arrived):
    for protocol in ("websocket", "h2c"):
        answer = gateway.send("GET", edge.PATIENT, headers={"connection": "upgrade, close", "upgrade": protocol})
        assert answer.status in {400, 401, 403, 404}
    assert not arrived()


def frame(kind: int, *, flags: int = 0, stream: int = 0, payload: bytes = b"") -> bytes:
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def literal(name: bytes, value: bytes) -> bytes:
    """One header for HTTP/2, neither indexed nor compressed."""
    length = (
        bytes([len(value)])
        if len(value) < 127
        else bytes([127, (len(value) - 127) & 127 | 128, (len(value) - 127) >> 7])
    )
    return b"\x00" + bytes([len(name)]) + name + length + value


def over_http2(gateway, *headers: tuple[bytes, bytes], body: bytes = b"") -> bytes:
    """Send one request by HTTP/2 and return all frames of the answer."""
    block = b"".join(literal(name, value) for name, value in headers)
    sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4) + frame(1, flags=4 if body else 5, stream=1, payload=block)
    if body:
        sent += frame(0, flags=1, stream=1, payload=body)
    answer = b""
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=5) as connection:
        connection.sendall(sent)
        connection.settimeout(0.4)
        try:
            while piece := connection.recv(65536):
                answer += piece
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


def pseudo(*, path: bytes = b"/api/v1/sessions") -> list[tuple[bytes, bytes]]:
    return [(b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"house.test")]


def test_http2_arrives_as_http1(gateway, arrived):
    assert b'"service": "identity"' in over_http2(gateway, *pseudo(), body=b"{}")
    assert [(request.path, request.body) for request in arrived()] == [("/api/v1/sessions", b"{}")]


HTTP2_TRICKS = {
    "line break in a value": [(b"x-a", b"1\r\ntransfer-encoding: chunked")],
    "line break in a name": [(b"x-a\r\nhost: evil", b"1")],
    "transfer coding": [(b"transfer-encoding", b"chunked")],
    "wrong length": [(b"content-length", b"1")],
    "capital name": [(b"X-A", b"1")],
    "pseudo header late": [(b"x-a", b"1"), (b":path", b"/api/v1/users")],
    "connection header": [(b"connection", b"keep-alive")],
}


@pytest.mark.target("C-27")
@pytest.mark.parametrize("kind", sorted(HTTP2_TRICKS))
def test_what_http1_would_read_otherwise_is_not_translated(gateway, arrived, kind):
    over_http2(gateway, *pseudo(), *HTTP2_TRICKS[kind], body=SMUGGLED)
    assert not arrived()


def test_a_line_break_in_the_path_is_not_translated(gateway, arrived):
    over_http2(gateway, *pseudo(path=b"/api/v1/sessions HTTP/1.1\r\nx: y\r\n\r\n"), body=SMUGGLED)
    assert not arrived()
