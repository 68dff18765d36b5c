"""The token of a program: fetched once, replaced in time, and never the reason why threads queue."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from services.chassis.client import Client
from services.chassis.service_token import ServiceToken
from services.kernel.errors import Unavailable
from tests.integration.chassis.peer import Connection, Peer, always

CONTRACT = """
openapi: 3.0.3
info: {title: Tokens, version: "1"}
paths:
  /api/v1/tokens:
    post: {operationId: issue_service_token, x-permission: none, x-audit: none, responses: {"201": {description: ok}}}
"""


class Issuer:
    """Gives tokens t-1, t-2, …"""

    def __init__(self) -> None:
        self.given = 0
        self.peer = Peer(self.give)

    def give(self, connection: Connection) -> None:
        time.sleep(0.05)
        self.given += 1
        connection.answer(201, {"access_token": f"t-{self.given}", "expires_in": 600})


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    issuer = Issuer()
    yield issuer
    issuer.peer.stop()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def token(issuer: Issuer, now: list[float], tmp_path: Path) -> Iterator[ServiceToken]:
    (tmp_path / "identity.yaml").write_text(CONTRACT)
    client = Client(tmp_path, urls={"identity": issuer.peer.url}, sleep=lambda _: None)
    yield ServiceToken(client, client_id="history", secret="s3cret", monotonic=lambda: now[0])
    client.close()


def test_many_threads_at_once_fetch_one_token(token: ServiceToken, issuer: Issuer) -> None:
    with ThreadPoolExecutor(16) as threads:
        assert set(threads.map(lambda _: token(), range(100))) == {"t-1"}
    assert issuer.given == 1
    assert json.loads(issuer.peer.requests[0].body) == {"client_id": "history", "client_secret": "s3cret"}


def test_it_is_replaced_a_minute_before_its_end(token: ServiceToken, now: list[float]) -> None:
    assert token() == "t-1"
    now[0] = 539
    assert token() == "t-1"
    now[0] = 541
    assert token() == "t-2"


def test_while_one_thread_replaces_it_the_others_go_on_with_the_old_one(
    token: ServiceToken, issuer: Issuer, now: list[float]
) -> None:
    token()
    now[0] = 560
    arrived, go_on = threading.Event(), threading.Event()

    def slow(connection: Connection) -> None:
        arrived.set()
        go_on.wait(1.5)
        issuer.give(connection)

    issuer.peer.behaviour = slow
    refreshing = threading.Thread(target=token)
    refreshing.start()
    assert arrived.wait(2)
    started = time.monotonic()
    assert [token() for _ in range(10)] == ["t-1"] * 10
    assert time.monotonic() - started < 0.2
    go_on.set()
    refreshing.join()
    assert token() == "t-2"


def test_a_source_that_is_away_does_no_harm_until_the_token_ends(
    token: ServiceToken, issuer: Issuer, now: list[float]
) -> None:
    token()
    issuer.peer.behaviour = always(503, {})
    for now[0] in (550, 580, 594):
        assert token() == "t-1"
    now[0] = 596
    with pytest.raises(Unavailable) as away:
        token()
    assert away.value.what == "identity"
    issuer.peer.behaviour = issuer.give
    assert token() == "t-2"


@pytest.mark.parametrize(
    "answer", [(401, {}), (201, {}), (201, []), (201, {"access_token": "t", "expires_in": "soon"})]
)
def test_a_wrong_secret_or_a_strange_answer_is_unavailable_and_says_nothing_of_the_secret(
    token: ServiceToken, issuer: Issuer, answer: tuple[int, object]
) -> None:
    issuer.peer.behaviour = always(*answer)
    with pytest.raises(Unavailable) as away:
        token()
    assert "s3cret" not in repr(away.value) + str(away.value.__cause__)


def test_a_token_that_was_refused_is_fetched_anew(token: ServiceToken) -> None:
    assert token() == "t-1"
    token.forget()
    assert token() == "t-2"
