"""Every word that people read: three languages, and dates, times and numbers as each of them writes them.

Texts are looked up in `translations/<language>.po`, read once at the start: there is no compiled catalogue to forget.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError, dates, lists, numbers
from babel.core import get_global
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from markupsafe import Markup

from frontend.sayings import N_

NOTHING: Final = "\N{EN DASH}"
HERE: Final = Path(__file__).parent
LANGUAGES: Final[Mapping[str, str]] = {"en": "English", "de": "Deutsch", "ar": "العربية"}
"""Each by its own name, in the order of the menu; the first is what the texts are written in."""

_STOPS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "de": (("d MMM", "d. MMM"),),
    "ar": ((",", "\N{ARABIC COMMA}"),),
}
CONTINENTS: Final[Mapping[str, str]] = {
    "Africa": N_("Africa"),
    "America": N_("America"),
    "Antarctica": N_("Antarctica"),
    "Arctic": N_("Arctic"),
    "Asia": N_("Asia"),
    "Atlantic": N_("Atlantic Ocean"),
    "Australia": N_("Australia"),
    "Europe": N_("Europe"),
    "Indian": N_("Indian Ocean"),
    "Pacific": N_("Pacific Ocean"),
}


@lru_cache(maxsize=8)
def translations(language: str) -> NullTranslations:
    """The catalogue of a language; that of the source says every text as it is written."""
    path = HERE / "translations" / f"{language}.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return GNUTranslations(compiled)


@lru_cache(maxsize=8)
def zones(language: str) -> list[tuple[str, list[tuple[str, str]]]]:
    """All time zones that clocks of a country show, by continent: each with the city by which it is known."""
    words, found = Words(language), dict[str, list[tuple[str, str]]]()
    for line in files("tzdata.zoneinfo").joinpath("zone.tab").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name = line.split("\t")[2]
            city = dates.get_timezone_location(name, locale=words.locale, return_city=True)
            found.setdefault(name.partition("/")[0], []).append((name, str(city)))
    made = [(words.gettext(CONTINENTS[each]), sorted(found[each], key=lambda zone: zone[1])) for each in found]
    return [*sorted(made), ("UTC", [("UTC", "UTC")])]


@lru_cache(maxsize=5_000)
def _written(language: str, value: str, zone: str, pattern: str) -> str:
    """A moment as the clocks of a zone show it. A list is shown again and again, to one and to others."""
    return str(dates.format_datetime(_at(value, zone), pattern, locale=Locale.parse(language)))


@lru_cache(maxsize=5_000)
def _clock(value: str, zone: str) -> str:
    return f"{_at(value, zone):%H:%M}"


@lru_cache(maxsize=5_000)
def _dated(language: str, value: str, pattern: str) -> str:
    return str(dates.format_date(date.fromisoformat(value), pattern, locale=Locale.parse(language)))


def _text(value: str | date) -> str:
    """By its text a moment is known: of two in the hour that clocks show twice, Python says that they are equal."""
    return value if isinstance(value, str) else value.isoformat()


def _at(value: str, zone: str) -> datetime:
    return datetime.fromisoformat(value).astimezone(ZoneInfo(zone))


@lru_cache(maxsize=5_000)
def _markup(language: str, text: str) -> Markup:
    return Markup(translations(language).gettext(text))  # noqa: S704 - our own texts, from our own catalogues


@lru_cache(maxsize=5_000)
def _marked(language: str, text: str) -> Markup:
    return _markup(language, text) % {}


@lru_cache(maxsize=1_000)
def _city(zone: str, language: str) -> str:
    return str(dates.get_timezone_location(zone, locale=Locale.parse(language), return_city=True))


def first_week_day(zone: str) -> int:
    """On which day a week begins in the country of a time zone; 0 is Monday."""
    territory = get_global("zone_territories").get(zone)
    return int(Locale.parse(f"und_{territory}").first_week_day) if territory else 0


def best(wanted: str | None) -> str:
    """The language of a browser that we speak, by its `Accept-Language`; English otherwise."""
    for each in (wanted or "").split(","):
        code = each.partition(";")[0].strip().lower().partition("-")[0]
        if code in LANGUAGES:
            return code
    return "en"


class Words:
    """One language. zone: the one that times without a zone of their own are shown in."""

    def __init__(self, language: str, *, zone: str = "UTC") -> None:
        self.language, self.zone = language, zone
        self.locale = Locale.parse(language)
        self._texts = translations(language)

    @property
    def direction(self) -> str:
        """`ltr` or `rtl`."""
        return str(self.locale.text_direction)

    def gettext(self, text: str) -> str:
        """A text in this language."""
        return self._texts.gettext(text)

    def marked(self, text: str, **values: Any) -> Markup:
        """A text of a template in this language, with values in it, which are escaped."""
        return _markup(self.language, text) % values if values else _marked(self.language, text)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """A text that depends on a number."""
        return self._texts.ngettext(one, many, count)

    def say(self, text: str, **values: Any) -> str:
        """A text with values in it: `say("Hello %(name)s", name=…)`."""
        return self.gettext(text) % values if values else self.gettext(text)

    def day(self, value: str | date | None, form: str = "medium") -> str:
        """A date without a time: it has no zone, and is nobody's moment."""
        if not value:
            return NOTHING
        if form == "medium" and self.language == "en":
            form = "d MMM y"  # as moments are written, and never mistaken for the other order
        return _dated(self.language, _text(value)[:10], self._form(form) if " " in form else form)

    def moment(self, value: str | datetime, zone: str | None = None, form: str = "medium") -> str:
        """Date and time at a place, with the name of its zone beside it."""
        at = zone or self.zone
        return f"{_written(self.language, _text(value), at, self._form(form))} ({_city(at, self.language)})"

    def clock(self, value: str | datetime, zone: str | None = None) -> str:
        """The time of the day at a place, without its zone: for lists whose head names it."""
        return _clock(_text(value), zone or self.zone)

    def precise(self, value: str | datetime, zone: str | None = None) -> str:
        """Date and time to the second, without its zone: for lists whose head names it."""
        return _written(self.language, _text(value), zone or self.zone, "d MMM y, HH:mm:ss")

    def weekday(self, value: str | date, form: str = "EEEE, d MMMM") -> str:
        """A day by its weekday."""
        found = date.fromisoformat(value[:10]) if isinstance(value, str) else value
        return dates.format_date(found, self._form(form), locale=self.locale)

    def at(self, value: str | datetime, zone: str | None = None) -> datetime:
        """A moment as the clocks of a place show it."""
        return _at(_text(value), zone or self.zone)

    def zone_name(self, at: datetime) -> str:
        """Whose clocks show it: the city by which the zone is known, in this language."""
        return _city(str(at.tzinfo), self.language)

    def language_name(self, code: str) -> str:
        """What a language is called."""
        try:
            return str(Locale.parse(code, sep="-").get_display_name(self.locale) or code)
        except (UnknownLocaleError, ValueError):
            return code

    def named_languages(self, codes: Iterable[str]) -> list[tuple[str, str]]:
        """For a choice: code and name of languages, by name."""
        return sorted(((code, self.language_name(code)) for code in codes), key=lambda pair: pair[1].casefold())

    def several(self, texts: Sequence[str]) -> str:
        """Texts one after the other, as in `Monday, Tuesday and Friday`."""
        return lists.format_list(texts, locale=self.locale)

    def number(self, value: float) -> str:
        """A number."""
        return numbers.format_decimal(value, locale=self.locale)

    def percent(self, value: float | None) -> str:
        """A part of one, as percent with one place."""
        return NOTHING if value is None else numbers.format_percent(value, "#,##0.0 %", locale=self.locale)

    def share(self, value: float) -> str:
        """A part of one, as whole percent."""
        return str(numbers.format_percent(value, locale=self.locale))

    def zones(self) -> list[tuple[str, list[tuple[str, str]]]]:
        """Time zones to choose from, by continent."""
        return zones(self.language)

    def _form(self, form: str) -> str:
        """A pattern, with the stops and commas of the language."""
        pattern = {"medium": "EEE d MMM y, HH:mm", "short": "d MMM, HH:mm"}.get(form, form)
        for written, here in _STOPS.get(self.language, ()):
            pattern = pattern.replace(written, here)
        return pattern
