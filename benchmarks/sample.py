"""What differs between two bookings in what the script of a booking is told."""

from __future__ import annotations

from datetime import UTC, datetime


def names(*, appointment: str, patient: str, doctor: str, first: int) -> list[str]:
    """All that differs between two bookings of half an hour, as it stands in keys and argument."""
    ids = [form for each in (appointment, patient, doctor) for form in (each, each.replace("-", ""))]
    day = first // 1440
    times = [datetime.fromtimestamp(each * 60, UTC).isoformat()[:19] for each in (first, first + 30)]
    key = appointment.replace("-", "")[::-1]  # stands for the digest of the request's key
    return [*ids, *times, str(first), str(first + 30), f":{day}", str(day * 1440), str((day + 1) * 1440), key]
