"""The command `infirmary`: the processes of a service, its migration, and what its operators do by hand.

infirmary serve <program>           web process, of a service or of a program beside the services
infirmary work <service>            relay, consumers and timed jobs
infirmary migrate <service>         bring the store to its schema
infirmary wait <program> [stores]   wait until its settings are right and its stores answer and have their schema;
                                    `stores`: whatever their schema
infirmary <service> <command> …     a command of that service
infirmary bus dead|redrive|republish <service> …     dead letters, and what to do when the bus lost something
"""

from __future__ import annotations

import functools
import gc
import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from types import ModuleType

from services.chassis import config, spec
from services.chassis.service import Mismatch, Service, WebProgram
from services.chassis.stores import StoreError

_VERBS = ("serve", "work", "migrate", "wait")
_SERVICES = Path(__file__).resolve().parents[1]
_ROOTS = "*/app*"


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> int:
    """Run one command; the exit code: 0 done, 1 failed, 2 not understood or not set up."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    known = programs()
    verb, name, rest = _understood(words)
    if name not in known:
        return _usage(known)
    make = functools.partial(build, name, os.environ if environ is None else environ)
    try:
        return _wait(name, make, rest) if verb == "wait" else _run(verb, make(), rest)
    except (config.SettingsError, spec.ContractError, Mismatch) as error:
        sys.stderr.write(f"infirmary {name}: {error}\n")
        return 2


def programs() -> list[str]:
    """Names of what is here to run, with a composition root each: one image holds one, a checkout all."""
    return sorted({path.parent.name for path in [*_SERVICES.glob(_ROOTS), *_SERVICES.parent.glob(_ROOTS)]})


def build(name: str, environ: Mapping[str, str]) -> Service | WebProgram:
    """What this composition root makes with settings from this environment: a service under services/, or a program."""
    built: object
    if any(_SERVICES.glob(f"{name}/app*")):
        built = importlib.import_module(f"services.{name}.app").service(environ)
    else:
        built = importlib.import_module(f"{name}.app").program(environ)
    if not isinstance(built, Service | WebProgram):
        raise TypeError(f"the composition root of {name} gives nothing that runs")
    return built


def release() -> str:
    """The version that an image was made as, or that is installed, or `0` in a checkout."""
    if version := os.environ.get("INFIRMARY_VERSION"):
        return version
    try:
        return installed("infirmary")
    except PackageNotFoundError:
        return "0"


def _understood(words: Sequence[str]) -> tuple[str, str, list[str]]:
    """What is asked, of which service, with which words; three times nothing when it cannot be told."""
    match list(words):
        case ["bus", command, name, *rest]:
            return "bus", name, [command, *rest]
        case [verb, name, *rest] if verb in _VERBS:
            return verb, name, rest
        case [name, *rest] if rest:
            return "command", name, rest
    return "", "", []


def _wait(name: str, make: Callable[[], Service | WebProgram], words: Sequence[str]) -> int:
    _loaded()
    # As process 1 of a container it would not hear a signal that it has no answer for.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    say, readiness = functools.partial(print, flush=True), _part("readiness")
    readiness.wait(readiness.built(make, name=name, say=say), schema="stores" not in words, say=say)
    return 0


def _run(verb: str, program: Service | WebProgram, words: Sequence[str]) -> int:
    if isinstance(program, Service):
        return _run_service(verb, program, words)
    if verb == "serve":
        return int(_part("listening").serve_program(program, version=release()))
    sys.stderr.write(f"infirmary {program.name}: it has a web process, and nothing else\n")
    return 2


def _run_service(verb: str, service: Service, words: Sequence[str]) -> int:
    if verb == "serve":
        return int(_part("serving").serve(service, version=release()))
    if verb == "work":
        return int(_part("working").work(service, version=release()))
    _loaded()
    if verb == "migrate":
        _part("process").patiently([service.migrate])
        return 0
    command = service.commands.get(words[0])
    run: Callable[[Sequence[str]], int] | None = None if command is None else command.run
    if verb == "bus":
        run = functools.partial(_part("operating").run, service, words[0])
    if run is None:
        for name, each in sorted(service.commands.items()):
            sys.stderr.write(f"  infirmary {service.name} {name:<12} {each.help}\n")
        return 2
    return _by_hand(service, functools.partial(run, words[1:]))


def _by_hand(service: Service, run: Callable[[], int]) -> int:
    """A command of an operator, who is told in one line when a store is away."""
    try:
        return run()
    except StoreError as error:
        sys.stderr.write(
            f"infirmary {service.name}: {error.store} is away ({error.reason}); nothing is lost, try again\n"
        )
        return 1
    finally:
        for close in service.close:
            close()


def _loaded() -> None:
    """The collector of garbage goes on, without what is there by now; who serves or works says so when all is built."""
    gc.freeze()
    gc.enable()


def _part(name: str) -> ModuleType:
    """A topic of the chassis that only one verb needs: a worker does not carry a web framework, nor the other way."""
    return importlib.import_module(f"services.chassis.{name}")


def _usage(known: Sequence[str]) -> int:
    sys.stderr.write(f"{__doc__}\nprograms: {', '.join(known)}\n")
    return 2
