"""`python -m observability`: write the rules of objectives, the dashboards and docs/metrics.md."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from observability import boards, registry, slos
from observability.places import HERE, ROOT


def made() -> Mapping[Path, str]:
    """Every file that is made, and what must stand in it."""
    dashboards = {HERE / "dashboards" / f"{name}.json": text for name, text in boards.dashboards().items()}
    return {HERE / "rules" / "slos.yaml": slos.rules(), ROOT / "docs" / "metrics.md": registry.page(), **dashboards}


def main() -> None:
    """Write them all; a dashboard that is made from nothing any more goes."""
    files = made()
    for path in (HERE / "dashboards").glob("*.json"):
        if path not in files:
            path.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
