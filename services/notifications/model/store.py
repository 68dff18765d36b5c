"""What the rules need of a store and of other services, in the words of those who send messages."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol
from uuid import UUID

from services.notifications.model.access import Within
from services.notifications.model.deliveries import Attempt, Claimed, Delivery, Message, Outcome
from services.notifications.model.happening import Appointment
from services.notifications.model.people import Contact, Doctor
from services.notifications.model.preferences import Preferences
from services.notifications.model.rendering import Facts
from services.notifications.model.settings import FacilitySettings
from services.notifications.model.subscriptions import Subscription
from services.notifications.model.templates import Own, Template
from services.notifications.model.words import Kind, Way

Record = Preferences | Template | FacilitySettings
Owner = tuple[Kind, UUID]
"""A person, as what was chosen and which browsers there are is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which deliveries a list shows; None in a field does not choose."""

    patient_id: UUID | None = None
    facility_id: UUID | None = None
    status: str | None = None
    is_lost: bool | None = None
    way: str | None = None
    topic: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """A delivery after its turn, with what became of it. at: when that was known."""

    claimed: Claimed
    after: Delivery
    outcome: Outcome
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A delivery that is due, and the patient who reads it, if it is one."""

    id: UUID
    patient_id: UUID | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What of one channel is due: how many, and for how many seconds the oldest."""

    way: Way
    due: int
    oldest_s: float


class Reading(Protocol):
    """What can be read. `before` is the id of the last one on the page before; lists begin with the newest."""

    def delivery(self, delivery_id: UUID) -> Delivery:
        """One delivery; NotFound when there is none."""

    def attempts(self, delivery_id: UUID) -> list[Attempt]:
        """The attempts of a delivery, in order."""

    def deliveries(self, asked: Asked, *, within: Within, before: UUID | None, limit: int) -> list[Delivery]:
        """Deliveries."""

    def messages(
        self, kind: Kind, owner_id: UUID, *, before: UUID | None, limit: int, is_unread: bool | None = None
    ) -> list[Message]:
        """Messages to one reader."""

    def preferences(self, kind: Kind, owner_id: UUID) -> Preferences:
        """What a person has chosen; the first version where nothing was."""

    def template(self, name: str, way: Way, language: str) -> Template:
        """The words of the house; the first version, without any, where there are none."""

    def templates(self) -> Own:
        """All words of the house."""

    def settings(self, facility_id: UUID) -> FacilitySettings:
        """What a facility has decided; the first version where it has not."""

    def subscriptions(self, kind: Kind, owner_id: UUID) -> list[Subscription]:
        """The browsers of a person, oldest first."""

    def stopped(self, keys: Collection[bytes]) -> set[bytes]:
        """Those of these numbers that want no more SMS."""

    def chosen(self, owners: Collection[Owner]) -> Mapping[Owner, Preferences]:
        """What some persons have chosen; of those who have not there is nothing."""

    def browsers(self, owners: Collection[Owner]) -> Mapping[Owner, Sequence[Subscription]]:
        """The browsers of some persons, of each the oldest first."""

    def told(self, appointment_ids: Collection[UUID]) -> Mapping[UUID, Mapping[UUID, int]]:
        """By appointment: the latest version that each reader was told of, or was not to be told of."""


class Work(Reading, Protocol):
    """What can be done in one unit of work."""

    def fields_since(self, record: Record, *, version: int) -> list[str]:
        """Names of the fields that changed after a version."""

    def keep(self, record: Record, *, fields: Sequence[str]) -> None:
        """The next version of a record."""

    def hold_appointments(self, appointment_ids: Collection[UUID]) -> None:
        """Until the end nobody else plans messages about these appointments."""

    def add(self, deliveries: Sequence[Delivery]) -> None:
        """New deliveries."""

    def add_under_way(self, delivery: Delivery) -> None:
        """A new delivery whose first attempt begins now."""

    def mark_read(self, message_id: UUID, *, account_id: UUID, at: datetime) -> Message:
        """Note that a message was read; NotFound when this account has none."""

    def suppress(self, patient_id: UUID, *, reason: str, at: datetime) -> int:
        """Take back what waits for a patient, and say how many it was."""

    def note_stop(self, key: bytes, *, is_stopped: bool, at: datetime, source: str) -> bool:
        """Note what a number wants, unless something newer is known; whether it was noted."""

    def hold_owner(self, kind: Kind, owner_id: UUID) -> None:
        """Until the end nobody else changes the browsers of this person."""

    def subscribe(self, subscription: Subscription) -> Subscription:
        """A browser, which leaves whom it was subscribed for before; the one that is there when nothing changes."""

    def unsubscribe(self, subscription_id: UUID, *, kind: Kind, owner_id: UUID) -> None:
        """A browser less; NotFound when this person has no such."""


class Store(Protocol):
    """Where all of it is kept."""

    def begin(self, call: Any) -> AbstractContextManager[Work]:
        """One unit of work: all of it is kept, or nothing."""

    def read(self) -> AbstractContextManager[Reading]:
        """Reading without a unit of work."""


class Turns(Protocol):
    """Where the deliveries of a channel are taken from, one after the other."""

    def turn(
        self, way: Way, *, settled: Settled | None, at: datetime, lease: timedelta, is_last: bool = False
    ) -> Claimed | None:
        """Keep what became of one delivery and take the next one that is due.

        With `is_last` nothing more is taken. What is taken is marked as under way before this returns, and is another's
        again when nothing more is heard within the lease.
        """

    def backlog(self, *, at: datetime) -> list[Backlog]:
        """What is due, by channel."""

    def wipe(self, *, before: datetime, at: datetime, limit: int) -> int:
        """Forget addresses and words of what was over before a moment; how many it was."""


class Group(Protocol):
    """Some deliveries that nobody else has in hand until the transaction ends."""

    claimed: Sequence[Claimed]

    def settle(self, done: Sequence[Settled]) -> None:
        """Put what is accepted into its inbox, and keep what becomes of each."""


class Places(Protocol):
    """The inboxes of the house."""

    def due(self, *, at: datetime, limit: int) -> list[Due]:
        """What is due, the oldest first, of one appointment and reader the first only; nothing is taken by this."""

    def taken(self, ids: Sequence[UUID], *, at: datetime) -> AbstractContextManager[Group]:
        """One transaction with those of these that are due still and that nobody else has in hand."""


class Peers(Protocol):
    """What other services say, asked with this service's own token.

    Raises (all of them):  Unavailable: nothing of use can be had now.
    """

    def contacts(self, patient_ids: Collection[UUID], *, call: Any) -> Mapping[UUID, Contact]:
        """How patients are addressed and reached."""

    def standings(self, patient_ids: Collection[UUID], *, call: Any) -> Mapping[UUID, str]:
        """How the records of patients stand at this moment; `unknown` where there is none."""

    def doctor(self, doctor_id: UUID, *, call: Any) -> Doctor:
        """Who a doctor is."""

    def facts(self, appointment: Appointment, doctor: Doctor, *, call: Any) -> Facts:
        """The names around an appointment."""

    def details(
        self, appointment: Appointment, doctor: Doctor, wanted: Collection[str], *, call: Any
    ) -> dict[str, str]:
        """What an appointment is about."""

    def appointment(self, facility_id: UUID, appointment_id: UUID, *, call: Any) -> Mapping[str, Any]:
        """An appointment as it is now."""


class Callers(Protocol):
    """What other services say, asked with the caller's own token.

    Raises (all of them):  NotFound, Forbidden, NotSignedIn: as the other says. Unavailable: it says nothing.
    """

    def require_patient(self, patient_id: UUID, *, call: Any) -> None:
        """Answer when there is such a record for whoever asks."""

    def require_facility(self, facility_id: UUID, *, call: Any) -> None:
        """Answer when there is such a facility."""
