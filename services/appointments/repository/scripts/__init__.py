"""The scripts that Redis runs, each one operation and atomic. The texts lie beside this file."""

from __future__ import annotations

from pathlib import Path

from services.chassis.scripts import Script

NAMES = ("replay", "place", "settle", "hold", "release", "note", "plan", "forget", "restore")
_HERE = Path(__file__).parent


def load(*, replicas: int = 0) -> dict[str, Script]:
    """Every script by name."""
    return {name: Script(name, text=text(name), replicas=replicas) for name in NAMES}


def text(name: str) -> str:
    """What all share, and the script's own."""
    return (
        f"{(_HERE / 'common.lua').read_text(encoding='utf-8')}\n{(_HERE / f'{name}.lua').read_text(encoding='utf-8')}"
    )
