"""How many bookings a second a house takes through its gateway, beside bare Flask with the same script.

    python -m benchmarks.bench_booking [--processes 2] [--seconds 60] [--patients 4000]

The house is one of its own in a temporary folder, with the gateway's usual limits; `patients` and `doctors` are asked
as in a hospital. Bare Flask runs the same script against another Redis that loses nothing either, and is asked by the
same clients. All clients come from one address, of which the gateway takes 1,000 requests a second; what it refuses is
counted under its status. Other numbers of processes of appointments than two are tried by `--processes`. What counts is
the ratio, and the CPU of a booking: absolute rates only show the order. It never fails on a figure.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmarks import bare, clinic, watching
from benchmarks.load import Answered, Load, Running
from benchmarks.terminal import say
from benchmarks.watching import Use
from standalone import state
from standalone.layout import Layout
from tests.system.house import RunningHouse
from tests.waiting import within

CLIENTS, DESKS, WARM_S = 16, 64, 5.0
BARE_S, BARE_THREADS, BARE_MOST = 20, 16, 90_000
CATCHES_UP_S, LOOKED_AT_EVERY_S, LONGEST_CATCHING_UP_S = 10.0, 6.0, 120.0
WANTED_PER_S, AIMED_PER_S, WANTED_P99_MS, WANTED_MIB = 250, 1000, 150, 120
LAGS = ("infirmary_unjournaled_entries", "infirmary_outbox_unsent", "infirmary_bus_group_pending")
LAG_AGES = ("infirmary_bus_oldest_unprocessed_seconds",)


def main() -> int:
    """Print the figures; the exit code."""
    parser = argparse.ArgumentParser(prog="bench_booking", description="Bookings through the gateway, and bare Flask.")
    parser.add_argument("--processes", type=int, default=2, help="of appointments")
    parser.add_argument("--seconds", type=int, default=60, help="measured, after a few for warming up")
    parser.add_argument("--patients", type=int, default=4000, help="each books nine times at most")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        ours = _in_a_house(Path(folder), given)
        say("")
        theirs = _bare(Path(folder))
        ratio = ours.per_s / theirs.per_s if theirs.per_s else float("nan")
        say(f"\nthrough the gateway / bare Flask: {ratio:.3f}")
    return 0


def _in_a_house(folder: Path, given: argparse.Namespace) -> Answered:
    started = time.monotonic()
    house = RunningHouse(folder / "house", scale=f"appointments={given.processes}")
    try:
        house.up()
        hospital = clinic.opened(house, desks=DESKS, patients=given.patients, say=say)
        say(f"set up in {time.monotonic() - started:.0f} s")
        pids = {each.name: each.pid for each in state.read(Layout(house.home).state).processes}
        questions = _asked(house)
        found, used = _measured(_load(house, hospital, given.seconds), pids, lasts_s=given.seconds)
        say(f"\nthrough the gateway, {given.processes} processes of appointments, {CLIENTS} clients, {DESKS} users")
        _show(found, used)
        _show_targets(found)
        _show_questions(questions, _asked(house))
        _show_lags(house)
        _audit(house)
    finally:
        house.down()
    return found


def _load(house: RunningHouse, hospital: clinic.Hospital, seconds: int) -> Load:
    port = int(house.url.rpartition(":")[2])
    most = int(AIMED_PER_S * 1.5 * (seconds + WARM_S))
    return Load(host="127.0.0.1", port=port, requests=hospital.wishes(most), clients=CLIENTS)


def _bare(folder: Path) -> Answered:
    with bare.running(folder / "bare", threads=BARE_THREADS) as flask:
        sent = Load(host="127.0.0.1", port=flask.port, requests=flask.requests(BARE_MOST), clients=CLIENTS)
        found, used = _measured(sent, flask.pids, lasts_s=BARE_S)
        say(f"bare Flask on granian, one worker of {BARE_THREADS} threads, {CLIENTS} clients, no gateway")
        _show(found, used)
        return found


def _measured(sent: Load, pids: Mapping[str, int], *, lasts_s: float) -> tuple[Answered, dict[str, tuple[Use, Use]]]:
    """Warm up, then measure; what each process has taken, before and after."""
    running = Running(sent)
    running.begin(lasts_s=WARM_S + lasts_s)
    time.sleep(WARM_S)
    since, before = time.monotonic(), watching.uses(pids)
    found = running.answers(since=since, wanted=201)
    after = watching.uses(pids)
    return found, {name: (before[name], after[name]) for name in pids}


def _show(found: Answered, used: Mapping[str, tuple[Use, Use]]) -> None:
    p50, p99 = found.percentile_ms(50), found.percentile_ms(99)
    say(f"  {found.per_s:.0f} bookings/s over {found.lasted_s:.0f} s   p50 {p50:.1f} ms   p99 {p99:.1f} ms")
    say(f"  statuses: {', '.join(f'{status}: {count}' for status, count in sorted(found.statuses.items()))}")
    say(f"  clients: {_per(found.client_cpu_s, found):.2f} ms of CPU per booking, warming up included")
    say(f"  {'process':<22} {'CPU ms per booking':>18} {'MiB':>7} {'share':>7}")
    costs = {name: _per(after.cpu_s - before.cpu_s, found) for name, (before, after) in used.items()}
    for name, cost in sorted(costs.items(), key=lambda each: -each[1]):
        mark = f"  more than {WANTED_MIB}" if _is_service(name) and used[name][1].rss_mib > WANTED_MIB else ""
        say(f"  {name:<22} {cost:>18.3f} {used[name][1].rss_mib:>7.0f} {used[name][1].pss_mib:>7.0f}{mark}")
    say(f"  {'together':<22} {sum(costs.values()):>18.3f}")


def _show_targets(found: Answered) -> None:
    targets = {
        f"at least {WANTED_PER_S} bookings/s": found.per_s >= WANTED_PER_S,
        f"aimed at: {AIMED_PER_S}/s": found.per_s >= AIMED_PER_S,
        f"p99 at most {WANTED_P99_MS} ms": found.percentile_ms(99) <= WANTED_P99_MS,
    }
    say("  targets: " + ", ".join(f"{name}: {'met' if is_met else 'missed'}" for name, is_met in targets.items()))
    say(f"           each service at most {WANTED_MIB} MiB: marked above where it has more")
    say("           (the MiB of postgresql count what its processes share in each of them)")


def _show_questions(before: Mapping[tuple[str, str], float], after: Mapping[tuple[str, str], float]) -> None:
    for what in sorted({what for what, _ in after}):
        known, asked = (after.get((what, how), 0) - before.get((what, how), 0) for how in ("known", "asked"))
        if known + asked:
            say(f"  {what}: {known + asked:.0f} questions, {known / (known + asked):.1%} known, {asked:.0f} asked")


def _asked(house: RunningHouse) -> dict[tuple[str, str], float]:
    """Questions to other services so far, by what and how, over all web processes of the appointments."""
    found: dict[tuple[str, str], float] = {}
    for name, port in house.ports().items():
        if name.startswith("appointments") and not name.endswith("-worker"):
            for labels, value in watching.values(port, "infirmary_asked_total").items():
                key = (dict(labels)["what"], dict(labels)["how"])
                found[key] = found.get(key, 0) + value
    return found


def _show_lags(house: RunningHouse) -> None:
    started = time.monotonic()
    time.sleep(LOOKED_AT_EVERY_S)  # what the gauges say before that may be older than the end of the load
    is_even = within(CATCHES_UP_S - LOOKED_AT_EVERY_S, lambda: not _lags(house), step_s=0.5)
    say(f"  all lags 0 within {CATCHES_UP_S:.0f} s after the load: {'yes' if is_even else 'no'}")
    if not is_even:
        for name, value in sorted(_lags(house).items()):
            say(f"    {name}: {value:.0f}")
        is_late = within(LONGEST_CATCHING_UP_S, lambda: not _lags(house), step_s=2)
        say(f"    {'0 after' if is_late else 'not 0 after'} {time.monotonic() - started:.0f} s")


def _lags(house: RunningHouse) -> dict[str, float]:
    """What still waits somewhere: changes without a journal, events without a stream, entries of groups."""
    found = {}
    for process, port in house.ports().items():
        if process.endswith("-worker"):
            for name in (*LAGS, *LAG_AGES):
                for labels, value in watching.values(port, name).items():
                    words = " ".join(each for _, each in labels)
                    found[f"{process} {name} {words}".rstrip()] = value
    return {name: value for name, value in found.items() if value > 0}


def _audit(house: RunningHouse) -> None:
    done = house.infirmary("appointments", "check")
    said = (done.stdout.strip() or done.stderr.strip() or "nothing").splitlines()
    say(f"  the auditor: {said[-1]}")
    for each in said[:-1][:5]:
        say(f"    {each}")


def _per(cpu_s: float, found: Answered) -> float:
    return cpu_s * 1000 / max(1, len(found.seconds))


def _is_service(name: str) -> bool:
    servers: tuple[Callable[[str], bool], ...] = (
        lambda each: each.startswith(("redis", "postgres", "mongo", "bare")),
        lambda each: each in {"gateway", "inbox"},
    )
    return not any(is_one(name) for is_one in servers)


if __name__ == "__main__":
    raise SystemExit(main())
