"""Where the gateway listens: the public listener for everybody, and the inner one for metrics and probes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway import clusters, filters, notices, problems, telemetry
from gateway.settings import Settings

_MANAGER: Final = (
    "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
)
_ROUTER: Final = "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"
_TLS: Final = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"
# Who is left by Envoy does not see it for a second, in which all that is sent is reset. So browsers leave first:
# Chromium after 300 seconds without a request, Firefox after 115.
_IDLE: Final = "330s"


def public(route_config: Mapping[str, Any], *, settings: Settings) -> dict[str, Any]:
    """The listener for clients, in HTTPS when a certificate is given."""
    chain: dict[str, Any] = {"filters": [_manager(_public_manager(route_config, settings=settings))]}
    if settings.has_tls:
        chain["transport_socket"] = {"name": "envoy.transport_sockets.tls", "typed_config": _tls(settings)}
    return {
        "name": "public",
        "address": _bound(settings.host, port=settings.port),
        "per_connection_buffer_limit_bytes": 65_536,
        "filter_chains": [chain],
    }


def inner(settings: Settings) -> dict[str, Any]:
    """`/metrics` and `/readyz`, taken from the admin port, of which nothing else can be reached; `/healthz`."""
    routes = [
        _inner_route("/metrics", rewrite="/stats/prometheus?usedonly"),
        _inner_route("/readyz", rewrite="/ready"),
        {"match": {"prefix": "/"}, "direct_response": {"status": 404}},
    ]
    manager = {
        "stat_prefix": "inner",
        "codec_type": "HTTP1",
        "route_config": {"name": "inner", "virtual_hosts": [{"name": "inner", "domains": ["*"], "routes": routes}]},
        "http_filters": [
            filters.liveness("/healthz"),
            {"name": "envoy.filters.http.router", "typed_config": {"@type": _ROUTER, "suppress_envoy_headers": True}},
        ],
    }
    place = _bound(settings.metrics_host, port=settings.metrics_port)
    return {"name": "inner", "address": place, "filter_chains": [{"filters": [_manager(manager)]}]}


def _public_manager(route_config: Mapping[str, Any], *, settings: Settings) -> dict[str, Any]:
    manager: dict[str, Any] = {
        "stat_prefix": "public",
        "codec_type": "AUTO",
        "server_header_transformation": "PASS_THROUGH",
        # Whose request it is: the address of the connection, or what our own proxies say about it.
        "use_remote_address": True,
        "xff_num_trusted_hops": settings.trusted_hops,
        # Nobody is trusted for coming from an inner address: an unused one (RFC 5737) stands for "none".
        "internal_address_config": {"cidr_ranges": [{"address_prefix": "192.0.2.0", "prefix_len": 32}]},
        "early_header_mutation_extensions": [filters.early_mutations(settings)],
        "generate_request_id": True,
        "always_set_request_id_in_response": True,
        "request_id_extension": {
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.request_id.uuid.v3.UuidRequestIdConfig",
                "pack_trace_reason": False,
            }
        },
        # One request, one reading of it.
        "normalize_path": True,
        "merge_slashes": True,
        "path_with_escaped_slashes_action": "REJECT_REQUEST",
        "strip_trailing_host_dot": True,
        "max_request_headers_kb": settings.header_limit_kib,
        "common_http_protocol_options": {
            "idle_timeout": _IDLE,
            "headers_with_underscores_action": "REJECT_REQUEST",
            "max_headers_count": 100,
        },
        "http2_protocol_options": {
            "max_concurrent_streams": 100,
            "initial_stream_window_size": 65_536,
            "initial_connection_window_size": 1_048_576,
        },
        # Who sends slowly does not hold a place for ever.
        "request_headers_timeout": "5s",
        "request_timeout": "30s",
        "stream_idle_timeout": "30s",
        "drain_timeout": "5s",
        "local_reply_config": {"mappers": [*notices.mappers(), *problems.mappers()]},
        "http_filters": filters.http_filters(settings),
        "route_config": dict(route_config),
    }
    if settings.logs_requests:
        manager["access_log"] = telemetry.access_log()
    if tracing := telemetry.tracing(settings):
        manager["tracing"] = tracing
    return manager


def _inner_route(path: str, *, rewrite: str) -> dict[str, Any]:
    only_get = [{"name": ":method", "string_match": {"exact": "GET"}}]
    route = {"cluster": clusters.ADMIN, "prefix_rewrite": rewrite, "timeout": "5s"}
    return {"match": {"path": path, "headers": only_get}, "route": route}


def _manager(config: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": "envoy.filters.network.http_connection_manager",
        "typed_config": {"@type": _MANAGER, **config},
    }


def _tls(settings: Settings) -> dict[str, Any]:
    pair = {
        "certificate_chain": {"filename": settings.tls_certificate},
        "private_key": {"filename": settings.tls_key},
    }
    return {
        "@type": _TLS,
        "common_tls_context": {
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_params": {"tls_minimum_protocol_version": "TLSv1_2"},
            "tls_certificates": [pair],
        },
    }


def _bound(host: str, *, port: int) -> dict[str, Any]:
    return {"socket_address": {"address": host, "port_value": port}}
