"""Who is told what by which way, and who is not, and why."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest

from services.notifications.model.preferences import Preferences
from services.notifications.model.settings import FacilitySettings, QuietHours
from services.notifications.model.templates import Template
from services.notifications.model.words import TABLE, Kind, Topic, Way
from tests.unit.notifications.making import (
    ACCOUNT,
    APPOINTMENT,
    AT,
    FACILITY,
    KEY,
    PATIENT,
    START,
    by_way,
    doctor,
    happening,
    patient,
    plan,
)

ROOT = Path(__file__).resolve().parents[3]
MOVED = {"was_at": START - timedelta(days=3)}


@pytest.mark.parametrize("topic", [Topic.BOOKED, Topic.MOVED, Topic.CANCELLED, Topic.DECLINED])
@pytest.mark.parametrize("reader", [patient, doctor])
def test_each_event_fires_one_message_by_each_way_of_the_table(topic, reader):
    found = plan(happening(topic, **(MOVED if topic is Topic.MOVED else {})), reader())
    asked_for = [way for way in TABLE[reader().kind].get(topic, ()) if reader().addresses[way]]
    assert [each.way for each in found] == asked_for
    assert {each.status.value for each in found} <= {"queued"}


def test_the_table_of_the_documentation_is_that_of_the_code():
    text = (ROOT / "docs/notifications.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (patient|doctor) \| (\w+) \| (.*) \|$", text, re.MULTILINE)
    said = {(who, topic): [cell.strip() == "yes" for cell in cells.split("|")] for who, topic, cells in rows}
    kinds = {"patient": Kind.PATIENT, "doctor": Kind.ACCOUNT}
    assert said == {
        (who, topic.value): [way in TABLE[kind].get(topic, ()) for way in Way]
        for who, kind in kinds.items()
        for topic in Topic
        if topic is not Topic.TEST
    }


def test_every_browser_gets_one_and_nobody_without_one_is_missed():
    assert [each.device for each in plan(reader=patient(browsers=3)) if each.way is Way.PUSH] == ["0", "1", "2"]
    assert "push" not in by_way(plan(reader=patient(browsers=0)))


@pytest.mark.parametrize("standing", ["deceased", "inactive", "merged", "unknown"])
def test_nobody_who_may_not_be_told_is_told(standing):
    found = plan(reader=patient(standing=standing))
    assert set(by_way(found).values()) == {standing}
    assert {each.text for each in found} == {each.to for each in found} == {None}


@pytest.mark.parametrize(
    ("preference", "told"),
    [
        (None, {"email", "sms", "push", "in_app"}),
        ("email", {"email", "push", "in_app"}),
        ("sms", {"sms", "push", "in_app"}),
        ("push", {"push", "in_app"}),
        ("in_app", {"push", "in_app"}),
        ("phone", {"push", "in_app"}),
        ("post", {"push", "in_app"}),
        ("none", set()),
    ],
)
def test_the_preference_of_the_record_narrows_the_ways(preference, told):
    found = by_way(plan(reader=patient(preference=preference)))
    assert {way for way, state in found.items() if state == "queued"} == told
    reasons = {state for way, state in found.items() if way not in told}
    assert reasons <= {"prefers_none" if preference == "none" else "prefers_other"}


def chosen(owner=PATIENT, kind=Kind.PATIENT, **choices):
    made = {(Way(name.partition("__")[0]), name.partition("__")[2]): wanted for name, wanted in choices.items()}
    return {"preferences": {owner: Preferences(kind=kind, owner_id=owner, choices=made)}}


def test_a_choice_goes_before_the_preference_and_one_event_before_all():
    found = plan(reader=patient(preference="email"), **chosen(sms__all=True, email__all=True, email__booked=False))
    assert by_way(found) == {"email": "opted_out", "sms": "queued", "push": "queued", "in_app": "queued"}
    moved = plan(happening(Topic.MOVED, **MOVED), **chosen(email__booked=False))
    assert by_way(moved)["email"] == "queued"


def test_no_choice_brings_back_what_none_has_ended():
    found = plan(reader=patient(preference="none"), **chosen(sms__all=True))
    assert set(by_way(found).values()) == {"prefers_none"}


def test_a_doctor_chooses_too():
    found = plan(reader=doctor(), **chosen(ACCOUNT, Kind.ACCOUNT, in_app__all=False))
    assert by_way(found) == {"in_app": "opted_out"}


def test_a_number_that_wants_no_more_gets_no_more():
    assert by_way(plan(stopped={KEY}))["sms"] == "stopped"
    assert by_way(plan(stopped={b"another"}))["sms"] == "queued"


def test_what_has_no_address_and_what_is_not_in_use_is_said():
    found = by_way(plan(reader=patient(phone=None), ways=frozenset({Way.SMS, Way.IN_APP})))
    assert found == {"email": "not_in_use", "sms": "no_address", "push": "not_in_use", "in_app": "queued"}
    settings = FacilitySettings(facility_id=FACILITY, quiet_hours=None, channels=frozenset({Way.EMAIL}))
    assert by_way(plan(settings=settings)) == {
        "email": "queued", "sms": "not_in_use", "push": "not_in_use", "in_app": "not_in_use",
    }  # fmt: skip


@pytest.mark.parametrize("topic", [Topic.BOOKED, Topic.MOVED, Topic.CANCELLED])
def test_what_is_entered_afterwards_is_news_to_nobody(topic):
    over = happening(topic, starts_at=AT, ends_at=AT + timedelta(minutes=30))
    assert set(by_way(plan(over)).values()) == {"past"}


def test_what_was_overtaken_by_a_later_version_is_not_told_any_more():
    assert set(by_way(plan(happening(version=2), told={PATIENT: 3})).values()) == {"overtaken"}
    assert set(by_way(plan(happening(version=3), told={PATIENT: 3})).values()) == {"queued"}


def test_quiet_hours_hold_what_makes_a_sound_and_nothing_else():
    night = QuietHours(starts=(AT - timedelta(hours=1)).time(), ends=(AT + timedelta(hours=6)).time())
    settings = FacilitySettings(facility_id=FACILITY, quiet_hours=night)
    found = {each.way.value: each for each in plan(happening(zone="UTC"), settings=settings)}
    assert {way: each.status.value for way, each in found.items()} == {
        "email": "queued", "sms": "held", "push": "held", "in_app": "queued",
    }  # fmt: skip
    assert found["sms"].due_at == AT + timedelta(hours=6)
    assert found["email"].due_at == AT


def test_a_message_has_all_that_its_channel_needs():
    email = plan()[0]
    assert (email.to, email.from_name, email.language) == ("ada@example.org", "Northgate Hospital", "en")
    assert email.subject == "Your appointment on Monday, March 9, 2026"
    assert "9:30 AM (Central European Standard Time)" in email.text
    assert email.invitation.method == "REQUEST"
    assert (email.appointment_id, email.expires_at) == (APPOINTMENT, START + timedelta(minutes=30))
    sms, push = plan()[1:3]
    assert (sms.to, sms.to_key, sms.subject, sms.invitation) == ("+49305550101", KEY, None, None)
    assert (push.to, push.device, push.invitation) == ('{"endpoint": "https://push.example/0"}', "0", None)


def test_the_facility_may_write_under_another_name_and_in_another_language():
    settings = FacilitySettings(facility_id=FACILITY, quiet_hours=None, from_name="The clinic", language="de")
    found = plan(reader=patient(language=None), settings=settings)[0]
    assert (found.from_name, found.language) == ("The clinic", "de")
    assert found.subject == "Ihr Termin am Montag, 9. März 2026"


def test_details_are_named_only_where_the_facility_allows_it():
    own = Template(name="booked", way=Way.EMAIL, language="en", subject="{{reason}}", text="x", names_details=True)
    allowed = FacilitySettings(facility_id=FACILITY, quiet_hours=None, may_name_details=True)
    words = {("booked", Way.EMAIL, "en"): own}
    assert plan(own=words)[0].subject.startswith("Your appointment")
    assert plan(own=words, settings=allowed)[0].text == "x"
