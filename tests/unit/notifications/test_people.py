"""Whom messages are for: names, addresses, browsers, and what an old event leaves out."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from services.kernel.errors import Invalid
from services.notifications.model import people
from services.notifications.model.errors import TooManySubscriptions
from services.notifications.model.happening import happening, is_whole
from services.notifications.model.preferences import Preferences, read_choices
from services.notifications.model.subscriptions import MOST, ensure_room, subscription
from services.notifications.model.trial import trial_delivery
from services.notifications.model.versions import differing, following
from services.notifications.model.words import Kind, Topic, Way
from tests.unit.notifications.making import AT, START, new_id

SAID = {
    "id": str(UUID(int=7)), "family_name": "Example", "given_name": "Ada", "middle_name": "M.", "prefix": "Dr.",
    "language": "de", "contact_preference": "sms", "standing": "active", "phones": [], "emails": [],
}  # fmt: skip


def test_a_patient_is_addressed_by_title_and_names():
    found = people.contact(SAID)
    assert (found.name, found.language, found.preference) == ("Dr. Ada Example", "de", "sms")
    assert people.contact({**SAID, "prefix": None}).name == "Ada Example"
    assert (found.email, found.phone) == (None, None)


@pytest.mark.parametrize(
    ("uses", "found"),
    [
        (["home", "mobile"], 1),
        (["home", "temp"], 1),
        (["mobile", "mobile"], 0),
        (["home"], 0),
        (["work"], None),
        (["old"], None),
        ([], None),
    ],
)
def test_a_text_goes_to_a_telephone_that_the_person_carries(uses, found):
    phones = [{"e164": f"+4930555010{n}", "use": use} for n, use in enumerate(uses)]
    assert people.contact({**SAID, "phones": phones}).phone == (None if found is None else phones[found]["e164"])


@pytest.mark.parametrize(("uses", "found"), [(["work", "home"], 1), (["work"], 0), (["old"], None)])
def test_mail_goes_home_first_and_never_to_an_old_address(uses, found):
    emails = [{"address": f"a{n}@example.org", "use": use} for n, use in enumerate(uses)]
    assert people.contact({**SAID, "emails": emails}).email == (None if found is None else emails[found]["address"])


def test_a_doctor_without_an_account_reads_nothing():
    said = {"id": str(UUID(int=8)), "family_name": "Example", "given_name": "Zoe", "title": "Dr."}
    found = people.doctor({**said, "user_id": None, "specialization_ids": []})
    assert (found.name, found.account_id) == ("Dr. Zoe Example", None)


OLD_EVENT = {
    "facility_id": str(UUID(int=1)), "patient_id": str(UUID(int=2)), "doctor_id": str(UUID(int=3)),
    "appointment_type_id": str(UUID(int=4)), "status": "booked", "starts_at": START.isoformat(),
}  # fmt: skip


def test_what_an_old_event_leaves_out_is_what_the_appointment_has_now():
    later = START + timedelta(days=1)
    now = {
        "starts_at": later.isoformat(), "ends_at": (later + timedelta(minutes=45)).isoformat(),
        "zone": "Europe/Berlin", "location_id": str(UUID(int=5)),
    }  # fmt: skip
    assert not is_whole(OLD_EVENT)
    found = happening(
        Topic.BOOKED, OLD_EVENT, event_id=new_id(), at=AT, appointment_id=new_id(), version=1, asked=now
    ).appointment
    assert (found.starts_at, found.ends_at) == (START, START + timedelta(minutes=45))
    assert (found.zone, found.location_id) == ("Europe/Berlin", UUID(int=5))


def test_what_an_event_says_itself_is_what_counts():
    data = {
        **OLD_EVENT, "ends_at": (START + timedelta(minutes=10)).isoformat(), "zone": "UTC",
        "location_id": str(UUID(int=6)), "previous_starts_at": (START - timedelta(hours=1)).isoformat(),
    }  # fmt: skip
    assert is_whole(data)
    found = happening(Topic.MOVED, data, event_id=new_id(), at=AT, appointment_id=new_id(), version=2)
    assert found.appointment.was_at == found.next_start == START - timedelta(hours=1)


class Hosts:
    """Every host is allowed but one."""

    def allows(self, endpoint):
        return "evil" not in endpoint


def browser(number=0, endpoint="https://push.example/{}"):
    body = {"endpoint": endpoint.format(number), "keys": {"p256dh": "p", "auth": "a="}}
    return subscription(body, id=new_id(), kind=Kind.PATIENT, owner_id=UUID(int=2), at=AT, hosts=Hosts())


def test_a_browser_of_a_push_service_that_is_not_allowed_is_refused():
    with pytest.raises(Invalid) as refused:
        browser(endpoint="https://evil.example/{}")
    assert [(each.pointer, each.rule) for each in refused.value.errors] == [("/endpoint", "push_host")]
    assert browser().host == "push.example"
    assert browser().address.to == '{"endpoint": "https://push.example/0", "keys": {"p256dh": "p", "auth": "a"}}'


def test_a_person_has_ten_browsers_and_the_same_one_twice_counts_once():
    known = [browser(number) for number in range(MOST)]
    ensure_room(known, browser(3))
    with pytest.raises(TooManySubscriptions):
        ensure_room(known, browser(MOST))


def test_two_choices_about_the_same_are_refused():
    choice = {"channel": "sms", "event": "all", "wanted": True}
    assert read_choices({"choices": [choice]}) == {(Way.SMS, "all"): True}
    with pytest.raises(Invalid) as refused:
        read_choices({"choices": [choice, {**choice, "wanted": False}]})
    assert refused.value.errors[0].pointer == "/choices/1"


@pytest.mark.parametrize(
    ("channel", "to", "is_right"),
    [
        ("email", "ada@example.org", True),
        ("email", "ada", False),
        ("email", "a@b\n", False),
        ("sms", "+49305550101", True),
        ("sms", "030 5550101", False),
        ("in_app", str(UUID(int=3)), True),
        ("in_app", "ada", False),
        ("push", '{"endpoint": "https://push.example/1", "keys": {"p256dh": "x", "auth": "y"}}', True),
        ("push", '{"endpoint": "https://evil.example/1", "keys": {"p256dh": "x", "auth": "y"}}', False),
        ("push", '{"endpoint": 1, "keys": {"p256dh": "x", "auth": "y"}}', False),
        ("push", "[]", False),
        ("push", "{", False),
    ],
)
def test_a_test_message_goes_to_an_address_of_its_channel(channel, to, is_right):
    arguments = {"id": new_id(), "at": AT, "lease": timedelta(seconds=60), "request_id": "x", "hosts": Hosts()}
    if not is_right:
        with pytest.raises(Invalid):
            trial_delivery({"channel": channel, "to": to}, **arguments)
        return
    made = trial_delivery({"channel": channel, "to": to, "language": "de-AT"}, **arguments)
    assert (made.language, made.topic, made.tries) == ("de", Topic.TEST, 1)
    assert made.kind is (Kind.ACCOUNT if channel == "in_app" else Kind.ADDRESS)


def test_what_changes_nothing_makes_no_new_version():
    before = browser()
    assert differing(before, before) == []
    chosen = Preferences(kind=Kind.PATIENT, owner_id=UUID(int=2), choices={(Way.SMS, "all"): True}, version=4)
    assert following(chosen, chosen) is chosen
    fresh = Preferences(kind=Kind.PATIENT, owner_id=UUID(int=2))
    assert (following(chosen, fresh).version, differing(chosen, fresh)) == (5, ["choices"])
