"""Who is told what by which way when something has happened to an appointment, and who is not, and why."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from services.notifications.model import invitation as inviting
from services.notifications.model import rendering, templates
from services.notifications.model.channels import Invitation
from services.notifications.model.deliveries import Delivery
from services.notifications.model.happening import Happening
from services.notifications.model.people import ACTIVE, Address, Contact, Doctor, Reader
from services.notifications.model.preferences import Preferences, unwanted
from services.notifications.model.rendering import Facts
from services.notifications.model.settings import FacilitySettings, held_until
from services.notifications.model.templates import Chosen, Own
from services.notifications.model.texts import SUMMARIES
from services.notifications.model.words import TABLE, Kind, Status, Way, template_name


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What this service knows when it decides.

    ways: the channels that the house has. preferences, told: by reader; the latter is the latest version of the
    appointment that was told. stopped: the keys of numbers that want no more SMS.
    """

    settings: FacilitySettings
    ways: frozenset[Way]
    preferences: Mapping[UUID, Preferences] = field(default_factory=dict)
    told: Mapping[UUID, int] = field(default_factory=dict)
    stopped: Collection[bytes] = ()
    own: Own = field(default_factory=dict)


def patient_reader(contact: Contact, *, key: bytes | None, devices: tuple[Address, ...]) -> Reader:
    """A patient as a reader. key: of the telephone number; devices: the browsers that show messages.

    Source: none, plain arithmetic.
    """
    found = {Way.PUSH: devices, Way.IN_APP: (_inbox(Kind.PATIENT, contact.patient_id),)}
    if contact.email is not None:
        found[Way.EMAIL] = (Address(to=contact.email),)
    if contact.phone is not None:
        found[Way.SMS] = (Address(to=contact.phone, key=key),)
    return Reader(
        kind=Kind.PATIENT,
        id=contact.patient_id,
        name=contact.name,
        standing=contact.standing,
        language=contact.language,
        preference=contact.preference,
        addresses=found,
    )


def staff_reader(doctor: Doctor, *, account_id: UUID, devices: tuple[Address, ...]) -> Reader:
    """A doctor as a reader, in the account that is linked.

    Source: none, plain arithmetic.
    """
    found = {Way.PUSH: devices, Way.IN_APP: (_inbox(Kind.ACCOUNT, account_id),)}
    return Reader(kind=Kind.ACCOUNT, id=account_id, name=doctor.name, addresses=found)


def details_wanted(happening: Happening, readers: Collection[Reader], *, known: Known) -> set[str]:
    """The details that the messages would name, so that only those are asked for.

    Source:  D-53.
    """
    if not known.settings.may_name_details:
        return set()
    found: set[str] = set()
    for reader in readers:
        for way in TABLE[reader.kind].get(happening.topic, ()):
            words = _words(happening, reader, way, known)
            found |= templates.used(f"{words.subject or ''} {words.text}") & set(templates.DETAILS)
    return found


def plan(
    happening: Happening,
    reader: Reader,
    *,
    known: Known,
    facts: Facts,
    organizer: str,
    at: datetime,
    request_id: str,
    new_id: Callable[[], UUID],
) -> list[Delivery]:
    """The deliveries to one reader; those that are not to be sent are among them, with the reason.

    at: now; what happened may be longer ago.

    Source:  D-48.
    """
    found = []
    for way in TABLE[reader.kind].get(happening.topic, ()):
        addresses = reader.addresses.get(way, ())
        if not addresses and way is Way.PUSH:
            continue  # nobody has asked for any
        for address in addresses or (None,):
            base = _base(happening, reader, way, address, id=new_id(), at=at, request_id=request_id)
            reason = _unsent(happening, reader, way, address, known=known)
            if reason is None and address is not None:
                words = _words(happening, reader, way, known)
                said = _said(
                    happening, reader, way, address, words, known=known, facts=facts, organizer=organizer, at=at
                )
                found.append(Delivery(**base | said))
            else:
                found.append(Delivery(**base, status=Status.SUPPRESSED, reason=reason, finished_at=base["planned_at"]))
    return found


