"""What arrives is appended once and in one chain; it is searched, checked and noted in checkpoints."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import orjson
import pytest

from services.audit import app, model
from services.chassis import cli, sql
from services.chassis.stores import AlreadyHandled, StoreBusy
from tests.integration.audit import making
from tests.integration.audit.making import START, make_event

PATIENT = "01939c3e-0000-7000-8000-000000000001"
OTHER = "01939c3e-0000-7000-8000-000000000002"


def search(web, **asked):
    """Search as an auditor does."""
    query = {name: asked.pop(name) for name in ("limit", "cursor") if name in asked}
    got = web.call("search_audit_entries", role="auditor", subject="auditor-1", body=asked, query=query)
    assert got.status == 200, got.raw
    return got.body


def places(page):
    """The positions that a page shows."""
    return [each["position"] for each in page["items"]]


def own_entries(house):
    """What the audit tells of itself."""
    rows = house.rows("SELECT event FROM outbox ORDER BY position")
    return [orjson.loads(event)["data"] for (event,) in rows]


def without(event, name):
    """An event that lacks one field of its data."""
    return replace(event, data={key: value for key, value in event.data.items() if key != name})


def test_what_arrives_stands_in_the_trail_as_it_was_said(house, web):
    event = make_event(version=3, fields=["phones"], found=[OTHER])
    house.receive(event)
    [shown] = search(web)["items"]
    assert shown["hash"] == house.rows("SELECT encode(hash, 'hex') FROM entries")[0][0]
    expected = {**event.data, "at": "2026-03-02T08:00:00.000000Z", "id": str(event.id), "service": "patients"}
    assert {name: shown[name] for name in expected} == expected


def test_an_event_that_arrives_twice_stands_once_and_appending_is_no_entry_itself(house):
    event = make_event()
    house.receive(event)
    with pytest.raises(AlreadyHandled):
        house.receive(event)
    assert house.rows("SELECT count(*) FROM entries") == [(1,)]
    assert house.rows("SELECT count(*) FROM outbox") == [(0,)]


def test_many_workers_at_once_make_one_chain(house):
    """The head is locked from reading to commit: who waits too long starts anew, as the worker does."""

    def receive(number):
        event = make_event(number)
        for _ in range(50):
            try:
                house.receive(event)
            except StoreBusy:
                time.sleep(0.01)
            else:
                return

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(receive, range(80)))
    assert house.rows("SELECT count(*), max(position) FROM entries") == [(80, 80)]
    assert house.broken() is None


def test_several_that_arrive_together_make_one_chain_and_stand_in_their_order(house):
    house.receive(*(make_event(number, actor=f"doctor-{number}") for number in range(50)))
    house.receive(make_event(50, actor="doctor-50"))
    assert house.rows("SELECT actor FROM entries ORDER BY position") == [(f"doctor-{n}",) for n in range(51)]
    assert house.rows("SELECT position FROM chain_head") == [(51,)]
    assert house.broken() is None


def test_one_of_several_that_arrived_before_keeps_all_of_them_out_and_is_named(house):
    events = [make_event(number) for number in range(3)]
    house.receive(events[1])
    with pytest.raises(AlreadyHandled) as found:
        house.receive(*events)
    assert found.value.event_ids == {events[1].id}
    assert house.rows("SELECT count(*) FROM entries") == [(1,)]
    house.receive(events[0], events[2])
    assert house.rows("SELECT count(*) FROM inbox") == [(3,)]
    assert house.broken() is None


def test_a_broken_one_among_several_leaves_nothing(house):
    with pytest.raises(KeyError):
        house.receive(make_event(), without(make_event(1), "actor"), make_event(2))
    assert house.rows("SELECT count(*) FROM entries") == [(0,)]
    assert house.rows("SELECT count(*) FROM inbox") == [(0,)]


def test_a_broken_append_leaves_nothing(house):
    house.receive(make_event())
    with pytest.raises(KeyError):
        house.receive(without(make_event(1), "actor"))
    assert house.rows("SELECT count(*) FROM entries") == [(1,)]
    assert house.rows("SELECT count(*) FROM inbox") == [(1,)]
    assert house.broken() is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({}, [6, 5, 4, 3, 2, 1]),
        ({"patient_id": OTHER}, [5, 4]),
        ({"actor": "nurse-1"}, [2]),
        ({"operation": "add_allergy"}, [3]),
        ({"action": "search"}, [5]),
        ({"outcome": "denied"}, [6]),
        ({"service": "history"}, [3]),
        ({"service": "patients", "action": "search"}, [5]),
        ({"request_id": "r4"}, [5]),
        ({"record_id": "allergy-1"}, [3]),
        ({"from": "2026-03-02T08:00:04Z"}, [6, 5]),
        ({"from": "2026-03-02T09:00:01+01:00", "until": "2026-03-02T08:00:03Z"}, [3, 2]),
        ({"patient_id": PATIENT, "actor": "nurse-1"}, [2]),
        ({"patient_id": PATIENT, "actor": "nobody"}, []),
    ],
)
def test_entries_are_found_by_all_that_they_say_of_who_what_when_and_where(house, web, asked, found):
    """A search that showed a patient is about that patient as well."""
    deviations = [
        {},
        {"actor": "nurse-1"},
        {"operation": "add_allergy", "action": "create", "record_id": "allergy-1", "service": "history"},
        {"patient_id": OTHER},
        {"action": "search", "patient_id": None, "found": [OTHER, "x"]},
        {"outcome": "denied"},
    ]
    for number, each in enumerate(deviations):
        house.receive(make_event(number, **each))
    assert places(search(web, **asked)) == found


def test_pages_are_stable_while_entries_arrive(house, web):
    for number in range(5):
        house.receive(make_event(number))
    first = search(web, limit=2)
    house.receive(make_event(9))
    second = search(web, limit=2, cursor=first["next_cursor"])
    third = search(web, limit=2, cursor=second["next_cursor"])
    assert [places(each) for each in (first, second, third)] == [[5, 4], [3, 2], [1]]
    assert third["next_cursor"] is None
    of_others = web.call("search_audit_entries", body={"actor": "x"}, query={"cursor": first["next_cursor"]})
    assert of_others.status == 400


@pytest.mark.parametrize("keys", [[], ["x"], [True], [1, 2], [0], [2**63], [1.5], [None]])
def test_a_cursor_that_was_written_by_hand_is_refused(house, web, keys):
    house.receive(make_event())
    house.receive(make_event(1))
    good = search(web, limit=1)["next_cursor"]
    mark, _ = orjson.loads(base64.urlsafe_b64decode(good + "=="))
    forged = base64.urlsafe_b64encode(orjson.dumps([mark, keys])).rstrip(b"=").decode()
    got = web.call("search_audit_entries", body={}, query={"limit": 1, "cursor": forged})
    assert got.status == 400


def test_searching_and_checking_are_entries_themselves(house, web):
    for number in range(2):
        house.receive(make_event(number))
    page = search(web, patient_id=PATIENT)
    web.call("verify_audit_trail", role="auditor", subject="auditor-1", body={})
    web.call("search_audit_entries", role="doctor", subject="doctor-1", body={})
    searched, checked, denied = own_entries(house)
    assert (searched["actor"], searched["action"], searched["patient_id"]) == ("auditor-1", "search", PATIENT)
    assert searched["found"] == [each["id"] for each in page["items"]]
    assert (checked["operation"], checked["action"], checked["outcome"]) == ("verify_audit_trail", "verify", "success")
    assert (denied["actor"], denied["outcome"]) == ("doctor-1", "denied")


@pytest.mark.row("SEC-12")
def test_one_changed_row_is_named_by_the_check(house, web):
    """The trail is whole; one row is changed in the database; operation and command name it."""
    house.fill(12)
    whole = web.call("verify_audit_trail", role="auditor", body={})
    assert (whole.status, whole.body["whole"], whole.body["checked_entries"]) == (200, True, 12)
    assert (whole.body["checked_checkpoints"], whole.body["second_place"]) == (2, True)
    house.intrude("UPDATE entries SET entry = replace(entry, 'doctor-6', 'doctor-x') WHERE position = 7")
    broken = web.call("verify_audit_trail", role="auditor", body={})
    assert (broken.body["whole"], broken.body["break"]) == (False, {"position": 7, "kind": "entry_changed"})
    assert broken.body["next_position"] is None


def test_ranges_go_on_where_the_last_one_ended(house, web):
    house.fill(12)
    first = web.call("verify_audit_trail", body={"first_position": 1, "last_position": 5}).body
    assert (first["whole"], first["checked_entries"], first["next_position"]) == (True, 5, 6)
    rest = web.call("verify_audit_trail", body={"first_position": first["next_position"]}).body
    assert (rest["whole"], rest["last_position"], rest["next_position"]) == (True, 12, None)
    assert web.call("verify_audit_trail", body={"first_position": 13}).status == 422
    assert web.call("verify_audit_trail", body={"first_position": 3, "last_position": 2}).status == 422


def test_an_empty_trail_is_whole(web):
    got = web.call("verify_audit_trail", body={})
    assert (got.body["whole"], got.body["checked_entries"], got.body["last_position"]) == (True, 0, 0)


def test_the_command_ends_with_0_when_the_trail_is_whole_and_with_1_when_it_is_not(house, capsys):
    house.fill(12)
    environ = making.environ(house.url)
    assert cli.main(["audit", "verify"], environ) == 0
    assert capsys.readouterr().out.startswith("whole: 12 entries and 1 checkpoints")
    house.intrude("DELETE FROM entries WHERE position = 7")
    assert cli.main(["audit", "verify"], environ) == 1
    assert "BROKEN at position 7: entry_missing" in capsys.readouterr().out


def test_checkpoints_are_made_when_they_are_due_and_copied(house):
    house.checkpoint(START)
    house.receive(make_event())
    for seconds in (0, 1, 2):
        house.checkpoint(START + timedelta(seconds=seconds))
    house.receive(make_event(1))
    for seconds in (3, 59, 60, 61):
        house.checkpoint(START + timedelta(seconds=seconds))
    assert house.rows("SELECT position FROM checkpoints ORDER BY position") == [(1,), (2,)]
    assert [each.position for each in house.file.between(1, last=99)] == [1, 2]


def test_a_checkpoint_that_a_crash_has_left_uncopied_is_copied_with_the_next(house):
    house.receive(make_event())
    with house.store.begin(making.make_call()) as tx:
        tx.add_checkpoint(model.signed(tx.head(), at=START, key=making.KEY))
    assert house.file.newest() is None
    house.receive(make_event(1))
    house.checkpoint(START + timedelta(minutes=1))
    assert [each.position for each in house.file.between(1, last=9)] == [1, 2]


def test_settings_that_are_missing_or_weak_are_named(house):
    weak = {**making.environ(house.url), "CHECKPOINT_KEY": "short", "BUS_URL": ""}
    with pytest.raises(Exception, match=r"BUS_URL is missing; CHECKPOINT_KEY is not valid"):
        app.service(weak)


def test_migrations_are_at_head_and_repeatable(house):
    sql.migrate(house.url, app.MIGRATIONS)
    sql.at_head(house.engine, app.MIGRATIONS)


def best_of_three(work):
    """The seconds that something takes when it is disturbed least."""
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return min(taken)


def test_checking_costs_a_small_multiple_of_hashing_and_reading_what_is_checked(house):
    """A ratio within one run, because seconds say little on a machine that does other things meanwhile."""
    house.fill_fast(10_000)
    texts = [text for (text,) in house.rows("SELECT entry FROM entries ORDER BY position")]
    least = best_of_three(lambda: [(hashlib.sha256(text.encode()).digest(), json.loads(text)) for text in texts])
    assert best_of_three(house.verify) < 12 * least


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_how_many_entries_are_checked_in_a_second(house, figure):
    """A figure to read; how fast a machine is fails no test."""
    house.fill_fast(100_000)
    figure("checked", 100_000 / best_of_three(house.verify), "entries/s")
    assert house.broken() is None


def test_checking_needs_no_more_memory_for_a_longer_trail(house):
    """Pages of one size, one after the other: what is held at once does not grow."""
    peaks = []
    for count in (8_000, 24_000):
        house.intrude("TRUNCATE entries", "UPDATE chain_head SET position = 0, hash = decode(repeat('00', 32), 'hex')")
        house.fill_fast(count)
        tracemalloc.start()
        assert house.verify().entries == count
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.3 * peaks[0]
