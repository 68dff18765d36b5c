"""PostgreSQL: no wait without an end, no lost connection that shows, no value in an error."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import sqlalchemy as sa
from opentelemetry import trace
from sqlalchemy import event

from services.chassis import sql
from services.chassis.stores import NotDurable, StoreAway, StoreBusy
from tests import stores
from tests.integration.chassis.making import insert_thing, make_call, new_id, now, sql_store, things


@pytest.fixture(scope="module")
def module_own(tmp_path_factory) -> Iterator[stores.Own]:
    server = stores.Own("postgres", tmp_path_factory.mktemp("postgres"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own(module_own: stores.Own) -> Iterator[sql.Database]:
    """A database on a server that the test may stop and kill."""
    made = sql_store(module_own.url)
    with made.engine.begin() as connection:
        connection.execute(sa.text("TRUNCATE things, outbox, inbox, idempotency"))
    yield made
    made.engine.dispose()


@contextmanager
def taking(*, at_least: float = 0.0, at_most: float) -> Iterator[None]:
    """What is inside takes so long, in seconds."""
    started = time.monotonic()
    yield
    assert at_least <= time.monotonic() - started < at_most


def pids(database: sql.Database, count: int) -> set[int]:
    """Fill the pool with so many connections and say their backends."""
    opened = [database.engine.connect() for _ in range(count)]
    found = {connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one() for connection in opened}
    for connection in opened:
        connection.close()
    return found


def terminate(server_url: str, backends: set[int]) -> None:
    """End these backends as an administrator."""
    admin = sql.engine(server_url, name="admin", pool=0)
    with admin.begin() as connection:
        for pid in backends:
            connection.execute(sa.text("SELECT pg_terminate_backend(:pid, 5000)"), {"pid": pid})


def test_connections_that_died_in_the_pool_are_replaced_without_anyone_noticing(database, postgres_server) -> None:
    dead = pids(database, 5)
    terminate(postgres_server, dead)
    for _ in range(5):
        with database.begin(make_call()) as unit:
            insert_thing(unit, str(new_id()))
    assert len(things(database)) == 5
    assert not pids(database, 5) & dead


def test_a_connection_lost_inside_a_unit_leaves_nothing_and_may_be_tried_again(database, postgres_server) -> None:
    with pytest.raises(StoreBusy), database.begin(make_call()) as unit:  # noqa: PT012 - the end of the unit raises
        insert_thing(unit, "chair")
        pid = unit.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        terminate(postgres_server, {pid})
        insert_thing(unit, "table")
    assert things(database) == set()
    with database.begin(make_call()) as unit:
        insert_thing(unit, "chair")
    assert things(database) == {"chair"}


def test_a_connection_lost_at_the_commit_leaves_the_outcome_unknown(database, postgres_server) -> None:
    call = make_call()
    with pytest.raises(StoreAway), database.begin(call) as unit:  # noqa: PT012 - the end of the unit raises
        insert_thing(unit, "chair")
        call.audit(record="chair")
        pid = unit.connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        event.listen(database.engine, "commit", lambda _c: terminate(postgres_server, {pid}), once=True)
    assert not call.audited


def test_a_server_that_is_killed_is_away_and_then_back(own: sql.Database, module_own: stores.Own) -> None:
    with own.begin(make_call()) as unit:
        insert_thing(unit, "chair")
    module_own.kill()
    for _ in range(3):
        with taking(at_most=1.0), pytest.raises((StoreAway, StoreBusy)):
            own.ping()
    with pytest.raises(StoreAway):
        own.ping()
    module_own.start()
    own.ping()
    assert things(own) == {"chair"}


def test_a_server_that_is_stopped_in_its_tracks_costs_a_bounded_time(own: sql.Database) -> None:
    """The backend is stopped: it takes the statement and never answers, and no timeout of the server can help."""
    import os

    (pid,) = pids(own, 1)
    os.kill(pid, signal.SIGSTOP)
    try:
        with taking(at_most=2.5), pytest.raises(StoreAway, match="no_answer"):
            own.ping()
        own.ping()  # on another connection
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_port_where_nobody_listens_is_known_in_a_quarter_second() -> None:
    database = sql.Database(
        sql.engine("postgresql://u:p@127.0.0.1:9/x", name="t"), service="things", clock=now, new_id=new_id
    )
    with taking(at_most=0.6), pytest.raises(StoreAway):
        database.ping()


def test_a_server_that_takes_the_connection_and_says_nothing_costs_two_seconds() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/x"
        database = sql.Database(sql.engine(url, name="t"), service="things", clock=now, new_id=new_id)
        with taking(at_most=3.5), pytest.raises(StoreAway):
            database.ping()


def test_a_statement_that_takes_too_long_is_ended_by_the_server(database) -> None:
    with taking(at_least=0.9, at_most=2.5), pytest.raises(StoreAway, match="57014"), database.read() as connection:
        connection.exec_driver_sql("SELECT pg_sleep(5)")


def test_waiting_for_a_row_that_another_holds_ends_and_may_be_tried_again(database) -> None:
    with database.begin(make_call()) as unit:
        insert_thing(unit, "chair")
    lock = sa.text("SELECT 1 FROM things WHERE name = 'chair' FOR UPDATE")
    with database.begin(make_call()) as unit:
        unit.connection.execute(lock)
        with taking(at_most=1.4), pytest.raises(StoreBusy, match="55P03"), database.begin(make_call()) as second:
            second.connection.execute(lock)


def test_two_units_that_lock_each_other_end_with_one_told_to_try_again(database) -> None:
    with database.begin(make_call()) as unit:
        insert_thing(unit, "chair")
        insert_thing(unit, "table")
    both, outcomes = threading.Barrier(2), []

    def lock(first: str, second: str) -> None:
        change = sa.text("UPDATE things SET number = 1 WHERE name = :name")
        try:
            with database.begin(make_call()) as unit:
                unit.connection.execute(change, {"name": first})
                both.wait()
                unit.connection.execute(change, {"name": second})
        except StoreBusy:
            outcomes.append("busy")
        else:
            outcomes.append("done")

    threads = [threading.Thread(target=lock, args=order) for order in (("chair", "table"), ("table", "chair"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert "busy" in outcomes
    assert len(outcomes) == 2


def test_a_unit_that_idles_too_long_is_ended(postgres_url, database) -> None:
    quick = sql.engine(postgres_url, name="t", idle_in_transaction_s=0.2)
    other = sql.Database(quick, service="things", clock=now, new_id=new_id)
    with pytest.raises((StoreAway, StoreBusy)), other.begin(make_call()) as unit:  # noqa: PT012 - the end of the unit raises
        insert_thing(unit, "chair")
        time.sleep(0.6)
        insert_thing(unit, "table")
    quick.dispose()
    assert things(database) == set()


def test_a_pool_without_a_free_connection_says_so_in_a_quarter_second(postgres_url) -> None:
    narrow = sql.engine(postgres_url, name="t", pool=1)
    database = sql.Database(narrow, service="things", clock=now, new_id=new_id)
    with database.read(), taking(at_least=0.2, at_most=0.8), pytest.raises(StoreAway, match="pool_exhausted"):
        database.ping()
    narrow.dispose()


def test_a_broken_constraint_reaches_the_repository_by_name_and_without_values(database) -> None:
    with database.begin(make_call()) as unit:
        insert_thing(unit, "a secret name")
    with pytest.raises(sa.exc.IntegrityError) as found, database.begin(make_call()) as unit:
        insert_thing(unit, "a secret name")
    assert found.value.orig.diag.constraint_name == "things_pkey"
    assert "hidden" in str(found.value)


def test_the_parameters_of_a_statement_are_in_no_error(database) -> None:
    with pytest.raises(sa.exc.ProgrammingError) as found, database.read() as connection:
        connection.execute(sa.text("SELECT no_such_column WHERE :name = 'x'"), {"name": "a secret name"})
    assert "a secret name" not in str(found.value)


def test_a_session_is_durable_in_utc_and_named(database) -> None:
    names = ("synchronous_commit", "TimeZone", "application_name", "statement_timeout", "lock_timeout")
    with database.read() as connection:
        found = {name: connection.exec_driver_sql(f"SHOW {name}").scalar_one() for name in names}
    assert found == {
        "synchronous_commit": "on",
        "TimeZone": "UTC",
        "application_name": "infirmary-things",
        "statement_timeout": "1s",
        "lock_timeout": "500ms",
    }


def test_a_durable_server_is_accepted(database) -> None:
    sql.require_durable(database.engine)


def test_a_session_whose_commits_may_be_lost_is_refused(postgres_url) -> None:
    """As behind a pooler that drops what a session asks for."""
    engine = sql.engine(postgres_url, name="t")
    event.listen(engine, "connect", lambda raw, _record: raw.execute("SET synchronous_commit = off"))
    with pytest.raises(NotDurable) as found:
        sql.require_durable(engine)
    assert found.value.settings == ("synchronous_commit=off",)
    engine.dispose()


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
def test_a_server_that_may_lose_its_files_is_refused(name, module_own: stores.Own, own: sql.Database) -> None:
    with own.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql(f"ALTER SYSTEM SET {name} = off")
        connection.exec_driver_sql("SELECT pg_reload_conf()")
    try:
        with pytest.raises(NotDurable) as found:  # noqa: PT012 - the end of the unit raises
            while True:  # the reload takes a moment; the time limit of the test ends it if it never comes
                sql.require_durable(own.engine)
        assert found.value.settings == (f"{name}=off",)
    finally:
        with own.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql(f"ALTER SYSTEM RESET {name}")
            connection.exec_driver_sql("SELECT pg_reload_conf()")


def test_reading_needs_no_transaction(database) -> None:
    with database.read() as connection:
        first = connection.exec_driver_sql("SELECT now()").scalar_one()
        time.sleep(0.01)
        assert connection.exec_driver_sql("SELECT now()").scalar_one() > first


def test_nothing_is_connected_before_it_is_needed(postgres_url) -> None:
    engine = sql.engine(postgres_url, name="t")
    assert engine.pool.checkedin() == 0
    engine.dispose()


class Spans:
    """A tracer provider that keeps its spans."""

    def __init__(self, *, sampled: bool) -> None:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import SimpleSpanProcessor
        from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
        from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ALWAYS_ON

        self.exporter = InMemorySpanExporter()
        self.provider = TracerProvider(sampler=ALWAYS_ON if sampled else ALWAYS_OFF)
        self.provider.add_span_processor(SimpleSpanProcessor(self.exporter))


@pytest.mark.parametrize("sampled", [True, False])
def test_a_statement_has_a_span_under_a_recorded_one_and_none_otherwise(sampled, postgres_url) -> None:
    spans = Spans(sampled=sampled)
    engine = sql.engine(postgres_url, name="t", tracer=spans.provider.get_tracer("test"))
    with spans.provider.get_tracer("test").start_as_current_span("request"), engine.connect() as connection:
        connection.execute(sa.text("SELECT :name"), {"name": "a secret name"})
        with pytest.raises(sa.exc.ProgrammingError):
            connection.exec_driver_sql("SELECT nothing")
    engine.dispose()
    found = spans.exporter.get_finished_spans()
    if not sampled:
        assert found == ()
        return
    good, bad, request = found
    assert good.parent.span_id == bad.parent.span_id == request.context.span_id
    assert good.attributes["db.system.name"] == "postgresql"
    assert "a secret name" not in good.to_json()
    assert bad.attributes["error.type"] == "42703"
    assert bad.status.status_code is trace.StatusCode.ERROR
