"""`python -m standalone up | demo | down | status | logs [name …] [-f] | reset`: the house on this machine."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from standalone import commands, state
from standalone.trouble import Trouble, of_folder


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run one command; 0 done, 1 not done with one line that says why, 2 not understood."""
    verb, *rest = arguments or [""]
    try:
        return _run(verb, rest, environ)
    except Trouble as error:
        print(" ".join(str(error).split()), file=sys.stderr)
    except OSError as error:
        print(of_folder(error, folder=commands.layout_of(environ).home), file=sys.stderr)
    except KeyboardInterrupt:
        print("\nStopped looking; what was started goes on. See: make status, make down", file=sys.stderr)
    return 1


def _run(verb: str, rest: Sequence[str], environ: Mapping[str, str]) -> int:
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.1f} s  {text}", flush=True)

    if verb == "up":
        _up(environ)
    elif verb == "demo":
        _demo(environ)
    elif verb == "down":
        commands.down(commands.layout_of(environ), say=say)
    elif verb == "status":
        return 0 if commands.status(commands.layout_of(environ)) else 1
    elif verb == "logs":
        commands.show_logs(commands.layout_of(environ), rest, is_terminal=sys.stdout.isatty())
    elif verb == "reset":
        commands.reset(commands.layout_of(environ), environ, say=say)
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


def _up(environ: Mapping[str, str]) -> None:
    """Import late: a library that is missing must become one clear line, not a traceback."""
    try:
        from standalone import up  # noqa: PLC0415 - see above
    except ModuleNotFoundError as error:
        raise Trouble(
            f"Missing in this Python: {error.name}. Install: pip install -r requirements/standalone.txt "
            "(make up does it by itself)."
        ) from error
    up.up(environ)


def _demo(environ: Mapping[str, str]) -> None:
    """Play the journey; in a house that is not up, bring it up first."""
    layout = commands.layout_of(environ)
    if not state.read(layout.state).lives:
        _up(environ)
    from standalone import journey  # noqa: PLC0415 - its libraries are known to be there only now

    journey.play_at(layout, today=datetime.now(UTC).date(), show=commands.show_step)
    print("\nThe whole way was gone, and each step brought what it must.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
