"""What a facility sends, by which way, and when: its quiet hours hold back what would wake somebody."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.kernel.errors import FieldError, Invalid
from services.kernel.wall_clock import moment
from services.notifications.model.versions import FIRST
from services.notifications.model.words import Way

_DAY = timedelta(days=1)
_URGENT = timedelta(hours=12)
_LOUD = frozenset({Way.SMS, Way.PUSH})


@dataclass(frozen=True, slots=True, kw_only=True)
class QuietHours:
    """From one time on the clock until another; over midnight when the second is earlier."""

    starts: time
    ends: time

    def end_at(self, at: datetime, *, zone: str) -> datetime | None:
        """When the quiet hours end in which a moment lies by the clock of a zone; None when it lies in none.

        On the days on which clocks are changed they begin and end as the clock on the wall shows.
        """
        clock = ZoneInfo(zone)
        today = at.astimezone(clock).date()
        for day in (today - _DAY, today):
            last = day if self.ends > self.starts else day + _DAY
            end = moment(last, self.ends, zone=clock)
            if moment(day, self.starts, zone=clock) <= at < end:
                return end
        return None


NIGHT: Final = QuietHours(starts=time(21), ends=time(8))


@dataclass(frozen=True, slots=True, kw_only=True)
class FacilitySettings:
    """What one facility has decided; from_name: who writes, None for the name of the facility."""

    facility_id: UUID
    quiet_hours: QuietHours | None = NIGHT
    from_name: str | None = None
    language: str | None = None
    channels: frozenset[Way] = frozenset(Way)
    may_name_details: bool = False
    version: int = FIRST


def read_settings(body: Mapping[str, Any], *, facility_id: UUID) -> FacilitySettings:
    """The settings that a body asks for.

    Raises:  Invalid: quiet hours that end when they begin, or a channel that stands twice.
    Source: none, plain arithmetic.
    """
    errors = []
    quiet = body["quiet_hours"]
    if quiet is not None and quiet["from"] == quiet["until"]:
        errors.append(FieldError(rule="empty", pointer="/quiet_hours/until"))
    channels = [Way(each) for each in body["channels"]]
    errors += [
        FieldError(rule="repeated", pointer=f"/channels/{number}")
        for number, each in enumerate(channels)
        if each in channels[:number]
    ]
    if errors:
        raise Invalid(errors=errors)
    return FacilitySettings(
        facility_id=facility_id,
        quiet_hours=None if quiet is None else QuietHours(starts=_clock(quiet["from"]), ends=_clock(quiet["until"])),
        from_name=body["from_name"],
        language=body["language"],
        channels=frozenset(channels),
        may_name_details=body["may_name_details"],
    )


def held_until(
    quiet: QuietHours | None, *, way: Way, at: datetime, zone: str | None, starts_at: datetime | None
) -> datetime | None:
    """Until when a message waits for the end of quiet hours; None when it may go out now.

    What is urgent does not wait: the appointment begins within twelve hours after them, or before they are over.

    Source:  D-51.
    """
    if quiet is None or zone is None or way not in _LOUD:
        return None
    end = quiet.end_at(at, zone=zone)
    is_urgent = end is not None and starts_at is not None and at < starts_at <= end + _URGENT
    return None if is_urgent else end


def _clock(text: str) -> time:
    return time.fromisoformat(text)
