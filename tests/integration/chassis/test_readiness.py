"""`infirmary wait`: no process is begun before what it wants is there; who looks is told what is missing, once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from services.chassis import readiness, sql
from services.chassis.service import Service
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
