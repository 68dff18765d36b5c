"""What a house is made of: stores, programs with their settings, inbox and gateway, each as a part to keep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from standalone import needs
from standalone.identities import HOUSE_MARK
from standalone.keeper import Part
from standalone.keys import Secrets
from standalone.layout import Layout, write_private
from standalone.monitoring import Monitoring, Target
from standalone.places import Places
from standalone.servers import Envoy, Server, envoy, finding, ports
from standalone.servers.process import bare_environ
from standalone.settings import ROOT, HouseSettings
from standalone.stores import REDIS_ROLES, Stores
from standalone.trouble import Trouble


@dataclass(frozen=True)
class Process:
    """One process of a program and the port that it asks for."""

    name: str
    program: str
    verb: str


class House:
    """Everything of one house; building it starts nothing and writes only secrets and ports."""

    def __init__(self, settings: HouseSettings, *, layout: Layout, root: Path = ROOT) -> None:
        """Finds the programs of the servers, chooses ports.

        Raises:  MissingServer: a server is nowhere. Trouble: SCALE names a service that is not here.
        """
        self.settings, self.layout, self.root = settings, layout, root
        self.secrets = Secrets(layout.secrets)
        self.places = Places(layout.ports, chosen=settings.ports)
        self.programs = {name: needs.of(name, root=root) for name in needs.programs(root)}
        self.services = [name for name, needed in self.programs.items() if needed.is_service]
        unknown = sorted(set(settings.scale) - set(self.programs))
        if unknown:
            raise Trouble(f"SCALE names {', '.join(unknown)}; the services here are {', '.join(self.programs)}.")
        self.stores = Stores(
            self.programs, addresses=settings.addresses, layout=layout, secrets=self.secrets, places=self.places
        )
        self._envoy = self._gateway()
        for process in self.processes():
            self.places.port(process.name)
        self.places.port("inbox"), self.places.port("smtp")
        self.monitoring = Monitoring(layout=layout, places=self.places, root=root) if settings.is_watched else None

    def store_parts(self) -> list[Part]:
        """The servers that keep data, which everything else waits for."""
        return [self._server_part(server, kind="store") for server in self.stores.servers]

    def _server_part(self, server: Server, *, kind: str) -> Part:
        program = getattr(server, "program", None)
        version = "" if program is None else f"{program.source} {'.'.join(map(str, program.version))}"
        return Part(
            name=server.name,
            kind=kind,
            port=server.port,
            command=server.command,
            environ={**server.environ(), **self._mark()},
            cwd=self.layout.home,
            is_ready=server.is_ready,
            prepare=server.prepare,
            settle=server.settle,
            stop_signal=server.stop_signal,
            source=version,
        )

    # ---- programs ----------------------------------------------------------------------------------------------------

    def processes(self) -> list[Process]:
        """All processes: web processes as many as SCALE says, and one worker of each service."""
        found = []
        for name, needed in self.programs.items():
            count = self.settings.scale.get(name, 1)
            found += [Process(name if each == 1 else f"{name}-{each}", name, "serve") for each in range(1, count + 1)]
            if needed.is_service:
                found.append(Process(f"{name}-worker", name, "work"))
        return found

    def program_parts(self) -> list[Part]:
        """Web processes and workers of every program."""
        return [self._program_part(process) for process in self.processes()]

    def _program_part(self, process: Process) -> Part:
        port = self.places.port(process.name)
        base = f"http://{ports.HOST}:{port}"
        return Part(
            name=process.name,
            kind="web" if process.verb == "serve" else "worker",
            port=port,
            command=partial(self.command, process.verb, process.program),
            environ=self.environ(process),
            cwd=self.root,
            is_ready=partial(envoy.answers, f"{base}/{'readyz' if process.verb == 'serve' else 'healthz'}"),
            is_alive=partial(envoy.answers, f"{base}/healthz", timeout_s=5.0),
        )

    def command(self, verb: str, program: str) -> Sequence[str]:
        """The command line of one process of a program."""
        return [sys.executable, "-m", "services.chassis", verb, program]

    def environ(self, process: Process) -> dict[str, str]:
        """All of the environment of one process: no secret in it, only the names of files that hold its own."""
        found = {
            **bare_environ(),
            **self._mark(),
            "PYTHONUNBUFFERED": "1",
            "MALLOC_MMAP_THRESHOLD_": str(1 << 20),  # as in the images: what a password check took goes back at once
            "HOST": ports.HOST,
            ("PORT" if process.verb == "serve" else "WORKER_PORT"): str(self.places.port(process.name)),
        }
        if self.settings.otlp_endpoint:
            found["OTEL_EXPORTER_OTLP_ENDPOINT"] = self.settings.otlp_endpoint
        folder = self.layout.environ / process.program
        return found | {f"{name}_FILE": str(folder / name) for name in self.values(process.program)}

    def write_environs(self) -> None:
        """Write the values of every program's settings into files of its own folder."""
        for program in self.programs:
            folder = self.layout.environ / program
            folder.mkdir(mode=0o700, exist_ok=True)
            for name, value in self.values(program).items():
                write_private(folder / name, value + "\n")

    def values(self, program: str) -> dict[str, str]:
        """The settings of one program by name.

        Raises:  Trouble: it wants something that a house does not know how to give.
        """
        needed = self.programs[program]
        found = {"BUS_URL": self.stores.redis_url("bus", service=program)}
        if needed.is_service:
            found["IDENTITY_URL"] = self._service_url("identity")
            found["SERVICE_SECRET"] = self.secrets.get(f"service-{program}")
        for need in needed.settings:
            value = self._value(program, need)
            if value is not None:
                found[need.name.upper()] = value
            elif need.is_required:
                raise Trouble(f"{program} wants the setting {need.name.upper()}, which this house cannot give.")
        return found

    def _value(self, program: str, need: needs.Need) -> str | None:
        """What a house has for one setting of a program: addresses and files by their names, secrets for the rest."""
        name, peer = need.name, need.name.removesuffix("_url")
        special: dict[str, Callable[[], str | None]] = {
            **self._ways_out(),
            **self._outside_provider(),
            "database_url": lambda: self.stores.url(program),
            "smtp_url": lambda: f"smtp://{ports.HOST}:{self.places.port('smtp')}",
            "mail_from": lambda: "house@infirmary.example",
            "public_url": lambda: self.url,
            "hash_memory_mib": lambda: self.settings.hash_memory_mib,
            "super_admin_password": lambda: self.secrets.typed("super-admin"),
            "service_accounts": lambda: json.dumps(
                {each: self.secrets.get(f"service-{each}") for each in self.services}
            ),
        }
        if name in special:
            return special[name]()
        if name.endswith("_url"):
            return self._address(peer, program=program)
        if name.endswith("_file") and not need.is_secret:
            return str(self._second_place(program) / name.removesuffix("_file"))
        return self.secrets.get(f"{program}-{name}") if need.is_secret and need.is_required else None

    def _address(self, peer: str, *, program: str) -> str | None:
        if peer in REDIS_ROLES:
            return self.stores.redis_url(peer, service=program)
        return self._service_url(peer) if peer in self.services else None

    def _second_place(self, program: str) -> Path:
        """A folder of the program for what it keeps outside its store."""
        folder = self.layout.data / program
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _service_url(self, service: str) -> str:
        return f"http://{ports.HOST}:{self.places.port(service)}"

    # ---- inbox and gateway -------------------------------------------------------------------------------------------

    def _ways_out(self) -> dict[str, Callable[[], str | None]]:
        """The settings of whoever sends messages, so that all of them end in the inbox; it is on this machine only."""
        return {
            "smtp_host": lambda: ports.HOST,
            "smtp_port": lambda: str(self.places.port("smtp")),
            "smtp_tls": lambda: "none",
            "smtp_from": lambda: "house@localhost",
            "smtp_ca_file": lambda: None,
            "sms_provider": lambda: "gateway",
            "sms_url": lambda: f"{self.inbox_url}/sms",
            "sms_token": lambda: self.secrets.get("sms-token"),
            "vapid_private_key": lambda: self.secrets.signing("vapid-private-key"),
            "vapid_subject": lambda: "mailto:house@localhost",
            "push_hosts": lambda: self.inbox_url,
        }

    def _outside_provider(self) -> dict[str, Callable[[], str | None]]:
        """The settings of a sign-in elsewhere, where there is one; it sends people back to the address of the house."""
        given = self.settings.provider
        if "OIDC_ISSUER" not in given:
            return {}
        told = {**given, "OIDC_REDIRECT_URL": f"{self.url}/signed-in"}
        return {name.lower(): partial(told.get, name) for name in told}

    def inbox_part(self) -> Part:
        """The sink for mail, text messages and pushes, with its page."""
        port, smtp = self.places.port("inbox"), self.places.port("smtp")
        folder = self.layout.data / "inbox"
        command = [sys.executable, "-m", "standalone.inbox", str(folder), str(port), str(smtp)]
        for option, secret in (
            ("token", self.secrets.get),
            ("account", self.secrets.account),
            ("secret", self.secrets.get),
        ):
            secret(f"sms-{option}")
            command += [f"--sms-{option}", str(self.secrets.path(f"sms-{option}"))]
        return Part(
            name="inbox",
            kind="inbox",
            port=port,
            command=lambda: command,
            environ={**bare_environ(), **self._mark(), "PYTHONUNBUFFERED": "1"},
            cwd=self.root,
            is_ready=partial(envoy.answers, f"http://{ports.HOST}:{port}/healthz"),
            stop_s=5.0,
        )

    def _gateway(self) -> Envoy:
        config = self.layout.home / "gateway" / "envoy.yaml"
        port, admin = self.places.port("gateway"), self.places.port("gateway-admin")
        self.places.port("gateway-metrics")
        return Envoy(finding.envoy(), config=config, port=port, admin_port=admin)

    def gateway_part(self) -> Part:
        """Envoy, with a configuration made for the ports of this house."""
        return self._server_part(self._envoy, kind="gateway")

    def monitoring_parts(self) -> list[Part]:
        """Prometheus and Alertmanager, where they are wanted."""
        if self.monitoring is None:
            return []
        self.monitoring.write(self.targets())
        return self.monitoring.parts(self._mark())

    def targets(self) -> list[Target]:
        """All that has metrics: every process of every program, and the gateway."""
        kinds = {"serve": "web", "work": "worker"}
        found = [Target(each.program, kinds[each.verb], self.places.port(each.name)) for each in self.processes()]
        return [*found, Target("gateway", "gateway", self.places.port("gateway-metrics"))]

    def write_gateway(self) -> None:
        """Make Envoy's configuration from the contracts.

        Raises:  Trouble: with what the generator said.
        """
        command = [sys.executable, "-m", "gateway", "--out", str(self._envoy.config.parent)]
        for program in self.programs:
            webs = [each for each in self.processes() if each.program == program and each.verb == "serve"]
            places = ",".join(f"{ports.HOST}:{self.places.port(each.name)}" for each in webs)
            command += ["--endpoint", f"{program}={places}"]
        for name, value in self.gateway_settings().items():
            command += ["--set", f"{name}={value}"]
        environ = {**bare_environ(), **self._mark()}
        made = subprocess.run(command, env=environ, cwd=self.root, capture_output=True, text=True, check=False)
        if made.returncode != 0:
            raise Trouble(f"The gateway's configuration could not be made: {made.stderr.strip().splitlines()[-1:]}")

    def gateway_settings(self) -> dict[str, str]:
        """What this house chooses about its gateway."""
        chosen = {
            "host": ports.HOST,
            "port": str(self.places.port("gateway")),
            "metrics_host": ports.HOST,
            "metrics_port": str(self.places.port("gateway-metrics")),
            "admin": f"{ports.HOST}:{self.places.port('gateway-admin')}",
        }
        if self.settings.otlp_endpoint:
            chosen["otlp_endpoint"] = self.settings.otlp_endpoint
        if self.settings.has_tls:
            folder = self.layout.secrets / "tls"
            chosen |= {"tls_certificate": str(folder / "house.pem"), "tls_key": str(folder / "house.key")}
        return chosen

    @property
    def url(self) -> str:
        """Where a browser finds this house."""
        scheme, host = ("https", "localhost") if self.settings.has_tls else ("http", ports.HOST)
        return f"{scheme}://{host}:{self.places.port('gateway')}"

    @property
    def inbox_url(self) -> str:
        """Where the inbox page is."""
        return f"http://{ports.HOST}:{self.places.port('inbox')}"

    def _mark(self) -> dict[str, str]:
        return {HOUSE_MARK: str(self.layout.home)}


def cpu_count() -> int:
    """How many processes may do their work at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
