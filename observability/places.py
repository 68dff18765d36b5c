"""Where the files of this folder are, and what stands at the head of those that are made."""

from __future__ import annotations

from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent
ROOT: Final = HERE.parent
MADE: Final = "# Made by `make observability`; a test compares it with what it is made from.\n"
