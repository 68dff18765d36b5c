"""Migrations bring an empty or old store to the newest schema, whoever runs them, how often, and however they end."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from services.chassis import mongo, sql
from services.chassis.stores import StoreAway, StoreBusy
from tests.integration.chassis.making import HERE, MIGRATIONS, SCRIPTS
from tests.waiting import wait_for

ROOT = HERE.parents[2]


@pytest.fixture
def url(new_postgres) -> str:
    return new_postgres()


@pytest.fixture
def engine(url: str):
    made = sql.engine(url, name="t")
    yield made
    made.dispose()


@pytest.fixture
def documents_database(mongo_server, mongo_database):
    client = mongo.client(mongo_server, operation_s=30)
    client.drop_database(mongo_database)
    yield client[mongo_database]
    client.close()


def columns(engine: sa.Engine) -> set[str]:
    return {each["name"] for each in sa.inspect(engine).get_columns("things")}


def versions(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalars())


def write_revision(folder: Path, number: int, body: str) -> None:
    """A revision in a folder of a test's own."""
    before = repr(f"{number - 1:04}") if number > 1 else "None"
    head = f"import os, time\nfrom alembic import op\n\nrevision = '{number:04}'\ndown_revision = {before}\n\n\n"
    (folder / f"{number:04}_step.py").write_text(f"{head}def upgrade():\n    {body}\n")


def test_an_empty_database_comes_to_the_head(url, engine) -> None:
    sql.migrate(url, MIGRATIONS)
    assert columns(engine) == {"name", "number", "colour"}
    assert versions(engine) == ["0002"]
    sql.at_head(engine, MIGRATIONS)


def test_what_is_at_the_head_is_left_alone(url, engine) -> None:
    for _ in range(3):
        sql.migrate(url, MIGRATIONS)
    assert versions(engine) == ["0002"]


def test_data_outlives_a_migration(url, engine) -> None:
    sql.migrate(url, MIGRATIONS, target="0001")
    with engine.begin() as connection:
        connection.execute(sa.text("INSERT INTO things (name) VALUES ('chair')"))
    sql.migrate(url, MIGRATIONS)
    with engine.connect() as connection:
        assert connection.execute(sa.text("SELECT name, colour FROM things")).all() == [("chair", None)]


def test_the_technical_tables_are_as_the_first_migration_makes_them(url, engine) -> None:
    sql.migrate(url, MIGRATIONS)
    metadata = sa.MetaData()
    sql.technical_tables(metadata)
    things = sa.Table("things", metadata, sa.Column("name", sa.Text, primary_key=True))
    things.append_column(sa.Column("number", sa.Integer))
    things.append_column(sa.Column("colour", sa.Text))
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_old_schema_is_not_ready_and_a_newer_one_is(url, engine, tmp_path) -> None:
    with pytest.raises(StoreBusy, match="migrations_missing"):
        sql.at_head(engine, MIGRATIONS)
    sql.migrate(url, MIGRATIONS, target="0001")
    with pytest.raises(StoreBusy, match="migrations_missing"):
        sql.at_head(engine, MIGRATIONS)
    sql.migrate(url, MIGRATIONS)
    write_revision(tmp_path, 1, "pass")
    sql.at_head(engine, MIGRATIONS)
    sql.at_head(engine, tmp_path)  # code that knows 0001 only stands on a database that newer code has migrated


def three_at_once(act: Callable[[], object]) -> None:
    with ThreadPoolExecutor(3) as pool:
        for done in [pool.submit(act) for _ in range(3)]:
            done.result(60)


def test_two_at_once_take_turns(url, engine, tmp_path) -> None:
    for number in range(1, 5):
        write_revision(tmp_path, number, f"time.sleep(0.1); op.execute('CREATE TABLE t{number} (id int)')")
    three_at_once(lambda: sql.migrate(url, tmp_path))
    assert versions(engine) == ["0004"]


def test_one_that_waits_too_long_for_another_says_so(url) -> None:
    from services.chassis.sql import migrations

    holder = sql.engine(url, name="holder", pool=0)
    with holder.connect() as connection:
        connection.execute(sa.text("SELECT pg_advisory_lock(:number)"), {"number": migrations._LOCK})
        with pytest.raises(StoreAway, match="another migration"):
            sql.migrate(url, MIGRATIONS, patience_s=0.5)


