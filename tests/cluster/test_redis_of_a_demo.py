"""Redis of a demo, started for real with the files and accounts that the chart makes."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from services.chassis import redis as chassis_redis
from standalone.servers import finding
from standalone.servers.ports import free
from tests.cluster.rendering import CHART, of_kind, rendered
from tests.waiting import wait_for


@pytest.fixture
def made() -> dict[str, str]:
    """What the chart made at random."""
    (secret,) = of_kind(rendered("demo"), "Secret")
    return {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}


@pytest.fixture
def records(made: dict[str, str], tmp_path: Path) -> Iterator[int]:
    """The port of the server that keeps the schedules."""
    port = free()
    (tmp_path / "acl").write_text(made["records.acl"], encoding="utf-8")
    text = (CHART / "files" / "redis-durable.conf").read_text(encoding="utf-8")
    text = text.replace("/data", str(tmp_path)).replace("/run/secrets/store/acl", str(tmp_path / "acl"))
    (tmp_path / "redis.conf").write_text(f"{text}port {port}\nbind 127.0.0.1\n", encoding="utf-8")
    with (tmp_path / "log").open("wb") as log:
        server = subprocess.Popen([finding.redis_server().path, tmp_path / "redis.conf"], stdout=log, stderr=log)
    try:
        wait_for(lambda: answers(port, made["records.password"]), what="Redis answers its administrator")
        yield port
    finally:
        server.terminate()
        server.wait(30)


def answers(port: int, password: str) -> bool:
    client = redis.Redis(port=port, password=password, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
    finally:
        client.close()


def test_the_service_finds_it_durable_and_may_nothing_dangerous(made, records):
    address = made["appointments.RECORDS_URL"].replace("house-infirmary-redis-records:6379", f"127.0.0.1:{records}")
    client = chassis_redis.client(address, timeout_s=5)
    try:
        chassis_redis.require_durable_everywhere(client, attested=False)
        client.set("k", "v")
        for command in (["FLUSHALL"], ["SHUTDOWN"], ["CONFIG", "SET", "appendonly", "no"], ["KEYS", "*"]):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)
    finally:
        client.close()


def test_nobody_enters_without_an_account_of_this_store(made, records):
    for address in ("redis://127.0.0.1", f"redis://appointments:{made['bus.appointments']}@127.0.0.1"):
        client = redis.Redis.from_url(f"{address}:{records}/0", retry=Retry(NoBackoff(), 0))
        with pytest.raises(redis.exceptions.AuthenticationError):
            client.ping()
        client.close()
