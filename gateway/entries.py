"""Single routes as Envoy reads them: their names and matches, what answers without a service, what is tried again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from gateway import filters

_PREVIOUS: Final = "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate"


def others(*, match: Mapping[str, Any], allow: Sequence[str]) -> Iterator[dict[str, Any]]:
    """What is not offered on a path: OPTIONS says what is, all else is 405. No token is asked: contracts are public.

    HEAD is among the refused where a contract does not name it: a read of a record is one audited operation.
    """
    told = {"response_headers_to_add": [header("allow", ", ".join(allow))]}
    options = with_methods(match, "OPTIONS")
    yield direct("gateway.options", match=options, status=204) | told
    yield direct("gateway.method_not_allowed", match=match, status=405) | told


def direct(name: str, *, match: Mapping[str, Any], status: int) -> dict[str, Any]:
    """A route that the gateway answers itself."""
    entry = named(name, match=match) | {"direct_response": {"status": status}}
    return entry | {"typed_per_filter_config": {**filters.without_token(), **filters.without_waiting()}}


def named(name: str, *, match: Mapping[str, Any]) -> dict[str, Any]:
    """A route under its name, in the log as in traces: a raw path would tell whose record was read."""
    return {"name": name, "match": dict(match), "decorator": {"operation": name, "propagate": False}}


def with_methods(match: Mapping[str, Any], *methods: str) -> dict[str, Any]:
    """The same match, for these methods only."""
    one = {"exact": methods[0]} if len(methods) == 1 else {"safe_regex": {"regex": "|".join(methods)}}
    return {**match, "headers": [{"name": ":method", "string_match": one}]}


def retry() -> dict[str, Any]:
    """One more try, of a read, at another instance where there is one; the budget of the cluster bounds their share."""
    reasons = {
        "retry_on": "connect-failure,refused-stream,reset,retriable-status-codes",
        "retriable_status_codes": [503],
    }
    return {**reasons, **_once_elsewhere()}


def retry_unsent() -> dict[str, Any]:
    """One more try of what has reached nobody, whatever it is."""
    return {"retry_on": "connect-failure,refused-stream", **_once_elsewhere()}


def _once_elsewhere() -> dict[str, Any]:
    return {
        "num_retries": 1,
        "retry_back_off": {"base_interval": "0.05s", "max_interval": "1s"},
        "retry_host_predicate": [
            {"name": "envoy.retry_host_predicates.previous_hosts", "typed_config": {"@type": _PREVIOUS}}
        ],
        "host_selection_retry_max_attempts": 10,
    }


def header(name: str, value: str) -> dict[str, Any]:
    """A header that is set, whatever was there."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
