"""When a consumer looks, waits, tries again and gives up."""

from __future__ import annotations

import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """The times of a consumer.

    backoff_s: pauses between attempts; one more attempt than pauses, then the dead letters. jitter: the part of a
    pause that is spread. dead_after_s: a consumer that has not touched an entry for so long is taken for dead; well
    above what a handler may take. takeover_every_s, look_s: how often the dead and the waiting are looked for.
    away_s: pauses while the store of a handler is away, before its event is put aside. batch: how many a read brings at
    most. gather_s: where several are handled at once, how long the next read waits after one that was not full: a
    transaction costs the same for one as for many.
    """

    backoff_s: tuple[float, ...] = (1.0, 5.0, 25.0, 125.0)
    jitter: float = 0.2
    dead_after_s: float = 60.0
    takeover_every_s: float = 15.0
    look_s: float = 0.25
    block_s: float = 2.0
    away_s: tuple[float, ...] = (0.2, 1.0, 5.0)
    batch: int = 50
    gather_s: float = 0.15

    @property
    def attempts(self) -> int:
        """How often an event is tried before it is a dead letter."""
        return len(self.backoff_s) + 1

    def pause_s(self, entry: str, *, attempts: int) -> float:
        """How long an entry waits that has been tried so often.

        The spread comes from the entry, not from chance: every process that looks comes to the same time.
        """
        pause = self.backoff_s[max(attempts, 1) - 1]
        share = zlib.crc32(f"{entry}:{attempts}".encode()) / 2**32
        return pause * (1 + self.jitter * share)
