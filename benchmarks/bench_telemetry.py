"""What traces cost: the chassis with a collector and without one, in turns, each time in a process of its own.

The same two requests as in `bench_chassis`. With traces every request makes its span and all of them are sent to a real
receiver, which is part of the measured time; metrics and logs are on in both, because nothing turns them off.
`unsampled` is with a collector, and requests of which the gateway has said that they are not to be recorded. Run it
from the checkout: `python -m benchmarks.bench_telemetry`.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path

import uvloop

from benchmarks.bench_chassis import BODY, call

ROUNDS, REQUESTS, WARM = 7, 4000, 200
MOST_SLOWER, LEAST_RATIO = 1.05, 0.95
KINDS = {
    "GET, trivial": ("GET", "/api/v1/doors", b"", 200),
    "POST, validated, with token": ("POST", "/api/v1/things", BODY, 201),
}
UNSAMPLED = (b"traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")


def measured(name: str, *, endpoint: str, is_sampled: bool) -> tuple[float, float]:
    """Median time of a request in microseconds, and requests per second of processor time, with sending."""
    warnings.simplefilter("ignore")
    from services.chassis import process, tracing  # noqa: PLC0415 - in the process that is measured only
    from tests.unit.chassis.test_web import World  # noqa: PLC0415 - as above

    stop = tracing.start("measured", endpoint=endpoint or None)
    world = World(Path(tempfile.mkdtemp()))
    times: list[float] = []

    async def many(count: int) -> None:
        method, path, body, expected = KINDS[name]
        more = () if is_sampled else (UNSAMPLED,)
        for _ in range(count):
            began = time.perf_counter()
            if await call(world.house.web.app, method, path, body, *more) != expected:
                raise SystemExit(f"{method} {path} was not answered with {expected}")
            times.append(time.perf_counter() - began)

    uvloop.run(many(WARM))
    process.settle()
    times.clear()
    began = time.process_time()
    uvloop.run(many(REQUESTS))
    stop()
    taken = time.process_time() - began
    world.house.close()
    return statistics.median(times) * 1e6, REQUESTS / taken


def _in_a_process(name: str, endpoint: str, *, is_sampled: bool = True) -> tuple[float, float]:
    words = [name, endpoint, "sampled" if is_sampled else "unsampled"]
    command = [sys.executable, "-m", "benchmarks.bench_telemetry", "measure", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    time_us, per_s = json.loads(done.stdout.splitlines()[-1])
    return time_us, per_s


def _compared(name: str, what: str, pairs: list[tuple[tuple[float, float], tuple[float, float]]]) -> str:
    """One line: medians, and the medians of the ratios of those that were measured one after the other."""
    slower = statistics.median(on[0] / off[0] for off, on in pairs)
    ratio = statistics.median(on[1] / off[1] for off, on in pairs)
    off_us, on_us = (statistics.median(pair[place][0] for pair in pairs) for place in (0, 1))
    verdict = "within" if slower <= MOST_SLOWER and ratio >= LEAST_RATIO else "beyond"
    return (
        f"{name:<30} p50 {off_us:6.0f} us without, {on_us:6.0f} us {what:<9}   ratio {slower:.2f}   "
        f"throughput {ratio:.2f}   {verdict} the target of 1.05 and 0.95\n"
    )


def main(words: list[str]) -> int:
    """Print the figures; the exit code."""
    if words[:1] == ["measure"]:
        name, endpoint, sampled = words[1:]
        sys.stdout.write(json.dumps(measured(name, endpoint=endpoint, is_sampled=sampled == "sampled")) + "\n")
        return 0
    from tests.system.collector import collecting  # noqa: PLC0415 - not in the processes that are measured

    with collecting() as (endpoint, spans):
        for name in KINDS:
            every, none = [], []
            for _ in range(ROUNDS):
                off = _in_a_process(name, "")
                every.append((off, _in_a_process(name, endpoint)))
                none.append((off, _in_a_process(name, endpoint, is_sampled=False)))
            sys.stdout.write(_compared(name, "with", every) + _compared(name, "unsampled", none))
        sys.stdout.write(f"{len(spans)} spans arrived\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
