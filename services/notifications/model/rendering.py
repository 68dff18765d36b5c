"""What the placeholders stand for: times by the clock of the place, in the words of the reader's language."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates

from services.notifications.model.happening import Appointment

# Blanks that are not in the alphabet of SMS would double what a message costs.
_BLANKS = re.compile("[\u00a0\u2009\u202f]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What is known around an appointment: names, and details where they may be named."""

    facility: str
    place: str
    doctor: str
    details: Mapping[str, str] = field(default_factory=dict)


def locale_of(*tags: str | None) -> Locale:
    """The locale of the first tag that there is one for.

    Source:  Unicode CLDR; English where there is none.
    """
    for tag in tags:
        for each in () if tag is None else (tag, tag.partition("-")[0]):
            try:
                return Locale.parse(each, sep="-")
            except (UnknownLocaleError, ValueError):
                continue
    return Locale("en")


def values(appointment: Appointment, facts: Facts, *, name: str, language: str, reader: str | None) -> dict[str, str]:
    """What the placeholders of a message stand for.

    language: that the words are written in; reader: the tag of the reader, whose region decides how dates are written
    where it is the same language.

    Source:  Unicode CLDR by way of Babel, for dates, times and names of zones.
    """
    is_same = reader is not None and reader.partition("-")[0] == language.partition("-")[0]
    locale = locale_of(reader if is_same else None, language)
    date, time, zone = _said(appointment.starts_at, appointment.zone, locale)
    found = {
        **facts.details,
        "name": name,
        "date": date,
        "time": time,
        "zone": zone,
        "doctor": facts.doctor,
        "place": facts.place,
        "facility": facts.facility,
    }
    if appointment.was_at is not None:
        names = ("old_date", "old_time", "old_zone")
        found |= dict(zip(names, _said(appointment.was_at, appointment.zone, locale), strict=True))
    return found


def example(*, language: str, names_details: bool = False) -> dict[str, str]:
    """What the placeholders stand for in a preview: an appointment that nobody has.

    Source: none, invented.
    """
    details = {"appointment_type": "Follow-up", "reason": "Check-up", "specialization": "Cardiology"}
    facts = Facts(
        facility="Northgate Hospital",
        place="Building A",
        doctor="Dr. Zoe Example",
        details=details if names_details else {},
    )
    return values(_EXAMPLE, facts, name="Ada Example", language=language, reader=language)


def _said(at: datetime, zone: str, locale: Locale) -> tuple[str, str, str]:
    there = at.astimezone(ZoneInfo(zone))
    name = dates.get_timezone_name(there, width="long", locale=locale)
    if name == dates.get_timezone_gmt(there, width="long", locale=locale):
        name = dates.get_timezone_location(there, locale=locale)  # a zone that has no name has that of its place
    said = (dates.format_date(there, "full", locale=locale), dates.format_time(there, "short", locale=locale), name)
    date, time, zone_name = (_BLANKS.sub(" ", each) for each in said)
    return date, time, zone_name


_NOBODY: Final = UUID(int=0)
_EXAMPLE: Final = Appointment(
    id=_NOBODY,
    version=2,
    facility_id=_NOBODY,
    location_id=_NOBODY,
    patient_id=_NOBODY,
    doctor_id=_NOBODY,
    type_id=_NOBODY,
    starts_at=datetime(2026, 9, 30, 8, 30, tzinfo=UTC),
    ends_at=datetime(2026, 9, 30, 9, 0, tzinfo=UTC),
    zone="Europe/Berlin",
    was_at=datetime(2026, 9, 23, 12, 0, tzinfo=UTC),
)
