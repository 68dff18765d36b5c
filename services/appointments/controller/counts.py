"""What the booking desk counts: decisions, searches, holds, and what becomes of appointments."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Counter, Histogram

from services.appointments import model
from services.chassis.metrics import BUCKETS
from services.chassis.stores import Replayed, StoreBusy
from services.kernel.errors import Conflict, DomainError, Unavailable

ATTEMPTS = Counter(
    "infirmary_booking_attempts_total", "Wishes for an appointment that were decided on, by the decision.", ["result"]
)
REFUSALS = Counter("infirmary_booking_refusals_total", "Wishes that were refused, by the rule.", ["code"])
DURATION = Histogram("infirmary_booking_duration_seconds", "Time of one decision.", buckets=BUCKETS)
SEARCHES = Counter("infirmary_place_searches_total", "Searches for a free place, by whether there was one.", ["result"])
HOLDS = Counter(
    "infirmary_holds_total", "Places that were kept for a while, and given back before it was over.", ["act"]
)
STATES = Counter("infirmary_appointments_total", "Appointments that came into a status.", ["status"])
WAITED = Histogram(
    "infirmary_wait_seconds",
    "Time from the arrival to being seen.",
    buckets=(60, 300, 600, 900, 1200, 1800, 2700, 3600, 7200),
)


@contextmanager
def attempt() -> Iterator[None]:
    """One decision on a wish for an appointment; what has to be decided once more is not counted yet."""
    with DURATION.time():
        try:
            yield
        except StoreBusy:
            raise
        except Exception as refused:
            ATTEMPTS.labels(_result(refused)).inc()
            raise
    ATTEMPTS.labels("booked").inc()


def _result(refused: Exception) -> str:
    """What came of a wish that was not booked."""
    match refused:
        case Replayed():
            return "replayed"
        case Conflict():
            REFUSALS.labels(refused.code).inc()
            return "conflict"
        case DomainError() if not isinstance(refused, Unavailable):
            return "invalid"
    return "error"


def searched(found: object) -> None:
    """A search has an answer."""
    SEARCHES.labels("found" if found else "none").inc()


def kept(step: model.Step) -> None:
    """A step was made true."""
    before, after = step.before, step.after
    if before is None or before.status is not after.status:
        STATES.labels(after.status.value).inc()
    if after.status is model.Status.IN_PROGRESS and after.arrived_at and after.started_at:
        WAITED.observe((after.started_at - after.arrived_at).total_seconds())
