"""A unit of work commits the effect with all that belongs to it, or nothing; the same in both kinds of store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from uuid import UUID

import orjson
import pytest

from services.chassis import mongo, sql
from services.chassis.call import Delivery
from services.chassis.outbox import Outgoing
from services.chassis.stores import AlreadyHandled, KeyReused, KeyRunning, Replayed, StoreBusy
from tests.integration.chassis.making import insert_thing, killed, make_call, new_id, outbox_rows, thing_added, things
from tests.waiting import wait_for

Store = sql.Database | mongo.Documents


def test_effect_events_and_audit_entry_are_committed_together(store: Store) -> None:
    call = make_call()
    with store.begin(call) as unit:
        insert_thing(unit, "chair")
        unit.record(thing_added("chair"))
        call.audit(record="chair", version=1, fields=["name"])
        assert not call.audited
    assert call.audited
    assert things(store) == {"chair"}
    assert outbox_rows(store) == [("events.things", "things.added.v1"), ("audit.entries", "audit.recorded.v1")]


def test_an_error_inside_leaves_nothing(store: Store) -> None:
    call = make_call(key="k")
    with pytest.raises(ZeroDivisionError), store.begin(call) as unit:  # noqa: PT012 - the end of the unit raises
        insert_thing(unit, "chair")
        unit.record(thing_added("chair"))
        call.audit(record="chair")
        call.answer({"id": "chair"})
        raise ZeroDivisionError
    assert not call.audited
    assert things(store) == set()
    assert outbox_rows(store) == []


def test_an_audit_entry_can_be_committed_alone_and_keeps_the_key_free(store: Store) -> None:
    call = make_call(key="k")
    call.audit(record="chair", outcome="denied")
    store.audit(call)
    assert call.audited
    assert call.key is not None
    assert outbox_rows(store) == [("audit.entries", "audit.recorded.v1")]
    with store.begin(call):
        call.answer({"id": "chair"})


def test_a_second_unit_of_the_same_call_does_not_repeat_the_audit_entry(store: Store) -> None:
    call = make_call()
    with store.begin(call):
        call.audit(record="chair")
    with store.begin(call) as unit:
        insert_thing(unit, "chair")
    with store.begin(call):
        call.audit(record="table")
    assert len(outbox_rows(store)) == 2


def test_the_same_key_and_body_gets_the_stored_answer_and_no_second_effect(store: Store) -> None:
    call = make_call(key="k", body="chair")
    with store.begin(call) as unit:
        insert_thing(unit, "chair")
        call.answer({"id": "chair", "at": "2030-01-01"}, status=201, headers={"Location": "/things/chair"})
    with pytest.raises(Replayed) as found, store.begin(make_call(key="k", body="chair")):
        pytest.fail("a replay does nothing")
    assert found.value.answer.body == {"id": "chair", "at": "2030-01-01"}
    assert found.value.answer.status == 201
    assert found.value.answer.headers == {"Location": "/things/chair"}


def test_the_same_key_with_another_body_is_refused(store: Store) -> None:
    call = make_call(key="k", body="chair")
    with store.begin(call):
        call.answer({"id": "chair"})
    with pytest.raises(KeyReused), store.begin(make_call(key="k", body="table")):
        pytest.fail("nothing is done")


def test_two_people_may_use_the_same_key(store: Store) -> None:
    for principal in ("ann", "bob"):
        call = make_call(key="k", body="chair", principal=principal)
        with store.begin(call) as unit:
            insert_thing(unit, principal)
            call.answer({"id": principal})
    assert things(store) == {"ann", "bob"}


def test_while_the_first_request_runs_a_second_with_its_key_is_told_so_at_once(store: Store) -> None:
    first = make_call(key="k", body="chair")
    with store.begin(first) as unit:
        with pytest.raises(KeyRunning), store.begin(make_call(key="k", body="chair")):
            pytest.fail("nothing is done")
        insert_thing(unit, "chair")
        first.answer({"id": "chair"})
    assert things(store) == {"chair"}


def test_a_key_is_free_again_when_its_request_failed(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.begin(make_call(key="k", body="chair")):
        raise ZeroDivisionError
    call = make_call(key="k", body="chair")
    with store.begin(call) as unit:
        insert_thing(unit, "chair")
        call.answer({"id": "chair"})
    assert things(store) == {"chair"}


@pytest.mark.timeout(60)
def test_what_a_killed_process_had_begun_ends_with_it_and_its_key_is_free_again_soon(
    store: Store, mongo_server: str
) -> None:
    """Nobody waits for the minute that MongoDB by itself keeps what an unheard-of client had begun."""
    killed("dying_unit", store=store, server=mongo_server)
    wait_for(lambda: _is_done(store), within_s=20, what="the key is free")
    assert things(store) == {"chair"}


def _is_done(store: Store) -> bool:
    call = make_call(key="k", body="chair")
    try:
        with store.begin(call) as unit:
            insert_thing(unit, "chair")
            call.answer({"id": "chair"})
    except (KeyRunning, StoreBusy):
        return False
    return True


def test_a_keyed_unit_that_says_no_answer_is_a_mistake_and_keeps_nothing(store: Store) -> None:
    with pytest.raises(RuntimeError, match="add_thing"), store.begin(make_call(key="k")) as unit:
        insert_thing(unit, "chair")
    assert things(store) == set()


def test_one_key_from_many_threads_at_once_has_one_effect(store: Store) -> None:
    """Each of the others sees the stored answer or is told to wait; nobody fails otherwise."""
    outcomes: list[str] = []
    barrier = threading.Barrier(12)

    def ask(number: int) -> None:
        call = make_call(key="k", body="chair")
        barrier.wait()
        try:
            with store.begin(call) as unit:
                insert_thing(unit, f"chair {number}")
                call.answer({"id": f"chair {number}"})
        except (Replayed, KeyRunning) as error:
            outcomes.append(type(error).__name__)
        else:
            outcomes.append("done")

    _in_threads(ask, 12)
    assert outcomes.count("done") == 1
    assert len(outcomes) == 12
    assert len(things(store)) == 1


def test_an_event_is_handled_once_per_consumer(store: Store) -> None:
    event_id = new_id()
    for consumer in ("billing", "reports"):
        with store.begin(make_call(delivery=Delivery(consumer, (event_id,)))) as unit:
            insert_thing(unit, consumer)
    with pytest.raises(AlreadyHandled), store.begin(make_call(delivery=Delivery("billing", (event_id,)))):
        pytest.fail("nothing is done")
    assert things(store) == {"billing", "reports"}


def test_an_event_whose_handler_failed_can_be_handled_again(store: Store) -> None:
    delivery = Delivery("billing", (new_id(),))
    with pytest.raises(ZeroDivisionError), store.begin(make_call(delivery=delivery)):
        raise ZeroDivisionError
    with store.begin(make_call(delivery=delivery)) as unit:
        insert_thing(unit, "chair")
    assert things(store) == {"chair"}


def test_the_envelope_is_a_cloud_event_with_ids_only(store: Store) -> None:
    call = make_call()
    with store.begin(call) as unit:
        unit.record(thing_added("chair", version=4))
        call.audit(patient="p1", record="chair", version=4, fields=["name"])
    sent: list[Outgoing] = []
    assert store.outbox.send(sent.extend) == 2
    event, entry = (orjson.loads(each.event) for each in sent)
    assert UUID(event["id"]).version == 7
    assert event["source"] == "/infirmary/things"
    assert (event["subject"], event["subjectversion"], event["schemaversion"]) == ("chair", 4, 1)
    assert event["requestid"] == "r1"
    assert event["data"] == {"id": "chair"}
    assert entry["id"] == str(call.id)
    assert entry["data"]["roles"] == ["admin", "nurse"]
    assert entry["data"]["fields"] == ["name"]
    assert (entry["subject"], entry["data"]["patient_id"], entry["data"]["version"]) == ("p1", "p1", 4)


def _in_threads(work: Callable[[int], None], count: int) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=30)
        assert not thread.is_alive()
