"""What the trail can be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.kernel.errors import FieldError, Invalid


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Conditions that must all hold; nothing means any."""

    patient_id: str | None = None
    actor: str | None = None
    operation: str | None = None
    action: str | None = None
    outcome: str | None = None
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
    words = {name: asked.get(name) for name in ("patient_id", "actor", "operation", "action", "outcome")}
    return Search(since=since, until=until, **words)


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
