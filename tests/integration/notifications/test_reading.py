"""The log of deliveries, messages in the house, browsers, and test messages: who sees and does what, with a trace."""

from __future__ import annotations

import orjson
import pytest

from services.notifications.model.channels import Refused
from tests.integration.notifications import making
from tests.waiting import wait_for

KEYS = {"p256dh": "B" + "A" * 86, "auth": "A" * 22}
OTHER = "01939c3e-0000-7000-8000-0000000000aa"


def traces(house):
    found = making.rows(house, "SELECT event FROM outbox WHERE type LIKE 'audit.%%' ORDER BY position")
    return [orjson.loads(each["event"])["data"] for each in found]


def listed(house, **query):
    got = house.call("list_deliveries", query=query, role="receptionist")
    return making.done(got)["items"]


def browser(house, number=1, *, patient=None, subject=OTHER, status=201):
    body = {"endpoint": f"https://fcm.googleapis.com/fcm/send/{number}", "keys": KEYS}
    if patient is not None:
        return making.done(house.call("add_patient_push_subscription", patient_id=patient, body=body), status)
    return making.done(house.call("add_own_push_subscription", subject=subject, role="doctor", body=body), status)


def test_the_log_is_filtered_by_whatever_is_asked(by_day, hospital):
    one, two = hospital.patient(), hospital.patient(emails=[])
    making.happened(by_day, hospital, one)
    making.happened(by_day, hospital, two, "cancelled")
    assert {each["patient_id"] for each in listed(by_day, patient_id=one)} == {one}
    assert {each["event"] for each in listed(by_day, event="cancelled")} == {"cancelled"}
    assert [(each["channel"], each["reason"]) for each in listed(by_day, status="suppressed")] == [
        ("email", "no_address")
    ]
    assert len(listed(by_day, channel="sms", facility_id=hospital.facility)) == 2
    assert listed(by_day, lost="true") == []
    assert len(listed(by_day, lost="false")) == 8
    assert listed(by_day, facility_id=OTHER) == listed(by_day, until="2020-01-01T00:00:00Z") == []
    assert len(listed(by_day, since="2020-01-01T00:00:00+01:00")) == 8
    assert by_day.call("list_deliveries", query={"since": "2020-13-01T00:00:00Z"}).status == 422


