"""What the trail can be asked for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from services.audit.model.chain import Link
from services.kernel.errors import FieldError, Invalid

_WORDS: Final = ("patient_id", "actor", "operation", "action", "outcome", "service", "request_id", "record_id")


class TooManyRows(Invalid):
    """One file does not hold as many rows."""

    code = "too_many_rows"
    title = "More rows than one file holds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Conditions that must all hold; nothing means any."""

    patient_id: str | None = None
    actor: str | None = None
    operation: str | None = None
    action: str | None = None
    outcome: str | None = None
    service: str | None = None
    request_id: str | None = None
    record_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


def search(asked: Mapping[str, str]) -> Search:
    """A search from what somebody asked for; `from` is included, `until` is not.

    Raises:  Invalid: a moment that does not exist, or a time that ends before it begins.
    Source:  none, plain arithmetic.
    """
    errors: list[FieldError] = []
    since, until = (_moment(asked.get(name), pointer=f"/{name}", errors=errors) for name in ("from", "until"))
    if since is not None and until is not None and until <= since:
        errors.append(FieldError("after_from", "/until"))
    if errors:
        raise Invalid(errors=errors)
    return Search(since=since, until=until, **{name: asked.get(name) for name in _WORDS})


def described(search: Search) -> dict[str, str]:
    """What a search was about, in days, ids and words of the contract, for the entry of an export.

    Source:  none, plain arithmetic.
    """
    moments = {"from": search.since, "until": search.until}
    words = {name: getattr(search, name) for name in _WORDS}
    return {name: value for name, value in words.items() if value is not None} | {
        name: value.isoformat().replace("+00:00", "Z") for name, value in moments.items() if value is not None
    }


def at_most(links: Iterable[Link], limit: int) -> Iterator[Link]:
    """The same, refused when there are more than one file holds.

    Raises:  TooManyRows.
    Source:  decision D-92: a file that is cut off without saying so would be taken for all there is.
    """
    for number, each in enumerate(links):
        if number == limit:
            raise TooManyRows(detail="Ask for a shorter time.")
        yield each


def _moment(text: str | None, *, pointer: str, errors: list[FieldError]) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text.upper()).astimezone(UTC)
    except (
        ValueError,
        OverflowError,
    ):  # a leap second, or the year 1 east of Greenwich: right by RFC 3339 all the same
        errors.append(FieldError("format", pointer))
        return None
