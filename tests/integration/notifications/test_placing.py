"""Messages that are read in the house: put there many at a time, all of a group or none, whatever dies meanwhile."""

from __future__ import annotations

import threading

import pytest

from services.notifications.jobs.placing import AT_ONCE
from standalone.servers import ports
from tests.integration.appointments.replicas import Process
from tests.integration.notifications import making
from tests.waiting import wait_for

OPEN = "SELECT 1 FROM deliveries WHERE way = 'in_app' AND status IN ('queued', 'held', 'sending')"


@pytest.fixture
def in_house(house, hospital):
    """A facility whose messages are read in the house only."""
    body = {**making.ALL_DAY, "channels": ["in_app"]}
    making.done(house.call("set_notification_settings", facility_id=hospital.facility, version=1, body=body))
    return house


def planned(house, hospital, count):
    """Messages that are due, each to a patient and about an appointment of its own."""
    events = [making.envelope(hospital, hospital.patient()) for _ in range(count)]
    assert {each.outcome.value for each in making.tell_together(house.service, *events)} == {"handled"}


def placed(house):
    with making.sending(house.service, "in_app"):
        wait_for(lambda: not making.rows(house, OPEN), what="all of it has had its turn")


def put(house):
    """How many are in inboxes, and how many of their deliveries say so, with how often each was tried."""
    messages = making.rows(house, "SELECT id FROM messages")
    settled = "SELECT d.tries, a.outcome FROM deliveries AS d JOIN attempts AS a ON a.delivery_id = d.id"
    found = making.rows(house, f"{settled} WHERE d.status = 'sent'")
    return len(messages), len(found), {(each["tries"], each["outcome"]) for each in found}


def test_more_than_a_group_are_put_there_each_once_and_others_are_asked_once_for_a_group(in_house, hospital):
    count = AT_ONCE + 10
    planned(in_house, hospital, count)
    hospital.asked.clear()
    placed(in_house)
    assert put(in_house) == (2 * count, 2 * count, {(1, "accepted")}), "patients and the doctor"
    asked = [name for name, _ in hospital.asked]
    assert asked.count("find_patient_standings") == -(-2 * count // AT_ONCE)


@pytest.mark.parametrize("place", ["send.before", "send.after"])
def test_a_death_leaves_none_of_a_group_or_all_of_it(in_house, hospital, postgres_url, redis_url, place):
    planned(in_house, hospital, 20)
    given = making.environ(postgres_url, redis_url, hospital, WORKER_PORT=str(ports.free()))
    worker = Process("work", "notifications", given)
    worker.start(f"{place}:1")
    try:
        wait_for(lambda: not worker.is_running, within_s=30, what="it has died")
        assert put(in_house)[:2] == ((0, 0) if place == "send.before" else (40, 40))
        assert making.rows(in_house, "SELECT 1 FROM deliveries WHERE status = 'sending'") == []
        worker.look()
        wait_for(lambda: not making.rows(in_house, OPEN), within_s=30, what="all of it has had its turn")
    finally:
        worker.stop()
    assert worker.deaths == 1
    assert put(in_house) == (40, 40, {(1, "accepted")})


def test_many_workers_put_each_there_once(in_house, hospital):
    planned(in_house, hospital, 50)
    stop = threading.Event()
    threads = [threading.Thread(target=in_house.service.parts["send in_app"], args=(stop,)) for _ in range(3)]
    for each in threads:
        each.start()
    wait_for(lambda: not making.rows(in_house, OPEN))
    stop.set()
    for each in threads:
        each.join(30)
    assert put(in_house) == (100, 100, {(1, "accepted")})


def test_one_that_cannot_be_put_there_stops_no_other_and_is_tried_again(in_house, hospital):
    planned(in_house, hospital, 5)
    one = "SELECT id FROM deliveries WHERE way = 'in_app' LIMIT 1"
    making.rows(in_house, f"UPDATE deliveries SET address = 'patient:nobody' WHERE id = ({one})")
    with making.sending(in_house.service, "in_app"):
        wait_for(lambda: put(in_house)[0] == 9, what="the others are there")
        waits = "way = 'in_app' AND status = 'queued' AND due_at > now()"
        late = f"SELECT reason, failures, tries FROM deliveries WHERE {waits}"
        wait_for(lambda: making.rows(in_house, late), what="it waits for its next attempt")
    (waiting,) = making.rows(in_house, late)
    assert (waiting["reason"], waiting["failures"], waiting["tries"]) == ("error", 1, 1)


def test_while_patients_is_away_nothing_is_put_there_and_no_attempt_is_counted(in_house, hospital):
    planned(in_house, hospital, 3)
    hospital.away.add("find_patient_standings")
    hospital.asked.clear()
    with making.sending(in_house.service, "in_app"):
        wait_for(lambda: "find_patient_standings" in {name for name, _ in hospital.asked}, what="it was asked")
        assert put(in_house)[0] == 0
        hospital.away.clear()
        wait_for(lambda: not making.rows(in_house, OPEN), within_s=60, what="all of it has had its turn")
    assert put(in_house) == (6, 6, {(1, "accepted")})


def test_what_a_dead_process_has_left_under_way_is_put_there_and_its_attempt_is_unknown(in_house, hospital):
    """A test message goes out from the web process, which may die with it."""
    planned(in_house, hospital, 1)
    making.rows(in_house, "UPDATE deliveries SET status = 'sending', tries = 1, due_at = now() WHERE way = 'in_app'")
    under_way = "SELECT id, 1, now() FROM deliveries WHERE way = 'in_app'"
    making.rows(in_house, f"INSERT INTO attempts (delivery_id, number, started_at) {under_way}")
    placed(in_house)
    assert put(in_house) == (2, 4, {(2, "unknown"), (2, "accepted")})


def test_messages_about_one_appointment_are_put_there_in_order(in_house, hospital):
    patient = hospital.patient()
    subject = making.envelope(hospital, patient)["subject"]
    events = [
        making.envelope(hospital, patient, event, _subject=subject, _subjectversion=number)
        for number, event in enumerate(["booked", "moved", "cancelled"], start=1)
    ]
    making.tell_together(in_house.service, *events)
    placed(in_house)
    inbox = making.done(in_house.call("list_patient_messages", patient_id=patient))["items"]
    sent = making.rows(in_house, "SELECT topic FROM messages WHERE kind = 'patient' ORDER BY sent_at")
    assert [each["topic"] for each in sent] == ["booked", "moved", "cancelled"]
    assert len(inbox) == 3
