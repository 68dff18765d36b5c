"""The web UI with a real Redis and, in place of the services, one peer on a real socket that a test lets answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
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
    return application(sessions=sessions, client=client, known=Known(), public=urlsplit(PUBLIC), root=ROOT / "frontend")
