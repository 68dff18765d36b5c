"""The whole configuration of Envoy as one document, the same for the same input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import yaml

from gateway import clusters, listeners, page, routes, table, telemetry, ui
from gateway.settings import Settings, SettingsError, checked
from services.chassis import spec

# Envoy refuses patterns above a size of 100, as those of a stranger might be. Ours come from the contracts: a path with
# three parameters is a little larger, and is matched in linear time like any other (RE2).
_RUNTIME: Final = {"re2": {"max_program_size": {"error_level": 400, "warn_level": 400}}}


def build(
    contracts: Sequence[spec.Contract],
    *,
    endpoints: Mapping[str, Sequence[str]],
    settings: Settings,
) -> dict[str, Any]:
    """Envoy's bootstrap document for some contracts, with the addresses of every service as `host:port`.

    Where the web UI has addresses too, what is no path of a contract is a page.

    Raises:  RoutesError: the contracts contradict each other.
             SettingsError: a service without an address, an address without a service, or settings that do not fit.
    """
    checked(settings)
    _refuse_strangers({contract.service for contract in contracts}, given=set(endpoints), settings=settings)
    files = page.files(contracts)
    table_ = table.route_config(routes.of(contracts), files=files, settings=settings, has_ui=ui.NAME in endpoints)
    return {
        "node": {"id": "gateway", "cluster": "gateway"},
        "admin": {"address": clusters.address(settings.admin)},
        "application_log_config": telemetry.application_log(),
        "layered_runtime": {"layers": [{"name": "gateway", "static_layer": _RUNTIME}]},
        "overload_manager": _overload(settings),
        "static_resources": {
            "listeners": [listeners.public(table_, settings=settings), listeners.inner(settings)],
            "clusters": clusters.clusters(endpoints, settings=settings),
        },
    }


def render(document: Mapping[str, Any]) -> str:
    """The document as YAML without anchors, which every reader of YAML reads alike."""
    head = "# Made by `python -m gateway` from openapi/. Do not edit.\n"
    return head + yaml.dump(document, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)


def write(folder: Path, *, contracts: Sequence[spec.Contract], document: Mapping[str, Any]) -> Path:
    """Write the files of the page and then `envoy.yaml` into a folder, and say where the latter is."""
    page.write(folder / "page", files=page.files(contracts))
    target = folder / "envoy.yaml"
    fresh = folder / "envoy.yaml.new"
    fresh.write_text(render(document), encoding="utf-8")
    return fresh.replace(target)


def arguments(config: Path, *, concurrency: int = 2) -> list[str]:
    """What `envoy` is started with."""
    logs = ["--log-level", "warning", "--file-flush-interval-msec", "500"]
    return ["-c", str(config), "--disable-hot-restart", "--concurrency", str(concurrency), *logs]


def _refuse_strangers(services: set[str], *, given: set[str], settings: Settings) -> None:
    if missing := services - given:
        raise SettingsError(f"no address for {', '.join(sorted(missing))}")
    if unknown := given - services - {ui.NAME}:
        raise SettingsError(f"no contract for {', '.join(sorted(unknown))}")
    if settings.keys_service not in services:
        raise SettingsError(f"no contract for {settings.keys_service}, which has the keys")


def _overload(settings: Settings) -> dict[str, Any]:
    """Beyond so many connections or so much memory, new ones are refused: the gateway lives on."""
    monitors = "type.googleapis.com/envoy.extensions.resource_monitors."
    connections = {"max_active_downstream_connections": settings.most_connections}
    heap = {"max_heap_size_bytes": settings.most_heap_mib * 1_048_576}
    return {
        "refresh_interval": "0.25s",
        "resource_monitors": [
            {
                "name": "envoy.resource_monitors.global_downstream_max_connections",
                "typed_config": {
                    "@type": monitors + "downstream_connections.v3.DownstreamConnectionsConfig",
                    **connections,
                },
            },
            {
                "name": "envoy.resource_monitors.fixed_heap",
                "typed_config": {"@type": monitors + "fixed_heap.v3.FixedHeapConfig", **heap},
            },
        ],
        "actions": [
            _at("envoy.overload_actions.shrink_heap", share=0.9),
            _at("envoy.overload_actions.stop_accepting_requests", share=0.97),
        ],
    }


def _at(action: str, *, share: float) -> dict[str, Any]:
    heap = {"name": "envoy.resource_monitors.fixed_heap", "threshold": {"value": share}}
    return {"name": action, "triggers": [heap]}


class _Plain(yaml.SafeDumper):
    """YAML that repeats instead of pointing back."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the signature is yaml's
        """Never an anchor."""
        return True
