"""What an event must look like to be handled: the schemas of `openapi/events.yaml`, read as a listener reads them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.chassis import spec
from services.chassis.schemas import Schema


class EventSchemas:
    """The compiled schemas of the envelope and of every type.

    A listener takes more than it knows: fields that a newer sender has added are no fault, so `additionalProperties:
    false`, which binds the sender, is left out here.
    """

    def __init__(self, openapi_dir: Path) -> None:
        components = {"schemas": _open(spec.events(openapi_dir))}
        self._schemas = {name: Schema(node, components) for name, node in components["schemas"].items()}

    def fault(self, envelope: Mapping[str, object]) -> str | None:
        """The first thing that is wrong, as `pointer rule` without any value; None when the event can be handled."""
        name = envelope.get("type")
        for schema, part, at in (("Envelope", envelope, ""), (name, envelope.get("data"), "/data")):
            known = self._schemas.get(schema) if isinstance(schema, str) else None
            if known is None:
                return f"{at} unknown_type"
            if not known.is_valid(part):
                first = known.errors(part)[0]
                return f"{at}{first.pointer} {first.rule}"
        return None


def _open(node: Any) -> Any:
    if isinstance(node, list):
        return [_open(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {key: _open(value) for key, value in node.items() if (key, value) != ("additionalProperties", False)}
