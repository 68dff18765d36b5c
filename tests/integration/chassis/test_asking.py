"""Whether a thing of another service is there, asked over real sockets, while its owner comes and goes."""

from __future__ import annotations

import gc
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import orjson
import pytest

from services.chassis.asking import Asking, AskingMany, Existence
from services.chassis.call import Call
from services.kernel.access import NOBODY, Actor, Area, Scope
from services.kernel.errors import Forbidden, NotFound, Unavailable
from tests.integration.chassis.peer import Connection, always

THING, OTHER = (UUID(int=number) for number in (7, 8))
CALL = Call(id=UUID(int=1), operation="find_thing", actor=NOBODY, at=datetime(2026, 3, 2, tzinfo=UTC), request_id="r-1")


class Answer:
    """What an answer means; counted by the memory of the process."""

    def __init__(self, _: object) -> None:
        pass


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


def find_all(connection: Connection) -> None:
    """Knows every thing but the other one."""
    asked = orjson.loads(connection.request.body)["thing_ids"]
    connection.answer(200, {"items": [{"id": each, "name": each[-2:]} for each in asked if each != str(OTHER)]})


def names(client, clock, **given) -> AskingMany[str]:
    where = {"of": "peer", "named": "thing_ids", "read": lambda item: item["name"]}
    return AskingMany(client, "find_things", **where, kept_s=5, monotonic=clock, **given)


def things(peer) -> list[list[int]]:
    return [[UUID(each).int for each in orjson.loads(request.body)["thing_ids"]] for request in peer.requests]


def test_many_are_asked_for_at_once_and_only_those_that_are_not_known(serve, connect, clock) -> None:
    peer = serve(find_all)
    asking = names(connect(peer.url), clock)
    assert asking(CALL, [THING, OTHER]) == {THING: "07"}, "of what is not there nothing is said"
    assert asking(CALL, [UUID(int=9), THING, OTHER]) == {THING: "07", UUID(int=9): "09"}
    clock.now = 6
    assert asking(CALL, [THING]) == {THING: "07"}
    assert things(peer) == [[7, 8], [9, 8], [7]]


def test_more_than_may_be_asked_for_at_once_are_asked_for_in_several_calls(serve, connect, clock) -> None:
    peer = serve(find_all)
    many = [UUID(int=number) for number in range(10, 17)]
    assert list(names(connect(peer.url), clock, at_once=3)(CALL, many)) == many
    assert [len(each) for each in things(peer)] == [3, 3, 1]


def test_who_may_not_ask_about_many_is_told_so(serve, connect, clock) -> None:
    with pytest.raises(Forbidden):
        names(connect(serve(always(403)).url), clock)(CALL, [THING])


def test_answers_that_hold_no_more_take_no_room(serve, connect, clock) -> None:
    """A thing that is asked about once is not remembered until ten thousand others were."""
    peer = serve(always(200, {"name": "7"}))
    asking = Asking(connect(peer.url), "get_thing", of="peer", read=Answer, kept_s=5, monotonic=clock, is_shared=True)
    for number in range(20):
        clock.now = float(number)
        asking(CALL, path={"thing_id": UUID(int=number)})
    # By type, not isinstance: that asks a weak proxy for what is gone.
    assert sum(type(each) is Answer for each in gc.get_objects()) == 5


def everywhere(subject: str, *permissions: str) -> Call:
    actor = Actor(subject=subject, permissions=frozenset(permissions))
    return replace(CALL, actor=actor)


def narrow(subject: str, facility: str) -> Call:
    call = everywhere(subject, "things.read")
    scope = Scope(areas=(Area(facilities=frozenset({facility})),))
    return replace(call, actor=replace(call.actor, scope=scope))


def test_an_answer_serves_those_who_may_do_the_same_everywhere_and_of_the_others_one_account(
    serve, connect, clock
) -> None:
    peer = serve(always(200, {"name": "7"}))
    asking = Asking(connect(peer.url), "get_thing", of="peer", read=Answer, kept_s=5, monotonic=clock)

    def is_asked(call: Call) -> bool:
        before = len(peer.requests)
        asking(call, path={"thing_id": THING})
        return len(peer.requests) > before

    assert is_asked(everywhere("ada", "things.read"))
    assert not is_asked(everywhere("bea", "things.read")), "who may do the same everywhere is told the same"
    assert is_asked(everywhere("ada", "things.read", "things.write")), "with other rights it is another question"
    assert is_asked(narrow("ada", "here")), "the same account, since it was narrowed"
    assert is_asked(narrow("bea", "here")), "of the same place, and yet another account: what is its own counts"
    assert is_asked(narrow("ada", "there"))
    assert not is_asked(narrow("ada", "here"))
