"""The one process that keeps a house: starts it in order, keeps all parts running, and stops it in order."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO

from standalone import certificates, identities, logs, migrations, settings, state
from standalone.house import House, cpu_count
from standalone.keeper import Keeper, Part
from standalone.layout import Layout
from standalone.servers import NotReady
from standalone.servers.process import last_words
from standalone.state import FAILED, READY, STARTING, STOPPED, STOPPING, HouseState
from standalone.trouble import Trouble, of_folder

COMES_UP_S = 90.0


class Supervisor:
    """Keeps one house from its start to its stop."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._layout = house.layout
        self._state = HouseState(pid=os.getpid(), began=identities.began(os.getpid()), phase=STARTING)
        self._keepers: list[Keeper] = []
        self._writing = threading.Lock()
        self._began = time.monotonic()
        self.stopping = threading.Event()

    def run(self) -> int:
        """Bring the house up, keep it until told to stop, and bring it down; the exit code."""
        code = 0
        try:
            self._bring_up()
            self._state.phase = READY
            self._step("ready")
            self.note()
            while not self.stopping.wait(5.0):
                with contextlib.suppress(OSError):
                    logs.bound(self._layout.logs)
        except Exception as error:  # noqa: BLE001 - whatever it is, the parts are stopped and one line is left behind
            if not self.stopping.is_set():
                traceback.print_exc()
                self._state.trouble = said_of(error, layout=self._layout)
                code = 1
        self._bring_down()
        self._state.phase = FAILED if code else STOPPED
        self.note()
        return code

    def note(self) -> None:
        """Write down how everything is now; on a full disk nobody learns of it, and the parts stay kept."""
        with self._writing, contextlib.suppress(OSError):
            self._state.processes = [keeper.state for keeper in self._keepers]
            state.write(self._layout.state, self._state)

    def _bring_up(self) -> None:
        house = self._house
        self._state.url, self._state.inbox_url = house.url, house.inbox_url
        self.note()
        house.write_environs()
        if house.settings.has_tls:
            certificates.ensure(self._layout.secrets / "tls")
        house.stores.require_answers()
        self._start_together("stores", [*house.store_parts(), house.inbox_part()])
        house.stores.provide()
        self._step("databases and accounts are there")
        house.write_gateway()
        self._step("the gateway's configuration is made from the contracts")
        self._migrate()
        # A gateway that is there before the services keeps the keys from the moment they are published.
        self._start_together("services", [*house.program_parts(), house.gateway_part(), *house.monitoring_parts()])

    def _migrate(self) -> None:
        pending = migrations.pending(self._house)
        if not pending:
            self._step("every store has its schema already")
            return
        with ThreadPoolExecutor(max_workers=cpu_count()) as pool:
            for service, done in [(name, pool.submit(migrations.run, self._house, name)) for name in pending]:
                done.result()
                self._step(f"{service}: its store has its schema")
                self._refuse_if_stopping()
        migrations.note(self._house, pending)

    def _start_together(self, what: str, parts: Sequence[Part]) -> None:
        """Start these parts at once and wait until each is ready."""
        self._step(f"starting {what}: {', '.join(part.name for part in parts)}")
        fresh = [Keeper(part, log=self._layout.log(part.name), changed=self.note) for part in parts]
        self._keepers += fresh
        for keeper in fresh:
            keeper.start()
        waiting = list(fresh)
        until = time.monotonic() + COMES_UP_S
        while waiting:
            for keeper in [each for each in waiting if each.is_ready]:
                source = f" ({keeper.part.source})" if keeper.part.source else ""
                self._step(f"{keeper.part.name}{source} is ready on port {keeper.part.port}")
                waiting.remove(keeper)
            self._refuse_if_stopping()
            self._refuse_if_hopeless(waiting, is_late=time.monotonic() > until)
            time.sleep(0.05)

    def _refuse_if_hopeless(self, waiting: Iterable[Keeper], *, is_late: bool) -> None:
        """A part that has died three times in a row will not come up, and neither will one that takes forever."""
        for keeper in waiting:
            if keeper.state.restarts >= 3 or is_late:
                log = self._layout.log(keeper.part.name)
                last = last_words(log).splitlines()[-1][:300]
                raise Trouble(
                    f"{keeper.part.name} does not come up ({keeper.failure or 'not ready'}): {last} — see {log}"
                )

    def _refuse_if_stopping(self) -> None:
        if self.stopping.is_set():
            raise Trouble("stopped while starting")

    def _bring_down(self) -> None:
        """The gateway first, so that nothing new comes in; then who works; the stores last."""
        self._state.phase = STOPPING
        self.note()
        for kinds in (("gateway",), ("web",), ("worker", "inbox", "monitor"), ("store",)):
            going = [keeper for keeper in self._keepers if keeper.part.kind in kinds]
            _together([keeper.stop for keeper in going])

    def _step(self, text: str) -> None:
        with self._layout.steps.open("a", encoding="utf-8") as steps:
            steps.write(f"{time.monotonic() - self._began:5.1f} s  {text}\n")


def _together(actions: Sequence[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=action) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def said_of(error: Exception, *, layout: Layout) -> str:
    """One line about what went wrong."""
    if isinstance(error, OSError) and not isinstance(error, FileNotFoundError):
        return str(of_folder(error, folder=layout.home))
    if isinstance(error, (Trouble, NotReady)):
        return " ".join(str(error).split())
    return f"{type(error).__name__}: {error}; see {layout.log('supervisor')}"


@contextmanager
def only_one(layout: Layout) -> Iterator[IO[str] | None]:
    """Hold the lock of this house, None when another supervisor does; it goes with its process, however that ends."""
    with layout.lock.open("a+", encoding="ascii") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield None
            return
        yield lock


def main() -> int:
    """Run the supervisor of the house that the environment describes, until SIGTERM."""
    chosen = settings.read(os.environ)
    layout = Layout(chosen.home)
    with only_one(layout) as lock:
        if lock is None:
            return 1
        try:
            house = House(chosen, layout=layout)
        except Trouble as error:
            trouble = state.HouseState(phase=FAILED, trouble=said_of(error, layout=layout))
            state.write(layout.state, trouble)
            return 1
        supervisor = Supervisor(house)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: supervisor.stopping.set())
        return supervisor.run()


if __name__ == "__main__":
    sys.exit(main())
