"""Who is on call: for each alert that fires, the first commands of its runbook are run while it does."""

from __future__ import annotations

import os
import subprocess
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import urllib3
import yaml

from observability.places import HERE, ROOT
from standalone.servers.process import bare_environ
from tests import needs
from tests.observability.scraping import Prometheus
from tests.system.house import RunningHouse

BOOKS = {path.stem: path for path in sorted((ROOT / "docs" / "runbooks").glob("*.md")) if path.stem != "index"}
# What is not run here, and why.
LEFT_OUT = {
    "make logs": "follows the logs without an end",
    "openssl x509 -enddate -noout -in house/secrets/tls/house.pem": "this house has no certificate",
}
OF_A_CLUSTER = ("kubectl ", "helm ")  # there is none here
# A command that looks for what is wrong, and says that it has found it.
FINDS = {
    "make status",
    "infirmary appointments check",
    "infirmary audit verify",
    "infirmary bus dead notifications",
    "printenv OTEL_EXPORTER_OTLP_ENDPOINT",
}
AT_ONCE = 4


@dataclass(frozen=True)
class Ran:
    """One command: its exit code and what it said."""

    command: str
    code: int
    said: str

    @property
    def is_well(self) -> bool:
        """Whether it told something."""
        return self.code == 0 or (self.command in FINDS and self.code in {1, 2} and "Traceback" not in self.said)


def commands(book: Path) -> list[str]:
    """The first commands of a runbook."""
    return book.read_text(encoding="utf-8").partition("```sh\n")[2].partition("```")[0].splitlines()


def is_left_out(command: str) -> bool:
    """Whether it is not run here."""
    return command in LEFT_OUT or command.startswith(OF_A_CLUSTER)


def books() -> dict[str, str]:
    """The runbook of each alert."""
    files = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((HERE / "rules").glob("*.yaml"))]
    rules = [rule for file in files for group in file["groups"] for rule in group["rules"]]
    return {each["alert"]: Path(each["annotations"]["runbook_url"]).stem for each in rules if "alert" in each}


@dataclass
class OnCall:
    """Somebody who follows runbooks to the letter. seen: what each command of a runbook did while its alert fired."""

    house: RunningHouse
    prometheus: Prometheus
    seen: dict[str, list[Ran]] = field(default_factory=dict)

    def watch(self, stop: threading.Event) -> None:
        """Until told to go."""
        known, begun = books(), dict[str, Future[list[Ran]]]()
        with ThreadPoolExecutor(AT_ONCE) as people:
            while not stop.wait(0.5):
                try:
                    now = self.prometheus.ask("query", query='ALERTS{alertstate="firing"}')["result"]
                except urllib3.exceptions.HTTPError:
                    continue  # the machine is busy; the alert is still there at the next look
                for book in {known[each["metric"]["alertname"]] for each in now} - begun.keys():
                    begun[book] = people.submit(self.follow, book)
        self.seen |= {book: done.result() for book, done in begun.items()}

    def follow(self, book: str) -> list[Ran]:
        """All of them in their order."""
        return [self._run(command) for command in commands(BOOKS[book]) if not is_left_out(command)]

    def _run(self, command: str) -> Ran:
        program, *words = command.split()
        if program == "infirmary":
            done = self.house.infirmary(*words, as_=words[-1] if words[0] == "bus" else "")
        else:
            done = subprocess.run(
                ["sh", "-c", command], cwd=ROOT, env=self._environ(), capture_output=True, text=True, timeout=60
            )
        return Ran(command, done.returncode, done.stdout + done.stderr)

    def _environ(self) -> dict[str, str]:
        path = f"{Path(needs.find('promtool')).parent}:{os.environ['PATH']}"
        return {
            **bare_environ(),
            "PATH": path,
            "INFIRMARY_HOME": str(self.house.home),
            "PROMETHEUS": self.prometheus.url,
        }
