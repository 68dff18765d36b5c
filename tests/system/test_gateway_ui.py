"""The web UI behind the gateway: which requests are pages, what of an answer holds, and what people see without it."""

from __future__ import annotations

import gzip
import socket
import threading
import time

import pytest

from gateway import notices
from tests import waiting
from tests.system import edge

PAGE = b"<!doctype html><title>a page</title>" + b"<p>the same words again and again</p>" * 100
OWN = {
    "content-security-policy": "default-src 'none'; script-src 'nonce-of-this-page'",
    "cache-control": "private, max-age=7",
    "referrer-policy": "same-origin",
}
PERSON = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8", "accept-encoding": "gzip, br"}


def answer(request: edge.Request) -> tuple[int, dict[str, str], bytes]:
    kinds = {"/static/a.js": "text/javascript", "/static/a.css": "text/css", "/static/a.svg": "image/svg+xml"}
    return 200, {"content-type": kinds.get(request.path.partition("?")[0], "text/html; charset=utf-8"), **OWN}, PAGE


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with edge.running(tmp_path_factory.mktemp("gateway"), has_ui=True) as running:
        yield running


@pytest.fixture
def pages(gateway):
    upstream = gateway.only("frontend")
    upstream.requests.clear()
    upstream.answer = answer
    return upstream


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/"), ("HEAD", "/"), ("GET", "/patients/01939c3e"), ("POST", "/sign-in"), ("POST", "/booking?x=1"),
     ("GET", "/docs-of-ours"), ("GET", "/apis"), ("GET", "/static/a.js"), ("HEAD", "/static/a.js")],
)  # fmt: skip
def test_what_is_nothing_else_is_a_page_and_needs_no_token(gateway, pages, method, path):
    got = gateway.send(method, path, body=b"a=1" if method == "POST" else None)
    assert got.status == 200
    assert [(each.method, each.path) for each in pages.requests] == [(method, path)]


@pytest.mark.parametrize(
    "path",
    ["/metrics", "/healthz", "/readyz", "/openapi.json", "//metrics", "/%6detrics", "/x/../metrics", "/metrics?x=1",
     "/api/v1/nothing", "/api/", "/api/v1/patients/../nothing", "/x/..//readyz", "/static/../metrics"],
)  # fmt: skip
def test_neither_the_inner_names_nor_anything_below_api_is_a_page(gateway, pages, path):
    got = gateway.send("GET", path, headers=PERSON)
    assert (got.status, got.json["code"]) == (404, "not_found")
    assert not pages.requests


def test_operations_and_documentation_go_where_they_went(gateway, pages):
    assert gateway.send("GET", edge.PATIENT).status == 401
    assert gateway.send("GET", edge.PATIENT, token=edge.token()).json == {"service": "patients"}
    assert gateway.send("GET", "/docs").headers["location"] == "/docs/"
    assert gateway.send("GET", "/docs/").status == 200
    assert not pages.requests


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("DELETE", "/patients", "GET, HEAD, POST, OPTIONS"), ("POST", "/static/a.js", "GET, HEAD, OPTIONS"),
     ("POST", "/live", "GET, OPTIONS"), ("TRACE", "/", "GET, HEAD, POST, OPTIONS")],
)  # fmt: skip
def test_other_methods_are_refused_with_those_that_are_there(gateway, pages, method, path, allowed):
    got = gateway.send(method, path)
    assert (got.status, got.headers["allow"]) == (405, allowed)
    assert not pages.requests


def test_what_a_page_says_of_itself_holds(gateway, pages):
    got = gateway.send("GET", "/patients", headers=PERSON)
    assert {name: got.headers[name] for name in OWN} == OWN
    assert got.headers["x-frame-options"] == "DENY"
    assert got.headers["server"] is None
    assert gateway.send("GET", edge.PATIENT, token=edge.token()).headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("path", ["/patients", "/static/a.js", "/static/a.css", "/static/a.svg"])
def test_text_of_the_web_ui_goes_out_compressed_to_who_can_read_it(gateway, pages, path):
    got = gateway.send("GET", path, headers=PERSON)
    assert (got.headers["content-encoding"], got.headers["vary"].lower()) == ("gzip", "accept-encoding")
    assert gzip.decompress(got.body) == PAGE
    assert gateway.send("GET", path).body == PAGE


def test_no_answer_of_the_api_is_compressed(gateway, pages):
    patients = gateway.only("patients")
    patients.answer = lambda _: (200, {"content-type": "application/json"}, b'{"name":"x"}' * 500)
    got = gateway.send("GET", edge.PATIENT, token=edge.token(), headers=PERSON)
    patients.answer = patients.usual
    assert (got.status, got.headers["content-encoding"]) == (200, None)


def test_a_static_file_is_asked_for_again_and_a_page_is_not(gateway, pages):
    pages.answer = lambda _: (503, {"content-type": "text/html"}, b"not now")
    assert gateway.send("GET", "/static/a.js").status == gateway.send("GET", "/patients").status == 503
    assert [each.path for each in pages.requests] == ["/static/a.js", "/static/a.js", "/patients"]


def test_a_page_that_says_that_something_failed_is_shown_as_it_is(gateway, pages):
    pages.answer = lambda _: (500, {"content-type": "text/html"}, b"what happened, and what to do")
    assert gateway.send("GET", "/patients", headers=PERSON).body == b"what happened, and what to do"


