"""The time zones that a place can have: names of the IANA database, each with its city in the language of the page."""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zoneinfo import available_timezones

from babel import Locale, dates

_REGIONS: Final = ("Africa", "America", "Antarctica", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific")


@lru_cache(maxsize=8)
def zones(language: str) -> list[tuple[str, str]]:
    """Name and city, by name; `UTC` last. Names that only old software knows are left out."""
    locale = Locale.parse(language)
    names = sorted(each for each in available_timezones() if each.partition("/")[0] in _REGIONS)
    return [(name, dates.get_timezone_location(name, locale=locale, return_city=True)) for name in [*names, "UTC"]]
