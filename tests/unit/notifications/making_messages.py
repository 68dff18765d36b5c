"""Messages for tests of the channels."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.notifications.model.channels import Invitation, Outgoing

DELIVERY = UUID("0190b2a4-7c1e-7cc3-98c4-dc0c0c07398f")
ICS = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Infirmary//EN\r\nMETHOD:REQUEST\r\nBEGIN:VTIMEZONE\r\n"
    b"TZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19701025T030000\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    b"BEGIN:VEVENT\r\nUID:appointment-1@house.example\r\nSEQUENCE:3\r\n"
    b"DTSTART;TZID=Europe/Berlin:20300101T1000\r\n 00\r\n"
    b"SUMMARY:\xd9\x85\xd9\x88\xd8\xb9\xd8\xaf\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
)
INVITATION = Invitation(method="REQUEST", ics=ICS)


def message(**given: Any) -> Outgoing:
    """One message; what is not given is ordinary."""
    ordinary: dict[str, Any] = {
        "delivery_id": DELIVERY,
        "to": "zoe@example.org",
        "from_name": "House",
        "subject": "Your appointment",
        "text": "See you.\n",
        "language": "en",
        "request_id": "request-1",
    }
    return Outgoing(**{**ordinary, **given})
