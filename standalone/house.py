"""What a house is made of: its stores, its services with their settings, its inbox and its gateway, as parts to keep."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

from standalone import needs
from standalone.identities import HOUSE_MARK
from standalone.keeper import Part
from standalone.keys import Secrets
from standalone.layout import Layout, write_private
from standalone.places import Places
from standalone.servers import Envoy, MongoDB, PostgreSQL, Redis, Server, envoy, finding, mongodb, ports, postgresql
from standalone.servers import redis as redis_server
from standalone.servers.process import bare_environ
from standalone.settings import ROOT, HouseSettings
from standalone.trouble import Trouble

REDIS_ROLES = ("records", "bus", "cache")


@dataclass(frozen=True)
class Process:
    """One process of a service and the ports that it asks for."""

    name: str
    service: str
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
        self.services = {name: needs.of(name, root=root) for name in needs.services(root)}
        unknown = sorted(set(settings.scale) - set(self.services))
        if unknown:
            raise Trouble(f"SCALE names {', '.join(unknown)}; the services here are {', '.join(self.services)}.")
        self.stores = self._stores()
        self._envoy = self._gateway()
        for process in self.processes():
            self.places.port(process.name)
        self.places.port("inbox"), self.places.port("smtp")

    # ---- stores ------------------------------------------------------------------------------------------------------

    def _stores(self) -> dict[str, Server]:
        found: dict[str, Server] = {}
        wanted = {name: make for name, make in self._makers().items() if name not in self.settings.addresses}
        for name, make in wanted.items():
            found[name] = make()
        return found

    def _makers(self) -> Mapping[str, Callable[[], Server]]:
        makers: dict[str, Callable[[], Server]] = {"postgresql": self._postgresql, "mongodb": self._mongodb}
        for role in REDIS_ROLES:
            makers[f"redis-{role}"] = partial(self._redis, role)
        return makers

    def _postgresql(self) -> PostgreSQL:
        home = self.layout.data / "postgresql"
        program = finding.postgresql(major=postgresql.version_of(home / "data"))
        port = self.places.port("postgresql")
        return PostgreSQL(program, home=home, port=port, password=self.secrets.get("postgresql"))

    def _mongodb(self) -> MongoDB:
        return MongoDB(
            finding.mongodb(),
            home=self.layout.data / "mongodb",
            port=self.places.port("mongodb"),
            password=self.secrets.get("mongodb"),
            key=self.secrets.get("mongodb-members").replace("-", "+").replace("_", "/"),
        )

    def _redis(self, role: str) -> Redis:
        users = {name: self.secrets.get(f"redis-{role}-{name}") for name in self.services if self._wants(name, role)}
        return Redis(
            finding.redis_server(),
            home=self.layout.data / f"redis-{role}",
            port=self.places.port(f"redis-{role}"),
            role=role,
            users=users,
            admin_password=self.secrets.get(f"redis-{role}"),
        )

    def _wants(self, service: str, role: str) -> bool:
        return role == "bus" or f"{role}_url" in self.services[service]

    def store_parts(self) -> list[Part]:
        """The servers that keep data, which everything else waits for."""
        return [self._server_part(server, kind="store") for server in self.stores.values()]

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

    def require_outside_stores(self) -> None:
        """Raises Trouble when a store that was given by its address does not answer."""
        asks: Mapping[str, Callable[[str], bool]] = {"postgresql": postgresql.answers, "mongodb": mongodb.answers}
        for name, address in self.settings.addresses.items():
            if not asks.get(name, redis_server.answers)(address):
                raise Trouble(f"The {name} at the given address does not answer; see {name} in the environment.")

    def provide(self) -> None:
        """A database and an account for each service, in the stores that are ready by now."""
        for name, needed in self.services.items():
            password = self.secrets.get(f"{needed.store}-{name}") if needed.store else ""
            if needed.store == "postgresql":
                postgresql.ensure_database(self._admin_url("postgresql"), name=name, password=password)
            elif needed.store == "mongodb":
                mongodb.ensure_user(self._admin_url("mongodb"), name=name, password=password)

    def _admin_url(self, store: str) -> str:
        outside = self.settings.addresses.get(store)
        if outside:
            return outside
        server = self.stores[store]
        assert isinstance(server, (PostgreSQL, MongoDB))
        return server.url()

    def _store_url(self, service: str) -> str:
        """The address of the service's own database, with its own account."""
        store = self.services[service].store
        password = self.secrets.get(f"{store}-{service}")
        outside = self.settings.addresses.get(store)
        if outside:
            return _with_account(outside, user=service, password=password, database=service, store=store)
        server = self.stores[store]
        assert isinstance(server, (PostgreSQL, MongoDB))
        return server.url(database=service, user=service, password=password)

    def _redis_url(self, role: str, service: str) -> str:
        outside = self.settings.addresses.get(f"redis-{role}")
        if outside:
            return outside
        server = self.stores[f"redis-{role}"]
        assert isinstance(server, Redis)
        return server.url(user=service)

    # ---- services ----------------------------------------------------------------------------------------------------

    def processes(self) -> list[Process]:
        """All processes of all services: web processes as many as SCALE says, and one worker each."""
        found = []
        for name in self.services:
            count = self.settings.scale.get(name, 1)
            found += [Process(name if each == 1 else f"{name}-{each}", name, "serve") for each in range(1, count + 1)]
            found.append(Process(f"{name}-worker", name, "work"))
        return found

    def service_parts(self) -> list[Part]:
        """Web processes and workers of every service."""
        return [self._service_part(process) for process in self.processes()]

    def _service_part(self, process: Process) -> Part:
        port = self.places.port(process.name)
        base = f"http://{ports.HOST}:{port}"
        return Part(
            name=process.name,
            kind="web" if process.verb == "serve" else "worker",
            port=port,
            command=partial(self.command, process.verb, process.service),
            environ=self.environ(process),
            cwd=self.root,
            is_ready=partial(envoy.answers, f"{base}/{'readyz' if process.verb == 'serve' else 'healthz'}"),
            is_alive=partial(envoy.answers, f"{base}/healthz", timeout_s=5.0),
        )

    def command(self, verb: str, service: str) -> Sequence[str]:
        """The command line of one process of a service."""
        return [sys.executable, "-m", "services.chassis.cli", verb, service]

    def environ(self, process: Process) -> dict[str, str]:
        """All of the environment of one process: no secret in it, only the names of files that hold its own."""
        found = {
            **bare_environ(),
            **self._mark(),
            "PYTHONUNBUFFERED": "1",
            "HOST": ports.HOST,
            ("PORT" if process.verb == "serve" else "WORKER_PORT"): str(self.places.port(process.name)),
        }
        if self.settings.otlp_endpoint:
            found["OTEL_EXPORTER_OTLP_ENDPOINT"] = self.settings.otlp_endpoint
        folder = self.layout.environ / process.service
        return found | {f"{name}_FILE": str(folder / name) for name in self.values(process.service)}

    def write_environs(self) -> None:
        """Write the values of every service's settings into files of its own folder."""
        for service in self.services:
            folder = self.layout.environ / service
            folder.mkdir(mode=0o700, exist_ok=True)
            for name, value in self.values(service).items():
                write_private(folder / name, value + "\n")

    def values(self, service: str) -> dict[str, str]:
        """The settings of one service by name.

        Raises:  Trouble: it wants something that a house does not know how to give.
        """
        found = {
            "BUS_URL": self._redis_url("bus", service),
            "IDENTITY_URL": self._service_url("identity"),
            "SERVICE_SECRET": self.secrets.get(f"service-{service}"),
        }
        for need in self.services[service].settings:
            value = self._value(service, need)
            if value is not None:
                found[need.name.upper()] = value
            elif need.is_required:
                raise Trouble(f"The service {service} wants the setting {need.name.upper()}, which this house cannot give.")
        return found

    def _value(self, service: str, need: needs.Need) -> str | None:
        name = need.name
        if name == "database_url":
            return self._store_url(service)
        if name == "super_admin_password":
            return self.secrets.typed("super-admin")
        if name == "service_accounts":
            return json.dumps({each: self.secrets.get(f"service-{each}") for each in self.services})
        if name.endswith("_file") and not need.is_secret:
            return str(self._second_place(service) / name.removesuffix("_file"))
        peer = name.removesuffix("_url")
        if name.endswith("_url") and peer in REDIS_ROLES:
            return self._redis_url(peer, service)
        if name.endswith("_url") and peer in self.services:
            return self._service_url(peer)
        owner = name.removesuffix("_secret").replace("_", "-")
        if need.is_secret and owner in self.services:
            return self.secrets.get(f"service-{owner}")
        return self.secrets.get(f"{service}-{name}") if need.is_secret and need.is_required else None

    def _second_place(self, service: str) -> Path:
        """A folder of the service for what it keeps outside its store."""
        folder = self.layout.data / service
        folder.mkdir(mode=0o700, exist_ok=True)
        return folder

    def _service_url(self, service: str) -> str:
        return f"http://{ports.HOST}:{self.places.port(service)}"

    # ---- inbox and gateway -------------------------------------------------------------------------------------------

    def inbox_part(self) -> Part:
        """The sink for mail, text messages and pushes, with its page."""
        port, smtp = self.places.port("inbox"), self.places.port("smtp")
        folder = self.layout.data / "inbox"
        command = [sys.executable, "-m", "standalone.inbox", str(folder), str(port), str(smtp)]
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
        return Envoy(finding.envoy(), config=config, port=port, admin_port=admin)

    def gateway_part(self) -> Part:
        """Envoy, with a configuration made for the ports of this house."""
        return self._server_part(self._envoy, kind="gateway")

    def write_gateway(self) -> None:
        """Make Envoy's configuration from the contracts.

        Raises:  Trouble: with what the generator said.
        """
        command = [sys.executable, "-m", "gateway", "--out", str(self._envoy.config.parent)]
        for service in self.services:
            webs = [each for each in self.processes() if each.service == service and each.verb == "serve"]
            places = ",".join(f"{ports.HOST}:{self.places.port(each.name)}" for each in webs)
            command += ["--endpoint", f"{service}={places}"]
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


def _with_account(address: str, *, user: str, password: str, database: str, store: str) -> str:
    """The same server, seen by another account and another database."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(each for each in parts.query.split("&") if each and not each.startswith("authSource="))
    if store == "mongodb":
        query = f"{query}&authSource={database}".lstrip("&")
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"
    return urlunsplit((parts.scheme, netloc, f"/{database}", query, ""))


def cpu_count() -> int:
    """How many processes may do their work at once here."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
