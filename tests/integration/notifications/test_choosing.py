"""What people and facilities choose, and what comes back by SMS: it counts for what is planned and for what waits."""

from __future__ import annotations

import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import orjson
import pytest

from tests.integration.notifications import making
from tests.waiting import wait_for

NO_SMS = {"choices": [{"channel": "sms", "event": "all", "wanted": False}]}
SMS = {"emails": [], "contact_preference": "sms"}
HOUR = timedelta(hours=1)


def chosen(house, patient, body=NO_SMS, *, version=1, status=200):
    got = house.call("set_patient_notification_preferences", patient_id=patient, body=body, version=version)
    return making.done(got, status)


def reply(house, text, *, number="+49305550101", at=None, secret=making.REPLY_SECRET, change=b""):
    raw = orjson.dumps({"from": number, "text": text})
    seconds = int(time.time() if at is None else at)
    signed = hmac.new(secret.encode(), f"{seconds}.".encode() + raw, hashlib.sha256).hexdigest()
    headers = {"x-signature": f"t={seconds},v1={signed}"}
    return house.call("receive_sms_reply", role=None, raw=raw + change, headers=headers)


def sent(house):
    due = "SELECT 1 FROM deliveries WHERE way = 'sms' AND (due_at <= now() OR status = 'sending')"
    with making.sending(house.service, "sms"):
        wait_for(lambda: not making.rows(house, due), what="all had their turn")


@pytest.mark.row("NOT-09")
def test_opting_out_stop_and_quiet_hours_hold_back_what_is_not_wanted(house, hospital, fakes):
    """Opted out: suppressed and logged. STOP: nothing more to the number. At night: held until eight, unless urgent."""
    zone = night_somewhere()
    morning = (datetime.now(ZoneInfo(zone)) + timedelta(days=datetime.now(ZoneInfo(zone)).hour > 12)).replace(
        hour=8, minute=0, second=0, microsecond=0
    )
    soon, later = morning + timedelta(hours=3), morning + timedelta(days=3)

    def told(at, **person):
        patient = hospital.patient(**{**SMS, **person})
        times = {"starts_at": at.isoformat(), "ends_at": (at + HOUR).isoformat(), "zone": zone}
        return patient, lambda: making.happened(house, hospital, patient, **times)

    out, tell_out = told(later)
    chosen(house, out)
    stopped, tell_stopped = told(later, phones=[{"e164": "+49305550177", "use": "mobile"}])
    making.done(reply(house, "STOPP", number="+49305550177"))
    held, tell_held = told(later)
    urgent, tell_urgent = told(soon)
    for tell in (tell_out, tell_stopped, tell_held, tell_urgent):
        tell()
    found = making.rows(house, "SELECT reader_id, status, reason, due_at FROM deliveries WHERE way = 'sms'")
    by_patient = {str(each["reader_id"]): each for each in found}
    assert {id_: each["reason"] or each["status"] for id_, each in by_patient.items()} == {
        out: "opted_out", stopped: "stopped", held: "held", urgent: "queued",
    }  # fmt: skip
    assert by_patient[held]["due_at"] == morning.astimezone(UTC)
    log = making.done(house.call("list_deliveries", query={"status": "suppressed", "channel": "sms"}))["items"]
    assert {(each["patient_id"], each["reason"]) for each in log} == {(out, "opted_out"), (stopped, "stopped")}
    sent(house)
    assert len(fakes["sms"].got) == 1
    making.rows(house, "DELETE FROM facility_settings")
    making.done(house.call("set_notification_settings", facility_id=hospital.facility, version=1, body=making.ALL_DAY))
    making.make_due(house)
    sent(house)
    assert len(fakes["sms"].got) == 2


def night_somewhere() -> str:
    """A zone in which it is night now, and for some time."""
    for name in sorted(available_timezones()):
        if name.startswith("Etc/GMT") and datetime.now(ZoneInfo(name)).hour in {23, 0, 1, 2}:
            return name
    raise AssertionError("it is night nowhere")


