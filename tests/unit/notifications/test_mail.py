"""A message as a mail: any script comes through, nothing gets out of its header, calendars find what they look for."""

from __future__ import annotations

import email
import email.policy
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.model.channels import Invitation, Refused
from services.notifications.repository.channels import mail
from standalone.inbox.mail import read
from tests.unit.notifications.making_messages import DELIVERY, ICS, INVITATION, message

AT = datetime(2030, 1, 1, 9, 30, tzinfo=UTC)
HOUSE, ZOE = mail.mailbox("house@clinic.example"), mail.mailbox("zoe@example.org")
SCRIPTS = [
    "Your appointment",
    "Ваш приём завтра",
    "موعدك يوم الاثنين at 10:00",
    "您好，預約",
    "Grüße, Ärztin; <Zoë>",
    "=?x?=",
]
EVIL = "House\r\nBcc: all@example.org\r\n\r\n\0text\u2028\u202e.example.org@evil"


def built(**given_):
    """The mail of a message, as bytes and as it is read again."""
    raw = mail.mail(message(**given_), to=ZOE, sender=HOUSE, at=AT)
    return raw, email.message_from_bytes(raw, policy=email.policy.default)


@pytest.mark.parametrize("text", SCRIPTS)
def test_subject_name_and_text_come_through_in_any_script(text):
    _, read_again = built(subject=text, from_name=text, text=f"{text}\n{text}\n")
    assert read_again["Subject"] == text
    assert read_again["From"].addresses[0].display_name == text
    assert read_again["From"].addresses[0].addr_spec == "house@clinic.example"
    assert read_again.get_content().replace("\r\n", "\n") == f"{text}\n{text}\n"


@given(subject=st.text(max_size=200), name=st.text(max_size=80), text=st.text(max_size=400))
def test_whatever_is_written_the_headers_are_ours_and_the_mail_is_seven_bits_wide(subject, name, text):
    raw, read_again = built(subject=subject, from_name=name, text=text, invitation=INVITATION)
    wanted = ["Date", "From", "To", "Subject", "Message-ID", "Auto-Submitted", "Content-Language", "X-Request-ID"]
    assert list(read_again.keys()) == [*wanted, "MIME-Version", "Content-Type"]
    assert raw.isascii()
    assert not set(raw.replace(b"\r\n", b"")) & set(b"\r\n\0")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert read_again["From"].addresses[0].addr_spec == "house@clinic.example"


@given(
    subject=st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=200), spaces=st.integers(1, 9)
)
def test_what_is_read_of_a_subject_is_what_was_written(subject, spaces):
    written = mail.words(" ".join([subject[:spaces], subject[spaces:]]), longest=240)
    raw, _ = built(subject=written)
    assert read(raw)["subject"] == written


def test_a_name_cannot_begin_a_header_or_turn_the_direction_of_what_follows():
    raw, read_again = built(from_name=EVIL, subject=EVIL)
    assert "Bcc" not in read_again
    assert b"\nBcc" not in raw
    for shown in (read_again["From"].addresses[0].display_name, read_again["Subject"]):
        assert not any(unicodedata.category(each) in {"Cc", "Cf", "Zl", "Zp"} for each in shown)


def test_isolates_stay_in_a_subject_and_not_in_a_name():
    _, read_again = built(subject="موعد \u2068Dr. House\u2069", from_name="\u2066House\u2069")
    assert read_again["Subject"] == "موعد \u2068Dr. House\u2069"
    assert read_again["From"].addresses[0].display_name == "House"


def test_a_mail_says_when_by_which_name_in_which_language_and_that_no_one_need_answer():
    _, read_again = built(language="de-AT")
    assert read_again["Date"].datetime == AT
    assert read_again["Message-ID"] == f"<{DELIVERY}@clinic.example>"
    assert read_again["Content-Language"] == "de-AT"
    assert read_again["X-Request-ID"] == "request-1"
    assert read_again["Auto-Submitted"] == "auto-generated"
    assert built()[1]["Message-ID"] == read_again["Message-ID"]


def test_what_is_no_language_and_no_request_is_left_out():
    _, read_again = built(language="de\r\nX: y", request_id="a b\r\n")
    assert "Content-Language" not in read_again
    assert "X-Request-ID" not in read_again
    assert "X" not in read_again


def test_an_invitation_stands_beside_the_text_and_once_more_as_a_file():
    _, read_again = built(text="موعد\n", invitation=INVITATION)
    assert read_again.get_content_type() == "multipart/mixed"
    both, file = read_again.iter_parts()
    assert both.get_content_type() == "multipart/alternative"
    text, calendar = both.iter_parts()
    assert text.get_content_type() == "text/plain"
    assert calendar.get_content_type() == "text/calendar"
    assert (calendar.get_param("method"), calendar.get_content_charset()) == ("REQUEST", "utf-8")
    assert (file.get_content_type(), file.get_filename()) == ("application/ics", "invite.ics")
    assert file.get_content_disposition() == "attachment"
    assert [part.get_payload(decode=True) for part in (calendar, file)] == [ICS, ICS]


def test_a_cancellation_says_so_in_its_type():
    _, read_again = built(invitation=Invitation(method="CANCEL", ics=ICS.replace(b"REQUEST", b"CANCEL")))
    calendars = [part for part in read_again.walk() if part.get_content_subtype() == "calendar"]
    assert [part.get_param("method") for part in calendars] == ["CANCEL"]


def test_a_method_that_is_none_is_an_error_of_ours():
    with pytest.raises(ValueError, match="REQUEST or CANCEL"):
        built(invitation=Invitation(method='X"\r\nEvil: 1', ics=ICS))


@pytest.mark.parametrize(
    ("address", "shown", "needs_utf8"),
    [
        ("zoe@example.org", "zoe@example.org", False),
        ("zoe+a.b@Example.ORG", "zoe+a.b@example.org", False),
        ("zoe@bücher.example", "zoe@xn--bcher-kva.example", False),
        ("zoe@straße.example", "zoe@xn--strae-oqa.example", False),
        ("zoë@example.org", "zoë@example.org", True),
        ("用户@例子.example", "用户@xn--fsqu00a.example", True),
    ],
)
def test_an_address_is_written_as_servers_take_it(address, shown, needs_utf8):
    found = mail.mailbox(address)
    assert (str(found), found.needs_utf8) == (shown, needs_utf8)


@pytest.mark.parametrize(
    "address",
    [
        "", "zoe", "@example.org", "zoe@", "a b@example.org", "zoe@exa mple.org", "zoe@example.org>",
        "<zoe@example.org",
        "zoe@example.org\r\nRCPT TO:<x@y.z>", "zoe\0@example.org", "zo\u202ee@example.org", "zoe@-x.example",
        "a@b@example.org", "zoe,x@example.org", "z" * 400 + "@example.org", "\ud800@example.org",
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_for_good(address):
    with pytest.raises(Refused, match="email_address"):
        mail.mailbox(address)


def test_the_inbox_reads_the_event_and_not_its_time_zone():
    raw, _ = built(invitation=INVITATION)
    assert read(raw)["invitation"] == {
        "method": "REQUEST", "uid": "appointment-1@house.example", "sequence": "3", "status": "",
        "start": "TZID=Europe/Berlin:20300101T100000", "mime_method": "REQUEST",
    }  # fmt: skip
