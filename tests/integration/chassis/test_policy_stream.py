"""The policy over a real bus: a change works within two seconds, and no loss on the bus opens a door."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.chassis import redis, spec
from services.chassis.policy import Policy
from services.chassis.policy_stream import SNAPSHOT, STREAM, PolicyPublisher, PolicyState, Role, Subject
from services.kernel.errors import NotSignedIn
from tests.integration.chassis.redis_server import OwnRedis
from tests.waiting import within

PERMISSIONS = spec.permissions(Path(__file__).resolve().parents[3] / "openapi")
SOON = 2.0


def claims(*, sub: str = "u-1", sid: str = "s-1", roles: tuple[str, ...] = ("nurse",)) -> dict[str, Any]:
    return {"sub": sub, "sid": sid, "roles": list(roles)}


class Follower:
    """Policies to start in a test; they end with it."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._started: list[Policy] = []

    def __call__(self, *, url: str | None = None, **arguments: Any) -> Policy:
        bus = redis.client(url or self._url, timeout_s=2)
        policy = Policy(bus, permissions=PERMISSIONS, **arguments)
        self._started.append(policy)
        policy.start()
        return policy

    def stop(self) -> None:
        for each in self._started:
            each.stop()


@pytest.fixture
def follow(redis_url: str) -> Iterator[Follower]:
    follower = Follower(redis_url)
    yield follower
    follower.stop()


@pytest.fixture
def publisher(redis_url: str) -> PolicyPublisher:
    return PolicyPublisher(redis.client(redis_url, timeout_s=2))


@pytest.fixture
def own_redis(tmp_path: Path) -> Iterator[OwnRedis]:
    server = OwnRedis(tmp_path)
    server.start()
    yield server
    server.kill()


def is_refused(policy: Policy, **of: Any) -> bool:
    try:
        policy.actor(claims(**of))
    except NotSignedIn:
        return True
    return False


def begun(publisher: PolicyPublisher, state: PolicyState | None = None) -> None:
    """What the owner of the policy does at its start."""
    publisher.write_snapshot(lambda: state or PolicyState())
    publisher.heartbeat()


def test_without_a_word_from_the_bus_the_roles_of_the_system_hold_and_nothing_is_live(follow: Follower) -> None:
    policy = follow()
    actor = policy.actor(claims(roles=("nurse", "unheard_of")))
    assert actor.permissions == frozenset(PERMISSIONS["roles"]["nurse"]["permissions"])
    assert not policy.is_live


@pytest.mark.target("C-08")
def test_a_role_taken_away_works_in_every_process_within_two_seconds(
    follow: Follower, publisher: PolicyPublisher
) -> None:
    begun(publisher)
    policies = [follow() for _ in range(5)]
    assert all(within(5, lambda p=each: p.is_live) for each in policies)
    assert all(each.actor(claims(roles=("doctor",))).may("history.correct") for each in policies)
    started = time.monotonic()
    publisher.subject("u-1", roles=["receptionist"], active=True, version=2)
    for each in policies:
        assert within(SOON, lambda p=each: not p.actor(claims(roles=("doctor",))).may("history.correct"))
    assert time.monotonic() - started < SOON
    assert policies[0].actor(claims(roles=("doctor",))).roles == {"receptionist"}


@pytest.mark.target("C-08")
def test_an_ended_session_and_a_disabled_account_are_refused_within_two_seconds(
    follow: Follower, publisher: PolicyPublisher
) -> None:
    begun(publisher)
    policy = follow()
    assert within(5, lambda: policy.is_live)
    publisher.session("s-1")
    assert within(SOON, lambda: is_refused(policy))
    assert not is_refused(policy, sid="s-2")
    publisher.subject("u-1", roles=["nurse"], active=False, version=3)
    assert within(SOON, lambda: is_refused(policy, sid="s-2"))
    assert not is_refused(policy, sub="u-2", sid="s-2")


def test_a_process_that_starts_later_knows_from_the_snapshot_and_from_what_came_after_it(
    follow: Follower, publisher: PolicyPublisher
) -> None:
    until = time.time() + 900
    before = PolicyState(
        {"u-9": Subject((), active=False, version=4, until=until)},
        {"s-9": until},
        {"porter": Role(frozenset({"patients.read", "no.such"}), 1)},
    )
    begun(publisher, before)
    publisher.session("s-10")
    policy = follow()
    assert within(5, lambda: policy.is_live)
    assert is_refused(policy, sub="u-9", sid="s-1")
    assert is_refused(policy, sid="s-9")
    assert is_refused(policy, sid="s-10")
    assert policy.actor(claims(roles=("porter",))).permissions == {"patients.read"}