def test_nothing_chosen_is_version_one_and_every_change_starts_from_the_version_of_now(house, hospital):
    patient = hospital.patient()
    first = house.call("get_patient_notification_preferences", patient_id=patient)
    assert (first.body, first.headers["etag"]) == ({"version": 1, "choices": []}, '"1"')
    assert chosen(house, patient)["version"] == 2
    assert chosen(house, patient, version=2) == {"version": 2, **NO_SMS}, "what changes nothing makes no version"
    stale = chosen(house, patient, {"choices": []}, version=1, status=412)
    assert stale["fields"] == ["choices"]
    assert chosen(house, patient, {"choices": []}, version=2) == {"version": 3, "choices": []}
    assert house.call("set_patient_notification_preferences", patient_id=patient, body=NO_SMS).status == 428


def test_what_waits_is_not_sent_any_more_when_it_is_no_longer_wanted(by_day, hospital, fakes):
    patient = hospital.patient(**SMS)
    making.happened(by_day, hospital, patient)
    chosen(by_day, patient)
    sent(by_day)
    assert fakes["sms"].got == []
    assert ("sms", "opted_out") in making.states(by_day)


def test_an_account_chooses_for_itself(by_day, hospital):
    body = {"choices": [{"channel": "in_app", "event": "cancelled", "wanted": False}]}
    own = {"subject": hospital.account, "role": "doctor"}
    assert making.done(by_day.call("set_own_notification_preferences", body=body, version=1, **own))["version"] == 2
    assert by_day.call("get_own_notification_preferences", role="doctor").body["choices"] == []
    for event in ("booked", "cancelled"):
        making.happened(by_day, hospital, hospital.patient(), event)
    found = making.rows(by_day, "SELECT topic, status, reason FROM deliveries WHERE kind = 'account' ORDER BY id")
    assert [(each["topic"], each["reason"] or each["status"]) for each in found] == [
        ("booked", "queued"), ("cancelled", "opted_out"),
    ]  # fmt: skip


def test_stop_counts_for_everybody_with_the_number_and_for_what_waits(by_day, hospital, fakes):
    for _ in range(2):
        making.happened(by_day, hospital, hospital.patient(**SMS))
    assert making.done(reply(by_day, "Stop please")) == {"understood": "stop"}
    making.happened(by_day, hospital, hospital.patient(**SMS))
    sent(by_day)
    assert fakes["sms"].got == []
    assert [state for way, state in making.states(by_day) if way == "sms"] == ["stopped"] * 3


def test_start_begins_again_and_other_words_change_nothing(by_day, hospital):
    now = time.time()
    assert making.done(reply(by_day, "STOP", at=now - 20))["understood"] == "stop"
    assert making.done(reply(by_day, "Thank you", at=now - 10))["understood"] == "other"
    making.happened(by_day, hospital, hospital.patient(**SMS))
    assert making.done(reply(by_day, "START", at=now - 5))["understood"] == "start"
    making.happened(by_day, hospital, hospital.patient(**SMS))
    assert [state for way, state in making.states(by_day) if way == "sms"] == ["stopped", "queued"]


def test_the_newest_reply_counts_however_late_another_one_comes(by_day, hospital):
    now = time.time()
    making.done(reply(by_day, "START", at=now))
    making.done(reply(by_day, "STOP", at=now - 60))
    making.happened(by_day, hospital, hospital.patient(**SMS))
    assert ("sms", "queued") in making.states(by_day)


@pytest.mark.parametrize("wrong", [{"secret": "another secret"}, {"at": 1_600_000_000}, {"change": b" "}])
def test_a_reply_that_the_gateway_has_not_signed_just_now_is_refused(house, wrong):
    got = reply(house, "STOP", **wrong)
    assert (got.status, got.body["code"]) == (403, "not_allowed")
    assert making.rows(house, "SELECT 1 FROM sms_stops") == []


