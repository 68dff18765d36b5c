"""The process: `python -m frontend`."""

from __future__ import annotations

import os
import sys

from frontend.app import frontend
from services.chassis import config, process, serving
from services.chassis.cli import release


def main() -> int:
    """Serve until told to stop; the exit code: 0 done, 1 failed, 2 not set up."""
    try:
        program = frontend(os.environ)
    except config.SettingsError as error:
        sys.stderr.write(f"frontend: {error}\n")
        return 2
    with process.running(program, version=release()) as closing:
        program.start(closing)
        return serving.listen(program.app, program.settings, on_stop=program.drain)


if __name__ == "__main__":
    raise SystemExit(main())