def test_own_roles_change_and_go(follow: Follower, publisher: PolicyPublisher) -> None:
    begun(publisher)
    policy = follow()
    publisher.role("porter", permissions=["patients.read"], version=1)
    assert within(SOON, lambda: policy.actor(claims(roles=("porter",))).may("patients.read"))
    publisher.role("porter", permissions=[], version=2)
    assert within(SOON, lambda: not policy.actor(claims(roles=("porter",))).permissions)
    publisher.role("super_admin", permissions=[], version=9)
    time.sleep(0.2)
    assert policy.actor(claims(roles=("super_admin",))).may("roles.assign"), "roles of the system are fixed"


def test_thirty_seconds_without_a_heartbeat_end_what_is_live_and_the_next_one_begins_it(
    follow: Follower, publisher: PolicyPublisher
) -> None:
    later = [0.0]
    begun(publisher)
    policy = follow(monotonic=lambda: time.monotonic() + later[0])
    assert within(5, lambda: policy.is_live)
    later[0] = 29.0
    assert policy.is_live
    later[0] = 31.0
    assert not policy.is_live
    assert policy.actor(claims()).roles == {"nurse"}, "the rest runs on"
    publisher.heartbeat()
    assert within(SOON, lambda: policy.is_live)


def test_old_heartbeats_in_the_stream_make_nothing_live(
    follow: Follower, publisher: PolicyPublisher, redis_url: str
) -> None:
    with redis.client(redis_url) as bus:
        seconds = int(bus.time()[0])
        bus.xadd(STREAM, {"kind": "heartbeat", "body": "{}"}, id=f"{(seconds - 60) * 1000}-1")
    publisher.write_snapshot(PolicyState)
    policy = follow()
    time.sleep(0.5)
    assert not policy.is_live
    publisher.heartbeat()
    assert within(SOON, lambda: policy.is_live)


def test_a_bus_that_was_emptied_forgets_nothing_here_and_is_live_again_with_its_snapshot(
    follow: Follower, publisher: PolicyPublisher, redis_url: str
) -> None:
    begun(publisher)
    old = follow()
    publisher.session("s-1")
    assert within(SOON, lambda: is_refused(old))
    with redis.client(redis_url) as bus:
        bus.flushdb()
    assert publisher.needs_snapshot()
    publisher.heartbeat()
    new = follow()
    time.sleep(0.5)
    assert is_refused(old)
    assert not new.is_live, "it may have missed something that only the lost snapshot said"
    begun(publisher, PolicyState(sessions={"s-1": time.time() + 900}))
    assert within(SOON, lambda: new.is_live)
    assert is_refused(new)
    publisher.session("s-2")
    assert within(SOON, lambda: is_refused(old, sid="s-2") and is_refused(new, sid="s-2"))
    assert not publisher.needs_snapshot()


def test_entries_that_are_not_of_the_form_are_passed_over(
    follow: Follower, publisher: PolicyPublisher, redis_url: str
) -> None:
    begun(publisher)
    policy = follow()
    assert within(5, lambda: policy.is_live)
    with redis.client(redis_url) as bus:
        bus.xadd(STREAM, {"kind": "subject", "body": "not json"})
        bus.xadd(STREAM, {"kind": "other", "body": "{}"})
        bus.xadd(STREAM, {"nothing": "here"})
        bus.xadd(STREAM, {"kind": "subject", "body": "[]"})
    publisher.session("s-1")
    assert within(SOON, lambda: is_refused(policy))


def test_a_spoiled_snapshot_counts_as_none(follow: Follower, publisher: PolicyPublisher, redis_url: str) -> None:
    with redis.client(redis_url) as bus:
        bus.set(SNAPSHOT, '{"position": "x"}')
    assert publisher.needs_snapshot()
    publisher.heartbeat()
    policy = follow()
    time.sleep(0.3)
    assert not policy.is_live
    begun(publisher)
    assert within(SOON, lambda: policy.is_live)


def test_the_owner_commits_between_the_place_and_the_state_and_nothing_is_lost(
    follow: Follower, publisher: PolicyPublisher
) -> None:
    def read() -> PolicyState:
        publisher.session("s-1")  # committed and published while the snapshot is being made, not yet seen by its read
        return PolicyState()

    publisher.write_snapshot(read)
    publisher.heartbeat()
    policy = follow()
    assert within(SOON, lambda: policy.is_live)
    assert is_refused(policy)


