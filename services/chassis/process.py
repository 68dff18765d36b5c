"""What every process does around its work: start in order, and give back in order."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager

from services.chassis import logs, metrics, tracing
from services.chassis.service import Program
from services.chassis.stores import StoreAway

_START_PATIENCE_S = 30.0


@contextmanager
def running(program: Program, *, version: str) -> Iterator[ExitStack]:
    """A process between its start and its end; what is put on the stack is closed in reverse order.

    Raises:  NotDurable, StoreAway: a start check refused, or its store did not answer in half a minute.
    """
    logs.set_up(program.name, level=program.settings.log_level)
    metrics.BUILD.labels(program.name, version).set(1)
    with ExitStack() as closing:
        closing.callback(tracing.start(program.name, endpoint=program.settings.otel_exporter_otlp_endpoint))
        for close in program.close:
            closing.callback(close)
        patiently(program.start_checks)
        logs.logger().info("process.started", version=version)
        yield closing
        logs.logger().info("process.stopping")


def settle() -> None:
    """Called once all is built: what exists now stays to the end, and the collector does not walk through it again."""
    gc.collect()
    gc.freeze()
    gc.enable()


def patiently(checks: Sequence[Callable[[], None]]) -> None:
    """Do what has to be done before the work; a store that is away is waited for, for half a minute.

    Raises:  StoreAway: it did not come. Whatever else they raise, at once: settings that lose data, say.
    """
    until = time.monotonic() + _START_PATIENCE_S
    for check in checks:
        while True:
            try:
                check()
                break
            except StoreAway:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