def test_a_number_is_nowhere_in_what_is_kept_of_a_reply(house):
    making.done(reply(house, "STOP"))
    (kept,) = making.rows(house, "SELECT number_key::text AS key, is_stopped, source FROM sms_stops")
    assert (kept["is_stopped"], kept["source"]) == (True, "reply")
    assert "5550101" not in str(kept) + str(making.rows(house, "SELECT event FROM outbox"))


def test_settings_of_a_facility_begin_with_what_every_one_does(house, hospital):
    got = house.call("get_notification_settings", facility_id=hospital.facility, role="admin")
    assert got.body == {
        "version": 1, "quiet_hours": {"from": "21:00", "until": "08:00"}, "from_name": None, "language": None,
        "channels": ["email", "sms", "push", "in_app"], "may_name_details": False,
    }  # fmt: skip
    place = {"facility_id": hospital.facility, "role": "admin"}
    body = {**making.ALL_DAY, "channels": ["in_app"], "from_name": "The clinic"}
    assert making.done(house.call("set_notification_settings", version=1, body=body, **place))["version"] == 2
    stale = making.done(house.call("set_notification_settings", version=1, body=making.ALL_DAY, **place), 412)
    assert stale["fields"] == ["channels", "from_name", "quiet_hours"]
    making.happened(house, hospital, hospital.patient())
    assert making.states(house) == [("email", "not_in_use"), ("in_app", "queued"), ("sms", "not_in_use")]


@pytest.mark.row("NOT-03")
def test_own_words_by_event_channel_and_language_with_preview_and_fallback(by_day, hospital):
    """A typo is refused, a preview keeps nothing, and who reads another language gets what there is."""
    place = {"event": "booked", "channel": "sms", "role": "admin"}
    typo = by_day.call("set_notification_template", language="de", version=1, body={"text": "Am {{typo}}"}, **place)
    assert (typo.status, typo.body["code"]) == (422, "template_invalid")
    assert typo.body["facts"]["places"] == [{"pointer": "/text", "at": 3, "characters": 8}]
    assert b"typo" not in typo.raw
    words = {"text": "Eigener Text: {{date}}, {{time}} Uhr, {{zone}}"}
    preview = making.done(by_day.call("preview_notification_template", language="de", body=words, **place))
    assert preview["text"] == "Eigener Text: Mittwoch, 30. September 2026, 10:30 Uhr, Mitteleuropäische Sommerzeit"
    assert preview["characters"] == len(preview["text"])
    before = making.done(by_day.call("get_notification_template", language="de", **place))
    assert (before["own"], before["version"]) == (False, 1)
    written = making.done(by_day.call("set_notification_template", language="de", version=1, body=words, **place))
    assert (written["own"], written["version"], written["text"]) == (True, 2, words["text"])

    people = [hospital.patient(language=each) for each in ("de-AT", "pl", None)]
    for each in people:
        making.happened(by_day, hospital, each)
    found = making.rows(by_day, "SELECT language, text FROM deliveries WHERE way = 'sms' ORDER BY id")
    assert [each["language"] for each in found] == ["de", "en", "en"]
    assert found[0]["text"].startswith("Eigener Text: ")
    assert making.done(by_day.call("get_notification_template", language="pl", **place))["written_in"] == "en"

    stale = by_day.call("reset_notification_template", language="de", version=1, **place)
    assert (stale.status, stale.body["fields"]) == (412, ["text"])
    back = making.done(by_day.call("reset_notification_template", language="de", version=2, **place))
    assert (back["own"], back["version"], back["text"]) == (False, 3, before["text"])


def test_the_list_of_templates_holds_the_built_in_ones_and_own_languages(house):
    polish = {"event": "booked", "channel": "sms", "language": "pl"}
    making.done(house.call("set_notification_template", version=1, body={"text": "{{date}}"}, **polish))
    found = making.done(house.call("list_notification_templates", query={"channel": "sms", "event": "booked"}))["items"]
    assert [each["language"] for each in found] == ["ar", "de", "en", "es", "fr", "pl", "tr"]
    assert [each["language"] for each in found if each["own"]] == ["pl"]
    assert len(making.done(house.call("list_notification_templates"))["items"]) == 7 * 4 * 6 + 1
