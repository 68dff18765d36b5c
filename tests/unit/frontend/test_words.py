"""Words, dates and times of each language, which are made once and then known."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from jinja2 import Environment
from markupsafe import Markup

from frontend.words import LANGUAGES, Words

AT = "2026-03-29T00:30:00Z"


def test_one_moment_is_shown_by_the_clocks_of_each_place_and_in_each_language():
    shown = {
        (language, zone): Words(language).moment(AT, zone)
        for _ in range(2)
        for language in LANGUAGES
        for zone in ("Europe/Berlin", "America/New_York")
    }
    assert len(set(shown.values())) == len(LANGUAGES) * 2
    assert shown["en", "Europe/Berlin"] == "Sun 29 Mar 2026, 01:30 (Berlin)"
    assert shown["de", "America/New_York"].startswith(
        "Sa. 28. M\N{LATIN SMALL LETTER A WITH DIAERESIS}rz 2026, 20:30 ("
    )


def test_clocks_that_were_put_forward_show_it():
    words = Words("en", zone="Europe/Berlin")
    assert [words.moment(f"2026-03-29T0{hour}:30:00Z", form="short") for hour in (0, 1)] == [
        "29 Mar, 01:30 (Berlin)",
        "29 Mar, 03:30 (Berlin)",
    ]


def test_the_same_moment_with_other_offsets_is_the_same_time_there():
    words, at = Words("en", zone="Asia/Kolkata"), datetime.fromisoformat(AT)
    several = [at, at.astimezone(timezone(timedelta(hours=-7))), at.astimezone(UTC).isoformat()]
    assert {words.moment(each) for each in several} == {"Sun 29 Mar 2026, 06:00 (Kolkata)"}
    assert {words.precise(each) for each in several} == {"29 Mar 2026, 06:00:00"}


def test_the_hour_that_clocks_show_twice_is_two_hours_elsewhere():
    words, at = Words("en"), datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"))
    assert [words.clock(at.replace(fold=fold), "Asia/Tokyo") for fold in (0, 1)] == ["09:30", "10:30"]


def test_forms_and_zones_of_one_moment_are_not_mistaken_for_each_other():
    words = Words("en", zone="Europe/Berlin")
    assert words.moment(AT) != words.moment(AT, form="short") != words.precise(AT)
    assert words.moment(AT, "Asia/Tokyo", "short") == "29 Mar, 09:30 (Tokyo)"
    assert words.moment(AT, form="short") == "29 Mar, 01:30 (Berlin)"


@pytest.mark.parametrize("text", ["Today", "100 %% of %(name)s", "<b>%(name)s</b>"])
def test_a_text_of_a_template_is_what_jinja_makes_of_it(text):
    environment = Environment(autoescape=True, extensions=["jinja2.ext.i18n"])
    environment.install_null_translations(newstyle=True)
    theirs = environment.from_string("{{ gettext(text, name=name) }}").render(text=text, name="<i>")
    assert Words("en").marked(text, name="<i>") == theirs
    assert isinstance(Words("en").marked(text, name="<i>"), Markup)


def test_what_nothing_is_put_into_is_made_once():
    assert Words("en").marked("100 %% here") == Markup("100 % here")
    assert Words("de").marked("Today") != Words("en").marked("Today")
    assert Words("de").marked("Today") is Words("de").marked("Today")
