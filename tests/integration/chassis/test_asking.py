"""Whether a thing of another service is there, asked over real sockets, while its owner comes and goes."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.chassis.asking import Existence
from services.chassis.call import Call
from services.kernel.access import NOBODY
from services.kernel.errors import NotFound, Unavailable
from tests.integration.chassis.peer import always

THING, OTHER = (UUID(int=number) for number in (7, 8))
CALL = Call(id=UUID(int=1), operation="find_thing", actor=NOBODY, at=datetime(2026, 3, 2, tzinfo=UTC), request_id="r-1")


class Clock:
    """Seconds that go on when a test says so."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def existence(client, clock) -> Existence:
    """Asks anew after a minute."""
    return Existence(client, "get_thing", of="peer", named="thing_id", kept_s=60, monotonic=clock)


def test_a_yes_is_asked_for_once_in_its_time(serve, connect, clock) -> None:
    peer = serve(always(200, {"id": "7"}))
    there = existence(connect(peer.url), clock)
    for clock.now in (0, 59, 61):
        there.require(THING, call=CALL)
    assert len(peer.requests) == 2


def test_what_was_there_once_is_there_while_its_owner_is_away_and_what_nobody_knows_is_not(
    serve, connect, clock
) -> None:
    peer = serve(always(200, {"id": "7"}))
    there = existence(connect(peer.url), clock)
    there.require(THING, call=CALL)
    peer.behaviour = always(503)
    clock.now = 3600
    there.require(THING, call=CALL)
    with pytest.raises(Unavailable):
        there.require(OTHER, call=CALL)


def test_a_no_counts_at_once_and_is_never_kept(serve, connect, clock) -> None:
    peer = serve(always(404))
    there = existence(connect(peer.url), clock)
    for _ in range(2):
        with pytest.raises(NotFound):
            there.require(THING, call=CALL)
    peer.behaviour = always(200, {"id": "7"})
    there.require(THING, call=CALL)
    assert len(peer.requests) == 3