@pytest.mark.target("B-29")
def test_a_run_that_is_killed_half_way_is_finished_by_the_next(url, engine, tmp_path) -> None:
    """Killed in the middle of the second revision: the first is kept, the second is rolled back, the lock is free."""
    write_revision(tmp_path, 1, "op.execute('CREATE TABLE one (id int)')")
    marker = tmp_path / "inside"
    write_revision(tmp_path, 2, f"op.execute('CREATE TABLE two (id int)'); _slowly({str(marker)!r})")
    with (tmp_path / "0002_step.py").open("a") as script:
        script.write(
            "\n\ndef _slowly(marker):\n    if not os.path.exists(marker):\n        open(marker, 'w').close()\n"
            "        time.sleep(60)\n"
        )
    code = "import sys, pathlib; from services.chassis import sql; sql.migrate(sys.argv[1], pathlib.Path(sys.argv[2]))"
    run = subprocess.Popen([sys.executable, "-c", code, url, str(tmp_path)], cwd=ROOT)
    wait_for(marker.exists, within_s=60)
    run.kill()
    run.wait()
    assert versions(engine) == ["0001"]
    assert set(sa.inspect(engine).get_table_names()) == {"alembic_version", "one"}
    sql.migrate(url, tmp_path)
    assert versions(engine) == ["0002"]
    assert sa.inspect(engine).has_table("two")


@pytest.mark.target("B-28")
def test_a_change_of_a_table_in_use_gives_way_and_tries_again(url, engine) -> None:
    """While a reader holds the table, the migration waits one second at a time, and others get in between."""
    sql.migrate(url, MIGRATIONS, target="0001")
    holder = sql.engine(url, name="holder", pool=0, idle_in_transaction_s=60)
    thread = threading.Thread(target=sql.migrate, args=(url, MIGRATIONS))
    with holder.connect() as connection:
        connection.execute(sa.text("SELECT * FROM things"))
        thread.start()
        started, longest = time.monotonic(), 0.0
        while time.monotonic() - started < 3:
            asked = time.monotonic()
            with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as other:
                other.exec_driver_sql("SET lock_timeout = 0")
                other.exec_driver_sql("SET statement_timeout = 0")
                other.execute(sa.text("SELECT count(*) FROM things"))
            longest = max(longest, time.monotonic() - asked)
            time.sleep(0.02)
        assert columns_at(connection) == {"name", "number"}
    thread.join(60)
    assert longest < 1.4
    assert columns(engine) == {"name", "number", "colour"}


def columns_at(connection: sa.Connection) -> set[str]:
    found = sa.text("SELECT column_name FROM information_schema.columns WHERE table_name = 'things'")
    return set(connection.execute(found).scalars())


def test_an_empty_mongo_database_comes_to_the_head_once(documents_database) -> None:
    with pytest.raises(StoreBusy, match="migrations_missing"):
        mongo.at_head(documents_database, SCRIPTS)
    for _ in range(2):
        mongo.migrate(documents_database, SCRIPTS)
    mongo.at_head(documents_database, SCRIPTS)
    assert [row["_id"] for row in documents_database["migrations"].find().sort("_id")] == ["0001_first", "0002_colour"]
    assert "outbox_unsent" in documents_database["outbox"].index_information()
    assert documents_database["migrations_lock"].count_documents({}) == 0


def test_several_mongo_migrations_at_once_apply_each_script_once(documents_database, tmp_path) -> None:
    for number in range(1, 4):
        body = f"database['runs'].insert_one({{'step': {number}}})"
        (tmp_path / f"{number:04}_step.py").write_text(
            f"import time\n\n\ndef up(database):\n    time.sleep(0.1)\n    {body}\n"
        )
    three_at_once(lambda: mongo.migrate(documents_database, tmp_path))
    assert sorted(row["step"] for row in documents_database["runs"].find()) == [1, 2, 3]


def test_a_mongo_migration_that_died_holds_the_next_only_until_its_lease_ends(documents_database) -> None:
    documents_database["migrations_lock"].update_one(
        {"_id": "lock"}, [{"$set": {"holder": "gone", "until": {"$add": ["$$NOW", 700]}}}], upsert=True
    )
    started = time.monotonic()
    mongo.migrate(documents_database, SCRIPTS)
    assert time.monotonic() - started > 0.5
    mongo.at_head(documents_database, SCRIPTS)


def test_a_mongo_script_that_failed_is_tried_again_by_the_next_run(documents_database, tmp_path) -> None:
    script = tmp_path / "0001_step.py"
    script.write_text("def up(database):\n    database['runs'].insert_one({'_id': 1})\n    raise LookupError\n")
    with pytest.raises(LookupError):
        mongo.migrate(documents_database, tmp_path)
    with pytest.raises(StoreBusy):
        mongo.at_head(documents_database, tmp_path)
    script.write_text(
        "def up(database):\n    database['runs'].update_one({'_id': 1}, {'$set': {'a': 1}}, upsert=True)\n"
    )
    mongo.migrate(documents_database, tmp_path)
    mongo.at_head(documents_database, tmp_path)
