"""Broken rules, by name. An error carries a code and safe facts, never a status and never a submitted value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class FieldError:
    """One bad field: a JSON pointer into the body, or the name of a parameter, and the rule that it breaks."""

    rule: str
    pointer: str | None = None
    parameter: str | None = None


class DomainError(Exception):
    """A rule of the hospital says no.

    `code` is stable and for programs, `title` is for people. `facts` go to the caller as they are: ids, counts and
    names of rules only, never what was sent and never anything about a person that the caller may not see.
    """

    code: ClassVar[str] = "refused"
    title: ClassVar[str] = "Refused"

    def __init__(
        self,
        *,
        detail: str | None = None,
        errors: Sequence[FieldError] = (),
        fields: Sequence[str] = (),
        facts: Mapping[str, object] | None = None,
    ) -> None:
        super().__init__(self.code)
        self.detail = detail
        self.errors = tuple(errors)
        self.fields = tuple(fields)
        self.facts = dict(facts or {})


class Malformed(DomainError):
    """The request cannot be parsed, or names a parameter that is unknown or repeated."""

    code = "malformed_request"
    title = "Malformed request"


class Invalid(DomainError):
    """What was sent breaks a rule; `errors` names every bad field."""

    code = "invalid_request"
    title = "Some fields are not valid"


class NotSignedIn(DomainError):
    """Nobody is signed in, or what was shown does not count."""

    code = "not_signed_in"
    title = "Sign in first"


class Forbidden(DomainError):
    """The actor may not do this. It says nothing about what exists."""

    code = "not_allowed"
    title = "Not allowed"


class StepUpRequired(Forbidden):
    """The actor may do this after having shown the second factor again, just now."""

    code = "step_up_required"
    title = "Show the second factor again"


class NotFound(DomainError):
    """There is nothing here, or nothing that the actor may see."""

    code = "not_found"
    title = "Not found"


class Conflict(DomainError):
    """The state of the thing forbids it."""

    code = "conflict"
    title = "Its state forbids this"


class Stale(DomainError):
    """The version that the change starts from is old; `fields` names what others changed since."""

    code = "stale_version"
    title = "Somebody else has changed it"


class Missing(DomainError):
    """A header that the operation cannot do without is missing."""

    code = "precondition_required"
    title = "A header is missing"


class TooMany(DomainError):
    """Too often in too short a time."""

    code = "too_many_requests"
    title = "Too many requests"

    def __init__(self, *, retry_after_s: int) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    """Something that this cannot do without is away; trying again later is right."""

    code = "unavailable"
    title = "Try again shortly"

    def __init__(self, what: str, *, retry_after_s: int = 1) -> None:
        super().__init__()
        self.what = what
        self.retry_after_s = retry_after_s
