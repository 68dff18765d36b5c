"""The keys for tokens, followed over a real server: floods, rotation, and a source that is away."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from joserfc.jwk import RSAKey

from services.chassis.keys import EVERY_S, KEPT_S, PATH, KeyFollower
from services.kernel.errors import Unavailable
from standalone.servers import ports
from tests.integration.chassis.making import jwk
from tests.integration.chassis.peer import Connection, Peer, always
from tests.waiting import within

ONE, TWO = jwk("k1"), jwk("k2")


class Clock:
    """The real monotonic clock, moved on at will."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead


class House:
    """A source of keys that can be changed, and the followers of it."""

    def __init__(self) -> None:
        self.keys: list[dict[str, Any]] = [ONE]
        self.peer = Peer(lambda connection: connection.answer(200, {"keys": self.keys}))
        self.clock = Clock()
        self._followers: list[KeyFollower] = []

    def follow(self, url: str | None = None) -> KeyFollower:
        self._followers.append(KeyFollower(url or self.peer.url, monotonic=self.clock))
        self._followers[-1].start()
        return self._followers[-1]

    @property
    def fetches(self) -> int:
        return len(self.peer.requests)

    def end(self) -> None:
        for each in self._followers:
            each.stop()
        self.peer.stop()


@pytest.fixture
def house() -> Iterator[House]:
    house = House()
    yield house
    house.end()


def knows(follower: KeyFollower, kid: str) -> bool:
    try:
        return follower.key(kid) is not None
    except Unavailable:
        return False


def test_it_knows_the_keys_soon_after_its_start(house: House) -> None:
    follower = house.follow()
    assert within(2, lambda: knows(follower, "k1"))
    assert house.peer.requests[0].target == PATH


def test_before_the_first_answer_it_is_unavailable_and_then_quickly_there(house: House) -> None:
    port = ports.free()
    follower = house.follow(f"http://127.0.0.1:{port}")
    with pytest.raises(Unavailable):
        follower.key("k1")
    time.sleep(1.2)
    with pytest.raises(Unavailable):
        follower.key("k1")
    house.peer.behaviour = always(503)
    late = house.follow()
    time.sleep(0.5)
    assert not knows(late, "k1")
    house.peer.behaviour = always(200, {"keys": [ONE]})
    assert within(1.5, lambda: knows(late, "k1"))


@pytest.mark.target("C-07")
@pytest.mark.target("C-07")
def test_a_thousand_unknown_kids_cost_one_fetch_in_thirty_seconds(house: House) -> None:
    follower = house.follow()
    assert within(2, lambda: knows(follower, "k1"))
    before = house.fetches

    def flood() -> None:
        with ThreadPoolExecutor(8) as threads:
            assert not any(threads.map(lambda index: follower.key(f"unknown-{index}"), range(1000)))
        time.sleep(0.3)

    flood()
    assert house.fetches - before == 1
    for house.clock.ahead in (10.0, 20.0, 25.0):
        flood()
    assert house.fetches - before == 1
    house.clock.ahead = EVERY_S + 1
    flood()
    assert house.fetches - before == 2


@pytest.mark.target("B-24")
def test_a_new_key_is_found_by_its_first_token_and_a_withdrawn_one_is_gone_with_the_next_fetch(house: House) -> None:
    follower = house.follow()
    assert within(2, lambda: knows(follower, "k1"))
    kept = follower.key("k1")
    house.keys = [ONE, TWO]
    assert follower.key("k2") is None
    assert within(2, lambda: knows(follower, "k2"))
    assert follower.key("k1") is kept, "a key that stays keeps its object"
    house.keys = [TWO]
    house.clock.ahead = EVERY_S + 1
    follower.key("nudge")
    assert within(2, lambda: not knows(follower, "k1"))
    assert knows(follower, "k2")


@pytest.mark.target("B-24")
def test_another_key_under_the_same_id_is_another_object(house: House) -> None:
    follower = house.follow()
    assert within(2, lambda: knows(follower, "k1"))
    before = follower.key("k1")
    house.keys = [jwk("k1")]
    follower.key("nudge")
    assert within(2, lambda: follower.key("k1") is not before)


@pytest.mark.target("B-25")
@pytest.mark.parametrize(
    "spoiled",
    [
        always(500),
        always(200, {"keys": []}),
        always(200, b"not json"),
        always(200, {"keys": "none"}),
        always(200, []),
        always(200, b"{" + b" " * 70_000 + b"}"),
        always(302, headers={"location": "http://127.0.0.1:1/"}),
        Connection.reset,
    ],
)
def test_the_last_good_set_goes_on_for_a_day_when_its_source_is_spoiled_or_away(house: House, spoiled: Any) -> None:
    follower = house.follow()
    assert within(2, lambda: knows(follower, "k1"))
    house.peer.behaviour = spoiled
    before = house.fetches
    follower.key("nudge")
    assert within(2, lambda: house.fetches > before)
    time.sleep(0.1)
    assert knows(follower, "k1")
    house.clock.ahead = KEPT_S - 60
    assert knows(follower, "k1")
    house.clock.ahead = KEPT_S + 60
    with pytest.raises(Unavailable):
        follower.key("k1")


def test_a_source_that_trickles_does_not_hold_the_follower(house: House) -> None:
    follower = house.follow()
    assert within(2, lambda: knows(follower, "k1"))
    house.peer.behaviour = lambda connection: connection.trickle(b"HTTP/1.1 200 OK\r\n" * 100, every_s=0.3)
    follower.key("nudge")
    time.sleep(2.5)
    house.peer.behaviour = always(200, {"keys": [TWO]})
    house.clock.ahead = EVERY_S + 1
    follower.key("nudge")
    assert within(2, lambda: knows(follower, "k2"))


@pytest.mark.target("C-07")
def test_weak_secret_and_foreign_keys_are_left_out(house: House) -> None:
    house.keys = [
        jwk("weak", bits=1024),
        {"kty": "oct", "kid": "secret", "k": "AAAA"},
        {"kty": "EC", "kid": "curve", "crv": "P-256", "x": "AA", "y": "AA"},
        jwk("for-encryption", use="enc"),
        jwk("for-another", alg="PS256"),
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        {"kty": "RSA", "kid": 7, "n": ONE["n"], "e": ONE["e"]},
        "no key at all",  # type: ignore[list-item]
        ONE,
    ]
    follower = house.follow()
    assert within(2, lambda: knows(follower, "k1"))
    for kid in ("weak", "secret", "curve", "for-encryption", "for-another", "broken"):
        assert follower.key(kid) is None


def test_private_parts_that_a_source_gives_away_are_not_kept(house: House) -> None:
    private = RSAKey.generate_key(2048).as_dict(private=True)
    house.keys = [{**private, "kid": "k1", "use": "sig"}]
    follower = house.follow()
    assert within(2, lambda: knows(follower, "k1"))
    found = follower.key("k1")
    assert found is not None
    assert not found.is_private
    assert private["d"] not in json.dumps(found.as_dict())
