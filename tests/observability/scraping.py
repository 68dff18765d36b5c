"""A Prometheus of a test's own: it looks every second at a running house, and waits a sixtieth of what rules say.

The rules are the real ones, changed by the same factor wherever they name a time for which something must be so: `for`,
and the age of what waits (`..._oldest_..._seconds`). Windows of rates stay as they are.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import urllib3
import yaml

from observability.places import HERE
from standalone import monitoring
from standalone.monitoring import Target
from tests import needs
from tests.places import free_port
from tests.system.house import RunningHouse
from tests.waiting import wait_for

FASTER = 60
_FOR = re.compile(r"^(\s+for: )(\d+)([smhd])$", re.MULTILINE)
_KNOWN = re.compile(r"\[1[hd]\]\) > 0")  # how long it counts what a process had found that is gone
_AGE = re.compile(r"(_oldest_\w*seconds\) > )(\d+)$", re.MULTILINE)
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


@dataclass(frozen=True)
class Prometheus:
    """One that runs. more: a file of rules that it reads when it is there; `reload` lets it look."""

    url: str
    more: Path | None = None
    reload: Callable[[], None] = lambda: None

    def ask(self, path: str, **words: Any) -> Any:
        """The data of an answer; anything but success fails."""
        said = urllib3.request("GET", f"{self.url}/api/v1/{path}?{urlencode(words)}", timeout=20, retries=False)
        found = json.loads(said.data)
        assert found["status"] == "success", f"{words}: {found}"
        return found["data"]

    def value(self, query: str) -> float:
        """A single number; 0 where there is nothing."""
        found = self.ask("query", query=query)["result"]
        return float(found[0]["value"][1]) if found else 0.0

    def series(self, query: str, *, start: float, end: float) -> list[list[float]]:
        """The values of each series over a time, second by second."""
        found = self.ask("query_range", query=query, start=start, end=end, step=1)["result"]
        return [[float(value) for _, value in each["values"]] for each in found]

    def fired(self) -> set[str]:
        """The alerts that have fired in the last ten minutes."""
        found = self.ask("query", query='max by (alertname) (max_over_time(ALERTS{alertstate="firing"}[10m]))')
        return {each["metric"]["alertname"] for each in found["result"]}

    def firing(self, alert: str, *, start: float, end: float) -> list[float]:
        """The seconds within a time in which an alert fired."""
        query = f'count(ALERTS{{alertname="{alert}", alertstate="firing"}})'
        found = self.ask("query_range", query=query, start=start, end=end, step=1)["result"]
        return [float(at) for each in found for at, _ in each["values"]]

    @contextmanager
    def with_rule(self, rule: Mapping[str, str]) -> Iterator[None]:
        """It has one rule more meanwhile."""
        assert self.more is not None
        self.more.write_text(yaml.safe_dump({"groups": [{"name": "more", "rules": [dict(rule)]}]}), encoding="utf-8")
        self.reload()
        try:
            yield
        finally:
            self.more.unlink()
            self.reload()


@contextmanager
def scraping(house: RunningHouse, folder: Path, *, beside: Sequence[Target] = ()) -> Iterator[Prometheus]:
    """Runs meanwhile, with every rule. beside: what is scraped as well."""
    folder.mkdir()
    port = free_port()
    asked = [*targets(house), *beside, Target("prometheus", "monitor", port)]
    told = f"127.0.0.1:{house.port('alertmanager')}"
    said = monitoring.prometheus(
        asked, rules=[*_hurried(folder), folder / "more-*.yaml"], alertmanager=told, every="1s"
    )
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(said), encoding="utf-8")
    command = [
        needs.find("prometheus"),
        f"--config.file={folder / 'prometheus.yaml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        "--enable-feature=exemplar-storage",
    ]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log, cwd=folder) as process:
        try:
            made = Prometheus(
                f"http://127.0.0.1:{port}", folder / "more-rules.yaml", lambda: process.send_signal(signal.SIGHUP)
            )
            wait_for(lambda: _is_ready(made), within_s=60, what="Prometheus is ready")
            yield made
        finally:
            process.terminate()


def targets(house: RunningHouse) -> list[Target]:
    """All that has metrics in a house, by the ports that it keeps."""
    known = house.ports()
    services = {folder.name for folder in (house.home / "environ").iterdir()}
    found = [Target("gateway", "gateway", known["gateway-metrics"])]
    for name, port in known.items():
        service, is_worker = name.removesuffix("-worker"), name.endswith("-worker")
        service = re.sub(r"-\d+$", "", service)
        if service in services:
            found.append(Target(service, "worker" if is_worker else "web", port))
    return found


def _is_ready(made: Prometheus) -> bool:
    try:
        return urllib3.request("GET", f"{made.url}/-/ready", timeout=2, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _hurried(folder: Path) -> Sequence[Path]:
    """The rules with shorter waits."""

    def shorter(found: re.Match[str]) -> str:
        return f"{found[1]}{max(1, int(found[2]) * _SECONDS[found[3]] // FASTER)}s"

    def younger(found: re.Match[str]) -> str:
        return f"{found[1]}{max(1, int(found[2]) // FASTER)}"

    made = []
    for rule in sorted((HERE / "rules").glob("*.yaml")):
        path = folder / rule.name
        text = _AGE.sub(younger, _FOR.sub(shorter, rule.read_text(encoding="utf-8")))
        text = _KNOWN.sub("[15s]) > 0", text)
        path.write_text(text, encoding="utf-8")
        made.append(path)
    return made
