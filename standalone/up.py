"""What `make up` does: looks before it starts anything, starts the supervisor, shows what that does, loads the demo."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from standalone import demo, identities, leftovers, settings, state, wheels
from standalone.house import House
from standalone.layout import Layout
from standalone.settings import ROOT, HouseSettings
from standalone.state import FAILED, READY, STARTING, HouseState
from standalone.trouble import Trouble

PATIENCE_S = 300.0
_ENDS_S = 10.0  # a house that has failed is gone when that is said

# One name of each library that a house cannot do without; requirements/standalone.txt brings them all.
LIBRARIES = (
    "aiosmtpd",
    "babel",
    "connexion",
    "cryptography",
    "jinja2",
    "psycopg",
    "pymongo",
    "redis",
    "sqlalchemy",
    "uvicorn",
    "yaml",
)


@dataclass(frozen=True)
class Clock:
    """Says how long something has taken, in front of each line."""

    began: float

    def say(self, text: str) -> None:
        """One line of what is being done."""
        print(f"{time.monotonic() - self.began:5.1f} s  {text}", flush=True)


def up(environ: Mapping[str, str]) -> None:
    """Bring the house up and return when it is ready; a house that runs and is well is left as it is.

    Raises:  Trouble, MissingServer: with the one line that says what to do.
    """
    chosen = settings.read(environ)
    layout = Layout(chosen.home)
    clock = Clock(time.monotonic())
    require_libraries()
    known = state.read(layout.state)
    if known.lives:
        _require_well(known, layout=layout)
        clock.say(f"the house in {layout.home} runs already (process {known.pid}) and is well")
        house = House(chosen, layout=layout)
    else:
        house = _prepared(chosen, layout=layout, say=clock.say)
        clock.say(f"starting the house in {layout.home}")
        _start(layout, environ=environ)
        _follow(layout, say=clock.say)
    shown = demo.load(demo.place_of(house), say=clock.say) if chosen.has_demo else None
    _farewell(house, took_s=time.monotonic() - clock.began, shown=shown)


def _prepared(chosen: HouseSettings, *, layout: Layout, say: Callable[[str], None]) -> House:
    """Look at everything that can be in the way before anything is started."""
    layout.make()
    leftovers.stop(layout, say=say)
    wheels.provide(say=say)
    house = House(chosen, layout=layout)
    house.places.require_free()
    house.places.keep()
    return house


def require_libraries() -> None:
    """Raises Trouble when a library is missing that a house cannot do without."""
    lacking = [name for name in LIBRARIES if importlib.util.find_spec(name) is None]
    if lacking:
        raise Trouble(
            f"Missing in this Python: {', '.join(lacking)}. Install: pip install -r requirements/standalone.txt "
            "(make up does it by itself)."
        )


def _require_well(known: HouseState, *, layout: Layout) -> None:
    if known.is_healthy:
        return
    sick = ", ".join(f"{each.name} ({each.health})" for each in known.processes if each.health != READY)
    word = f"not everything is well: {sick}" if sick else f"it is {known.phase}"
    raise Trouble(
        f"The house in {layout.home} runs already (process {known.pid}), and {word}. See: make status, make logs"
    )


def _start(layout: Layout, *, environ: Mapping[str, str]) -> None:
    """Start the supervisor in a session of its own; it goes on when this terminal is closed."""
    state.write(layout.state, HouseState(phase=STARTING))
    layout.steps.write_text("", encoding="utf-8")
    with layout.log("supervisor").open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-m", "standalone.supervisor"],
            cwd=ROOT,
            env={**environ, identities.HOUSE_MARK: str(layout.home), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    since = identities.began(child.pid)
    state.write(layout.state, HouseState(pid=child.pid, began=since, phase=STARTING))


def _follow(layout: Layout, *, say: Callable[[str], None]) -> None:
    """Show each step of the supervisor until the house is ready.

    Raises:  Trouble: with what the supervisor says went wrong.
    """
    until = time.monotonic() + PATIENCE_S
    shown = 0
    while time.monotonic() < until:
        known = state.read(layout.state)
        lines = layout.steps.read_text(encoding="utf-8").splitlines()
        for line in lines[shown:]:
            say(line.partition(" s  ")[2])
        shown = len(lines)
        if known.phase == READY:
            return
        if known.phase == FAILED or not known.lives:
            identities.wait_gone([(known.pid, known.began or "")], timeout_s=_ENDS_S)
            raise Trouble(state.read(layout.state).trouble or f"The supervisor ended; see {layout.log('supervisor')}")
        time.sleep(0.1)
    raise Trouble(f"The house was not ready within {PATIENCE_S:.0f} s; see make status and make logs.")


def _farewell(house: House, *, took_s: float, shown: demo.Shown | None) -> None:
    print(f"\nInfirmary is up after {took_s:.1f} s.")
    print(f"  open   {house.url}")
    print(f"  API    {house.url}/api/v1")
    print(f"  docs   {house.url}/docs")
    print(f"  inbox  {house.inbox_url}")
    if house.monitoring is not None:
        print(f"  alerts {house.monitoring.url}")
    if house.settings.has_tls:
        print(f"  the authority that browsers must trust: {house.layout.secrets / 'tls' / 'ca.pem'}")
    changed = house.secrets.path("super-admin-changed")
    secret = changed if changed.exists() else house.secrets.path("super-admin")
    print(f"  super admin: sign in as {demo.SUPER_ADMIN}, the password is in {secret}")
    if shown:
        print("Demo sign-ins (invented people; every password is the same):")
        for role, name in shown.accounts.items():
            print(f"  {role:<14} {name}")
        print(f"  password       {shown.password}")
    print("Next: make status, make logs, make down.")
