"""Times by the clock of the place, in the reader's language, with the name of the zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.notifications.model.rendering import example, values
from tests.unit.notifications.making import FACTS, START, happening

SUMMER = datetime(2026, 4, 16, 8, 30, tzinfo=UTC)


def said(*, language="en", reader=None, **appointment):
    given = happening(**appointment).appointment
    return values(given, FACTS, name="Ada Example", language=language, reader=reader)


@pytest.mark.row("NOT-07")
@pytest.mark.parametrize(
    ("language", "date", "time", "zone"),
    [
        ("en", "Monday, March 9, 2026", "9:30 AM", "Central European Standard Time"),
        ("de", "Montag, 9. März 2026", "09:30", "Mitteleuropäische Normalzeit"),
        ("fr", "lundi 9 mars 2026", "09:30", "heure normale d’Europe centrale"),
        ("es", "lunes, 9 de marzo de 2026", "9:30", "hora estándar de Europa central"),
        ("tr", "9 Mart 2026 Pazartesi", "09:30", "Orta Avrupa Standart Saati"),
        ("ar", "الاثنين، 9 مارس 2026", "9:30 ص", "توقيت وسط أوروبا الرسمي"),
    ],
)
def test_a_time_that_was_booked_in_utc_is_said_by_the_clock_of_the_place(language, date, time, zone):
    found = said(language=language, starts_at=START, zone="Europe/Berlin")
    assert (found["date"], found["time"], found["zone"]) == (date, time, zone)


def test_summer_has_its_own_time_and_name():
    found = said(starts_at=SUMMER, was_at=START)
    assert (found["time"], found["zone"]) == ("10:30 AM", "Central European Summer Time")
    assert (found["old_time"], found["old_zone"]) == ("9:30 AM", "Central European Standard Time")
    assert found["old_date"] == "Monday, March 9, 2026"


def test_the_region_of_the_reader_decides_how_a_date_is_written_in_the_same_language():
    assert said(reader="en-GB")["date"] == "Monday, 9 March 2026"
    assert said(language="en", reader="de-AT")["date"] == "Monday, March 9, 2026"


@pytest.mark.parametrize(
    ("zone", "name"),
    [("Europe/Istanbul", "Türkiye"), ("Asia/Kathmandu", "Nepal"), ("UTC", "Coordinated Universal Time")],
)
def test_a_zone_without_a_name_has_that_of_its_place(zone, name):
    assert name in said(zone=zone)["zone"]


@pytest.mark.parametrize("language", ["en", "de", "xx", "pt-BR", "zh"])
def test_any_language_can_be_written_and_no_blank_doubles_what_a_text_message_costs(language):
    found = example(language=language)
    assert all(found[name] for name in ("date", "time", "zone", "old_date"))
    assert not {"\u00a0", "\u202f", "\u2009"} & set("".join(found.values()))


def test_details_are_in_the_example_only_when_they_may_be_named():
    assert "reason" not in example(language="en")
    assert example(language="en", names_details=True)["reason"]
