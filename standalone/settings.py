"""What can be chosen about a house on one machine; all of it from environment variables."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from standalone.trouble import Trouble

ROOT = Path(__file__).resolve().parents[1]
PORT_PREFIX = "INFIRMARY_PORT_"
GATEWAY_PORT, INBOX_PORT = 8080, 8025

# A store that runs elsewhere: its address, and then nothing of it is started here.
ADDRESSES = {
    "postgresql": "INFIRMARY_POSTGRESQL_URL",
    "mongodb": "INFIRMARY_MONGODB_URL",
    "redis-records": "INFIRMARY_REDIS_RECORDS_URL",
    "redis-bus": "INFIRMARY_REDIS_BUS_URL",
    "redis-cache": "INFIRMARY_REDIS_CACHE_URL",
}


# An outside provider that people may sign in by: what `identity` and the web UI are told of it.
PROVIDER = ("OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_GROUPS_CLAIM", "SIGN_IN_PROVIDER")


@dataclass(frozen=True, kw_only=True)
class HouseSettings:
    """One house.

    home: its data folder (INFIRMARY_HOME). ports: those that were chosen by name (INFIRMARY_PORT for the gateway,
    INFIRMARY_PORT_INBOX, INFIRMARY_PORT_POSTGRESQL, …). scale: web processes per service (SCALE=patients=2,history=3).
    provider: an outside provider that people may sign in by, as its settings name it (OIDC_ISSUER, …).
    hash_memory_mib: what `identity` takes for checking one password (HASH_MEMORY_MIB), where it is not its own choice.
    has_tls: HTTPS at the gateway (TLS=1). has_demo: load invented people (INFIRMARY_DEMO=0 leaves the house empty).
    is_watched: Prometheus and Alertmanager beside it (OBSERVABILITY=1). addresses: stores that run elsewhere.
    otlp_endpoint: collector for traces (OTEL_EXPORTER_OTLP_ENDPOINT).
    """

    home: Path
    ports: Mapping[str, int]
    scale: Mapping[str, int]
    addresses: Mapping[str, str]
    provider: Mapping[str, str] = field(default_factory=dict)
    hash_memory_mib: str | None = None
    has_tls: bool = False
    has_demo: bool = True
    is_watched: bool = False
    otlp_endpoint: str | None = None


def read(environ: Mapping[str, str]) -> HouseSettings:
    """Settings from an environment.

    Raises:  Trouble: names the variable that cannot be understood.
    """
    return HouseSettings(
        home=Path(environ.get("INFIRMARY_HOME") or ROOT / "house").expanduser().absolute(),
        ports=_ports(environ),
        scale=_scale(environ.get("SCALE", "")),
        addresses={name: environ[variable] for name, variable in ADDRESSES.items() if environ.get(variable)},
        provider={name: environ[name] for name in PROVIDER if environ.get(name)},
        hash_memory_mib=_mib(environ, "HASH_MEMORY_MIB"),
        has_tls=_flag(environ, "TLS", default=False),
        is_watched=_flag(environ, "OBSERVABILITY", default=False),
        has_demo=_flag(environ, "INFIRMARY_DEMO", default=True),
        otlp_endpoint=environ.get("OTEL_EXPORTER_OTLP_ENDPOINT") or None,
    )


def port_variable(name: str) -> str:
    """The variable that chooses the port of one process."""
    return "INFIRMARY_PORT" if name == "gateway" else PORT_PREFIX + name.upper().replace("-", "_")


def _ports(environ: Mapping[str, str]) -> dict[str, int]:
    chosen = {}
    for variable, text in environ.items():
        if text and (variable == "INFIRMARY_PORT" or variable.startswith(PORT_PREFIX)):
            if not text.isdecimal() or not 1 <= int(text) <= 65535:
                raise Trouble(f"{variable} must be a port number between 1 and 65535.")
            name = "gateway" if variable == "INFIRMARY_PORT" else variable.removeprefix(PORT_PREFIX)
            chosen[name.lower().replace("_", "-")] = int(text)
    return chosen


def _scale(text: str) -> dict[str, int]:
    scale = {}
    for part in filter(None, re.split(r"[,\s]+", text)):
        name, _, count = part.partition("=")
        if not name or not count.isdecimal() or not 1 <= int(count) <= 16:
            raise Trouble("SCALE must read like SCALE=patients=2,history=3, with 1 to 16 processes each.")
        scale[name] = int(count)
    return scale


def _mib(environ: Mapping[str, str], name: str) -> str | None:
    text = environ.get(name) or None
    if text is not None and not text.isdecimal():
        raise Trouble(f"{name} must be a number of MiB.")
    return text


def _flag(environ: Mapping[str, str], name: str, *, default: bool) -> bool:
    text = environ.get(name, "").lower()
    if text not in {"", "0", "1", "no", "yes", "false", "true"}:
        raise Trouble(f"{name} must be 1 or 0.")
    return default if not text else text in {"1", "yes", "true"}
