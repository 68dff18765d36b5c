"""Prometheus and Alertmanager beside a house: `make up OBSERVABILITY=1`. Rules and routes are in observability/."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from standalone.keeper import Part
from standalone.layout import Layout
from standalone.places import Places
from standalone.servers import envoy, finding, ports
from standalone.servers.finding import Program
from standalone.servers.process import bare_environ

KEPT = "15d"
NAMES = ("prometheus", "alertmanager")


@dataclass(frozen=True)
class Target:
    """What is scraped: the service as `job`, its kind of process, and the port."""

    job: str
    process: str
    port: int


class Monitoring:
    """Both servers in folders of their own; alerts are told by mail, which comes into the inbox of the house."""

    def __init__(self, *, layout: Layout, places: Places, root: Path) -> None:
        """Finds the programs.

        Raises:  MissingServer: one of them is not on PATH.
        """
        self._home, self._layout, self._places, self._root = layout.home / "monitoring", layout, places, root
        self._programs: dict[str, Program] = {
            "prometheus": finding.prometheus(),
            "alertmanager": finding.alertmanager(),
        }
        for name in NAMES:
            places.port(name)

    @property
    def url(self) -> str:
        """Where Prometheus is."""
        return self._url("prometheus")

    def write(self, targets: Iterable[Target]) -> None:
        """Make both configurations for the ports of this house."""
        self._home.mkdir(exist_ok=True)
        rules = sorted((self._root / "observability" / "rules").glob("*.yaml"))
        own = [Target(name, "monitor", self._places.port(name)) for name in NAMES]
        address = f"{ports.HOST}:{self._places.port('alertmanager')}"
        asked = prometheus([*targets, *own], rules=rules, alertmanager=address)
        told = alertmanager(
            self._root / "observability" / "alertmanager.yaml", smtp=f"{ports.HOST}:{self._places.port('smtp')}"
        )
        for name, said in (("prometheus", asked), ("alertmanager", told)):
            self._file(name).write_text(yaml.safe_dump(said, sort_keys=False), encoding="utf-8")

    def parts(self, mark: dict[str, str]) -> list[Part]:
        """Both servers, to be kept."""
        commands: dict[str, Sequence[str]] = {
            "prometheus": [
                f"--storage.tsdb.path={self._home / 'data'}",
                f"--storage.tsdb.retention.time={KEPT}",
                "--enable-feature=exemplar-storage",
            ],
            "alertmanager": [f"--storage.path={self._home / 'alerts'}", "--cluster.listen-address="],
        }
        return [self._part(name, options, mark) for name, options in commands.items()]

    def _part(self, name: str, options: Sequence[str], mark: dict[str, str]) -> Part:
        program, port = self._programs[name], self._places.port(name)
        listens = [f"--config.file={self._file(name)}", f"--web.listen-address={ports.HOST}:{port}"]
        command: Callable[[], Sequence[str]] = partial(
            list, [str(program.path), *listens, *options, "--log.level=warn", "--log.format=json"]
        )
        return Part(
            name=name,
            kind="monitor",
            port=port,
            command=command,
            environ={**bare_environ(), **mark},
            cwd=self._layout.home,
            is_ready=partial(envoy.answers, f"{self._url(name)}/-/ready"),
            source=f"{program.source} {'.'.join(map(str, program.version))}",
        )

    def _file(self, name: str) -> Path:
        return self._home / f"{name}.yaml"

    def _url(self, name: str) -> str:
        return f"http://{ports.HOST}:{self._places.port(name)}"


def prometheus(
    targets: Iterable[Target], *, rules: Sequence[Path], alertmanager: str, every: str = "15s"
) -> dict[str, Any]:
    """The configuration of Prometheus: every process under the name of its service, and the rules."""
    jobs: dict[str, list[dict[str, Any]]] = {}
    for each in targets:
        place = {"targets": [f"{ports.HOST}:{each.port}"], "labels": {"process": each.process}}
        jobs.setdefault(each.job, []).append(place)
    return {
        "global": {"scrape_interval": every, "scrape_timeout": every, "evaluation_interval": every},
        "rule_files": [str(rule) for rule in rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]},
        "scrape_configs": [{"job_name": job, "static_configs": places} for job, places in jobs.items()],
    }


def alertmanager(file: Path, *, smtp: str) -> dict[str, Any]:
    """The configuration of Alertmanager: the routes of `file`, and mail by this relay."""
    said: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    mail = {"smtp_smarthost": smtp, "smtp_from": "alerts@localhost", "smtp_require_tls": False}
    return {"global": mail, **said}
