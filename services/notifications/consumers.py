"""What notifications listen to: what happens to appointments, and patients who may be told nothing any more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from services.chassis import bus, logs
from services.chassis.call import Call
from services.notifications.model import happening as happenings
from services.notifications.model import people, planning
from services.notifications.model.deliveries import Delivery
from services.notifications.model.happening import Happening
from services.notifications.model.people import Contact, Doctor, Reader
from services.notifications.model.planning import Known
from services.notifications.model.rendering import Facts
from services.notifications.model.store import Owner, Peers, Reading, Store
from services.notifications.model.subscriptions import Subscription
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
class _News:
    """One event with whom it is about; there is no doctor where nobody is asked."""

    event: bus.Received
    happening: Happening
    contact: Contact
    doctor: Doctor | None = None
    facts: Facts = _NOTHING

    @property
    def owners(self) -> list[Owner]:
        """The persons who are told."""
        account_id = None if self.doctor is None else self.doctor.account_id
        staff = [] if account_id is None else [(Kind.ACCOUNT, account_id)]
        return [(Kind.PATIENT, self.contact.patient_id), *staff]


def tell(events: Sequence[bus.Received], call: Call, *, store: Store, peers: Peers, sender: Sender) -> None:
    """Plan the messages about what has happened to appointments."""
    news = _asked([(each, _heard(each, call, peers)) for each in events], call, peers)
    with store.read() as tx:
        own = tx.templates()
        places = {id_: tx.settings(id_) for id_ in {each.happening.appointment.facility_id for each in news}}
    known = {id_: Known(settings=settings, ways=sender.ways, own=own) for id_, settings in places.items()}
    news = [_with_details(each, known[each.happening.appointment.facility_id], call, peers, sender) for each in news]
    with store.begin(call) as tx:
        tx.hold_appointments({each.happening.appointment.id for each in news})
        tx.add(_planned(tx, news, known, call=call, sender=sender))


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


def _asked(heard: Sequence[tuple[bus.Received, Happening]], call: Call, peers: Peers) -> list[_News]:
    """Who they are; of what is over nobody is told, so nobody is asked."""
    wanted = dict.fromkeys(each.appointment.patient_id for _, each in heard if not each.is_past)
    contacts = peers.contacts(wanted, call=call) if wanted else {}
    found = []
    for event, happening in heard:
        appointment = happening.appointment
        if happening.is_past:
            found.append(_News(event=event, happening=happening, contact=people.nobody(appointment.patient_id)))
            continue
        doctor = peers.doctor(appointment.doctor_id, call=call)
        facts = peers.facts(appointment, doctor, call=call)
        contact = contacts[appointment.patient_id]
        found.append(_News(event=event, happening=happening, contact=contact, doctor=doctor, facts=facts))
    return found


def _with_details(news: _News, known: Known, call: Call, peers: Peers, sender: Sender) -> _News:
    """The same, with what it is about where a message may and does say it."""
    if news.doctor is None:
        return news
    wanted = planning.details_wanted(news.happening, [_patient(news, sender)], known=known)
    if not wanted:
        return news
    details = peers.details(news.happening.appointment, news.doctor, wanted, call=call)
    return replace(news, facts=replace(news.facts, details=details))


def _planned(
    tx: Reading, news: Sequence[_News], known: Mapping[UUID, Known], *, call: Call, sender: Sender
) -> list[Delivery]:
    """The deliveries about all of it in its order, so that what follows knows what was told before."""
    owners = {owner for each in news for owner in each.owners}
    chosen, browsers = tx.chosen(owners), tx.browsers(owners)
    told = {id_: dict(each) for id_, each in tx.told({each.happening.appointment.id for each in news}).items()}
    readers = [(each, _readers(each, browsers, sender)) for each in news]
    addresses = [address for _, some in readers for each in some for address in each.addresses.get(Way.SMS, ())]
    stopped = tx.stopped([each.key for each in addresses if each.key is not None])
    preferences = {owner_id: each for (_, owner_id), each in chosen.items()}
    found: list[Delivery] = []
    for each, some in readers:
        appointment = each.happening.appointment
        before = told.setdefault(appointment.id, {})
        now = replace(known[appointment.facility_id], preferences=preferences, told=dict(before), stopped=stopped)
        for reader in some:
            found += _to_one(each, reader, now, call=call, sender=sender)
            before[reader.id] = max(before.get(reader.id, 0), appointment.version)
    return found


def _to_one(news: _News, reader: Reader, known: Known, *, call: Call, sender: Sender) -> list[Delivery]:
    return planning.plan(
        news.happening,
        reader,
        known=known,
        facts=news.facts,
        organizer=sender.organizer,
        at=call.at,
        request_id=news.event.request_id,
        trace_parent=news.event.trace_parent,
        new_id=sender.new_id,
    )


def _patient(news: _News, sender: Sender, *, devices: tuple[people.Address, ...] = ()) -> Reader:
    phone = news.contact.phone
    return planning.patient_reader(news.contact, key=None if phone is None else sender.key_of(phone), devices=devices)


def _readers(news: _News, browsers: Mapping[Owner, Sequence[Subscription]], sender: Sender) -> list[Reader]:
    devices = [tuple(each.address for each in browsers.get(owner, ())) for owner in news.owners]
    found = [_patient(news, sender, devices=devices[0])]
    if news.doctor is not None and news.doctor.account_id is not None:
        found.append(planning.staff_reader(news.doctor, account_id=news.doctor.account_id, devices=devices[1]))
    return found
