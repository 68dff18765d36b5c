"""A delivery from its turn to its end: what hinders it, what becomes of an attempt, and once more."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest

from services.notifications.model import channels
from services.notifications.model.channels import Accepted
from services.notifications.model.deliveries import (
    GIVEN_UP,
    Outcome,
    Result,
    Retrying,
    attempted,
    delivered,
    hindrance,
    resent,
    settled,
)
from services.notifications.model.errors import NothingToSend, StillUnderWay
from services.notifications.model.preferences import Preferences
from services.notifications.model.settings import NIGHT
from services.notifications.model.words import OPEN, Kind, Status, Way
from tests.unit.notifications.making import AT, PATIENT, START, claimed, new_id, outcome

RETRYING = Retrying()


def hindered(*, standing="active", at=AT, **given):
    return hindrance(claimed(**given), standing=standing, at=at, retrying=RETRYING)


def test_nothing_hinders_what_is_still_wanted_and_of_use():
    assert hindered() is None


@pytest.mark.parametrize("standing", ["deceased", "inactive", "merged", "unknown"])
def test_who_may_not_be_told_since_it_was_planned_is_not_told(standing):
    assert hindered(standing=standing) == outcome(Result.WITHHELD, standing)


def test_what_is_of_no_use_any_more_is_not_sent():
    assert hindered(at=START + timedelta(minutes=30)) == outcome(Result.WITHHELD, "too_late")
    assert hindered(at=START + timedelta(minutes=29)) is None


def test_who_has_stopped_or_opted_out_since_it_was_planned_is_not_told():
    choices = {(Way.SMS, "booked"): False}
    preferences = Preferences(kind=Kind.PATIENT, owner_id=PATIENT, choices=choices)
    assert hindered(is_stopped=True) == outcome(Result.WITHHELD, "stopped")
    assert hindered(preferences=preferences) == outcome(Result.WITHHELD, "opted_out")


def test_what_comes_to_its_turn_at_night_waits_for_the_morning():
    """It was due before the night, and the channel was away, or it is the second attempt."""
    night = datetime(2026, 3, 2, 22, 0, tzinfo=UTC)  # 23:00 in Berlin
    found = hindered(at=night, quiet_hours=NIGHT)
    assert (found.code, found.held_until) == ("quiet_hours", datetime(2026, 3, 3, 7, 0, tzinfo=UTC))
    now = claimed(quiet_hours=NIGHT, tries=2)
    after = settled(now, found, at=night, retrying=RETRYING)
    assert (after.status, after.due_at, after.tries, after.failures) == (Status.HELD, found.held_until, 1, 0)


def test_what_has_ended_its_process_so_often_is_given_up():
    assert hindered(is_repeat=True, failures=2) is None
    found = hindered(is_repeat=True, failures=3)
    after = settled(claimed(failures=3), found, at=AT, retrying=RETRYING)
    assert (found.code, after.status, after.reason, after.failures) == (GIVEN_UP, Status.DEAD, "outcome_unknown", 3)


@pytest.mark.parametrize(
    ("result", "code", "status", "reason"),
    [
        (Result.ACCEPTED, None, Status.SENT, None),
        (Result.REFUSED, "no_such_address", Status.FAILED, "no_such_address"),
        (Result.OPTED_OUT, "unsubscribed", Status.SUPPRESSED, "stopped"),
        (Result.WITHHELD, "deceased", Status.SUPPRESSED, "deceased"),
    ],
)
def test_what_is_over_is_over(result, code, status, reason):
    after = settled(claimed(), outcome(result, code), at=AT, retrying=RETRYING)
    assert (after.status, after.reason, after.due_at, after.finished_at) == (status, reason, None, AT)


@pytest.mark.parametrize(("result", "reason"), [(Result.DEFERRED, "busy"), (Result.UNKNOWN, "outcome_unknown")])
def test_what_was_not_taken_is_tried_again_after_one_minute_then_five_and_is_dead_then(result, reason):
    now, pauses = claimed(), []
    for _ in range(2):
        after = settled(now, outcome(result, "busy"), at=AT, retrying=RETRYING)
        pauses.append(after.due_at - AT)
        assert after.status is Status.QUEUED
        now = dataclasses.replace(now, delivery=dataclasses.replace(after, status=Status.SENDING))
    assert pauses == [timedelta(minutes=1), timedelta(minutes=5)]
    after = settled(now, outcome(result, "busy"), at=AT, retrying=RETRYING)
    assert (after.status, after.reason, after.failures) == (Status.DEAD, reason, 3)


def test_a_channel_that_is_away_costs_a_message_nothing():
    after = settled(claimed(failures=2), outcome(Result.AWAY, "unreachable"), at=AT, retrying=RETRYING)
    assert (after.status, after.due_at, after.failures) == (Status.QUEUED, AT, 2)


def test_what_was_put_off_for_want_of_an_answer_is_no_attempt():
    soon = AT + timedelta(seconds=1)
    put_off = Outcome(result=Result.WITHHELD, code="patients_away", held_until=soon)
    after = settled(claimed(tries=1), put_off, at=AT, retrying=RETRYING)
    assert (after.status, after.due_at, after.tries) == (Status.QUEUED, soon, 0)


class Answering:
    """A channel that answers so."""

    name = "sms"

    def __init__(self, answer):
        self.answer, self.got = answer, []

    def send(self, message):
        self.got.append(message)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self):
        pass


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (channels.Deferred("busy"), Result.DEFERRED),
        (channels.Refused("busy"), Result.REFUSED),
        (channels.OptedOut("busy"), Result.OPTED_OUT),
        (channels.ChannelAway("busy"), Result.AWAY),
        (channels.OutcomeUnknown("busy"), Result.UNKNOWN),
    ],
)
def test_what_a_channel_says_is_what_became_of_it(answer, result):
    assert attempted(Answering(answer), claimed().delivery) == outcome(result, "busy")


def test_what_a_channel_takes_is_the_message_under_the_id_of_its_delivery():
    channel, delivery = Answering(Accepted("theirs")), claimed().delivery
    assert attempted(channel, delivery) == Outcome(result=Result.ACCEPTED, reference="theirs")
    (message,) = channel.got
    assert (message.delivery_id, message.to, message.text) == (delivery.id, delivery.to, delivery.text)
    assert (message.subject, message.language, message.request_id) == ("", "en", "a request")


@pytest.mark.parametrize("status", sorted(OPEN))
def test_what_is_under_way_is_not_sent_beside_itself(status):
    with pytest.raises(StillUnderWay):
        resent(claimed(status=status).delivery, id=new_id(), at=AT, request_id="x")


def test_what_was_wiped_or_never_written_cannot_be_sent_again():
    with pytest.raises(NothingToSend):
        resent(claimed(status=Status.DEAD, text=None).delivery, id=new_id(), at=AT, request_id="x")


def test_what_is_sent_again_is_a_new_delivery_that_knows_the_old_one():
    before = claimed(status=Status.DEAD, tries=3, failures=3, reason="busy").delivery
    again = resent(before, id=new_id(), at=AT, request_id="x")
    assert (again.resend_of, again.status, again.tries, again.failures) == (before.id, Status.QUEUED, 0, 0)
    assert (again.text, again.to, again.reason) == (before.text, before.to, None)


def test_only_what_was_sent_is_delivered_by_being_read():
    assert delivered(claimed(status=Status.SENT).delivery).status is Status.DELIVERED
    assert delivered(claimed(status=Status.SUPPRESSED).delivery).status is Status.SUPPRESSED
