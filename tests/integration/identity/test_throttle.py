"""Guessing: counted by account, device, address and house; waits that end, outlive a restart, and are lifted."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.chassis.policy import Policy
from services.identity import app
from tests.integration.identity import making

FULL, SHORT = 10_000, 500


def counters(house, **wanted):
    """The counters that an administrator sees, those with these members."""
    query = {name: value for name, value in wanted.items() if name == "user_id"}
    found = house.with_token("list_sign_in_counters", house.admin(), query=query).body["items"]
    return [each for each in found if all(each[name] == value for name, value in wanted.items())]


def guess(house, username, times, **more):
    """Give a wrong password so many times; the statuses."""
    return [house.sign_in(username, f"wrong password number {n}", **more).status for n in range(times)]


def lift(house, counter):
    """Lift a counter."""
    return house.with_token("clear_sign_in_counter", house.admin(), counter_id=counter["id"]).status


def test_a_lock_ends_by_itself_or_is_lifted_and_an_administrator_is_never_locked_out_for_good(house):
    user, tokens = house.signed_in("nurse")
    assert guess(house, user["username"], 12) == [401] * 10 + [429] * 2
    mine = counters(house, user_id=user["id"], kind="account")
    assert [each["failures"] for each in mine] == [10]
    assert house.sign_in(user["username"], making.PASSWORD).status == 429
    assert lift(house, mine[0]) == 204
    assert house.sign_in(user["username"], making.PASSWORD).status == 201, "lifted"
    guess(house, user["username"], 11)
    making.rows(house, "UPDATE failure_counters SET closed_until = now() - interval '1 second'")
    assert house.sign_in(user["username"], making.PASSWORD).status == 201, "ended by itself"
    by_address(house)
    device = house.sign_in("admin", making.ADMIN).body["device_token"]
    guess(house, "admin", 11)
    assert house.sign_in("admin", making.ADMIN).status == 429, "somebody else shuts the administrator out"
    assert house.sign_in("admin", making.ADMIN, device=device).status == 201, "and not from a known device"
    making.rows(house, "DELETE FROM failure_counters")
    assert tokens["session_id"]


def by_address(house):
    """An address waits too, whatever names it tries, and is lifted as an account is."""
    where = {"headers": {"x-forwarded-for": "198.51.100.77"}}
    making.rows(house, "DELETE FROM failure_counters")
    house.sign_in("nobody.here", "wrong wrong wrong", **where)
    (mine,) = counters(house, kind="source", source="198.51.100.77")
    making.rows(house, "UPDATE failure_counters SET closed_until = now() + interval '1 minute' WHERE kind = 'source'")
    user, _ = house.user("nurse"), None
    assert house.sign_in(user["username"], user["one_time_password"], **where).status == 429
    assert lift(house, mine) == 204
    assert house.sign_in(user["username"], user["one_time_password"], **where).status == 201


@pytest.mark.target("C-10")
@pytest.mark.timeout(900)
def test_of_ten_thousand_guesses_at_most_a_hundred_are_looked_at(house, rounds):
    user, _ = house.signed_in("nurse")
    times = rounds(full=FULL, short=SHORT)
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda n: house.sign_in(user["username"], f"guess number {n}").status, range(times)))
    looked_at = got.count(401)
    assert looked_at <= 100
    assert looked_at + got.count(429) + got.count(503) == times
    making.rows(house, "DELETE FROM failure_counters")


def test_a_hundred_failures_in_a_row_shut_the_way_of_strangers_for_a_month_and_not_that_of_a_known_device(house):
    user, tokens = house.signed_in("nurse")
    device = house.sign_in(user["username"], making.PASSWORD).body["device_token"]
    guess(house, user["username"], 1)
    making.rows(house, "UPDATE failure_counters SET failures = 99, closed_until = NULL WHERE about = %s", user["id"])
    assert guess(house, user["username"], 2) == [401, 429]
    got = house.sign_in(user["username"], making.PASSWORD)
    assert int(got.headers["retry-after"]) > 29 * 86_400
    assert house.sign_in(user["username"], making.PASSWORD, device=device).status == 201
    assert lift(house, counters(house, user_id=user["id"], kind="account")[0]) == 204
    assert house.sign_in(user["username"], making.PASSWORD).status == 201
    assert tokens["access_token"]


def test_a_device_token_opens_nothing_and_counts_for_its_own_name_only(house):
    user, _ = house.signed_in("nurse")
    other, _ = house.signed_in("nurse")
    device = house.sign_in(user["username"], making.PASSWORD).body["device_token"]
    guess(house, other["username"], 11)
    for token in (device, device[:-2] + "AA", "nonsense", "A" * 70):
        assert house.sign_in(other["username"], making.PASSWORD, device=token).status == 429
    assert guess(house, user["username"], 12, device=device) == [401] * 10 + [429] * 2, "it has a count of its own"
    assert house.sign_in(user["username"], making.PASSWORD).status == 201, "which closes no other way"


@pytest.mark.target("C-10")
def test_a_restart_forgets_no_count(house, redis_url):
    user, _ = house.signed_in("nurse")
    guess(house, user["username"], 11)
    url = house.service.settings.database_url.get_secret_value()
    service = app.service(making.environ(url, redis_url))
    from services.chassis import redis

    bus = redis.client(redis_url, timeout_s=5)
    again = making.RealHouse(service, Policy(bus, permissions=making.permissions(service)))
    assert again.sign_in(user["username"], making.PASSWORD).status == 429
    again.close()
    bus.close()


@pytest.mark.target("C-10")
def test_the_source_is_what_the_gateway_saw_and_not_what_a_client_says(house):
    house.admin()  # whose first password is tried before it is changed, which would count
    making.rows(house, "DELETE FROM failure_counters")
    spoofed = "203.0.113.9, 192.0.2.44"  # the gateway appends the address that it sees
    house.sign_in("somebody.else", "wrong wrong wrong", headers={"x-forwarded-for": spoofed})
    assert [each["source"] for each in counters(house, kind="source")] == ["192.0.2.44"]


def test_many_failures_of_all_together_make_strangers_wait_a_minute_and_known_devices_not(house):
    user, _ = house.signed_in("nurse")
    device = house.sign_in(user["username"], making.PASSWORD).body["device_token"]
    making.rows(house, "DELETE FROM failure_counters")
    guess(house, "a.name.of.nobody", 1)
    making.rows(house, "UPDATE failure_counters SET failures = 299 WHERE kind = 'house'")
    assert guess(house, "another.name", 1) == [401]
    got = house.sign_in(user["username"], making.PASSWORD)
    assert got.status == 429
    assert int(got.headers["retry-after"]) <= 60
    assert house.sign_in(user["username"], making.PASSWORD, device=device).status == 201
    making.rows(house, "DELETE FROM failure_counters")


def test_what_was_typed_as_a_name_is_shown_to_nobody(house):
    guess(house, "my.secret.password", 1)
    shown = counters(house, kind="account")
    assert "my.secret.password" not in str(shown)
    assert any(each["user_id"] is None for each in shown)
    kept = "".join(row["line"] for row in making.rows(house, "SELECT t::text AS line FROM failure_counters AS t"))
    assert "my.secret.password" not in kept


@pytest.mark.target("C-09")
def test_fifty_sign_ins_at_once_take_no_more_memory_than_the_cap_allows(house):
    user, _ = house.signed_in("nurse")
    hasher = house.service.controller._desk.passwords
    most, before = 0, time.monotonic()
    free = hasher._places._initial_value
    with ThreadPoolExecutor(50) as pool:
        running = [pool.submit(house.sign_in, user["username"], making.PASSWORD) for _ in range(50)]
        while not all(each.done() for each in running):
            most = max(most, free - hasher._places._value)
            time.sleep(0.005)
    assert most <= house.service.settings.hashes_at_once == 2
    assert {each.result().status for each in running} <= {201, 429, 503}
    assert time.monotonic() - before < 60
