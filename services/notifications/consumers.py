"""What notifications listen to: what happens to appointments, and patients who may be told nothing any more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from services.chassis import bus, logs, tracing
from services.chassis.call import Call
from services.notifications.model import happening as happenings
from services.notifications.model import people, planning
from services.notifications.model.happening import Happening
from services.notifications.model.people import Contact, Doctor, Reader
from services.notifications.model.planning import Known
from services.notifications.model.rendering import Facts
from services.notifications.model.store import Peers, Reading, Store
from services.notifications.model.words import Kind, Way

TOLD: Final = tuple(happenings.TOPICS)
SILENT: Final = {"patients.deceased.v1": "deceased", "patients.deactivated.v1": "inactive"}
_NOTHING: Final = Facts(facility="", place="", doctor="")


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Who sends: by which channels, from which address, with which maker of ids and of keys for numbers."""

    ways: frozenset[Way]
    organizer: str
    key_of: Callable[[str], bytes]
    new_id: Callable[[], UUID]


@dataclass(frozen=True, slots=True, kw_only=True)
class _People:
    """The patient and the doctor of an appointment; none where nobody is asked."""

    contact: Contact
    doctor: Doctor | None = None
    facts: Facts = _NOTHING


def tell(event: bus.Received, call: Call, *, store: Store, peers: Peers, sender: Sender) -> None:
    """Plan the messages about what has happened to an appointment."""
    happening = _heard(event, call, peers)
    known_people = _asked(happening, call, peers)
    with store.read() as tx:
        settings, own = tx.settings(happening.appointment.facility_id), tx.templates()
    known = Known(settings=settings, ways=sender.ways, own=own)
    facts = _with_details(happening, known_people, known, call, peers, sender)
    with store.begin(call) as tx:
        tx.hold_appointment(happening.appointment.id)
        readers = _readers(tx, known_people, sender)
        known = _known(tx, happening, readers, known)
        for reader in readers:
            deliveries = planning.plan(
                happening,
                reader,
                known=known,
                facts=facts,
                organizer=sender.organizer,
                at=call.at,
                request_id=event.request_id,
                trace_parent=tracing.parent(),
                new_id=sender.new_id,
            )
            tx.add(deliveries)


def silence(event: bus.Received, call: Call, *, store: Store) -> None:
    """Take back what waits for a patient who has died or whose record is out of use."""
    with store.begin(call) as tx:
        count = tx.suppress(UUID(event.subject), reason=SILENT[event.type], at=call.at)
    if count:
        logs.logger().info("notifications.taken_back", reason=SILENT[event.type], count=count)


def _heard(event: bus.Received, call: Call, peers: Peers) -> Happening:
    asked = None
    if not happenings.is_whole(event.data):
        facility_id = UUID(str(event.data["facility_id"]))
        asked = peers.appointment(facility_id, UUID(event.subject), call=call)
    return happenings.happening(
        happenings.TOPICS[event.type],
        event.data,
        event_id=event.id,
        at=event.time,
        appointment_id=UUID(event.subject),
        version=event.version,
        asked=asked,
    )


def _asked(happening: Happening, call: Call, peers: Peers) -> _People:
    """Who they are; of what is over nobody is told, so nobody is asked."""
    appointment = happening.appointment
    if happening.is_past:
        return _People(contact=people.nobody(appointment.patient_id))
    doctor = peers.doctor(appointment.doctor_id, call=call)
    return _People(
        contact=peers.contact(appointment.patient_id, call=call),
        doctor=doctor,
        facts=peers.facts(appointment, doctor, call=call),
    )


def _with_details(
    happening: Happening, found: _People, known: Known, call: Call, peers: Peers, sender: Sender
) -> Facts:
    """The names around an appointment, with what it is about where a message may and does say it."""
    if found.doctor is None:
        return found.facts
    wanted = planning.details_wanted(happening, [_patient(found, sender)], known=known)
    details = peers.details(happening.appointment, found.doctor, wanted, call=call) if wanted else {}
    return Facts(facility=found.facts.facility, place=found.facts.place, doctor=found.facts.doctor, details=details)


def _patient(found: _People, sender: Sender, *, devices: tuple[people.Address, ...] = ()) -> Reader:
    phone = found.contact.phone
    return planning.patient_reader(found.contact, key=None if phone is None else sender.key_of(phone), devices=devices)


def _readers(tx: Reading, found: _People, sender: Sender) -> list[Reader]:
    patient_id = found.contact.patient_id
    readers = [_patient(found, sender, devices=_devices(tx, Kind.PATIENT, patient_id))]
    if found.doctor is not None and found.doctor.account_id is not None:
        account_id = found.doctor.account_id
        devices = _devices(tx, Kind.ACCOUNT, account_id)
        readers.append(planning.staff_reader(found.doctor, account_id=account_id, devices=devices))
    return readers


def _devices(tx: Reading, kind: Kind, owner_id: UUID) -> tuple[people.Address, ...]:
    return tuple(each.address for each in tx.subscriptions(kind, owner_id))


def _known(tx: Reading, happening: Happening, readers: list[Reader], known: Known) -> Known:
    keys = [each.key for reader in readers for each in reader.addresses.get(Way.SMS, ()) if each.key is not None]
    return Known(
        settings=known.settings,
        ways=known.ways,
        own=known.own,
        preferences={each.id: tx.preferences(each.kind, each.id) for each in readers},
        told=tx.told(happening.appointment.id),
        stopped=tx.stopped(keys),
    )
