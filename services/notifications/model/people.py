"""Whom messages are for: how they are addressed, where they are reached, and whether they may be told anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from services.notifications.model.words import Kind, Way

ACTIVE: Final = "active"
# What is written to first. A text to a telephone at work is read by others, and what is old is somebody else's by now.
_PHONES = ("mobile", "temp", "home")
_EMAILS = ("home", "mobile", "temp", "work")


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where one message goes, in the form of its channel.

    device: which of several, where a person has them. key: by which it is known whether it wants no more.
    """

    to: str
    device: str = ""
    key: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """How a patient is addressed and reached, as `patients` says; `preference` is that of the record."""

    patient_id: UUID
    name: str
    standing: str
    language: str | None = None
    preference: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """A doctor as readers know them, and the account in which messages are read."""

    id: UUID
    name: str
    account_id: UUID | None
    specialization_ids: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Somebody who is told. addresses: by channel, those that there are; standing: whether anything may be sent."""

    kind: Kind
    id: UUID
    name: str
    standing: str = ACTIVE
    language: str | None = None
    preference: str | None = None
    addresses: Mapping[Way, tuple[Address, ...]] = field(default_factory=dict)


def contact(said: Mapping[str, Any]) -> Contact:
    """A contact as `patients` says it.

    Source:  D-50.
    """
    return Contact(
        patient_id=UUID(said["id"]),
        name=spoken(said),
        standing=said["standing"],
        language=said["language"],
        preference=said["contact_preference"],
        email=_first(said["emails"], "address", uses=_EMAILS),
        phone=_first(said["phones"], "e164", uses=_PHONES),
    )


def nobody(patient_id: UUID) -> Contact:
    """The contact of a record that does not exist.

    Source: none, plain arithmetic.
    """
    return Contact(patient_id=patient_id, name="", standing="unknown")


def doctor(said: Mapping[str, Any]) -> Doctor:
    """A doctor as `doctors` says it.

    Source: none, plain arithmetic.
    """
    account = said["user_id"]
    return Doctor(
        id=UUID(said["id"]),
        name=spoken({**said, "prefix": said["title"]}),
        account_id=None if account is None else UUID(account),
        specialization_ids=tuple(UUID(each) for each in said["specialization_ids"]),
    )


def spoken(said: Mapping[str, Any]) -> str:
    """A name as one addresses the person: title, given name, family name.

    Source: none, plain arithmetic.
    """
    parts = (said.get("prefix"), said["given_name"], said["family_name"])
    return " ".join(each for each in parts if each)


def _first(entries: Sequence[Mapping[str, str]], name: str, *, uses: Sequence[str]) -> str | None:
    found = sorted((uses.index(each["use"]), number) for number, each in enumerate(entries) if each["use"] in uses)
    return entries[found[0][1]][name] if found else None
