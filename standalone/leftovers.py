"""Processes that outlived their supervisor: found, and stopped in order, before a start and at a stop."""

from __future__ import annotations

import signal
from collections.abc import Callable

from standalone import identities, state
from standalone.layout import Layout

ORDER = ("gateway", "web", "worker", "inbox", "store")
LEAVES_S = {"store": 30.0}
USUALLY_S = 25.0


def stop(layout: Layout, *, say: Callable[[str], None]) -> int:
    """Stop what is left of a house whose supervisor is gone; how many processes that were.

    Only processes that the state file names together with their beginning, or that carry the mark of this house, are
    touched: a process id that went to somebody else is not ours.
    """
    known = state.read(layout.state)
    count = 0
    for kind in ORDER:
        left = {
            each.pid: (each.began or "", signal.Signals(each.stop_signal))
            for each in known.processes
            if each.kind == kind and each.lives
        }
        if left:
            say(f"stopping {len(left)} of an earlier run ({kind})")
            count += len(left)
            _stop(left, timeout_s=LEAVES_S.get(kind, USUALLY_S))
    strays = {pid: (since, signal.SIGTERM) for pid, since in identities.marked(layout.home).items()}
    if strays:
        count += len(strays)
        _stop(strays, timeout_s=USUALLY_S)
    return count


def _stop(processes: dict[int, tuple[str, signal.Signals]], *, timeout_s: float) -> None:
    for pid, (since, number) in processes.items():
        identities.send(pid, number, since=since)
        identities.send(pid, signal.SIGCONT, since=since)  # one that was halted could not leave
    left = identities.wait_gone([(pid, since) for pid, (since, _) in processes.items()], timeout_s=timeout_s)
    for pid, since in left:
        identities.send(pid, signal.SIGKILL, since=since)
    identities.wait_gone(left, timeout_s=5.0)
