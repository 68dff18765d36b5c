"""The first start, the worker's policy jobs, and settings that are refused."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial

import psycopg
import pyotp
import pytest

from services.chassis import redis, sql
from services.chassis.call import Call
from services.chassis.config import SettingsError
from services.chassis.policy import Policy
from services.chassis.policy_stream import SNAPSHOT, STREAM, PolicyPublisher
from services.chassis.service import new_id, now
from services.identity import app, jobs
from services.identity.app.voice import Voice
from services.identity.repository.upkeep import OldRows, PolicyRows
from services.kernel.access import NOBODY
from tests.integration.identity import making


def run(service, name, *, at=None):
    """Run one job of the service now."""
    made = new_id()
    job = next(each for each in service.jobs if each.name == name)
    job.run(Call(id=made, operation=name, actor=NOBODY, at=at or now(), request_id=str(made)))


def start(service):
    """Run the checks that come before a process serves."""
    for check in service.start_checks:
        check()


def test_a_house_starts_once_however_many_start_it(new_postgres, redis_url):
    url = new_postgres()
    services = [app.service(making.environ(url, redis_url)) for _ in range(3)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda each: each.migrate(), services))
    services[0].migrate()
    with psycopg.connect(url) as admin:
        accounts = admin.execute("SELECT username, version FROM accounts ORDER BY username").fetchall()
        keys = admin.execute("SELECT count(*) FROM signing_keys").fetchone()[0]
        entries = admin.execute("SELECT count(*) FROM outbox WHERE type = 'audit.recorded.v1'").fetchone()[0]
    assert accounts == [("admin", 1), ("history", 1), ("identity", 1), ("patients", 1)]
    assert keys == 1
    assert entries == 5, "each thing that was made has one entry"
    for each in services:
        for close in each.close:
            close()


def test_a_later_start_leaves_the_password_alone_and_takes_a_new_secret(new_postgres, redis_url):
    url = new_postgres()
    ways_in = "SELECT username, coalesce(password_hash, encode(secret_digest, 'hex')) FROM accounts"
    service = app.service(making.environ(url, redis_url))
    service.migrate()
    with psycopg.connect(url) as admin:
        before = dict(admin.execute(ways_in))
    changed = making.environ(url, redis_url, SUPER_ADMIN_PASSWORD="another-first-password-1")
    changed["SERVICE_ACCOUNTS"] = changed["SERVICE_ACCOUNTS"].replace("hhhhhhhhhh", "iiiiiiiiii")
    later = app.service(changed)
    later.migrate()
    with psycopg.connect(url) as admin:
        after = dict(admin.execute(ways_in))
    assert {name for name in before if before[name] != after[name]} == {"history"}
    for each in (service, later):
        for close in each.close:
            close()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MASTER_KEY", "too short"),
        ("MASTER_KEY", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="),
        ("SUPER_ADMIN_PASSWORD", "hunter-2"),
        ("SERVICE_ACCOUNTS", "not json"),
        ("SERVICE_ACCOUNTS", '{"history": "guessable"}'),
        ("SERVICE_ACCOUNTS", '{"Bad Name": "0123456789012345678901234567890123456789"}'),
        ("DATABASE_URL", ""),
    ],
)
def test_a_bad_setting_is_named_without_its_value(name, value):
    with pytest.raises(SettingsError, match=name) as refused:
        app.service(making.environ("postgresql://x/y", "redis://x", **{name: value}))
    assert not value or value not in str(refused.value)


def test_another_master_key_is_refused_at_the_start(house):
    url = house.service.settings.database_url.get_secret_value()
    environ = making.environ(url, "redis://127.0.0.1:9", MASTER_KEY="AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    service = app.service(environ)
    with pytest.raises(SettingsError, match="MASTER_KEY"):
        start(service)
    start(house.service)
    for close in service.close:
        close()


def test_what_the_web_process_could_not_tell_the_worker_tells(house, redis_url):
    bus = redis.client(redis_url, timeout_s=5)
    policy = Policy(bus, permissions=making.permissions(house.service))
    publisher = PolicyPublisher(bus)
    database = sql.Database(
        sql.engine(house.service.settings.database_url.get_secret_value(), name="test", pool=2),
        service="identity",
        clock=now,
        new_id=new_id,
    )
    rows = PolicyRows(database)
    user, tokens = house.signed_in("nurse")
    making.rows(house, "UPDATE policy_changes SET published_at = NULL")
    assert rows.has_unsent(before=now() + timedelta(seconds=1))
    beat = partial(jobs.beat, rows=rows, publisher=publisher)
    late = now() + timedelta(seconds=3)
    call = Call(id=new_id(), operation="job", actor=NOBODY, at=late, request_id="r")
    beat(call)
    assert bus.xlen(STREAM) == 0, "no heartbeat while something is unsent"
    jobs.send_policy(call, rows=rows, tell=Voice(publisher).surely, publisher=publisher)
    assert not rows.has_unsent(before=late)
    beat(call)
    assert bus.get(SNAPSHOT) is not None
    policy._rebuild()
    assert policy.is_live
    assert making.state(policy).subjects[user["id"]].roles == ("nurse",)
    bus.delete(STREAM)
    fresh = Policy(bus, permissions=making.permissions(house.service))
    fresh._rebuild()
    assert making.state(fresh).subjects[user["id"]].roles == ("nurse",), "the snapshot holds it without the stream"
    assert tokens["session_id"] not in making.state(fresh).sessions
    database.engine.dispose()
    bus.close()


def test_a_sign_out_while_the_bus_is_away_is_told_later(new_postgres, redis_url):
    url = new_postgres()
    service = app.service(making.environ(url, "redis://127.0.0.1:9"))
    service.migrate()
    bus = redis.client(redis_url, timeout_s=5)
    away = making.RealHouse(service, Policy(bus, permissions=making.permissions(service)))
    _, tokens = away.signed_in("nurse")
    assert away.with_token("sign_out", tokens["access_token"]).status == 204, "the answer does not wait for the bus"
    assert away.with_token("get_own_account", tokens["access_token"]).status == 200, "nobody knows it yet"
    back = app.service(making.environ(url, redis_url))
    run(back, "identity_policy")
    assert away.with_token("get_own_account", tokens["access_token"]).status == 401
    for close in back.close:
        close()
    away.close()
    bus.close()


def test_an_old_key_is_turned_by_the_job_and_a_spent_private_half_is_erased(new_postgres, redis_url):
    url = new_postgres()
    service = app.service(making.environ(url, redis_url))
    service.migrate()
    run(service, "identity_keys", at=now() + timedelta(days=29))
    run(service, "identity_keys", at=now() + timedelta(days=30, minutes=1))
    run(service, "identity_keys", at=now() + timedelta(days=30, minutes=2))
    run(service, "identity_keys", at=now() + timedelta(days=30, hours=1))
    with psycopg.connect(url) as admin:
        found = admin.execute("SELECT sealed IS NULL FROM signing_keys ORDER BY signs_from").fetchall()
    assert found == [(True,), (False,)]
    for close in service.close:
        close()


def test_old_rows_are_forgotten_and_living_ones_stay(house):
    _, tokens = house.signed_in("nurse")
    database = sql.Database(
        sql.engine(house.service.settings.database_url.get_secret_value(), name="test", pool=2),
        service="identity",
        clock=now,
        new_id=new_id,
    )
    house.sign_in("nobody.known", "a long but wrong password")
    OldRows(database).forget(at=now())
    assert house.refresh(tokens["refresh_token"]).status == 200
    making.rows(house, "UPDATE policy_changes SET published_at = now()")
    OldRows(database).forget(at=now() + timedelta(days=40))
    for table in ("sessions", "refresh_tokens", "failure_counters", "policy_changes"):
        assert making.rows(house, f"SELECT 1 FROM {table}") == []
    database.engine.dispose()


def test_whoever_commands_the_machine_lets_a_super_admin_in_who_has_lost_every_way(house, capsys):
    user, tokens = house.signed_in("super_admin")
    begun = house.with_token("start_second_factor", tokens["access_token"], body={"current_password": making.PASSWORD})
    code = {"code": pyotp.TOTP(begun.body["secret"]).now()}
    assert house.with_token("confirm_second_factor", tokens["access_token"], body=code).status == 200
    for number in range(11):
        house.sign_in(user["username"], f"wrong password number {number}")
    command = house.service.commands["rescue"].run
    assert (command([]), command(["nobody.at.all"]), command(["history"])) == (2, 1, 1)
    capsys.readouterr()
    assert command([user["username"].upper()]) == 0
    password = capsys.readouterr().out.partition("one-time password: ")[2].strip()
    got = house.sign_in(user["username"], password)
    assert (got.status, got.body["must_change_password"]) == (201, True)
    assert house.with_token("get_own_account", tokens["access_token"]).status == 401
    entry = making.entries(house, "rescue")[-1]
    assert (entry["actor"], entry["record_id"]) == ("operator", user["id"])
