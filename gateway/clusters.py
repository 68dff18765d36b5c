"""Where requests go: the instances of each service, which of them are well, and how many requests they get at once."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from gateway import ui
from gateway.settings import Settings, SettingsError

ADMIN: Final = "admin"
COLLECTOR: Final = "collector"
_HTTP_OPTIONS: Final = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def clusters(endpoints: Mapping[str, Sequence[str]], *, settings: Settings) -> list[dict[str, Any]]:
    """One cluster a service, two for the web UI, one for the admin port behind the inner listener, the collector's."""
    found = [_service(name, addresses=endpoints[name], settings=settings) for name in sorted(endpoints)]
    if ui.NAME in endpoints:
        found.append(_live(endpoints[ui.NAME], settings=settings))
    found.append({**_cluster(ADMIN, addresses=[]), "load_assignment": _assignment(ADMIN, [address(settings.admin)])})
    if settings.otlp_endpoint:
        found.append(_cluster(COLLECTOR, addresses=[collector(settings.otlp_endpoint)]))
    return found


def address(text: str) -> dict[str, Any]:
    """An address as Envoy reads it: `host:port`, `[v6]:port`, or the path of a unix socket, which only its owner opens.

    Raises:  SettingsError: it is none of these.
    """
    if text.startswith("/"):
        return {"pipe": {"path": text, "mode": 0o600}}
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit() or not 0 < int(port) < 65536:
        raise SettingsError("an address is not host:port")
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}


def collector(endpoint: str) -> str:
    """`host:port` of the OTLP/HTTP collector.

    Raises:  SettingsError: not the base address of a plain HTTP server; a collector stands beside the house.
    """
    parts = urlsplit(endpoint)
    if parts.scheme != "http" or not parts.hostname:
        raise SettingsError("otlp_endpoint is not like http://host:4318")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{host}:{parts.port or 4318}"


def _service(name: str, *, addresses: Sequence[str], settings: Settings) -> dict[str, Any]:
    if not addresses:
        raise SettingsError(f"{name} has no address")
    budget = {"budget_percent": {"value": settings.retry_budget_percent}, "min_retry_concurrency": 3}
    interval = f"{settings.check_interval_s:g}s"
    return _cluster(name, addresses=addresses) | {
        "connect_timeout": f"{settings.connect_timeout_s:g}s",
        "lb_policy": "LEAST_REQUEST",
        # Asked nowhere only when nobody is ready: then an instance that has just come back is found at once.
        "common_lb_config": {"healthy_panic_threshold": {"value": 1}},
        "health_checks": [
            {
                "timeout": "1s",
                "interval": interval,
                "no_traffic_interval": interval,
                "interval_jitter_percent": 10,
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "http_health_check": {"path": "/readyz"},
            }
        ],
        "outlier_detection": {
            "consecutive_5xx": settings.ejection_failures,
            "interval": "1s",
            "base_ejection_time": f"{settings.ejection_s:g}s",
            "max_ejection_percent": settings.ejection_percent,
            # Being ready is not the same as doing well: an instance that fails its requests stays out for its time.
            "successful_active_health_check_uneject_host": False,
        },
        "circuit_breakers": {
            "thresholds": [
                {
                    "max_connections": settings.service_connections,
                    "max_requests": settings.service_requests,
                    "max_pending_requests": settings.service_waiting,
                    "retry_budget": budget,
                    "track_remaining": True,
                }
            ]
        },
        "upstream_connection_options": {"tcp_keepalive": {"keepalive_time": 60}},
        # Idle connections are left before the service's own keep-alive ends them, which would reset a request.
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP_OPTIONS,
                "explicit_http_config": {"http_protocol_options": {}},
                "common_http_protocol_options": {"idle_timeout": f"{settings.service_idle_s:g}s"},
            }
        },
    }


def _live(addresses: Sequence[str], *, settings: Settings) -> dict[str, Any]:
    """The web UI once more, for pages that listen: one connection each, as long as somebody looks."""
    found = _service(ui.LIVE, addresses=addresses, settings=settings)
    (most,) = found["circuit_breakers"]["thresholds"]
    many = {"max_connections": settings.live_connections, "max_requests": settings.live_connections}
    return found | {"circuit_breakers": {"thresholds": [{**most, **many}]}}


def _cluster(name: str, *, addresses: Sequence[str]) -> dict[str, Any]:
    by_name = any(not _is_ip(text) for text in addresses)
    cluster: dict[str, Any] = {"name": name, "type": "STRICT_DNS" if by_name else "STATIC", "connect_timeout": "1s"}
    if by_name:
        cluster |= {"dns_refresh_rate": "5s", "respect_dns_ttl": True, "dns_lookup_family": "V4_PREFERRED"}
    return cluster | {"load_assignment": _assignment(name, [address(text) for text in addresses])}


def _assignment(name: str, places: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    endpoints = [{"endpoint": {"address": dict(place)}} for place in places]
    return {"cluster_name": name, "endpoints": [{"lb_endpoints": endpoints}]}


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text.rpartition(":")[0].strip("[]"))
    except ValueError:
        return text.startswith("/")
    return True
