"""The entry for the reader's calendar that goes with an e-mail: made, moved and taken back under one name."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from icalendar import Calendar, Event, vCalAddress, vText

from services.notifications.model.channels import Invitation
from services.notifications.model.happening import Happening
from services.notifications.model.rendering import Facts
from services.notifications.model.words import Topic

PRODUCT: Final = "-//Infirmary//Notifications//EN"
_METHODS: Final = {Topic.BOOKED: "REQUEST", Topic.MOVED: "REQUEST", Topic.CANCELLED: "CANCEL"}


def invitation(
    happening: Happening, facts: Facts, *, summary: str, organizer: str, from_name: str, name: str, email: str
) -> Invitation | None:
    """The calendar entry of a message; None where nothing belongs into a calendar.

    It is told by its UID and replaced by a higher SEQUENCE, which is the version of the appointment. Times are in UTC:
    one moment, that every calendar shows by its own clock, whatever rules of summer time it knows. What the appointment
    is about is not in it.

    Source:  RFC 5546, sections 3.2.2 and 3.2.5; RFC 5545; RFC 7986, section 5.3, for a UID without the name of a host.
    """
    method = _METHODS.get(happening.topic)
    if method is None:
        return None
    appointment, is_off = happening.appointment, method == "CANCEL"
    event = Event()
    event.add("UID", str(appointment.id))
    event.add("SEQUENCE", appointment.version)
    event.add("DTSTAMP", _whole(happening.at))
    event.add("DTSTART", _whole(appointment.starts_at))
    event.add("DTEND", _whole(appointment.ends_at))
    event.add("SUMMARY", summary)
    event.add("LOCATION", ", ".join(each for each in (facts.place, facts.facility) if each))
    event.add("STATUS", "CANCELLED" if is_off else "CONFIRMED")
    event.add("TRANSP", "TRANSPARENT" if is_off else "OPAQUE")
    event.add("CLASS", "PRIVATE")
    event.add("ORGANIZER", _person(organizer, from_name))
    event.add("ATTENDEE", _person(email, name, PARTSTAT="ACCEPTED", ROLE="REQ-PARTICIPANT", RSVP="FALSE"), encode=False)
    calendar = Calendar()
    calendar.add("PRODID", PRODUCT)
    calendar.add("VERSION", "2.0")
    calendar.add("METHOD", method)
    calendar.add_component(event)
    return Invitation(method=method, ics=calendar.to_ical())


def _person(address: str, name: str, **parameters: str) -> vCalAddress:
    person = vCalAddress(f"mailto:{address}")
    for key, value in {"CN": name, **parameters}.items():
        person.params[key] = vText(value)
    return person


def _whole(at: datetime) -> datetime:
    """Calendars know no parts of seconds."""
    return at.astimezone(UTC).replace(microsecond=0)
