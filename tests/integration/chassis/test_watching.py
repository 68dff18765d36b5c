"""What a worker says of stores: what they tell of themselves, that they are away, and that they are back."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from prometheus_client import REGISTRY, Counter

from services.chassis import mongo, redis, redis_gauges, sql, watching
from services.chassis.stores import StoreAway
from tests import stores
from tests.waiting import wait_for


def value(name: str, /, **labels: str) -> float:
    found = REGISTRY.get_sample_value(name, labels)
    assert found is not None, f"{name} has no {labels}"
    return found


def test_postgresql_tells_of_connections_size_and_transactions(database: sql.Database) -> None:
    look = sql.look(database, name="looked")
    look.measure()
    before = value("infirmary_postgresql_transactions_total", name="looked", outcome="commit")
    for _ in range(3):
        database.ping()
    look.measure()
    assert value("infirmary_postgresql_connections", name="looked") >= 1
    assert value("infirmary_postgresql_connections_limit", name="looked") >= 50
    assert value("infirmary_postgresql_size_bytes", name="looked") > 1 << 20
    assert value("infirmary_postgresql_transactions_total", name="looked", outcome="commit") >= before


def test_a_transaction_that_stays_open_is_seen_by_its_age(database: sql.Database) -> None:
    look = sql.look(database, name="aged")
    with database.engine.connect() as held:
        held.execute(sa.text("SELECT 1"))
        wait_for(lambda: look.measure() or value("infirmary_postgresql_oldest_transaction_seconds", name="aged") > 0.1)
        held.rollback()
    look.measure()
    assert value("infirmary_postgresql_oldest_transaction_seconds", name="aged") < 0.1


def test_a_statement_is_measured_by_its_verb_and_so_is_one_that_fails(database: sql.Database) -> None:
    def count() -> float:
        labels = {"db_system_name": "postgresql", "db_operation_name": "SELECT"}
        return REGISTRY.get_sample_value("db_client_operation_duration_seconds_count", labels) or 0.0

    before = count()
    with pytest.raises(sa.exc.DBAPIError), database.read() as connection:
        connection.execute(sa.text("SELECT 1 / 0"))
    database.ping()
    assert count() == before + 2


def test_redis_tells_of_memory_commands_and_its_file(redis_url: str) -> None:
    with redis.client(redis_url) as client:
        look = redis_gauges.look(client, name="looked")
        look.measure()
        for _ in range(10):
            client.ping()
        look.measure()
    assert value("infirmary_redis_commands_total", name="looked") >= 10
    assert value("infirmary_redis_memory_bytes", name="looked") > 0
    assert value("infirmary_redis_append_ok", name="looked") == 1


def test_mongodb_tells_of_the_database_and_of_the_server(documents: mongo.Documents) -> None:
    look = mongo.look(documents, name="looked")
    look.measure()
    look.measure()
    assert value("infirmary_mongodb_size_bytes", name="looked") > 0
    assert value("infirmary_mongodb_connections", name="looked", state="in_use") >= 1
    assert value("infirmary_mongodb_cache_bytes", name="looked", state="limit") > 0
    labels = {"db_system_name": "mongodb", "db_operation_name": "find"}
    documents.database["things"].find_one({})
    assert value("db_client_operation_duration_seconds_count", **labels) >= 1


def test_a_store_that_goes_away_and_comes_back_is_seen(tmp_path) -> None:
    own = stores.Own("redis", tmp_path)
    own.start()
    stop = threading.Event()
    with redis.client(own.url) as client:
        look = redis_gauges.look(client, name="killed")
        thread = threading.Thread(target=watching.watch([look], every_s=0.05), args=(stop,))
        thread.start()
        try:
            up = {"store": "redis", "name": "killed"}
            wait_for(lambda: REGISTRY.get_sample_value("infirmary_store_up", up) == 1)
            own.kill()
            wait_for(lambda: REGISTRY.get_sample_value("infirmary_store_up", up) == 0)
            own.start()
            wait_for(lambda: REGISTRY.get_sample_value("infirmary_store_up", up) == 1)
        finally:
            stop.set()
            thread.join()
            own.kill()


def test_a_store_that_is_away_does_not_keep_the_others_from_being_looked_at() -> None:
    seen = threading.Event()

    def away() -> None:
        raise StoreAway("redis", "test")

    looks = [
        watching.Look(store="redis", name="away", measure=away),
        watching.Look(store="redis", name="there", measure=seen.set),
    ]
    stop = threading.Event()
    thread = threading.Thread(target=watching.watch(looks, every_s=0.01), args=(stop,))
    thread.start()
    assert seen.wait(5)
    stop.set()
    thread.join()
    assert value("infirmary_store_up", store="redis", name="away") == 0


def test_a_repeated_count_begins_with_the_first_look_and_survives_a_restart_of_the_server() -> None:
    counter = Counter("infirmary_test_repeated_total", "For this test.", registry=None)
    repeated = watching.Repeated(counter)
    for total in (100, 107, 3, 5):
        repeated.follow(total)
    assert counter._value.get() == 7 + 3 + 2
