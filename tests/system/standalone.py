"""The commands of a house, run as somebody at a terminal runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.places import free_port
from tests.system.house import ROOT


def standalone(home: Path, *words: str, program: str | None = None, **environ: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("INFIRMARY_", "SCALE", "TLS"))}
    given = {"INFIRMARY_HOME": str(home), "INFIRMARY_PORT": str(free_port()), "INFIRMARY_PORT_INBOX": str(free_port())}
    command = [sys.executable, "-c", program] if program else [sys.executable, "-m", "standalone", *words]
    return subprocess.run(
        command, cwd=ROOT, env={**kept, **given, **environ}, capture_output=True, text=True, timeout=100, check=False
    )
