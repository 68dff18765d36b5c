"""A contract of events for the tests: the real envelope, and a type for things in two versions."""

from __future__ import annotations

from pathlib import Path

import yaml

REAL = Path(__file__).resolve().parents[3] / "openapi" / "events.yaml"


def write_contract(folder: Path) -> Path:
    """Write `events.yaml` into a folder, and return the folder."""
    known = yaml.safe_load(REAL.read_text())["components"]["schemas"]
    thing = {
        "type": "object",
        "additionalProperties": False,
        "required": ["id"],
        "properties": {"id": {"type": "string"}},
    }
    both = {"things.added.v1": thing, "things.added.v2": {**thing, "required": ["id", "colour"]}}
    both["things.added.v2"]["properties"] = {"id": {"type": "string"}, "colour": {"type": "string"}}
    document = {"components": {"schemas": {**known, **both}}}
    (folder / "events.yaml").write_text(yaml.safe_dump(document))
    return folder
