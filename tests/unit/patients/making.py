"""Things that the tests of the patients make: a house, a moment, people, records, calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from services.chassis.call import Call
from services.kernel.access import Actor
from services.kernel.errors import NotFound
from services.patients import model

HOUSE = model.House(country="US", zone=ZoneInfo("UTC"))
AT = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
TODAY = date(2026, 3, 2)
EVERYTHING = frozenset(
    f"patients.{verb}" for verb in ("register", "read", "update", "deactivate", "restore", "mark_deceased", "verify")
)
CLERK = Actor(subject="clerk", permissions=EVERYTHING)
BLIND = Actor(subject="kiosk", permissions=frozenset({"patients.register"}))


def fields(**given: Any) -> dict[str, Any]:
    """What a receptionist would send; a field that is given as None is left out."""
    made = {
        "family_name": "Smith",
        "given_name": "John",
        "administrative_gender": "male",
        "birth_date": "1984-11-05",
    } | given
    return {name: value for name, value in made.items() if value is not None}


def person(**given: Any) -> model.Demographics:
    """A person, read from fields."""
    return model.read_demographics(fields(**given), today=TODAY, house=HOUSE)


def patient_id(number: int) -> UUID:
    """The id of a record."""
    return UUID(int=(0x0193_9C3E_0000_7000_8000 << 48) + number)


def patient(number: int = 1, **given: Any) -> model.Patient:
    """The first version of a record."""
    return model.register(person(**given), id=patient_id(number), number=1000000 + number, at=AT)


def call(
    operation: str = "test",
    *,
    actor: Actor = CLERK,
    permission: str | None = None,
    version: int | None = None,
    at: datetime = AT,
) -> Call:
    """One call of an operation."""
    return Call(
        id=patient_id(900000),
        operation=operation,
        permission=permission,
        actor=actor,
        at=at,
        request_id="r",
        expected_version=version,
    )


def everybody(patient_ids: Sequence[UUID]) -> frozenset[UUID]:
    """All records are shown."""
    return frozenset(patient_ids)


def nobody(_: Sequence[UUID]) -> frozenset[UUID]:
    """No record is shown."""
    return frozenset()


class Places:
    """The facilities that `identity` has; all of them, unless `closed` names one."""

    def __init__(self) -> None:
        self.closed: set[UUID] = set()

    def require(self, facility_id: UUID, /, *, call: Call) -> None:  # noqa: ARG002 - whoever asks
        """NotFound where there is none."""
        if facility_id in self.closed:
            raise NotFound


EVERYWHERE = model.reach(CLERK, house=HOUSE, at=AT)
