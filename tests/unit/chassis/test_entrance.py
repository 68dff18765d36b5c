"""An application that is no service comes in by the same door: what it is asked, and what goes out as it says it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from prometheus_client import REGISTRY
from starlette.exceptions import HTTPException

from services.chassis import problems
from services.chassis.bridge import BODY, EXTENSIONS, REQUEST, Bridge
from services.chassis.entrance import LARGEST_BODY, REQUEST_ID, Entrance

NAMED = "test.named"


class Pages:
    """The face of an application that answers people."""

    speaks_for_itself = True
    published = (b"{}", '"0"')

    def known(self, scope: Mapping[str, Any]) -> tuple[str, str] | None:
        found: tuple[str, str] | None = scope["extensions"].get(NAMED)
        return found

    def allowed(self, path: str) -> str:
        return f"GET of {path}"

    def refusal(self, problem: problems.Problem, request_id: str, _: Mapping[str, Any]) -> tuple[bytes, str]:
        return f"{problem.status}, {request_id}".encode(), "text/plain"


def behind_a_bridge(view: Callable[[dict[str, Any]], tuple[str, bytes]]) -> Callable[..., Any]:
    """A WSGI application that answers with what a view says, status and body, behind the bridge."""

    def wsgi(environ: dict[str, Any], start: Callable[..., Any]) -> list[bytes]:
        status, body = view(environ)
        start(status, [("content-type", "text/html")])
        return [body]

    bridge = Bridge(wsgi, threads=1)

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scope["extensions"][REQUEST] = True
        await bridge(scope, receive, send)

    return app


def ask(
    app: Callable[..., Any], path: str = "/page", *, body: bytes = b"", method: str = "GET"
) -> tuple[int, dict[str, str], bytes]:
    """One request through an entrance with this application behind it."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"x-request-id", b"request-of-a-test"), (b"content-length", str(len(body)).encode())],
        "http_version": "1.1",
        "scheme": "http",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "root_path": "",
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(Entrance(app, face=Pages(), ready=dict)(scope, receive, send))
    headers = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return sent[0]["status"], headers, b"".join(each.get("body", b"") for each in sent[1:])


@pytest.mark.parametrize("status", ["404 Not Found", "500 Internal Server Error", "308 Permanent Redirect"])
def test_who_speaks_for_itself_is_heard_whatever_the_status(status):
    got, headers, body = ask(behind_a_bridge(lambda _: (status, b"<p>as the application says it</p>")))
    assert (got, body) == (int(status[:3]), b"<p>as the application says it</p>")
    assert (headers["content-type"], headers["x-request-id"]) == ("text/html", "request-of-a-test")


def test_what_comes_no_farther_than_the_door_is_answered_by_the_face():
    got, headers, body = ask(behind_a_bridge(lambda _: ("200 OK", b"")), body=b"x" * (LARGEST_BODY + 1), method="POST")
    assert (got, headers["content-type"], body) == (413, "text/plain", b"413, request-of-a-test")


def test_a_method_that_is_not_there_is_answered_with_those_that_are():
    async def refusing(*_: Any) -> None:
        raise HTTPException(405)

    got, headers, _ = ask(refusing)
    assert (got, headers["allow"]) == (405, "GET of /page")


def test_a_view_reads_the_body_and_what_belongs_to_the_request():
    seen: dict[str, Any] = {}

    def view(environ: dict[str, Any]) -> tuple[str, bytes]:
        seen.update(environ[EXTENSIONS], read=environ["wsgi.input"].read())
        return "200 OK", b""

    ask(behind_a_bridge(view), body=b"family_name=Lovelace", method="POST")
    assert seen["read"] == seen[BODY] == b"family_name=Lovelace"
    assert seen[REQUEST_ID] == "request-of-a-test"


def test_a_request_is_counted_under_the_route_that_the_application_names():
    def view(environ: dict[str, Any]) -> tuple[str, bytes]:
        environ[EXTENSIONS][NAMED] = ("things.show", "/things/<id>")
        return "200 OK", b""

    def counted(method: str, route: str) -> float:
        labels = {"http_request_method": method, "http_route": route, "http_response_status_code": "200"}
        return REGISTRY.get_sample_value("http_server_request_duration_seconds_count", labels) or 0.0

    before = counted("GET", "/things/<id>"), counted("_OTHER", "unknown")
    ask(behind_a_bridge(view), "/things/7")
    ask(behind_a_bridge(lambda _: ("200 OK", b"")), "/nowhere")
    assert (counted("GET", "/things/<id>"), counted("_OTHER", "unknown")) == (before[0] + 1, before[1] + 1)


def test_without_a_body_a_view_reads_nothing():
    read: list[bytes] = []
    ask(behind_a_bridge(lambda environ: ("200 OK", read.append(environ["wsgi.input"].read()) or b"")))
    assert read == [b""]
