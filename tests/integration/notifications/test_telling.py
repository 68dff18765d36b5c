"""From an event to deliveries: one for each reader and channel, however often and by how many it is read."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from icalendar import Calendar

from services.chassis.service import new_id
from tests.integration.notifications import making
from tests.waiting import wait_for

SOFT = [("email", "queued"), ("in_app", "queued"), ("sms", "queued")]


def browser(house, patient_id, number=1):
    keys = {"p256dh": "B" + "A" * 86, "auth": "A" * 22}
    body = {"endpoint": f"https://fcm.googleapis.com/fcm/send/{patient_id}-{number}", "keys": keys}
    return making.done(house.call("add_patient_push_subscription", patient_id=patient_id, body=body), 201)


@pytest.mark.parametrize("event", ["booked", "moved", "cancelled"])
def test_each_event_sends_exactly_one_message_by_each_channel(by_day, hospital, fakes, event):
    patient = hospital.patient()
    browser(by_day, patient)
    made = making.happened(by_day, hospital, patient, event)
    assert making.tell(by_day.service, made).outcome.value == "repeated"
    with making.sending(by_day.service):
        wait_for(lambda: making.is_quiet(by_day))
    assert making.by_channel(fakes.values()) == {"email": 1, "sms": 1, "push": 1}
    inbox = making.done(by_day.call("list_patient_messages", patient_id=patient))["items"]
    assert [each["event"] for each in inbox] == [event]
    staff = making.done(by_day.call("list_own_messages", subject=hospital.account, role="doctor"))["items"]
    assert [each["event"] for each in staff] == [event]
    assert "Ada" not in str(staff), "the message to the doctor names nobody"


def test_an_event_that_many_read_at_once_is_told_once(by_day, hospital):
    made = making.envelope(hospital, hospital.patient())
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(making.tell(by_day.service, made).outcome.value))
        for _ in range(6)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(results) == ["handled"] + ["repeated"] * 5
    assert making.states(by_day) == SOFT


def test_the_words_are_those_of_the_reader_and_the_times_those_of_the_place(by_day, hospital):
    start = datetime(2099, 7, 6, 8, 30, tzinfo=UTC)
    making.happened(
        by_day, hospital, hospital.patient(language="de-AT"),
        starts_at=start.isoformat(), ends_at=(start + timedelta(minutes=15)).isoformat(),
    )  # fmt: skip
    (found,) = making.rows(by_day, "SELECT * FROM deliveries WHERE way = 'email'")
    assert found["subject"] == "Ihr Termin am Montag, 6. Juli 2099"
    assert "10:30 Uhr (Mitteleuropäische Sommerzeit)" in found["text"]
    assert (found["language"], found["from_name"], found["address"]) == ("de", "Northgate Hospital", "ada@example.org")
    assert "Dr. Zoe Example" in found["text"]
    assert "Chemotherapy" not in found["text"] + found["calendar"].decode()


@pytest.mark.row("PAT-23")
def test_language_and_preference_of_the_record_decide(by_day, hospital, fakes):
    """Arabic words for who reads Arabic, in the zone of the place; nothing at all for who wants nothing."""
    arabic, nobody = hospital.patient(language="ar"), hospital.patient(contact_preference="none")
    for each in (arabic, nobody):
        making.happened(by_day, hospital, each)
    with making.sending(by_day.service):
        wait_for(lambda: making.is_quiet(by_day))
    (mail,) = fakes["email"].got
    assert mail.language == "ar"
    assert "تم حجز موعدكم" in mail.text
    assert len(fakes["sms"].got) == 1
    silent = making.rows(by_day, "SELECT way, reason FROM deliveries WHERE reader_id = %s", nobody)
    assert {each["reason"] for each in silent} == {"prefers_none"}
    assert making.done(by_day.call("list_patient_messages", patient_id=nobody))["items"] == []


def test_a_calendar_follows_an_appointment_through_its_versions(by_day, hospital):
    patient, appointment = hospital.patient(), str(new_id())
    for number, event in enumerate(["booked", "moved", "cancelled"], start=1):
        making.happened(by_day, hospital, patient, event, _subject=appointment, _subjectversion=number)
    found = making.rows(
        by_day, "SELECT calendar, calendar_method FROM deliveries WHERE way = 'email' ORDER BY appointment_version"
    )
    assert [each["calendar_method"] for each in found] == ["REQUEST", "REQUEST", "CANCEL"]
    entries = [Calendar.from_ical(each["calendar"]).walk("VEVENT")[0] for each in found]
    assert [(str(each["UID"]), each["SEQUENCE"]) for each in entries] == [(appointment, n) for n in (1, 2, 3)]
    assert str(entries[0]["ORGANIZER"]) == "mailto:house@example.org"


def test_a_request_that_is_declined_is_told_to_the_patient_only(by_day, hospital):
    making.happened(by_day, hospital, hospital.patient(), "declined", status="declined")
    assert making.states(by_day) == SOFT
    assert making.rows(by_day, "SELECT kind FROM deliveries WHERE kind = 'account'") == []


def test_what_is_over_is_told_to_nobody_and_nobody_is_asked(by_day, hospital):
    yesterday = datetime.now(UTC) - timedelta(days=1)
    making.happened(by_day, hospital, hospital.patient(), starts_at=yesterday.isoformat())
    assert {reason for _, reason in making.states(by_day)} == {"past"}
    assert "find_patient_contacts" not in {name for name, _ in hospital.asked}


def test_a_version_that_comes_late_is_not_told_after_a_later_one(by_day, hospital):
    patient, appointment = hospital.patient(), str(new_id())
    making.happened(by_day, hospital, patient, "cancelled", _subject=appointment, _subjectversion=3)
    making.happened(by_day, hospital, patient, "booked", _subject=appointment, _subjectversion=1)
    assert [reason for _, reason in making.states(by_day, topic="booked")] == ["overtaken"] * 3
    assert making.states(by_day, topic="cancelled") == SOFT


@pytest.mark.parametrize("standing", ["deceased", "merged", "inactive"])
def test_nothing_is_planned_for_who_may_not_be_told(by_day, hospital, standing):
    making.happened(by_day, hospital, hospital.patient(standing=standing))
    assert {reason for _, reason in making.states(by_day)} == {standing}
    assert making.rows(by_day, "SELECT 1 FROM deliveries WHERE kind = 'patient' AND address IS NOT NULL") == []


def test_a_record_that_is_not_there_stops_nothing(by_day, hospital):
    making.happened(by_day, hospital, str(uuid4()))
    assert {reason for _, reason in making.states(by_day)} == {"unknown"}


def test_while_another_service_is_away_an_event_waits(by_day, hospital):
    hospital.away.add("find_patient_contacts")
    made = making.envelope(hospital, hospital.patient())
    assert making.tell(by_day.service, made).outcome.value == "away"
    assert making.states(by_day) == []
    hospital.away.clear()
    wait_for(lambda: making.tell(by_day.service, made).outcome.value == "handled", within_s=30, what="it is heard")
    assert making.states(by_day) == SOFT


def test_others_are_asked_with_the_token_of_the_service(by_day, hospital):
    patient = hospital.patient()
    hospital.asked.clear()
    making.happened(by_day, hospital, patient)
    assert {token for _, token in hospital.asked} == {"Bearer service@notifications"}


def test_what_an_old_event_leaves_out_is_asked_for(by_day, hospital):
    patient, appointment = hospital.patient(), str(new_id())
    now = hospital.example("get_appointment")
    start = "2099-07-06T08:30:00Z"
    more = {
        "id": appointment, "starts_at": start, "ends_at": "2099-07-06T09:00:00Z", "zone": "Europe/Berlin",
        "location_id": hospital.location,
    }  # fmt: skip
    hospital.known[appointment] = {**now, **more}
    making.happened(
        by_day, hospital, patient, starts_at=start, ends_at=None, zone=None, location_id=None, _subject=appointment
    )
    (found,) = making.rows(by_day, "SELECT zone, expires_at FROM deliveries WHERE way = 'email'")
    assert (found["zone"], found["expires_at"]) == ("Europe/Berlin", datetime(2099, 7, 6, 9, tzinfo=UTC))


def test_details_are_named_where_the_facility_allows_it_and_not_elsewhere(by_day, hospital):
    words = {"text": "{{appointment_type}} {{date}}", "names_details": True}
    place = {"event": "booked", "channel": "sms", "language": "en"}
    making.done(by_day.call("set_notification_template", version=1, body=words, **place))
    making.happened(by_day, hospital, hospital.patient())
    assert "get_appointment_type" not in {name for name, _ in hospital.asked}
    allowed = {**making.ALL_DAY, "may_name_details": True}
    making.done(by_day.call("set_notification_settings", facility_id=hospital.facility, version=2, body=allowed))
    making.happened(by_day, hospital, hospital.patient())
    texts = making.rows(by_day, "SELECT text FROM deliveries WHERE way = 'sms' ORDER BY id")
    assert [each["text"].startswith("Chemotherapy") for each in texts] == [False, True]


def in_batch(house, *events):
    return [each.outcome.value for each in making.tell_together(house.service, *events)]


def test_a_batch_is_told_like_its_events_one_by_one(by_day, hospital):
    """Of three people, one has browsers, one wants nothing by SMS and one is dead: what each would get alone."""
    people = [hospital.patient(), hospital.patient(language="de"), hospital.patient(standing="deceased")]
    browser(by_day, people[0])
    wanted = {"choices": [{"channel": "sms", "event": "all", "wanted": False}]}
    preferences = {"patient_id": people[1], "version": 1, "body": wanted}
    making.done(by_day.call("set_patient_notification_preferences", **preferences))
    for each in people:
        making.happened(by_day, hospital, each)
    columns = "reader_id, kind, way, device, status, reason, language, address, address_key, subject, text, zone"
    query = f"SELECT {columns} FROM deliveries ORDER BY reader_id, way"
    alone = making.rows(by_day, query)
    making.empty_deliveries(by_day)
    assert in_batch(by_day, *(making.envelope(hospital, each) for each in people)) == ["handled"] * 3
    assert making.rows(by_day, query) == alone
    assert {each["kind"] for each in alone} == {"patient", "account"}


def test_for_a_batch_others_are_asked_once(by_day, hospital):
    events = [making.envelope(hospital, hospital.patient()) for _ in range(20)]
    hospital.asked.clear()
    assert in_batch(by_day, *events) == ["handled"] * 20
    assert [name for name, _ in hospital.asked].count("find_patient_contacts") == 1
    assert in_batch(by_day, *events) == ["repeated"] * 20
    assert len(making.states(by_day)) == 60


def test_versions_of_one_appointment_in_a_batch_are_told_in_its_order_and_none_after_a_later_one(by_day, hospital):
    patient, appointment, other = hospital.patient(), str(new_id()), str(new_id())
    told = [("booked", 1, appointment), ("moved", 2, appointment), ("cancelled", 3, other), ("booked", 1, other)]
    events = [
        making.envelope(hospital, patient, event, _subject=subject, _subjectversion=version)
        for event, version, subject in told
    ]
    assert in_batch(by_day, *events) == ["handled"] * 4
    assert making.states(by_day, topic="moved") == making.states(by_day, topic="cancelled") == SOFT
    overtaken = "SELECT 1 FROM deliveries WHERE reason = 'overtaken' AND kind = 'patient' AND appointment_id = %s"
    assert [len(making.rows(by_day, overtaken, each)) for each in (appointment, other)] == [0, 3]


def test_each_message_of_a_batch_belongs_to_the_trace_and_the_request_of_its_own_event(by_day, hospital):
    traces = [f"00-{number:032x}-{number:016x}-01" for number in (1, 2)]
    events = [
        making.envelope(hospital, hospital.patient(), _traceparent=each, _requestid=f"request-{number}")
        for number, each in enumerate(traces)
    ]
    in_batch(by_day, *events)
    found = making.rows(by_day, "SELECT DISTINCT trace_parent, request_id FROM deliveries ORDER BY request_id")
    assert [(each["trace_parent"], each["request_id"]) for each in found] == [
        (traces[0], "request-0"),
        (traces[1], "request-1"),
    ]


def test_a_bad_event_costs_the_others_of_its_batch_nothing(by_day, hospital):
    """One names a zone that there is not: nothing of the batch is kept, and each is handled alone."""
    good, bad = (making.envelope(hospital, hospital.patient()) for _ in range(2))
    bad["data"]["zone"] = "Atlantis/Capital"
    assert in_batch(by_day, good, bad) == ["failed", "failed"]
    assert making.states(by_day) == []
    assert making.tell(by_day.service, good).outcome.value == "handled"
    assert making.tell(by_day.service, bad).outcome.value == "failed"
    assert making.states(by_day) == SOFT