def test_the_log_is_read_page_by_page_and_leaves_a_trace_of_whom_it_showed(by_day, hospital):
    patients = [hospital.patient() for _ in range(3)]
    for each in patients:
        making.happened(by_day, hospital, each)
    seen, query = [], {"limit": 5}
    while True:
        page = making.done(by_day.call("list_deliveries", query=query))
        seen += [each["id"] for each in page["items"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert seen == sorted(seen, reverse=True)
    assert len(seen) == len(set(seen)) == 12
    found = {id_ for each in traces(by_day) if each["operation"] == "list_deliveries" for id_ in each["found"]}
    assert found == set(patients)


def test_one_delivery_is_seen_whole_and_leaves_a_trace(by_day, hospital):
    patient = hospital.patient()
    making.happened(by_day, hospital, patient)
    mail = listed(by_day, channel="email")[0]
    assert "to" not in mail
    shown = making.done(by_day.call("get_delivery", delivery_id=mail["id"], role="receptionist"))
    assert (shown["to"], shown["wiped"], shown["attempts"]) == ("ada@example.org", False, [])
    trace = traces(by_day)[-1]
    assert (trace["operation"], trace["patient_id"], trace["record_id"]) == ("get_delivery", patient, mail["id"])
    assert "ada@example.org" not in str(traces(by_day))


def test_what_is_under_way_is_not_sent_again(by_day, hospital):
    making.happened(by_day, hospital, hospital.patient())
    got = by_day.call("resend_delivery", delivery_id=listed(by_day, channel="sms")[0]["id"])
    assert (got.status, got.body["code"]) == (409, "still_under_way")


def test_a_message_is_read_once_by_whom_it_is_for_and_counts_as_delivered(by_day, hospital):
    making.happened(by_day, hospital, hospital.patient())
    with making.sending(by_day.service, "in_app"):
        wait_for(lambda: making.rows(by_day, "SELECT 1 FROM messages WHERE kind = 'account'"))
    own = {"subject": hospital.account, "role": "doctor"}
    (message,) = making.done(by_day.call("list_own_messages", **own))["items"]
    assert message["read_at"] is None
    assert by_day.call("mark_own_message_read", message_id=message["id"], subject=OTHER).status == 404
    read = making.done(by_day.call("mark_own_message_read", message_id=message["id"], **own))
    assert read["read_at"] is not None
    assert making.done(by_day.call("mark_own_message_read", message_id=message["id"], **own)) == read
    assert making.done(by_day.call("get_delivery", delivery_id=message["id"]))["status"] == "delivered"
    assert making.done(by_day.call("list_own_messages", query={"unread": True}, **own))["items"] == []
    assert making.done(by_day.call("list_own_messages", query={"unread": False}, **own))["items"] == [read]
    assert making.done(by_day.call("list_own_messages", subject=OTHER))["items"] == []


def test_a_browser_shows_the_messages_of_one_person(house, hospital):
    patient = hospital.patient()
    first = browser(house)
    assert browser(house)["id"] == first["id"], "the same again is the same"
    assert first["host"] == "fcm.googleapis.com"
    moved = browser(house, patient=patient)
    assert making.done(house.call("list_own_push_subscriptions", subject=OTHER))["items"] == []
    assert making.done(house.call("list_patient_push_subscriptions", patient_id=patient))["items"] == [moved]
    gone = {"patient_id": patient, "subscription_id": moved["id"]}
    assert house.call("remove_own_push_subscription", subscription_id=moved["id"], subject=OTHER).status == 404
    assert house.call("remove_patient_push_subscription", **gone).status == 204
    assert house.call("remove_patient_push_subscription", **gone).status == 404


def test_a_person_has_ten_browsers_at_most(house):
    for number in range(10):
        browser(house, number)
    assert browser(house, 11, status=409)["code"] == "too_many_subscriptions"
    browser(house, 3)


@pytest.mark.parametrize(
    "endpoint",
    ["https://evil.example/send", "http://fcm.googleapis.com/send", "https://127.0.0.1/send", "https://fcm.googleapis.com.evil.example/x"],
)  # fmt: skip
def test_only_push_services_that_the_house_allows_are_written_to(house, endpoint):
    got = house.call("add_own_push_subscription", body={"endpoint": endpoint, "keys": KEYS})
    assert (got.status, got.body["errors"]) == (422, [{"pointer": "/endpoint", "rule": "push_host"}])


def test_where_no_pushes_are_sent_there_is_no_key(house):
    assert house.call("get_push_key", role="patient").body == {"key": None}


def test_a_test_message_goes_out_at_once_and_says_what_came_of_it(house, fakes):
    body = {"channel": "sms", "to": "+49305550199", "language": "de"}
    done = making.done(house.call("send_test_message", body=body, role="admin"), 201)
    assert (done["status"], done["event"], done["attempts"][0]["outcome"]) == ("sent", "test", "accepted")
    assert [(each.to, each.language) for each in fakes["sms"].got] == [("+49305550199", "de")]
    fakes["sms"].answers = [Refused("no_such_number")]
    failed = making.done(house.call("send_test_message", body=body, role="admin"), 201)
    assert (failed["status"], failed["reason"], failed["attempts"][0]["code"]) == (
        "failed",
        "no_such_number",
        "no_such_number",
    )
    assert house.call("send_test_message", body={"channel": "sms", "to": "nobody"}).status == 422
    assert house.call("send_test_message", body=body, role="receptionist").status == 403


def test_a_test_message_to_a_channel_that_is_not_there_is_refused(migrated, postgres_url, redis_server, hospital):
    from services.chassis.testing import House
    from services.notifications import app

    bare = House(app.service(making.environ(postgres_url, redis_server, hospital)))
    got = bare.call("send_test_message", body={"channel": "email", "to": "ada@example.org"})
    bare.close()
    assert (got.status, got.body["code"]) == (409, "channel_not_set_up")


def test_staff_sees_the_log_and_others_do_not(house, hospital):
    for role, status in (("receptionist", 200), ("doctor", 403), ("auditor", 403), ("admin", 403)):
        assert house.call("list_deliveries", role=role).status == status
    patient = hospital.patient()
    assert house.call("get_patient_notification_preferences", patient_id=patient, role="nurse").status == 403
    assert house.call("list_own_messages", role="nurse").status == 200


def test_the_log_of_a_narrowed_role_is_that_of_its_facilities(by_day, hospital):
    """In pages that are filled, and one by one; what is not in reach is not there."""
    patient = hospital.patient()
    making.happened(by_day, hospital, patient)
    every = [each["id"] for each in listed(by_day)]
    by_day.roles.areas = {
        "desk-here": {"receptionist": {"facilities": [hospital.facility], "departments": []}},
        "desk-there": {"receptionist": {"facilities": [OTHER], "departments": []}},
    }
    here, there = ({"role": "receptionist", "subject": each} for each in ("desk-here", "desk-there"))
    assert [each["id"] for each in making.done(by_day.call("list_deliveries", **here))["items"]] == every
    assert making.done(by_day.call("list_deliveries", query={"patient_id": patient}, **there))["items"] == []
    assert by_day.call("get_delivery", delivery_id=every[0], **here).status == 200
    headers = {"x-request-id": "the-same"}
    for operation in ("get_delivery", "resend_delivery"):
        one, none = (by_day.call(operation, delivery_id=each, headers=headers, **there) for each in (every[0], OTHER))
        assert (one.status, one.raw) == (404, none.raw)
    by_day.roles.areas = {}


def test_a_person_sees_the_log_of_what_was_sent_to_that_person(by_day, hospital):
    own, other = hospital.patient(), hospital.patient()
    for each in (own, other):
        making.happened(by_day, hospital, each)
    by_day.roles.links = {"person": [[own, "own", None]]}
    person = {"role": "patient", "subject": "person"}
    shown = making.done(by_day.call("list_deliveries", **person))["items"]
    wanted = [each for each in listed(by_day, patient_id=own) if each["addressee"]["kind"] == "patient"]
    assert shown == wanted != []
    beyond = listed(by_day, patient_id=other)[0]["id"]
    assert by_day.call("get_delivery", delivery_id=beyond, **person).status == 404
    assert by_day.call("resend_delivery", delivery_id=shown[0]["id"], **person).status == 403
    by_day.roles.links = {}


@pytest.mark.parametrize(
    ("operation", "permission", "more"),
    [
        ("get_patient_notification_preferences", "notifications.read", {}),
        ("list_patient_messages", "notifications.read", {}),
        ("list_patient_push_subscriptions", "notifications.read", {}),
        (
            "set_patient_notification_preferences",
            "notifications.set_preferences",
            {"version": 1, "body": {"choices": []}},
        ),
        ("remove_patient_push_subscription", "notifications.set_preferences", {"subscription_id": OTHER}),
    ],
)
def test_patients_decides_about_whose_preferences_and_messages_they_are(by_day, hospital, operation, permission, more):
    hospital.targets.clear()
    person = {"role": "patient", "subject": "person"}
    assert by_day.call(operation, patient_id=OTHER, **person, **more).status == 404
    assert hospital.targets == [f"/api/v1/patients/{OTHER}/standing?permission={permission}"]


def test_settings_are_of_the_own_facility_and_words_of_the_house(by_day, hospital):
    by_day.roles.areas = {"admin-here": {"admin": {"facilities": [hospital.facility], "departments": []}}}
    admin = {"role": "admin", "subject": "admin-here"}
    assert by_day.call("get_notification_settings", facility_id=hospital.facility, **admin).status == 200
    headers = {"x-request-id": "the-same"}
    there = by_day.call("get_notification_settings", facility_id=OTHER, headers=headers, **admin)
    assert there.status == 404
    words = {"event": "booked", "channel": "sms", "language": "en"}
    assert by_day.call("get_notification_template", **words, **admin).status == 200
    got = by_day.call("set_notification_template", **words, version=1, body={"text": "Come."}, **admin)
    assert got.status == 403
    by_day.roles.areas = {}
