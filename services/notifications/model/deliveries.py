"""One message to one reader by one channel: from its plan to its end, attempt by attempt."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.notifications.model import preferences as preferring
from services.notifications.model.channels import (
    Channel,
    ChannelAway,
    Deferred,
    Invitation,
    NotSent,
    OptedOut,
    OutcomeUnknown,
    Outgoing,
    Refused,
)
from services.notifications.model.errors import NothingToSend, StillUnderWay
from services.notifications.model.people import ACTIVE
from services.notifications.model.preferences import Preferences
from services.notifications.model.settings import QuietHours, held_until
from services.notifications.model.words import OPEN, Kind, Status, Topic, Way


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One message to one reader by one channel. The addressee of a push is one browser, its `device`.

    event_id: what it tells; with topic, reader and device unique. next_start: whoever is not told may come then; after
    `expires_at` it is of no use. to_key: by which an address is known that wants no more. tries: attempts that were
    made, failures: those that count. Words and address are gone after their time, the rest stays.
    """

    id: UUID
    event_id: UUID
    topic: Topic
    way: Way
    kind: Kind
    reader_id: UUID | None
    device: str = ""
    patient_id: UUID | None = None
    facility_id: UUID | None = None
    appointment_id: UUID | None = None
    appointment_version: int = 0
    zone: str | None = None
    next_start: datetime | None = None
    expires_at: datetime | None = None
    status: Status = Status.QUEUED
    reason: str | None = None
    language: str | None = None
    from_name: str | None = None
    to: str | None = None
    to_key: bytes | None = None
    subject: str | None = None
    text: str | None = None
    invitation: Invitation | None = None
    request_id: str = ""
    trace_parent: str | None = None
    planned_at: datetime
    due_at: datetime | None = None
    finished_at: datetime | None = None
    tries: int = 0
    failures: int = 0
    resend_of: UUID | None = None
    wiped_at: datetime | None = None

    @property
    def patient_reader(self) -> UUID | None:
        """The patient who reads it, if it is one: then it counts how the record stands."""
        return self.reader_id if self.kind is Kind.PATIENT else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """One time that a delivery was handed to its channel; without an outcome it runs, or whoever made it has died."""

    number: int
    started_at: datetime
    finished_at: datetime | None = None
    outcome: str | None = None
    code: str | None = None
    reference: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is read in the house or in the portal; its id is that of its delivery."""

    id: UUID
    topic: Topic
    appointment_id: UUID | None
    subject: str
    text: str
    language: str
    sent_at: datetime
    read_at: datetime | None = None


class Result(StrEnum):
    """What became of an attempt; `withheld` is none, because nothing was handed over."""

    ACCEPTED = "accepted"
    DEFERRED = "deferred"
    REFUSED = "refused"
    OPTED_OUT = "opted_out"
    AWAY = "away"
    UNKNOWN = "unknown"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an attempt and why; held_until: the message waits for that."""

    result: Result
    code: str | None = None
    reference: str | None = None
    held_until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Retrying:
    """How often a message is tried: one attempt more than there are pauses between them."""

    pauses: tuple[timedelta, ...] = (timedelta(minutes=1), timedelta(minutes=5))

    @property
    def attempts(self) -> int:
        """After so many that have failed it is given up."""
        return len(self.pauses) + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """A delivery whose turn it is, with what its facility and its reader want at this moment.

    is_repeat: whoever had it before has died with it, so that it may have gone out already. is_stopped: its number
    wants no more SMS. due_since: from when on it could go.
    """

    delivery: Delivery
    quiet_hours: QuietHours | None = None
    preferences: Preferences | None = None
    is_stopped: bool = False
    is_repeat: bool = False
    due_since: datetime | None = None


GIVEN_UP: Final = "given_up"
QUIET: Final = "quiet_hours"
_RESULTS: Final = (
    (Deferred, Result.DEFERRED),
    (Refused, Result.REFUSED),
    (OptedOut, Result.OPTED_OUT),
    (ChannelAway, Result.AWAY),
    (OutcomeUnknown, Result.UNKNOWN),
)


def attempted(channel: Channel, delivery: Delivery) -> Outcome:
    """Hand a delivery to its channel, and say what became of it.

    Source:  D-52.
    """
    try:
        accepted = channel.send(outgoing(delivery))
    except NotSent as error:
        return _outcome_of(error)
    return Outcome(result=Result.ACCEPTED, reference=accepted.reference)


def _outcome_of(error: NotSent) -> Outcome:
    result = next((each for kind, each in _RESULTS if isinstance(error, kind)), Result.DEFERRED)
    return Outcome(result=result, code=error.code)