def test_people_read_a_page_when_the_web_ui_is_away_and_programs_a_problem(gateway, pages):
    pages.answer = lambda _: (0, {}, b"")  # breaks off, as a process does that is killed
    for method in ("GET", "POST"):
        got = gateway.send(method, "/patients", headers=PERSON, body=b"" if method == "POST" else None)
        assert (got.status, got.headers["content-type"]) == (503, "text/html; charset=utf-8")
        assert got.headers["content-security-policy"] == notices.POLICY
        assert got.headers["retry-after"] == "1"
        assert got.headers["x-request-id"].encode() in got.body
        assert all(f'lang="{each}"'.encode() in got.body for each in ("en", "de", "ar"))
    assert gateway.send("GET", "/patients").json["code"] == "unavailable"
    assert gateway.send("GET", "/static/a.js", headers={"accept": "*/*"}).json["code"] == "unavailable"
    assert gateway.send("GET", edge.PATIENT, headers=PERSON).json["code"] == "not_signed_in"


def test_who_sends_too_much_is_told_so_on_a_page(gateway, pages):
    length = {"content-length": str(2 << 20), **PERSON}
    got = gateway.raw(
        b"POST /patients HTTP/1.1\r\nhost: house.test\r\nconnection: close\r\n"
        + "".join(f"{name}: {value}\r\n" for name, value in length.items()).encode()
        + b"\r\n"
        + b"x" * (2 << 20)
    )
    assert (got.status, got.headers["content-type"]) == (413, "text/html; charset=utf-8")


@pytest.mark.parametrize("path", ["/sign-in", "/sign-in/second-factor", "/activate", "/forgotten", "/password-reset"])
def test_forms_of_somebody_who_is_not_signed_in_are_limited_by_source(tmp_path, path):
    with edge.running(tmp_path, has_ui=True, public_write_burst=3, public_write_per_s=1) as gateway:
        got = [gateway.send("POST", path, body=b"", headers=PERSON) for _ in range(5)]
        assert [each.status for each in got][:3] == [200] * 3
        assert got[-1].status == 429
        assert got[-1].headers["content-type"] == "text/html; charset=utf-8"
        assert gateway.send("POST", "/patients", body=b"").status == 200
        assert gateway.send("GET", path).status == 200


def test_reports_of_browsers_are_limited_by_source_so_that_nobody_fills_the_log(tmp_path):
    with edge.running(tmp_path, has_ui=True, report_burst=3, report_per_s=1) as gateway:
        assert [gateway.send("POST", "/csp-reports", body=b"{}").status for _ in range(5)][:3] == [200] * 3
        assert gateway.send("POST", "/csp-reports", body=b"{}").status == 429
        assert gateway.send("POST", "/sign-in", body=b"").status == gateway.send("GET", "/").status == 200
        assert gateway.send("GET", "/csp-reports").status == 405


def test_reports_of_many_sources_have_one_limit_together(tmp_path):
    with edge.running(tmp_path, has_ui=True, trusted_hops=1, reports_burst=3, reports_per_s=1) as gateway:
        got = [
            gateway.send("POST", "/csp-reports", body=b"{}", headers={"x-forwarded-for": f"10.0.0.{number}"}).status
            for number in range(6)
        ]
        assert got[:3] == [200] * 3
        assert got[-1] == 429


class Speaker:
    """A server of events: sends one when it is told to, and keeps the connection."""

    def __init__(self) -> None:
        self.says, self.asked, self.server = (
            threading.Event(),
            threading.Event(),
            socket.create_server(("127.0.0.1", 0)),
        )
        self.address = f"127.0.0.1:{self.server.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with connection:
            head = connection.recv(65_536)
            if head.startswith(b"GET /live"):
                kind = b"content-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
                connection.sendall(b"HTTP/1.1 200 OK\r\n" + kind + b"6\r\nfirst\n\r\n")
                self.asked.set()
                self.says.wait(30)
                connection.sendall(b"7\r\nsecond\n\r\n0\r\n\r\n")
            else:
                connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")


def test_what_is_live_comes_at_once_and_outlives_the_deadline_of_a_page(tmp_path):
    speaker = Speaker()

    def instead(upstreams: dict[str, list[edge.Upstream]]) -> None:
        (pages,) = upstreams["frontend"]
        pages.address = speaker.address

    with edge.running(tmp_path, has_ui=True, prepare=instead, route_timeout_s=0.3) as gateway:
        waiting.wait_for(lambda: gateway.send("GET", "/").status == 200)
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=10) as connection:
            connection.sendall(b"GET /live HTTP/1.1\r\nhost: house.test\r\naccept-encoding: gzip\r\n\r\n")
            heard = connection.recv(65_536)
            while b"first" not in heard:
                heard += connection.recv(65_536)
            ends = time.monotonic() + 1.0  # three times the deadline of a page
            waiting.wait_for(lambda: time.monotonic() > ends)
            speaker.says.set()
            while b"second" not in heard:
                more = connection.recv(65_536)
                assert more, heard
                heard += more
        assert b"content-encoding" not in heard
    speaker.server.close()


def test_pages_that_listen_take_no_place_from_those_that_are_answered(tmp_path):
    """One connection for requests and eight for listeners: all of these are open, and a page still comes."""
    speaker = Speaker()

    def instead(upstreams: dict[str, list[edge.Upstream]]) -> None:
        upstreams["frontend"][0].address = speaker.address

    limits = {"service_connections": 1, "service_requests": 1, "live_connections": 8}
    with edge.running(tmp_path, has_ui=True, prepare=instead, **limits) as gateway:
        waiting.wait_for(lambda: gateway.send("GET", "/").status == 200)
        open_ones = [socket.create_connection(("127.0.0.1", gateway.port), timeout=10) for _ in range(4)]
        for each in open_ones:
            each.sendall(b"GET /live HTTP/1.1\r\nhost: house.test\r\n\r\n")
            assert each.recv(65_536).startswith(b"HTTP/1.1 200")
        assert gateway.send("GET", "/").status == 200
        speaker.says.set()
        for each in open_ones:
            each.close()
    speaker.server.close()
