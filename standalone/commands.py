"""What `make down`, `make status`, `make logs` and `make reset` do, and how the steps of `make demo` are shown."""

from __future__ import annotations

import shutil
import signal
import sys
from collections.abc import Callable, Mapping, Sequence

from standalone import identities, leftovers, logs, settings, state
from standalone.layout import Layout
from standalone.trouble import Trouble, of_folder

# The gateway, services draining for 20 s, workers, stores: each group within its time, by force after it.
LEAVES_S = 120.0


def down(layout: Layout, *, say: Callable[[str], None]) -> None:
    """Stop the supervisor and with it the house; what a dead supervisor left behind too."""
    known = state.read(layout.state)
    if known.lives and known.began:
        say("stopping the house")
        identities.send(known.pid, signal.SIGTERM, since=known.began)
        if identities.wait_gone([(known.pid, known.began)], timeout_s=LEAVES_S):
            say("the supervisor did not leave in time; ending it by force")
            identities.send(known.pid, signal.SIGKILL, since=known.began)
            identities.wait_gone([(known.pid, known.began)], timeout_s=5.0)
    stray = leftovers.stop(layout, say=say) if layout.run.exists() else 0
    say("the house is down; its data is kept" if known.lives or known.pid or stray else "nothing was running")


def status(layout: Layout) -> bool:
    """Print how each process is; whether all are well."""
    known = state.read(layout.state)
    if not known.lives:
        left = [each for each in known.processes if each.lives]
        word = f"; {len(left)} processes of it are left, `make down` ends them" if left else ""
        print(f"The house in {layout.home} does not run{word}.")
        if known.trouble:
            print(f"It said: {known.trouble}")
        return False
    print(f"{'process':<18} {'pid':>7} {'port':>6} {'restarts':>8}  health")
    for each in known.processes:
        health = each.health if each.lives or each.health != state.READY else "gone"
        print(f"{each.name:<18} {each.pid:>7} {each.port:>6} {each.restarts:>8}  {health}")
    print(f"{'supervisor':<18} {known.pid:>7} {'':>6} {'':>8}  {known.phase}")
    print(f"open {known.url}   API {known.url}/api/v1   docs {known.url}/docs   inbox {known.inbox_url}")
    return known.is_healthy


def show_logs(layout: Layout, arguments: Sequence[str], *, is_terminal: bool) -> None:
    """Print the logs of the named processes, or of all, and follow them with `-f` or at a terminal.

    Raises:  Trouble: no such log.
    """
    names = [each for each in arguments if each not in {"-f", "--follow"}]
    present = sorted(path.stem for path in layout.logs.glob("*.log"))
    unknown = [name for name in names if name not in present]
    if unknown or not present:
        raise Trouble(f"No log of {', '.join(unknown) or 'anything'}; there are: {', '.join(present) or 'none yet'}.")
    try:
        logs.show(layout.logs, names=names, follow=len(names) < len(arguments) or (is_terminal and not names))
    except (KeyboardInterrupt, BrokenPipeError):
        sys.stderr.close()  # nothing is left to be told to a reader who went away


def show_step(number: int, title: str, lines: Sequence[str]) -> None:
    """Print one step of the journey and what came back."""
    print(f"\n{number:2}. {title}")
    for line in lines:
        print(f"      {line}", flush=True)


def reset(layout: Layout, environ: Mapping[str, str], *, say: Callable[[str], None]) -> None:
    """Stop the house and delete its data, once somebody has said yes.

    Raises:  Trouble: nobody said yes, or the folder is no house.
    """
    if not layout.home.exists():
        say(f"There is no house in {layout.home}.")
        return
    if not layout.is_house:
        raise Trouble(f"{layout.home} was not made by a house, so nothing is deleted.")
    if environ.get("YES") not in {"1", "yes"} and not _agreed(layout):
        raise Trouble("Nothing was deleted. Without a question: make reset YES=1")
    down(layout, say=say)
    try:
        shutil.rmtree(layout.home)
    except OSError as error:
        raise of_folder(error, folder=layout.home) from error
    say(f"{layout.home} is deleted")


def _agreed(layout: Layout) -> bool:
    if not sys.stdin.isatty():
        return False
    return input(f"Delete everything in {layout.home}? Type yes: ").strip().lower() == "yes"


def layout_of(environ: Mapping[str, str]) -> Layout:
    """The folders of the house that the environment describes."""
    return Layout(settings.read(environ).home)