def test_the_stream_is_kept_short_by_its_heartbeats(publisher: PolicyPublisher, redis_url: str) -> None:
    with redis.client(redis_url) as bus:
        old_ms = (int(bus.time()[0]) - 7200) * 1000
        with bus.pipeline(transaction=False) as many:
            for index in range(1000):
                many.xadd(STREAM, {"kind": "heartbeat", "body": "{}"}, id=f"{old_ms + index}-0")
            many.execute()
        publisher.heartbeat()
        assert bus.xlen(STREAM) < 200


def test_the_bus_is_killed_and_comes_back_and_what_was_known_and_what_comes_holds(own_redis: OwnRedis) -> None:
    follow = Follower(own_redis.url)
    try:
        publisher = PolicyPublisher(redis.client(own_redis.url, timeout_s=2))
        begun(publisher)
        policy = follow()
        publisher.session("s-1")
        assert within(SOON, lambda: policy.is_live and is_refused(policy))
        own_redis.kill()
        time.sleep(1.0)
        assert is_refused(policy), "the last known state goes on"
        assert not is_refused(policy, sid="s-2")
        own_redis.start()
        publisher.session("s-2")
        publisher.heartbeat()
        assert within(SOON, lambda: is_refused(policy, sid="s-2"))
        assert policy.is_live
    finally:
        follow.stop()


def test_a_process_that_starts_while_the_bus_is_away_catches_up_when_it_is_there(own_redis: OwnRedis) -> None:
    follow = Follower(own_redis.url)
    try:
        publisher = PolicyPublisher(redis.client(own_redis.url, timeout_s=2))
        begun(publisher)
        publisher.session("s-1")
        own_redis.kill()
        policy = follow()
        time.sleep(0.3)
        assert policy.actor(claims()).roles == {"nurse"}
        assert not policy.is_live
        own_redis.start()
        publisher.heartbeat()
        assert within(SOON, lambda: policy.is_live and is_refused(policy))
    finally:
        follow.stop()


def test_a_client_with_a_short_timeout_is_followed_too(redis_url: str, publisher: PolicyPublisher) -> None:
    begun(publisher)
    policy = Policy(redis.client(redis_url, timeout_s=0.25), permissions=PERMISSIONS)
    policy.start()
    try:
        assert within(SOON, lambda: policy.is_live)
        time.sleep(1)
        publisher.session("s-1")
        assert within(SOON, lambda: is_refused(policy))
    finally:
        policy.stop()


def test_a_withdrawn_key_is_known_everywhere_in_time_and_says_that_there_is_another(
    follow: Follower, publisher: PolicyPublisher
) -> None:
    begun(publisher)
    policy, told = follow(), []
    policy.when_keys_change(lambda: told.append("changed"))
    assert within(SOON, lambda: policy.is_live)
    publisher.key("k-1")
    assert within(SOON, lambda: policy.is_withdrawn("k-1"))
    assert within(SOON, lambda: told == ["changed"])
    assert not policy.is_withdrawn("k-2")
    publisher.write_snapshot(lambda: PolicyState(keys={"k-1": time.time() + 60}))
    later = follow()
    assert within(SOON, lambda: later.is_withdrawn("k-1"))


def test_how_far_an_account_reaches_changes_in_time_for_tokens_that_are_out(
    follow: Follower, publisher: PolicyPublisher
) -> None:
    begun(publisher)
    policy = follow()
    assert policy.actor(claims()).covers_facility("f-2")
    areas = {"nurse": {"facilities": ["f-1"], "departments": []}}
    publisher.subject("u-1", roles=["nurse"], active=True, version=2, areas=areas, links=[["r-1", "linked", None]])
    assert within(SOON, lambda: not policy.actor(claims()).covers_facility("f-2"))
    actor = policy.actor(claims())
    assert actor.covers_facility("f-1")
    assert actor.is_about("r-1")
    publisher.subject("u-1", roles=["nurse"], active=True, version=3, areas=areas, links=[])
    assert within(SOON, lambda: not policy.actor(claims()).is_about("r-1"))


def test_a_role_that_wants_a_second_factor_leaves_nothing_of_tokens_without_one_in_time(
    follow: Follower, publisher: PolicyPublisher
) -> None:
    begun(publisher)
    policy = follow()
    with_code = {**claims(), "amr": ["pwd", "otp"], "auth_time": 1}
    program = {**claims(), "amr": ["svc"]}
    assert policy.actor(claims()).may("history.read")
    publisher.role("nurse", permissions=[], version=2, second_factor=True)
    assert within(SOON, lambda: not policy.actor(claims()).may("history.read"))
    assert policy.actor(claims()).permissions == {"account.open"}
    assert policy.actor(with_code).may("history.read"), "a fixed role keeps its fixed permissions"
    assert policy.actor(with_code).second_factor_at == 1
    assert policy.actor(program).may("history.read")