def _unsent(happening: Happening, reader: Reader, way: Way, address: Address | None, *, known: Known) -> str | None:
    """Why a message is not sent; the strongest reason first."""
    is_overtaken = known.told.get(reader.id, 0) > happening.appointment.version
    if happening.is_past or is_overtaken:
        return "past" if happening.is_past else "overtaken"
    if reader.standing != ACTIVE:
        return reader.standing
    unasked = unwanted(known.preferences.get(reader.id), contact=reader.preference, way=way, topic=happening.topic)
    if unasked is not None:
        return unasked
    if way not in known.ways & known.settings.channels:
        return "not_in_use"
    is_stopped = address is not None and address.key is not None and address.key in known.stopped
    return "no_address" if address is None else "stopped" if is_stopped else None


def _base(
    happening: Happening,
    reader: Reader,
    way: Way,
    address: Address | None,
    *,
    id: UUID,  # noqa: A002 - the field's name
    at: datetime,
    request_id: str,
) -> dict[str, Any]:
    appointment = happening.appointment
    return {
        "id": id,
        "event_id": happening.id,
        "topic": happening.topic,
        "way": way,
        "kind": reader.kind,
        "reader_id": reader.id,
        "device": "" if address is None else address.device,
        "patient_id": appointment.patient_id,
        "facility_id": appointment.facility_id,
        "appointment_id": appointment.id,
        "appointment_version": appointment.version,
        "zone": appointment.zone,
        "next_start": happening.next_start,
        "expires_at": appointment.ends_at,
        "request_id": request_id,
        "planned_at": at,
    }


def _words(happening: Happening, reader: Reader, way: Way, known: Known) -> Chosen:
    return templates.choose(
        known.own,
        name=template_name(reader.kind, happening.topic),
        way=way,
        languages=[reader.language, known.settings.language],
        may_name_details=known.settings.may_name_details,
    )


def _said(
    happening: Happening,
    reader: Reader,
    way: Way,
    address: Address,
    words: Chosen,
    *,
    known: Known,
    facts: Facts,
    organizer: str,
    at: datetime,
) -> dict[str, Any]:
    """What is written, from whom, to where, and from when on it may go out."""
    values = rendering.values(
        happening.appointment, facts, name=reader.name, language=words.language, reader=reader.language
    )
    from_name = known.settings.from_name or facts.facility
    until = held_until(
        known.settings.quiet_hours,
        way=way,
        at=at,
        zone=happening.appointment.zone,
        starts_at=happening.next_start,
    )
    invitation = None
    if way is Way.EMAIL:
        invitation = _invitation(happening, reader, address, words, facts, organizer=organizer, from_name=from_name)
    return {
        "status": Status.QUEUED if until is None else Status.HELD,
        "due_at": until or at,
        "language": words.language,
        "from_name": from_name,
        "to": address.to,
        "to_key": address.key,
        "subject": None if words.subject is None else _filled(words.subject, values, words, way),
        "text": _filled(words.text, values, words, way),
        "invitation": invitation,
    }


def _invitation(
    happening: Happening,
    reader: Reader,
    address: Address,
    words: Chosen,
    facts: Facts,
    *,
    organizer: str,
    from_name: str,
) -> Invitation | None:
    summary = SUMMARIES.get(words.language, SUMMARIES[templates.LAST_RESORT]).format(facility=facts.facility)
    return inviting.invitation(
        happening,
        facts,
        summary=summary,
        organizer=organizer,
        from_name=from_name,
        name=reader.name,
        email=address.to,
    )


def _filled(text: str, values: Mapping[str, str], words: Chosen, way: Way) -> str:
    return templates.filled(text, values, language=words.language, way=way)


def _inbox(kind: Kind, owner_id: UUID) -> Address:
    return Address(to=f"{kind.value}:{owner_id}")
