"""The page that says who may call what, for tests."""

from __future__ import annotations

from pathlib import Path

import yaml

PAGE = Path(__file__).parent / "matrix.yaml"
MAY: dict[str, list[str]] = yaml.safe_load(PAGE.read_text(encoding="utf-8"))["operations"]
"""The subjects that each operation lets in."""
