"""Lua scripts in Redis: decided in one atomic step, on the node that owns the keys, and as durable as was asked for.

With replicas the number of them that have the write is asked on the same connection, right behind the script: on
another connection WAIT answers for writes that are not ours. Too few is "outcome unknown", as is a timeout: the caller
may send the same again under its key.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import Histogram

from services.chassis import failpoints, tracing
from services.chassis.redis import Client, Cluster, node, translated
from services.chassis.stores import StoreAway

SECONDS = Histogram(
    "infirmary_script_seconds",
    "Time of one run of a script, with the wait for replicas.",
    ["script"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5),
)


class Script:
    """One script.

    replicas: how many must have a write before it counts; wait_ms: how long they get for it. `tracer` is for tests.
    """

    def __init__(
        self, name: str, *, text: str, replicas: int = 0, wait_ms: int = 100, tracer: trace.Tracer | None = None
    ) -> None:
        self.name, self.text = name, text
        self._replicas, self._wait_ms = replicas, wait_ms
        self._sha = ""
        self._tracer = tracer or tracing.tracer()
        self._seconds = SECONDS.labels(name)

    def run(self, connection: Client | Cluster, *, keys: Sequence[str], arguments: Sequence[str | bytes]) -> Any:
        """Run it once; it is loaded first where the server does not know it.

        Raises:  StoreAway: nothing answered in time, or too few replicas have it; whether it ran is unknown.
        """
        with (
            translated(),
            self._seconds.time(),
            tracing.spanning(
                self._tracer, f"EVALSHA {self.name}", kind=SpanKind.CLIENT, attributes={"db.system.name": "redis"}
            ),
        ):
            failpoints.reach("script.before")
            found = self._loaded(node(connection, keys[0]), keys, arguments)
            failpoints.reach("script.after")
            return found

    def _loaded(self, owner: Client, keys: Sequence[str], arguments: Sequence[str | bytes]) -> Any:
        try:
            return self._once(owner, keys, arguments)
        except redis.exceptions.NoScriptError:
            self._sha = str(owner.script_load(self.text))
            return self._once(owner, keys, arguments)

    def _once(self, owner: Client, keys: Sequence[str], arguments: Sequence[str | bytes]) -> Any:
        if not self._sha:
            raise redis.exceptions.NoScriptError
        if not self._replicas:
            return owner.evalsha(self._sha, len(keys), *keys, *arguments)
        together = owner.pipeline(transaction=False)
        together.evalsha(self._sha, len(keys), *keys, *arguments)
        together.wait(self._replicas, self._wait_ms)
        answer, reached = together.execute()
        if int(reached) < self._replicas:
            raise StoreAway("redis", "too_few_replicas")
        return answer
