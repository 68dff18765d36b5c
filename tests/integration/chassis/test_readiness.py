"""`infirmary wait`: no process is begun before what it wants is there; who looks is told what is missing, once."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from services.chassis import readiness, sql
from services.chassis.service import Service
from services.chassis.stores import NotDurable
from standalone.servers.ports import free
from tests import waiting
from tests.integration.chassis import small_service
from tests.integration.chassis.making import MIGRATIONS


@pytest.fixture
def small(new_postgres: Callable[[], str], redis_url: str, tmp_path: Path) -> Service:
    """A service whose database is there and was never migrated."""
    url = new_postgres()
    service = small_service.build(url, redis_url, tmp_path)
    engine = sql.engine(url, name="waiting", pool=0)
    return replace(service, before_start={"schema": partial(sql.at_head, engine, MIGRATIONS)})


def waiting_for(service: Service, said: list[str], *, schema: bool = True) -> threading.Thread:
    thread = threading.Thread(
        target=lambda: readiness.wait(service, schema=schema, say=said.append, pause=lambda _: None), daemon=True
    )
    thread.start()
    return thread


def test_it_waits_for_the_schema_and_says_so_once(small):
    said: list[str] = []
    thread = waiting_for(small, said)
    waiting.wait_for(lambda: said)
    small.migrate()
    thread.join(30)
    assert said == ["listener waits for schema (StoreBusy)", "listener has what it wants: database, schema"]


def test_a_migration_waits_for_its_store_and_not_for_the_schema_that_it_brings(small):
    said: list[str] = []
    waiting_for(small, said, schema=False).join(30)
    assert said == ["listener has what it wants: database"]


def test_each_change_of_what_is_missing_is_said(small):
    away = sql.engine(f"postgresql://nobody@127.0.0.1:{free()}/nothing", name="away", pool=0)
    known: list[int] = []

    def comes_back() -> None:
        """Away until somebody was told, and then there."""
        if not known:
            sql.at_head(away, MIGRATIONS)

    small.migrate()
    said: list[str] = []
    thread = waiting_for(replace(small, readiness={"records": comes_back}), said)
    waiting.wait_for(lambda: said)
    known.append(1)
    thread.join(30)
    assert said == ["listener waits for records (StoreAway)", "listener has what it wants: records, schema"]


def test_a_store_that_may_lose_what_it_confirmed_is_waited_for_with_what_is_wrong_about_it(small):
    wrong = ["appendfsync=everysec"]

    def look() -> None:
        if wrong:
            raise NotDurable("redis", settings=wrong)

    small.migrate()
    said: list[str] = []
    thread = waiting_for(replace(small, start_checks=[look]), said)
    waiting.wait_for(lambda: said)
    wrong.clear()
    thread.join(30)
    assert said[0] == "listener waits for durability (not durable: appendfsync=everysec)"
    assert said[1:] == ["listener has what it wants: database, schema, durability"]


def test_a_store_that_is_away_is_said_by_its_own_name_only(small):
    away = sql.engine(f"postgresql://nobody@127.0.0.1:{free()}/nothing", name="away", pool=0)
    small.migrate()
    said: list[str] = []
    waiting_for(replace(small, start_checks=[partial(sql.require_durable, away)]), said).join(30)
    assert said == ["listener has what it wants: database, schema, durability"]


def test_wrong_settings_are_said_once_and_waited_for_until_their_files_are_right(tmp_path: Path):
    """As the process of a pod, whose files of secrets change when the Secret is changed."""
    files = {"BUS_URL": "redis://127.0.0.1", "SERVICE_SECRET": "s" * 40, "DATABASE_URL": "nowhere"}
    for name, value in files.items():
        (tmp_path / name).write_text(value, encoding="utf-8")
    environ = {f"{name}_FILE": str(tmp_path / name) for name in (*files, "DOCTORS_URL")}
    environ |= {"PATH": os.environ["PATH"], "PYTHONPATH": str(Path.cwd()), "IDENTITY_URL": "http://identity:8080"}
    log = tmp_path / "log"
    command = [sys.executable, "-m", "services.chassis", "wait", "patients"]
    with log.open("wb") as out, subprocess.Popen(command, env=environ, stdout=out, stderr=out) as process:
        try:
            waiting.wait_for(lambda: b"\n" in log.read_bytes(), within_s=60, what="it says what is wrong")
            (tmp_path / "DOCTORS_URL").write_text("http://doctors:8080", encoding="utf-8")
            waiting.wait_for(lambda: log.read_bytes().count(b"\n") == 2, what="it says what is still wrong")
            address = f"postgresql://nobody:nothing@127.0.0.1:{free()}/nothing"
            (tmp_path / "DATABASE_URL").write_text(address, encoding="utf-8")
            waiting.wait_for(lambda: b"StoreAway" in log.read_bytes(), within_s=30, what="it looks for its store")
        finally:
            process.terminate()
    wrong = "patients waits for settings: DATABASE_URL is no address like postgresql://…"
    assert process.returncode == 143
    assert log.read_text(encoding="utf-8").splitlines() == [
        f"{wrong}; DOCTORS_URL is in a file that cannot be read",
        wrong,
        "patients waits for database (StoreAway), schema (StoreAway)",
    ]
