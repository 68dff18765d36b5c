"""Every client of Redis gives up in time, sends nothing twice by itself, and refuses an instance that forgets."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import redis as driver

from services.chassis import bus, redis
from services.chassis.bus import gauges
from services.chassis.jobs import Job, Timer
from services.chassis.stores import NotDurable, StoreAway
from standalone import servers
from tests import stores
from tests.integration.chassis.making import new_id, now

# Counts its executions, then keeps the server busy for longer than a client waits.
SLOW = """
redis.call('INCR', KEYS[1])
local function now() local t = redis.call('TIME') return t[1] * 1000 + t[2] / 1000 end
local start = now()
while now() - start < tonumber(ARGV[1]) do end
return 'done'
"""


@pytest.fixture
def own(tmp_path: Path):
    server = stores.Own("redis", tmp_path)
    server.start()
    yield server
    server.kill()


def test_a_script_slower_than_the_timeout_runs_exactly_once(own) -> None:
    with redis.client(own.url) as client:
        started = time.monotonic()
        with pytest.raises(driver.TimeoutError):
            client.eval(SLOW, 1, "runs", "800")
        assert time.monotonic() - started < 0.6
    time.sleep(1.0)
    with redis.client(own.url, timeout_s=5) as client:
        assert client.get("runs") == "1"


def test_a_timeout_means_that_the_store_is_away(own) -> None:
    with redis.client(own.url) as client, pytest.raises(StoreAway, match="TimeoutError"), redis.translated():
        client.eval(SLOW, 1, "runs", "800")


def test_a_server_that_is_not_there_is_known_in_a_quarter_second() -> None:
    started = time.monotonic()
    with redis.client("redis://127.0.0.1:9") as client, pytest.raises(StoreAway):
        redis.ping(client)
    assert time.monotonic() - started < 0.4


def test_a_wrong_command_is_no_absence(request: pytest.FixtureRequest) -> None:
    client = request.getfixturevalue("bus")
    client.set("word", "value")
    with pytest.raises(driver.ResponseError), redis.translated():
        client.xadd("word", {"a": "b"})


def test_an_instance_that_is_full_counts_as_away(own) -> None:
    with redis.client(own.url) as client:
        client.config_set("maxmemory", "1")
        with pytest.raises(StoreAway, match="OutOfMemory"), redis.translated():
            client.set("word", "value")


def test_an_instance_that_is_full_counts_as_away_within_a_script_too(own) -> None:
    """Servers before 7.0 say first where in the script it was."""
    with redis.client(own.url) as client:
        client.config_set("maxmemory", "1")
        with pytest.raises(StoreAway, match=r"OOM|OutOfMemory"), redis.translated():
            client.eval("return redis.call('SET', KEYS[1], 'value')", 1, "word")


def test_the_bus_of_the_tests_is_durable(request: pytest.FixtureRequest) -> None:
    redis.require_durable(request.getfixturevalue("bus"))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("appendonly", "no"),
        ("appendfsync", "everysec"),
        ("no-appendfsync-on-rewrite", "yes"),
        ("maxmemory-policy", "allkeys-lru"),
    ],
)
def test_an_instance_that_may_forget_is_refused_by_name_of_the_setting(own, name, value) -> None:
    with redis.client(own.url) as client:
        client.config_set(name, value)
        with pytest.raises(NotDurable) as found:
            redis.require_durable(client)
    assert found.value.settings == (f"{name}={value}",)


def test_the_account_of_a_service_may_do_all_that_a_worker_does(tmp_path: Path) -> None:
    """With the rights that the house gives its services: no look at all keys, nothing that empties or reconfigures."""
    program, port = servers.finding.redis_server(), servers.ports.free()
    server = servers.Redis(
        program, home=tmp_path, port=port, role="bus", users={"things": "made-for-this-test"}, admin_password="as-well"
    )
    with servers.running(server, log=tmp_path / "log"), redis.client(server.url(user="things"), timeout_s=2) as client:
        redis.require_durable(client)
        group = bus.Group(client, stream="events.things", name="things")
        group.ensure()
        client.xadd("events.things", {"event": "{}"})
        (entry,) = group.read(client, consumer="one", count=1, block_s=0.1)
        group.keep("one", [entry.id])
        group.put_aside(entry.id, attempts=1)
        (waiting,) = group.pending(idle_s=0, holder="waiting")
        taken = group.take(waiting, consumer="retry.one", attempt=2)
        group.bury(taken, facts=dict.fromkeys(("event_id", "type", "error", "trace"), "x") | {"attempts": "5"})
        group.forget_idle_consumers()
        gauges.look(client, stream="events.things", group="things")
        bus.trim(client, "events.things")
        assert len(bus.redrive(client, "things")[0]) == 1
        runs: list[str] = []
        job = Job(name="alone", every_s=9, run=lambda call: runs.append(call.operation), alone=True)
        Timer(job, service="things", bus=client, clock=now, new_id=new_id)._alone()
        assert runs == ["job:alone"]
        with pytest.raises(driver.exceptions.NoPermissionError):
            client.flushall()


def test_an_instance_that_hides_its_settings_is_refused_unless_attested(own) -> None:
    with redis.client(own.url) as admin:
        admin.acl_setuser(
            "service", enabled=True, passwords=["+secret"], keys=["*"], categories=["+@all"], commands=["-config"]
        )
    url = own.url.replace("redis://", "redis://service:secret@")
    with redis.client(url) as client:
        with pytest.raises(NotDurable):
            redis.require_durable(client)
        redis.require_durable(client, attested=True)
