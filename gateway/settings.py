"""What can be chosen about the gateway. Every limit is per Envoy process: a deployment divides it by its replicas."""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterable
from dataclasses import dataclass


class SettingsError(Exception):
    """A setting is unknown or unreadable; the text names it, and does not repeat its value."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """All settings, with what is right for one machine.

    admin: `host:port` on loopback, or the path of a unix socket; nothing outside may reach it.
    files_dir: the folder, as Envoy sees it, that holds the files of the page; `python -m gateway --files` writes them.
    trusted_hops: how many proxies of ours stand before the gateway, whose `x-forwarded-for` is believed.
    trusts_traces: whether `traceparent` from outside is kept; else a client could make the house record its requests.
    otlp_endpoint: base address of an OTLP/HTTP collector; no traces without it.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    metrics_host: str = "127.0.0.1"
    metrics_port: int = 8081
    admin: str = "127.0.0.1:8082"
    files_dir: str = "/etc/envoy/page"
    tls_certificate: str | None = None
    tls_key: str | None = None

    trusted_hops: int = 0
    trusts_traces: bool = False
    otlp_endpoint: str | None = None
    trace_percent: float = 100.0
    logs_requests: bool = True

    keys_service: str = "identity"
    keys_path: str = "/api/v1/.well-known/jwks.json"
    keys_cache_s: int = 5
    keys_retry_s: float = 1.0
    issuer: str = "infirmary"
    audience: str = "infirmary"
    clock_skew_s: int = 60
    kept_tokens: int = 10_000

    user_burst: int = 100
    user_per_s: int = 50
    most_users: int = 10_000
    public_write_burst: int = 60
    public_write_per_s: int = 5
    report_burst: int = 20
    report_per_s: int = 1
    reports_burst: int = 100
    reports_per_s: int = 10
    source_burst: int = 2_000
    source_per_s: int = 1_000
    most_sources: int = 10_000

    route_timeout_s: float = 10.0
    connect_timeout_s: float = 0.25
    body_limit_bytes: int = 1_048_576
    header_limit_kib: int = 16
    most_connections: int = 10_000
    most_heap_mib: int = 512

    retry_budget_percent: float = 10.0
    service_connections: int = 256
    service_requests: int = 256
    service_waiting: int = 256
    live_connections: int = 2_000
    service_idle_s: float = 30.0
    check_interval_s: float = 2.0
    ejection_failures: int = 5
    ejection_s: float = 30.0
    ejection_percent: int = 50

    @property
    def has_tls(self) -> bool:
        """Whether the listener speaks HTTPS."""
        return self.tls_certificate is not None


def read(pairs: Iterable[str]) -> Settings:
    """Settings from `name=value` texts; what is not named keeps its default.

    Raises:  SettingsError: an unknown name, a value that is not of the setting's kind, or half a key pair.
    """
    kinds = typing.get_type_hints(Settings)
    values: dict[str, object] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        if name not in kinds:
            raise SettingsError(f"no setting is called {name}")
        values[name] = _value(name, text=text, kind=kinds[name])
    return checked(dataclasses.replace(Settings(), **values))  # type: ignore[arg-type]


def checked(settings: Settings) -> Settings:
    """The same settings, when they can be run.

    Raises:  SettingsError: half a key pair, a limit below one, or a share that is no share.
    """
    if (settings.tls_certificate is None) != (settings.tls_key is None):
        raise SettingsError("tls_certificate and tls_key belong together")
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        positive = isinstance(value, (int, float)) and not isinstance(value, bool) and field.name != "trusted_hops"
        if positive and value <= 0:
            raise SettingsError(f"{field.name} must be above zero")
    if max(settings.trace_percent, settings.retry_budget_percent, settings.ejection_percent) > 100:
        raise SettingsError("a percentage is above 100")
    if settings.trusted_hops < 0:
        raise SettingsError("trusted_hops must not be negative")
    return settings


def _value(name: str, *, text: str, kind: object) -> object:
    options = typing.get_args(kind) if isinstance(kind, types.UnionType) else (kind,)
    if not text:
        if type(None) in options:
            return None
        raise SettingsError(f"{name} is empty")
    if bool in options:
        if text not in {"true", "false"}:
            raise SettingsError(f"{name} is true or false")
        return text == "true"
    try:
        return next(make(text) for make in (int, float, str) if make in options)
    except ValueError as error:
        raise SettingsError(f"{name} is not a number") from error
