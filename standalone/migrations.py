"""Migrations of the services: run before anything serves, left out when nothing can have changed since the last."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Iterable
from pathlib import Path

from standalone.house import House, Process
from standalone.layout import write_private
from standalone.trouble import Trouble

MOST_S = 120


def pending(house: House) -> list[str]:
    """The services whose store has not been brought to the schema of exactly these sources, with these settings.

    Being wrong here cannot serve anybody from an old schema: a service whose store is not at its head is not ready.
    """
    done = _done(house)
    return [service for service in house.services if done.get(service) != _fingerprint(house, service)]


def run(house: House, service: str) -> None:
    """Bring the store of one service to its schema.

    Raises:  Trouble: it did not work; its log says why.
    """
    log = house.layout.log(f"{service}-migrate")
    environ = house.environ(Process(service, service, "serve"))
    with log.open("ab") as out:
        try:
            code = subprocess.run(
                list(house.command("migrate", service)),
                env=environ,
                cwd=house.root,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                timeout=MOST_S,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            code = -1
    if code != 0:
        raise Trouble(f"The migration of {service} failed; see {log}")


def note(house: House, services: Iterable[str]) -> None:
    """Write down that the stores of these services have their schema."""
    done = _done(house) | {service: _fingerprint(house, service) for service in services}
    write_private(_file(house), json.dumps(done) + "\n")


def _file(house: House) -> Path:
    # Beside the data of the stores: whoever puts those away or back takes it along.
    return house.layout.data / "migrated.json"


def _done(house: House) -> dict[str, str]:
    try:
        found: dict[str, str] = json.loads(_file(house).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found


def _fingerprint(house: House, service: str) -> str:
    """What a migration depends on: all sources of the service and of the chassis, and the service's settings."""
    digest = hashlib.sha256()
    folders = [house.root / "services" / name for name in (service, "chassis", "kernel")]
    for path in sorted(path for folder in folders for path in folder.rglob("*.py")):
        digest.update(str(path.relative_to(house.root)).encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(json.dumps(house.values(service), sort_keys=True).encode())
    return digest.hexdigest()
