"""What traces cost: the chassis with a collector and without one, beside each other, in processes of their own.

The same two requests as in `bench_chassis`. With traces every request makes its span and all of them are sent to a real
receiver; metrics and logs are on in both, because nothing turns them off. Run it from the checkout:
`python -m benchmarks.bench_telemetry`.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import uvloop

from benchmarks.bench_chassis import BODY, call

ROUNDS, REQUESTS, WARM = 3, 1000, 100
MOST_SLOWER, LEAST_RATIO = 1.05, 0.95
KINDS = {
    "GET, trivial": ("GET", "/api/v1/doors", b"", 200),
    "POST, validated, with token": ("POST", "/api/v1/things", BODY, 201),
}


def measured(endpoint: str) -> dict[str, tuple[float, float]]:
    """Median time of a request in microseconds and requests per second of processor time, by kind."""
    warnings.simplefilter("ignore")
    from services.chassis import tracing  # noqa: PLC0415 - in the process that is measured only
    from tests.unit.chassis.test_web import World  # noqa: PLC0415 - as above

    stop = tracing.start("measured", endpoint=endpoint or None)
    world = World(Path(tempfile.mkdtemp()))
    found = {name: _one(world.house.web.app, *request) for name, request in KINDS.items()}
    world.house.close()
    stop()
    return found


def _one(app: Any, method: str, path: str, body: bytes, expected: int) -> tuple[float, float]:
    times: list[float] = []

    async def many(count: int) -> None:
        for _ in range(count):
            began = time.perf_counter()
            if await call(app, method, path, body) != expected:
                raise SystemExit(f"{method} {path} was not answered with {expected}")
            times.append(time.perf_counter() - began)

    uvloop.run(many(WARM))
    times.clear()
    began = time.process_time()
    uvloop.run(many(REQUESTS))
    return sorted(times)[REQUESTS // 2] * 1e6, REQUESTS / (time.process_time() - began)


def _in_a_process(endpoint: str) -> dict[str, list[float]]:
    command = [sys.executable, "-m", "benchmarks.bench_telemetry", "measure", endpoint]
    done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603 - ourselves
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def main(words: list[str]) -> int:
    """Print the figures; the exit code."""
    if words[:1] == ["measure"]:
        sys.stdout.write(json.dumps(measured(words[1])) + "\n")
        return 0
    from tests.system.collector import collecting  # noqa: PLC0415 - not in the processes that are measured

    with collecting() as (endpoint, spans):
        pairs = [(_in_a_process(""), _in_a_process(endpoint)) for _ in range(ROUNDS)]
        sys.stdout.write(f"{len(spans)} spans arrived\n")
    for name in KINDS:
        slower = sorted(on[name][0] / off[name][0] for off, on in pairs)[ROUNDS // 2]
        ratio = sorted(on[name][1] / off[name][1] for off, on in pairs)[ROUNDS // 2]
        off_us, on_us = (sorted(pair[place][name][0] for pair in pairs)[ROUNDS // 2] for place in (0, 1))
        verdict = "within" if slower <= MOST_SLOWER and ratio >= LEAST_RATIO else "beyond"
        sys.stdout.write(
            f"{name:<30} p50 {off_us:6.0f} us without, {on_us:6.0f} us with   ratio {slower:.2f}   "
            f"throughput {ratio:.2f}   {verdict} the target of 1.05 and 0.95\n"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
