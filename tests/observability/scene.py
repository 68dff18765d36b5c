"""What a fault finds: the house, the people who work in it, who watches, and what stands beside."""

from __future__ import annotations

import os
import signal
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import redis

from standalone import state
from standalone.servers.postgresql import SUPERUSER
from tests import stores
from tests.observability.beside import Beside
from tests.observability.load import Load
from tests.observability.scraping import Prometheus
from tests.system.house import RunningHouse
from tests.waiting import wait_for


@dataclass(frozen=True)
class Scene:
    """All of it. halting: held by whoever has halted a process: another that let it go on would end the fault."""

    house: RunningHouse
    load: Load
    prometheus: Prometheus
    beside: Beside
    halting: Mapping[str, threading.Lock] = field(default_factory=lambda: defaultdict(threading.Lock))

    def url(self, service: str, name: str) -> str:
        """An address that a service has been given, as a driver of its own wants it."""
        text = (self.house.home / "environ" / service / name).read_text(encoding="utf-8")
        return text.strip().replace("+psycopg", "")

    def postgres(self, database: str) -> str:
        """A database of the house, as its administrator sees it."""
        secret, port = quote(self.house.secret("postgresql"), safe=""), self.house.port("postgresql")
        return f"postgresql://{SUPERUSER}:{secret}@127.0.0.1:{port}/{database}"

    @contextmanager
    def redis(self, role: str) -> Iterator[Any]:
        """A Redis of the house, as its administrator sees it."""
        address = f"redis://:{self.house.secret(f'redis-{role}')}@127.0.0.1:{self.house.port(f'redis-{role}')}/0"
        with redis.Redis.from_url(address, decode_responses=True) as client:
            yield client

    def counted(self, query: str, *, over: float = 0.0, within_s: float = 60.0) -> None:
        """Go on when Prometheus has more of it than that."""
        wait_for(lambda: self.prometheus.value(query) > over, within_s=within_s, what=f"{query} > {over}", step_s=0.5)

    def fires(self, alert: str, *, within_s: float = 60.0) -> None:
        """Go on when an alert fires."""
        query = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
        self.counted(query, within_s=within_s)

    @contextmanager
    def halted(self, name: str) -> Iterator[None]:
        """A process that takes connections and answers nothing; one fault at a time has it."""
        with self.halting[name]:
            pids = self._family(name)
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            try:
                yield
            finally:
                for pid in pids:
                    os.kill(pid, signal.SIGCONT)

    def kill(self, name: str) -> None:
        """A process dies; the supervisor starts another."""
        for pid in self._family(name):
            os.kill(pid, signal.SIGKILL)

    def _family(self, name: str) -> list[int]:
        known = {each.name: each for each in state.read(self.house.home / "run" / "state.json").processes}
        return stores.family(known[name].pid)
