"""What every request goes through before it is sent on: who asks, how often, how much.

The order is the meaning: headers on every answer, liveness, the limit by source address (before any token is verified,
so that forged ones cost the sender), the token, the limit by account, the size.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from gateway.settings import Settings

LIVENESS: Final = "/gateway/healthz"
CLAIMS: Final = "claims"
METADATA: Final = "infirmary"
DOCUMENT_POLICY: Final = "default-src 'none'; frame-ancestors 'none'"
_HTTP: Final = "type.googleapis.com/envoy.extensions.filters.http."
_COMPRESSOR: Final = "envoy.filters.http.compressor"
_ALWAYS: Final = {"numerator": 100}

# What a client may not say: who it is, where it comes from, which path or method it meant, how long and often to try.
FORGEABLE: Final = (
    "baggage",
    "cf-connecting-ip",
    "forwarded",
    "true-client-ip",
    "x-client-ip",
    "x-deadline-ms",
    "x-forwarded-host",
    "x-forwarded-port",
    "x-forwarded-prefix",
    "x-forwarded-server",
    "x-host",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-ot-span-context",
    "x-real-ip",
    "x-request-id",
    "x-rewrite-url",
)
FORGEABLE_PREFIXES: Final = ("x-envoy-", "x-infirmary-", "x-original-", "x-user-")


def early_mutations(settings: Settings) -> dict[str, Any]:
    """Strips what only the gateway may say, before anything reads it; the request id too, so that it is always ours."""
    names = list(FORGEABLE)
    if not settings.trusted_hops:
        names += ["x-forwarded-for", "x-forwarded-proto"]
    if not settings.trusts_traces:
        names += ["traceparent", "tracestate"]
    mutations: list[dict[str, Any]] = [{"remove": name} for name in sorted(names)]
    mutations += [{"remove_on_match": {"key_matcher": {"prefix": prefix}}} for prefix in FORGEABLE_PREFIXES]
    kind = "type.googleapis.com/envoy.extensions.http.early_header_mutation.header_mutation.v3.HeaderMutation"
    return {"name": "strip", "typed_config": {"@type": kind, "mutations": mutations}}


def http_filters(settings: Settings) -> list[dict[str, Any]]:
    """The filters of the public listener, in their order."""
    return [
        _answers(settings),
        _compressor(),
        liveness(LIVENESS),
        _limit_sources(settings),
        _token(settings),
        _limit_users(settings),
        _filter("buffer", "buffer.v3.Buffer", max_request_bytes=settings.body_limit_bytes),
        _filter("router", "router.v3.Router", suppress_envoy_headers=True),
    ]


def without_token() -> dict[str, Any]:
    """Per route: no token is asked for. A route that does not say so gets the check: forgetting it does not open."""
    return {"envoy.filters.http.jwt_authn": {"@type": _HTTP + "jwt_authn.v3.PerRouteConfig", "disabled": True}}


def without_waiting() -> dict[str, Any]:
    """Per route: the answer does not wait for the body."""
    return {"envoy.filters.http.buffer": {"@type": _HTTP + "buffer.v3.BufferPerRoute", "disabled": True}}


def with_compression() -> dict[str, Any]:
    """Per route: text goes out compressed to those who say that they can read it; nowhere else.

    Never an answer of the API: an answer that holds a secret beside something that was sent tells of it by its length.
    """
    return {_COMPRESSOR: {"@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig", "config": {}}}


def liveness(path: str) -> dict[str, Any]:
    """Answers whether Envoy itself runs; 503 once it has been told to drain."""
    matches = [{"name": ":path", "string_match": {"exact": path}}]
    return _filter("health_check", "health_check.v3.HealthCheck", pass_through_mode=False, headers=matches)


def _answers(settings: Settings) -> dict[str, Any]:
    """Headers on every answer, ours and the services': nothing is kept, guessed, framed or told about the server."""
    # What a page says of itself goes before: what may be kept, where its parts come from, what its links tell.
    if_absent = {
        "cache-control": "no-store",
        "content-security-policy": DOCUMENT_POLICY,
        "referrer-policy": "no-referrer",
    }
    always = {
        "cross-origin-resource-policy": "same-origin",
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
    }
    if settings.has_tls:
        always["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    mutations: list[dict[str, Any]] = [_appended(k, v, action="ADD_IF_ABSENT") for k, v in if_absent.items()]
    mutations += [_appended(k, v, action="OVERWRITE_IF_EXISTS_OR_ADD") for k, v in always.items()]
    mutations += [{"remove": name} for name in ("server", "x-powered-by")]
    mutations.append({"remove_on_match": {"key_matcher": {"prefix": "x-envoy-"}}})
    return _filter("header_mutation", "header_mutation.v3.HeaderMutation", mutations={"response_mutations": mutations})


def _compressor() -> dict[str, Any]:
    """Off, but where a route asks for it; of what is text, nothing else."""
    gzip = "type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip"
    return _filter(
        "compressor",
        "compressor.v3.Compressor",
        compressor_library={
            "name": "gzip",
            "typed_config": {"@type": gzip, "compression_level": "COMPRESSION_LEVEL_5"},
        },
        response_direction_config={
            "common_config": {"min_content_length": 1024},
            "weaken_etag_on_compress": True,
        },
    ) | {"disabled": True}


def _token(settings: Settings) -> dict[str, Any]:
    """Only tokens that identity signed pass; a default rule asks every route that is not named public."""
    keys = {
        "http_uri": {
            "uri": f"http://{settings.keys_service}{settings.keys_path}",
            "cluster": settings.keys_service,
            "timeout": "2s",
        },
        "cache_duration": f"{settings.keys_cache_s}s",
        "async_fetch": {"failed_refetch_duration": _seconds(settings.keys_retry_s)},
    }
    provider = {
        "issuer": settings.issuer,
        "audiences": [settings.audience],
        "require_expiration": True,
        "clock_skew_seconds": settings.clock_skew_s,
        "forward": True,
        "from_headers": [{"name": "Authorization", "value_prefix": "Bearer "}],
        "payload_in_metadata": CLAIMS,
        "remote_jwks": keys,
        "jwt_cache_config": {"jwt_cache_size": settings.kept_tokens},
    }
    return _filter(
        "jwt_authn",
        "jwt_authn.v3.JwtAuthentication",
        providers={"identity": provider},
        rules=[{"match": {"prefix": "/"}, "requires": {"provider_name": "identity"}}],
        strip_failure_response=True,
    )


def _limit_sources(settings: Settings) -> dict[str, Any]:
    """By address (an IPv6 network counts as one): all in a wide bucket, what anybody can send in narrow ones too.

    Reports of browsers are also counted together: many addresses fill a log as one does.
    """
    address = {"masked_remote_address": {"v4_prefix_mask_len": 32, "v6_prefix_mask_len": 64}}
    group = {"metadata_key": {"key": METADATA, "path": [{"key": "limit"}]}, "source": "ROUTE_ENTRY"}
    # Without `skip_if_absent`: it would skip this word only, and take the address from its wide bucket once more.
    narrow = {"metadata": {"descriptor_key": "limit", **group}}
    by_source = {
        "public_write": _bucket(settings.public_write_burst, per_s=settings.public_write_per_s),
        "report": _bucket(settings.report_burst, per_s=settings.report_per_s),
    }
    return _limit(
        "sources",
        most=settings.most_sources,
        rate_limits=[{"actions": [address]}, {"actions": [narrow, address]}, {"actions": [narrow]}],
        descriptors=[
            {
                "entries": [{"key": "masked_remote_address"}],
                "token_bucket": _bucket(settings.source_burst, per_s=settings.source_per_s),
            },
            {
                "entries": [{"key": "limit", "value": "report"}],
                "token_bucket": _bucket(settings.reports_burst, per_s=settings.reports_per_s),
            },
            *(
                {
                    "entries": [{"key": "limit", "value": group}, {"key": "masked_remote_address"}],
                    "token_bucket": bucket,
                }
                for group, bucket in by_source.items()
            ),
        ],
    )


def _limit_users(settings: Settings) -> dict[str, Any]:
    """By account, as the token that was just verified names it: no header can claim to be somebody else."""
    subject = {"key": "envoy.filters.http.jwt_authn", "path": [{"key": CLAIMS}, {"key": "sub"}]}
    user = {"metadata": {"descriptor_key": "user", "metadata_key": subject, "source": "DYNAMIC"}}
    return _limit(
        "users",
        most=settings.most_users,
        rate_limits=[{"actions": [user]}],
        descriptors=[
            {"entries": [{"key": "user"}], "token_bucket": _bucket(settings.user_burst, per_s=settings.user_per_s)}
        ],
    )


def _limit(name: str, *, most: int, rate_limits: list[Any], descriptors: list[Any]) -> dict[str, Any]:
    """A local rate limit. The bucket that all share is out of reach on purpose: only the descriptors limit."""
    return _filter(
        f"limit_{name}",
        "local_ratelimit.v3.LocalRateLimit",
        stat_prefix=f"limit_{name}",
        token_bucket=_bucket(1_000_000_000, per_s=1_000_000_000),
        filter_enabled={"default_value": _ALWAYS, "runtime_key": f"gateway.limit_{name}.enabled"},
        filter_enforced={"default_value": _ALWAYS, "runtime_key": f"gateway.limit_{name}.enforced"},
        response_headers_to_add=[_appended("retry-after", "1", action="OVERWRITE_IF_EXISTS_OR_ADD")["append"]],
        max_dynamic_descriptors=most,
        rate_limits=rate_limits,
        descriptors=descriptors,
    )


def _bucket(burst: int, *, per_s: int) -> dict[str, Any]:
    return {"max_tokens": burst, "tokens_per_fill": per_s, "fill_interval": "1s"}


def _appended(name: str, value: str, *, action: str) -> dict[str, Any]:
    return {"append": {"header": {"key": name, "value": value}, "append_action": action}}


def _filter(name: str, kind: str, **fields: Any) -> dict[str, Any]:
    config: Mapping[str, Any] = {"@type": _HTTP + kind, **fields}
    return {"name": f"envoy.filters.http.{name}", "typed_config": dict(config)}


def _seconds(value: float) -> str:
    return f"{value:g}s"
