"""A web process hears what happens elsewhere, and drops what it knows of it; nothing is kept, nothing acknowledged.

Missing an event costs no more than a few seconds of old knowledge, so there is no group: each process reads what comes
from now on. After a break in the connection it says so once, because what came meanwhile is lost to it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

import orjson
import redis

from services.chassis.redis import Client

_BLOCK_MS = 1000
_PAUSE_S = 1.0


class Follower:
    """One thread that reads some streams.

    bus: a client of its own, whose timeout is longer than a second. heard: called with each event's envelope. lost:
    called when events may have been missed.
    """

    def __init__(
        self,
        bus: Client,
        *,
        streams: Sequence[str],
        heard: Callable[[dict[str, Any]], None],
        lost: Callable[[], None],
    ) -> None:
        self._bus, self._streams, self._heard, self._lost = bus, tuple(streams), heard, lost
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow."""
        self._thread = threading.Thread(target=self._follow, name="follower", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End to follow."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_BLOCK_MS / 1000 + 1)
        self._bus.close()

    def _follow(self) -> None:
        while not self._stopping.is_set():
            try:
                places = self._now()
                self._lost()
                while not self._stopping.is_set():
                    self._take(places)
            except (redis.RedisError, OSError):
                self._stopping.wait(_PAUSE_S)

    def _now(self) -> dict[Any, Any]:
        """The newest entry of each stream."""
        newest: dict[Any, Any] = {}
        for stream in self._streams:
            found: Any = self._bus.xrevrange(stream, count=1)
            newest[stream] = found[0][0] if found else "0-0"
        return newest

    def _take(self, places: dict[Any, Any]) -> None:
        found: Any = self._bus.xread(places, count=200, block=_BLOCK_MS)
        for stream, entries in found or []:
            for entry, fields in entries:
                places[stream] = entry
                try:
                    envelope = orjson.loads(fields["event"])
                except (KeyError, ValueError, TypeError):
                    continue  # consumers count what is malformed
                if isinstance(envelope, dict):
                    self._heard(envelope)
