"""The turns of deliveries: in order, at the right time, tried again, given up, and never to who may not be told."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.service import new_id
from services.notifications.model.channels import ChannelAway, Deferred, OptedOut, OutcomeUnknown, Refused
from tests.integration.notifications import making
from tests.waiting import wait_for

SMS = {"phones": [{"e164": "+49305550101", "use": "mobile"}], "emails": [], "contact_preference": "sms"}


@pytest.fixture
def sms(by_day, fakes):
    """The channel for text messages."""
    return fakes["sms"]


def queued(house, hospital, *, count=1, **given):
    """Text messages that are due, to patients of their own, and their deliveries."""
    patients = [hospital.patient(**SMS) for _ in range(count)]
    for each in patients:
        making.happened(house, hospital, each, **given)
    return patients


def sent(house, *ways):
    """Send until nothing is due."""
    with making.sending(house.service, *(ways or ["sms"])):
        wait_for(lambda: not making.rows(house, DUE, list(ways or ["sms"])), what="all of it has had its turn")


DUE = "SELECT 1 FROM deliveries WHERE way = ANY (%s) AND (due_at <= now() OR status = 'sending')"


def of_sms(house):
    (found,) = making.rows(house, "SELECT * FROM deliveries WHERE way = 'sms'")
    return found


def attempts(house, delivery_id):
    got = house.call("get_delivery", delivery_id=str(delivery_id))
    return [(each["number"], each["outcome"], each["code"]) for each in making.done(got)["attempts"]]


def test_what_was_taken_is_sent_with_the_name_that_the_other_side_gave_it(by_day, hospital, sms):
    queued(by_day, hospital)
    sent(by_day)
    (message,), delivery = sms.got, of_sms(by_day)
    assert (message.delivery_id, message.to, message.text) == (delivery["id"], "+49305550101", delivery["text"])
    assert (delivery["status"], delivery["due_at"], message.request_id) == ("sent", None, "a-request")
    shown = making.done(by_day.call("get_delivery", delivery_id=str(delivery["id"])))
    assert [(each["outcome"], each["reference"]) for each in shown["attempts"]] == [("accepted", "sms-1")]
    assert (shown["to"], shown["text"], shown["tries"]) == ("+49305550101", message.text, 1)


def lost(house):
    """The ids of messages that nobody got, as the desk finds them."""
    got = house.call("list_deliveries", query={"lost": "true"}, role="receptionist")
    return [each["id"] for each in making.done(got)["items"]]


@pytest.mark.row("NOT-08")
def test_what_fails_three_times_is_dead_and_sent_again_by_hand_as_a_new_linked_delivery(by_day, hospital, sms):
    (patient,) = queued(by_day, hospital)
    sms.answers = [Deferred("busy"), Deferred("busier"), Deferred("busiest")]
    for failures, pause_s in ((1, 60), (2, 300)):
        sent(by_day)
        found = of_sms(by_day)
        assert (found["status"], found["reason"], found["failures"]) == (
            "queued",
            ["busy", "busier"][failures - 1],
            failures,
        )
        assert timedelta(seconds=pause_s - 30) < found["due_at"] - datetime.now(UTC) <= timedelta(seconds=pause_s)
        making.make_due(by_day)
    sent(by_day)
    dead = making.done(by_day.call("list_deliveries", query={"status": "dead"}, role="receptionist"))["items"]
    assert [(each["reason"], each["patient_id"], each["tries"]) for each in dead] == [("busiest", patient, 3)]
    assert lost(by_day) == [dead[0]["id"]]
    assert [outcome for _, outcome, _ in attempts(by_day, dead[0]["id"])] == ["deferred"] * 3
    assert sms.got == []

    again = making.done(by_day.call("resend_delivery", delivery_id=dead[0]["id"], role="receptionist"), 201)
    assert (again["status"], again["resend_of"]) == ("queued", dead[0]["id"])
    sent(by_day)
    shown = making.done(by_day.call("get_delivery", delivery_id=again["id"]))
    assert (shown["status"], shown["resend_of"], shown["attempts"][0]["outcome"]) == ("sent", dead[0]["id"], "accepted")
    assert [str(each.delivery_id) for each in sms.got] == [again["id"]]
    assert making.done(by_day.call("get_delivery", delivery_id=dead[0]["id"]))["status"] == "dead"


def test_what_is_refused_is_not_tried_again(by_day, hospital, sms):
    queued(by_day, hospital)
    sms.answers = [Refused("no_such_number")]
    sent(by_day)
    assert (of_sms(by_day)["status"], of_sms(by_day)["reason"]) == ("failed", "no_such_number")
    assert lost(by_day) == [str(of_sms(by_day)["id"])]


def test_a_bad_message_stops_nobody_else(by_day, hospital, sms):
    queued(by_day, hospital, count=3)
    sms.answers = [ValueError("a channel that does not know what to do")]
    sent(by_day)
    assert len(sms.got) == 2
    waiting = making.rows(by_day, "SELECT reason, failures FROM deliveries WHERE way = 'sms' AND status = 'queued'")
    assert [(each["reason"], each["failures"]) for each in waiting] == [("error", 1)]


def test_an_unknown_outcome_is_sent_again_under_the_same_id(by_day, hospital, sms):
    queued(by_day, hospital)
    sms.answers = [OutcomeUnknown("no_answer")]
    sent(by_day)
    making.make_due(by_day)
    sent(by_day)
    delivery = of_sms(by_day)
    assert [each.delivery_id for each in sms.got] == [delivery["id"]]
    assert attempts(by_day, delivery["id"]) == [(1, "unknown", "no_answer"), (2, "accepted", None)]


def test_a_channel_that_is_away_pauses_and_costs_no_message_an_attempt(by_day, hospital, sms):
    queued(by_day, hospital, count=2)
    sms.answers = [ChannelAway("unreachable")] * 2
    with making.sending(by_day.service, "sms"):
        wait_for(lambda: len(sms.got) == 2, what="it is there again")
    found = making.rows(by_day, "SELECT status, failures, tries FROM deliveries WHERE way = 'sms'")
    assert {(each["status"], each["failures"]) for each in found} == {("sent", 0)}
    assert sum(each["tries"] for each in found) == 4


def test_while_patients_is_away_nothing_is_sent_and_nothing_is_lost(by_day, hospital, sms):
    queued(by_day, hospital)
    hospital.away.add("find_patient_standings")
    with making.sending(by_day.service, "sms"):
        put_off = "SELECT 1 FROM deliveries WHERE way = 'sms' AND status = 'queued' AND due_at > now()"
        wait_for(lambda: making.rows(by_day, put_off), what="it was put off")
        assert sms.got == []
        hospital.away.clear()
        wait_for(lambda: len(sms.got) == 1, within_s=60, what="it is sent")
    assert of_sms(by_day)["tries"] == 1


@pytest.mark.row("NOT-10")
@pytest.mark.parametrize("standing", ["deceased", "merged", "inactive"])
def test_who_may_not_be_told_gets_nothing_neither_planned_nor_waiting(by_day, hospital, fakes, standing):
    """Three cases, twice each: so when it is heard of, and so by the time that the turn of the message comes."""
    making.happened(by_day, hospital, hospital.patient(standing=standing))
    later = hospital.patient()
    making.happened(by_day, hospital, later)
    hospital.people[later]["standing"] = standing
    sent(by_day, "email", "sms", "push", "in_app")
    assert making.by_channel(fakes.values()) == {"email": 0, "sms": 0, "push": 0}
    found = making.rows(by_day, "SELECT DISTINCT status, reason FROM deliveries WHERE kind = 'patient'")
    assert [(each["status"], each["reason"]) for each in found] == [("suppressed", standing)]
    assert making.done(by_day.call("list_patient_messages", patient_id=later))["items"] == []


@pytest.mark.parametrize(("kind", "reason"), [("deceased", "deceased"), ("deactivated", "inactive")])
def test_a_death_takes_back_what_waits_at_once(by_day, hospital, sms, kind, reason):
    gone, _ = queued(by_day, hospital, count=2)
    making.told(by_day, making.patients_event(kind, gone))
    found = making.rows(by_day, "SELECT status, reason FROM deliveries WHERE reader_id = %s AND way = 'sms'", gone)
    assert [(each["status"], each["reason"]) for each in found] == [("suppressed", reason)]
    sent(by_day)
    assert len(sms.got) == 1


def test_what_comes_too_late_is_not_sent(by_day, hospital, sms):
    queued(by_day, hospital)
    making.rows(by_day, "UPDATE deliveries SET expires_at = now() - interval '1 minute'")
    sent(by_day)
    assert (of_sms(by_day)["status"], of_sms(by_day)["reason"], sms.got) == ("suppressed", "too_late", [])


def test_messages_about_one_appointment_go_in_order(by_day, hospital, sms):
    """The first is put off; what follows it waits, others do not."""
    patient, appointment = hospital.patient(**SMS), str(new_id())
    for number, event in enumerate(["booked", "moved", "cancelled"], start=1):
        making.happened(by_day, hospital, patient, event, _subject=appointment, _subjectversion=number)
    queued(by_day, hospital)
    sms.answers = [Deferred("busy")]
    sent_before = "SELECT 1 FROM deliveries WHERE way = 'sms' AND status = 'sent'"
    with making.sending(by_day.service, "sms"):
        wait_for(lambda: len(making.rows(by_day, sent_before)) == 1, what="the other one was sent")
    assert [str(each.delivery_id) for each in sms.got if "moved" in each.text or "cancelled" in each.text] == []
    making.make_due(by_day)
    with making.sending(by_day.service, "sms"):
        wait_for(lambda: len(sms.got) == 4, what="all were sent")
    texts = [each.text for each in sms.got[1:]]
    assert ["moved" in texts[1], "cancelled" in texts[2]] == [True, True]


def test_many_workers_send_each_message_once(by_day, hospital, sms):
    queued(by_day, hospital, count=20)
    stop = threading.Event()
    threads = [threading.Thread(target=by_day.service.parts["send sms"], args=(stop,)) for _ in range(3)]
    for each in threads:
        each.start()
    wait_for(lambda: not making.rows(by_day, DUE, ["sms"]))
    stop.set()
    for each in threads:
        each.join(30)
    assert len(sms.got) == len({each.delivery_id for each in sms.got}) == 20


def test_an_unsubscribed_number_and_a_browser_that_is_gone_get_nothing_more(by_day, hospital, fakes):
    patient = hospital.patient()
    body = {"endpoint": "https://fcm.googleapis.com/fcm/send/1", "keys": {"p256dh": "B" + "A" * 86, "auth": "A" * 22}}
    making.done(by_day.call("add_patient_push_subscription", patient_id=patient, body=body), 201)
    making.happened(by_day, hospital, patient)
    fakes["sms"].answers, fakes["push"].answers = [OptedOut("stopped")], [OptedOut("gone")]
    sent(by_day, "sms", "push")
    assert {reason for way, reason in making.states(by_day) if way in {"sms", "push"}} == {"stopped"}
    assert making.done(by_day.call("list_patient_push_subscriptions", patient_id=patient))["items"] == []
    making.empty_deliveries(by_day)
    making.happened(by_day, hospital, patient)
    assert dict(making.states(by_day)) == {"email": "queued", "in_app": "queued", "sms": "stopped"}


def test_addresses_and_words_are_wiped_after_their_time_and_the_fact_stays(by_day, hospital, sms):
    (patient,) = queued(by_day, hospital)
    sent(by_day, "sms", "in_app")
    making.rows(by_day, "UPDATE deliveries SET finished_at = finished_at - interval '91 days'")
    making.rows(by_day, "UPDATE messages SET sent_at = sent_at - interval '91 days'")
    wipe = next(each for each in by_day.service.jobs if each.name == "notifications_wipe")
    wipe.run(making.job_call())
    delivery = of_sms(by_day)
    shown = making.done(by_day.call("get_delivery", delivery_id=str(delivery["id"])))
    assert (shown["to"], shown["text"], shown["from_name"], shown["wiped"]) == (None, None, None, True)
    assert (shown["status"], shown["patient_id"], len(shown["attempts"])) == ("sent", patient, 1)
    assert making.done(by_day.call("list_patient_messages", patient_id=patient))["items"] == []
    assert by_day.call("resend_delivery", delivery_id=shown["id"]).body["code"] == "nothing_to_send"
    wipe.run(making.job_call())
    assert of_sms(by_day)["wiped_at"] == delivery["wiped_at"]


def test_what_is_recent_keeps_its_words(by_day, hospital, sms):
    queued(by_day, hospital)
    sent(by_day)
    next(each for each in by_day.service.jobs if each.name == "notifications_wipe").run(making.job_call())
    assert of_sms(by_day)["text"]


def test_what_waits_is_measured(by_day, hospital):
    from prometheus_client import REGISTRY

    queued(by_day, hospital, count=2)
    making.rows(by_day, "UPDATE deliveries SET due_at = now() - interval '1 hour' WHERE way = 'sms'")
    next(each for each in by_day.service.jobs if each.name == "notifications_measure").run(making.job_call())
    labels = {"channel": "sms"}
    assert REGISTRY.get_sample_value("infirmary_notifications_due", labels) == 2
    assert 3590 < REGISTRY.get_sample_value("infirmary_notifications_oldest_due_seconds", labels) < 3700
    assert REGISTRY.get_sample_value("infirmary_notifications_due", {"channel": "push"}) == 0
