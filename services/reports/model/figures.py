"""What is counted, what is divided by what, and up to when it holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from services.reports.model.facts import Status

ATTENDED: Final = (Status.ARRIVED, Status.IN_PROGRESS, Status.COMPLETED)
_STALE: Final = timedelta(seconds=30)
_BEHIND_S: Final = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """One thing that is counted: appointments with one of these statuses; late ones only where it says so."""

    name: str
    statuses: tuple[Status, ...] = tuple(Status)
    is_late: bool = False


COUNTS: Final = (Measure(name="appointments"),)
OUTCOMES: Final = (
    Measure(name="attended", statuses=ATTENDED),
    Measure(name="no_show", statuses=(Status.NO_SHOW,)),
    Measure(name="late_cancelled", statuses=(Status.CANCELLED,), is_late=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of a report: what it is for, column by column, and what was counted."""

    group: Mapping[str, object]
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rate:
    """A share, with what it was made of."""

    numerator: int
    denominator: int

    @property
    def percent(self) -> Decimal | None:
        """In percent, rounded half up to one decimal; None when there is nothing to divide by."""
        if not self.denominator:
            return None
        share = Decimal(100 * self.numerator) / self.denominator
        return share.quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How far the reader of one stream was when it was looked at: the oldest event that waits, and dead letters."""

    stream: str
    at: datetime
    oldest_s: float
    dead: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """Up to which event figures are, and whether some wait."""

    newest_event_at: datetime | None
    looked_at: datetime | None
    is_behind: bool


def no_show_rate(counts: Mapping[str, int]) -> Rate:
    """Those who did not come, of those who did not come and those who attended.

    Source:  NHS England, Hospital Outpatient Activity, "did not attend rate": did not attends over attendances and did
             not attends; DECISIONS, D-63.
    """
    return Rate(numerator=counts["no_show"], denominator=counts["attended"] + counts["no_show"])


def late_cancel_rate(counts: Mapping[str, int]) -> Rate:
    """Late cancellations, of all that still stood when it became late to cancel and whose outcome is known.

    Source:  DECISIONS, D-63.
    """
    late = counts["late_cancelled"]
    return Rate(numerator=late, denominator=counts["attended"] + counts["no_show"] + late)


def as_of(newest: datetime | None, looks: Sequence[Look], *, at: datetime) -> AsOf:
    """Up to which event figures are.

    They are behind when an event waits for more than five seconds, when one was put aside for a person, and when nobody
    has looked for half a minute.

    Source: none, plain arithmetic.
    """
    looked_at = min((each.at for each in looks), default=None)
    is_behind = (
        looked_at is None
        or at - looked_at > _STALE
        or any(each.oldest_s > _BEHIND_S or each.dead > 0 for each in looks)
    )
    return AsOf(newest_event_at=newest, looked_at=looked_at, is_behind=is_behind)
