"""MongoDB: no wait without an end, no write that a majority may lose, and errors that say what to do."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pymongo
import pytest
from pymongo.errors import DuplicateKeyError

from services.chassis import mongo
from services.chassis.stores import NotDurable, StoreAway, StoreBusy
from standalone import servers
from tests import stores
from tests.integration.chassis.making import insert_thing, make_call, mongo_store, outbox_rows, thing_added, things


@pytest.fixture(scope="module")
def module_own(tmp_path_factory) -> Iterator[stores.Own]:
    server = stores.Own("mongo", tmp_path_factory.mktemp("mongo"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own(module_own: stores.Own) -> Iterator[mongo.Documents]:
    """A database on a server that the test may stop and kill."""
    made = mongo_store(module_own.url, "things")
    for name in ("things", "outbox", "inbox", "idempotency"):
        made.database[name].delete_many({})
    yield made
    made.client.close()


@contextmanager
def taking(*, at_most: float) -> Iterator[None]:
    """What is inside takes no longer, in seconds."""
    started = time.monotonic()
    yield
    assert time.monotonic() - started < at_most


def test_a_client_asks_for_majority_and_journal(documents: mongo.Documents) -> None:
    concern = documents.client.write_concern.document
    assert (concern["w"], concern["j"]) == ("majority", True)
    assert documents.client.read_concern.level == "majority"


def test_a_replica_set_is_accepted(documents: mongo.Documents) -> None:
    mongo.require_durable(documents.client)


def test_a_server_without_a_replica_set_is_refused(tmp_path) -> None:
    class Alone(servers.MongoDB):
        def command(self):
            return [each for each in super().command() if each not in {"--replSet", "rs0"}]

        def settle(self) -> None:
            """There is no set to make."""

    server = Alone(servers.finding.mongodb(), home=tmp_path, port=servers.ports.free())
    with servers.running(server, log=tmp_path / "log"):
        client = mongo.client(f"mongodb://127.0.0.1:{server.port}/")
        with pytest.raises(NotDurable, match="replica set"):
            mongo.require_durable(client)
        client.close()


def test_what_is_there_already_is_the_repository_s_to_name(documents: mongo.Documents) -> None:
    with documents.begin(make_call()) as unit:
        insert_thing(unit, "chair")
    with pytest.raises(DuplicateKeyError), documents.begin(make_call()) as unit:
        insert_thing(unit, "chair")


def test_two_units_that_write_the_same_document_end_with_one_told_to_try_again(documents: mongo.Documents) -> None:
    with documents.begin(make_call()) as unit:
        insert_thing(unit, "chair")
    with documents.begin(make_call()) as first:
        change = ({"_id": "chair"}, {"$inc": {"number": 1}})
        first.collection("things").update_one(*change, session=first.session)
        with pytest.raises(StoreBusy), documents.begin(make_call()) as second:
            second.collection("things").update_one(*change, session=second.session)
    assert documents.database["things"].find_one({"_id": "chair"})["number"] == 1


def test_a_unit_sees_one_state_from_its_start_to_its_end(documents: mongo.Documents) -> None:
    with documents.begin(make_call()) as unit:
        assert unit.collection("things").count_documents({}, session=unit.session) == 0
        documents.database["things"].insert_one({"_id": "chair"})
        assert unit.collection("things").count_documents({}, session=unit.session) == 0


def test_a_server_that_is_killed_is_away_and_then_back_with_all_that_was_committed(
    own: mongo.Documents, module_own: stores.Own
) -> None:
    call = make_call()
    with own.begin(call) as unit:
        insert_thing(unit, "chair")
        unit.record(thing_added("chair"))
    module_own.kill()
    for _ in range(2):
        with taking(at_most=2.5), pytest.raises((StoreAway, StoreBusy)), own.begin(make_call()) as unit:
            insert_thing(unit, "table")
    with pytest.raises(StoreAway):
        own.ping()
    module_own.start()
    end = time.monotonic() + 20
    while time.monotonic() < end:
        try:
            own.ping()
            break
        except StoreAway:
            time.sleep(0.1)
    assert things(own) == {"chair"}
    assert outbox_rows(own) == [("events.things", "things.added.v1")]


def test_a_server_that_is_stopped_in_its_tracks_costs_a_bounded_time(
    own: mongo.Documents, module_own: stores.Own
) -> None:
    own.ping()
    module_own.signal(signal.SIGSTOP)
    try:
        with taking(at_most=2.5), pytest.raises(StoreAway), own.begin(make_call()) as unit:
            insert_thing(unit, "of a unit that the server forgets later")
    finally:
        module_own.signal(signal.SIGCONT)


def test_an_operation_that_takes_too_long_is_ended(documents: mongo.Documents) -> None:
    documents.database["things"].insert_one({"_id": "chair"})
    with taking(at_most=2.5), pytest.raises(StoreAway), documents.read() as database:
        list(database["things"].find({"$where": "sleep(5000) || true"}))


def test_a_port_where_nobody_listens_costs_a_second() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    client = mongo.client(f"mongodb://127.0.0.1:{port}/")
    with taking(at_most=1.6), pytest.raises(StoreAway), mongo.translated():
        client.admin.command("ping")
    client.close()


def test_nothing_is_connected_before_it_is_needed(mongo_server) -> None:
    client = mongo.client(mongo_server)
    assert client.nodes == frozenset()
    client.close()
    assert isinstance(client, pymongo.MongoClient)