def hindrance(claimed: Claimed, *, standing: str, at: datetime, retrying: Retrying) -> Outcome | None:
    """Why a message whose turn it is does not go out now; None when it does.

    What was true when it was planned is asked again: whether it is still of use, whether the reader may be told and
    wants to be, whether somebody sleeps.

    Source:  D-50, D-51, D-52.
    """
    delivery = claimed.delivery
    if claimed.is_repeat and delivery.failures >= retrying.attempts:
        return Outcome(result=Result.UNKNOWN, code=GIVEN_UP)
    reason = None
    if delivery.expires_at is not None and delivery.expires_at <= at:
        reason = "too_late"
    elif standing != ACTIVE:
        reason = standing
    elif claimed.is_stopped:
        reason = "stopped"
    elif preferring.chosen(claimed.preferences, way=delivery.way, topic=delivery.topic) is False:
        reason = "opted_out"
    if reason is not None:
        return Outcome(result=Result.WITHHELD, code=reason)
    until = held_until(claimed.quiet_hours, way=delivery.way, at=at, zone=delivery.zone, starts_at=delivery.next_start)
    return None if until is None else Outcome(result=Result.WITHHELD, code=QUIET, held_until=until)


def settled(claimed: Claimed, outcome: Outcome, *, at: datetime, retrying: Retrying) -> Delivery:
    """The delivery after an attempt, or after it was withheld.

    Source:  D-52.
    """
    now = claimed.delivery
    match outcome.result:
        case Result.ACCEPTED:
            return _over(now, Status.SENT, at=at)
        case Result.REFUSED:
            return _over(now, Status.FAILED, at=at, reason=outcome.code)
        case Result.OPTED_OUT:
            return _over(now, Status.SUPPRESSED, at=at, reason="stopped")
        case Result.AWAY:
            return dataclasses.replace(now, status=Status.QUEUED, due_at=at)
        case Result.WITHHELD:
            return _withheld(dataclasses.replace(now, tries=now.tries - 1), outcome, at=at)
    return _failed(now, outcome, at=at, retrying=retrying)


def outgoing(delivery: Delivery) -> Outgoing:
    """The message as it is handed to its channel.

    Source: none, plain arithmetic.
    """
    return Outgoing(
        delivery_id=delivery.id,
        to=delivery.to or "",
        from_name=delivery.from_name or "",
        subject=delivery.subject or "",
        text=delivery.text or "",
        language=delivery.language or "",
        request_id=delivery.request_id,
        invitation=delivery.invitation,
    )


def resent(
    delivery: Delivery,
    *,
    id: UUID,  # noqa: A002 - the field's name
    at: datetime,
    request_id: str,
    trace_parent: str | None = None,
) -> Delivery:
    """A new delivery of the same message, linked to the one before.

    Raises:  StillUnderWay, NothingToSend.
    Source:  D-52.
    """
    if delivery.status in OPEN:
        raise StillUnderWay
    if delivery.text is None or delivery.to is None:
        raise NothingToSend
    return dataclasses.replace(
        delivery,
        id=id,
        status=Status.QUEUED,
        reason=None,
        planned_at=at,
        due_at=at,
        finished_at=None,
        tries=0,
        failures=0,
        request_id=request_id,
        trace_parent=trace_parent,
        resend_of=delivery.id,
    )


def delivered(delivery: Delivery) -> Delivery:
    """The delivery of a message that its reader has opened.

    Source: none, plain arithmetic.
    """
    return dataclasses.replace(delivery, status=Status.DELIVERED) if delivery.status is Status.SENT else delivery


def _withheld(delivery: Delivery, outcome: Outcome, *, at: datetime) -> Delivery:
    if outcome.held_until is None:
        return _over(delivery, Status.SUPPRESSED, at=at, reason=outcome.code)
    status = Status.HELD if outcome.code == QUIET else Status.QUEUED
    return dataclasses.replace(delivery, status=status, due_at=outcome.held_until)


def _failed(delivery: Delivery, outcome: Outcome, *, at: datetime, retrying: Retrying) -> Delivery:
    """Try again later, or give up. One that was given up before it was tried has its failure counted already."""
    failures = delivery.failures + (outcome.code != GIVEN_UP)
    if failures >= retrying.attempts:
        reason = outcome.code if outcome.result is Result.DEFERRED else "outcome_unknown"
        return dataclasses.replace(_over(delivery, Status.DEAD, at=at, reason=reason), failures=failures)
    due_at = at + retrying.pauses[failures - 1]
    return dataclasses.replace(delivery, status=Status.QUEUED, reason=outcome.code, due_at=due_at, failures=failures)


def _over(delivery: Delivery, status: Status, *, at: datetime, reason: str | None = None) -> Delivery:
    return dataclasses.replace(delivery, status=status, reason=reason, due_at=None, finished_at=at)
