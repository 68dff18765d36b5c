"""Faults of a peer over real sockets: every wait ends, retries stay few, and the breaker opens and closes."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.chassis import deadline
from services.kernel.errors import Unavailable
from standalone.servers import ports
from tests.integration.chassis.peer import Connection, always, in_turn

BUSY_S = 1.5
"""What a busy machine may add; without their limits these calls would take thirty seconds and more."""


def took_s(work: Callable[[], object]) -> float:
    """How long it takes until it gives up as Unavailable."""
    started = time.monotonic()
    with pytest.raises(Unavailable) as gone:
        work()
    assert gone.value.what == "peer"
    return time.monotonic() - started


@pytest.mark.target("B-13")
@pytest.mark.parametrize("operation", ["list_things", "add_thing"])
def test_a_peer_that_accepts_and_says_nothing_costs_two_seconds(serve, connect, operation: str) -> None:
    peer = serve(Connection.hang)
    body = {} if operation == "add_thing" else None
    assert 1.9 < took_s(lambda: connect(peer.url).call(operation, body=body)) < 2 + BUSY_S
    assert len(peer.requests) == 1


HEAD = b"HTTP/1.1 200 X\r\ncontent-type: application/json\r\ncontent-length: 60\r\n\r\n"


@pytest.mark.target("B-13")
@pytest.mark.parametrize("part", ["head", "body"])
def test_one_byte_a_second_costs_two_seconds(serve, connect, part: str) -> None:
    def trickle(connection: Connection) -> None:
        if part == "body":
            connection.socket.sendall(HEAD)
        connection.trickle(HEAD + b" " * 58 + b"{}", every_s=0.5)

    assert 1.9 < took_s(lambda: connect(serve(trickle).url).call("list_things")) < 2 + BUSY_S


@pytest.mark.target("B-13")
def test_less_than_two_seconds_when_less_remains(serve, connect) -> None:
    peer = serve(Connection.hang)

    def call() -> None:
        with deadline.within(1):
            connect(peer.url).call("list_things")

    assert 0.9 < took_s(call) < 1 + BUSY_S


def test_when_nobody_waits_any_more_nothing_is_sent(serve, connect) -> None:
    peer = serve(always(200, {}))
    client = connect(peer.url)
    with deadline.within(0), pytest.raises(Unavailable):
        client.call("list_things")
    assert peer.requests == []


def test_a_connection_that_missed_its_deadline_is_not_used_again(serve, connect) -> None:
    def late(connection: Connection) -> None:
        connection.stopping.wait(0.5)
        connection.answer(200, {"id": "late"})

    client = connect(serve(in_turn(late, always(200, {"id": "right"}))).url)
    with deadline.within(0.2), pytest.raises(Unavailable):
        client.call("list_things")
    time.sleep(0.5)
    assert client.call("list_things").body == {"id": "right"}


@pytest.mark.target("B-16")
def test_a_closed_port_fails_at_once(connect) -> None:
    client = connect(f"http://127.0.0.1:{ports.free()}")
    assert took_s(lambda: client.call("add_thing", body={})) < 0.25 + BUSY_S


@pytest.mark.target("B-16")
def test_an_address_that_swallows_everything_fails_in_a_quarter_second(connect) -> None:
    """A listener whose queue is full drops what comes, as a silent firewall does."""
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        held = []
        for _ in range(8):
            held.append(socket.socket())
            held[-1].setblocking(False)
            held[-1].connect_ex(full.getsockname())
        client = connect(f"http://127.0.0.1:{full.getsockname()[1]}")
        assert took_s(lambda: client.call("add_thing", body={})) < 0.25 + BUSY_S
        for each in held:
            each.close()


@pytest.mark.target("B-17")
def test_a_retry_storm_does_not_happen(serve, connect) -> None:
    """600 calls offered to a peer that answers 503 to all: the breaker keeps most of them from it."""
    peer = serve(always(503, {}))
    client = connect(peer.url, sleep=lambda _: None)

    def offer(_: int) -> None:
        with pytest.raises(Unavailable):
            client.call("list_things")

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(offer, range(600)))
    assert len(peer.requests) <= 1.1 * 600


@pytest.mark.target("B-17")
def test_the_budget_alone_holds_where_the_breaker_stays_closed(serve, connect) -> None:
    """Three of ten calls fail, so the breaker lets all through."""
    peer = serve(always(200, {}))
    client = connect(peer.url, sleep=lambda _: None)
    failing = {"now": False}

    def behave(connection: Connection) -> None:
        connection.answer(503 if failing["now"] else 200, {})

    peer.behaviour = behave
    for index in range(600):
        failing["now"] = index % 10 >= 7
        if failing["now"]:
            with pytest.raises(Unavailable):
                client.call("list_things")
        else:
            client.call("list_things")
    assert 600 < len(peer.requests) <= 1.1 * 600 + 3


@pytest.mark.target("B-17", "B-12")
def test_it_recovers_without_help_when_the_peer_does(serve, connect) -> None:
    now = [0.0]
    peer = serve(always(503, {}))
    client = connect(peer.url, sleep=lambda _: None, monotonic=lambda: now[0])
    for _ in range(40):
        with pytest.raises(Unavailable):
            client.call("add_thing", body={})
    assert len(peer.requests) == 20, "open from the twentieth failure on"
    peer.behaviour = always(200, {})
    now[0] += 5
    assert [client.call("add_thing", body={}).status for _ in range(50)] == [200] * 50


@pytest.mark.target("B-12")
def test_an_open_breaker_answers_at_once_and_holds_no_thread(serve, connect) -> None:
    client = connect(serve(Connection.hang).url, connections=20)

    def offer(_: int) -> None:
        with pytest.raises(Unavailable):
            client.call("add_thing", body={})

    with ThreadPoolExecutor(20) as threads:
        list(threads.map(offer, range(20)))
        started = time.monotonic()
        list(threads.map(offer, range(100)))
    assert time.monotonic() - started < 0.5


def test_callers_with_too_little_time_do_not_open_the_breaker(serve, connect) -> None:
    def slow(connection: Connection) -> None:
        connection.stopping.wait(0.1)
        connection.answer(200, {})

    client = connect(serve(slow).url)
    for _ in range(25):
        with deadline.within(0.01), pytest.raises(Unavailable):
            client.call("list_things")
    assert client.call("list_things").status == 200


def test_more_threads_than_connections_wait_a_quarter_second_and_no_longer(serve, connect) -> None:
    client = connect(serve(Connection.hang).url, connections=1)
    held = threading.Thread(target=took_s, args=(lambda: client.call("add_thing", body={}),))
    held.start()
    time.sleep(0.1)
    assert took_s(lambda: client.call("add_thing", body={})) < 0.25 + BUSY_S
    held.join()
