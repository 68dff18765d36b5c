"""The web UI with a real Redis and, in place of the services, one peer on a real socket that a test lets answer."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import flask
import pytest

from frontend.names import Known
from frontend.pages import application
from frontend.session import Sessions
from services.chassis import redis, spec
from services.chassis.client import Client
from tests.integration.chassis.peer import Connection, Peer

ROOT = Path(__file__).resolve().parents[3]
OPENAPI = ROOT / "openapi"
PUBLIC = "http://hospital.example"
ACCOUNT = {
    "id": "01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20",
    "username": "ada.example",
    "display_name": "Ada Example",
    "roles": ["receptionist"],
    "permissions": ["account.open", "account.own", "facilities.read", "patients.read"],
    "links": [],
    "must_change_password": False,
    "has_password": True,
}
GIVEN = {
    "access_token": "first",
    "expires_in": 600,
    "refresh_token": "r-1",
    "must_change_password": False,
    "must_set_second_factor": False,
    "device_token": None,
}

RECORD = "01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b30"
PATIENT = {
    "id": RECORD,
    "mrn": "A-000017",
    "family_name": "Unlikely",
    "given_name": "Zoe",
    "birth_date": "1984-11-05",
    "birth_estimated": False,
    "age_years": 42,
    "administrative_gender": "female",
    "version": 3,
}


class Hospital:
    """All services in one: what each path answers, and what was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []
        self.answers: dict[tuple[str, str], Callable[[dict[str, str], Any], tuple[int, Any]]] = {}
        self.peer = Peer(self._behave)

    def on(self, method: str, path: str, status: int, body: Any = None) -> None:
        """Answer so from now on."""
        self.answers[method, path] = lambda *_: (status, body)

    def _behave(self, connection: Connection) -> None:
        request = connection.request
        path, body = urlsplit(request.target).path, json.loads(request.body) if request.body else None
        self.asked.append((request.method, path, request.headers, body))
        answer = self.answers.get((request.method, path))
        status, given = answer(request.headers, body) if answer else (404, problem(404, "not_found"))
        kind = "application/problem+json" if status >= 400 else "application/json"
        connection.answer(status, given, headers={"content-type": kind})


class Browser:
    """Sends what a browser sends."""

    def __init__(self, app: flask.Flask, *, cookies: Mapping[str, str] | None = None) -> None:
        self._client, host = app.test_client(), str(urlsplit(PUBLIC).hostname)
        for name, value in (cookies or {}).items():
            self._client.set_cookie(name, value, domain=host)

    @property
    def cookies(self) -> dict[str, str]:
        """Those that it has now."""
        found = self._client.get_cookie("session", domain=str(urlsplit(PUBLIC).hostname))
        return {found.key: found.value} if found else {}

    def get(self, path: str, **headers: str) -> Any:
        """A page."""
        return self._client.get(path, base_url=PUBLIC, headers=headers)

    def post(self, path: str, form: Mapping[str, str] | None = None, **headers: str) -> Any:
        """A form."""
        return self._client.post(path, base_url=PUBLIC, data=form or {}, headers={"Origin": PUBLIC, **headers})

    def csrf(self, path: str = "/sign-in") -> str:
        """The token that stands on a page."""
        return re.findall(r'name="csrf" content="([^"]+)"', self.get(path).text)[0]

    def sign_in(self, hospital: Hospital, **account: Any) -> Any:
        """As somebody who works here."""
        hospital.on("POST", "/api/v1/sessions", 201, GIVEN)
        hospital.on("GET", "/api/v1/account", 200, {**ACCOUNT, **account})
        hospital.on("GET", "/api/v1/facilities", 200, {"items": [], "next_cursor": None})
        form = {"username": "ada.example", "password": "pw", "_csrf": self.csrf()}
        return self.post("/sign-in", form)


def problem(status: int, code: str, **more: Any) -> dict[str, Any]:
    """As the services refuse."""
    return {"type": f"urn:infirmary:problem:{code}", "title": code, "status": status, "code": code, **more}


@pytest.fixture
def bus(redis_url: str) -> Iterator[redis.Client]:
    """An empty bus."""
    with redis.client(redis_url, timeout_s=5) as client:
        yield client


@pytest.fixture
def sessions(bus: redis.Client) -> Sessions:
    """Of this house."""
    return Sessions(bus, secret="made for this test only")


@pytest.fixture
def hospital() -> Iterator[Hospital]:
    """The services."""
    made = Hospital()
    yield made
    made.peer.stop()


@pytest.fixture
def client(hospital: Hospital) -> Iterator[Client]:
    """Speaks to them."""
    made = Client(OPENAPI, urls=dict.fromkeys(spec.services(OPENAPI), hospital.peer.url))
    yield made
    made.close()


@pytest.fixture
def app(sessions: Sessions, client: Client) -> flask.Flask:
    """All pages."""
    root, public = ROOT / "frontend", urlsplit(PUBLIC)
    return application(sessions=sessions, client=client, known=Known(), public=public, provider=None, root=root)


@pytest.fixture
def browser(app: flask.Flask) -> Browser:
    """With no cookie yet."""
    return Browser(app)
