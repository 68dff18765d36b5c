"""How far behind a group is, read from the stream itself: the age of what is not done is the truth that alerts use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from services.chassis import redis
from services.chassis.bus import counts
from services.chassis.bus.group import dead_letters_of

_NOT_THERE = {"pending": 0, "last-delivered-id": "0-0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How far a group is on a stream: the oldest entry that it is not done with; its dead letters of all streams."""

    oldest_s: float
    pending: int
    dead: int


def standing(bus: redis.Client, *, stream: str, group: str) -> Standing:
    """How far one group is on one stream; one that is not there has all of the stream before it."""
    with redis.translated():
        groups: Any = bus.xinfo_groups(stream) if bus.exists(stream) else []
        facts = next((each for each in groups if each["name"] == group), None)
        oldest = _oldest(bus, stream=stream, group=group, facts=facts or _NOT_THERE)
        seconds, micros = bus.time()
        depth = int(bus.xlen(dead_letters_of(group)))
    age_s = 0.0 if oldest is None else max(0.0, seconds + micros / 1e6 - int(oldest.partition("-")[0]) / 1000)
    return Standing(oldest_s=age_s, pending=0 if facts is None else int(facts["pending"]), dead=depth)


def look(bus: redis.Client, *, stream: str, group: str) -> float:
    """Set the gauges of one group on one stream; the age in seconds of the oldest entry that it is not done with."""
    found = standing(bus, stream=stream, group=group)
    counts.PENDING.labels(stream, group).set(found.pending)
    counts.OLDEST.labels(stream, group).set(found.oldest_s)
    counts.DEPTH.labels(group).set(found.dead)
    return found.oldest_s


def _oldest(bus: redis.Client, *, stream: str, group: str, facts: Any) -> str | None:
    if facts["pending"]:
        summary: Any = bus.xpending(stream, group)
        if summary["min"]:
            return str(summary["min"])
    unread: Any = bus.xrange(stream, f"({facts['last-delivered-id']}", "+", count=1)
    return str(unread[0][0]) if unread else None
