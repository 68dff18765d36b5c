"""A service of patients over real sockets: records as a test makes them, with a standing and a birth date."""

from __future__ import annotations

import json
import re
from typing import Any

from services.chassis.service import new_id
from tests.integration.chassis.peer import Connection, Peer

_ONE = re.compile(r"/api/v1/patients/([0-9a-f-]{36})/(standing|birth-date-checks)(?:\?permission=[a-z_.]+)?")


class Patients:
    """What `patients` says of a record; `status` overrides it for all of them, `hidden` are out of reach."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self.status: int | None = None
        self.hidden: set[str] = set()
        self.peer = Peer(self._answer)
        self.url = self.peer.url

    def register(self, birth_date: str = "1984-11-05", standing: str = "active") -> str:
        """A new record."""
        id_ = str(new_id())
        self.known[id_] = {"birth_date": birth_date, "standing": standing}
        return id_

    def stop(self) -> None:
        """End it."""
        self.peer.stop()

    def _answer(self, connection: Connection) -> None:
        found = _ONE.fullmatch(connection.request.target)
        record = self.known.get(found[1]) if found and found[1] not in self.hidden else None
        if self.status is not None or record is None or found is None:
            connection.answer(self.status or 404, {"code": "not_found"})
        elif found[2] == "standing":
            standing = {"id": found[1], "standing": record["standing"], "merged_into": None, "version": 1}
            connection.answer(200, standing)
        else:
            given = json.loads(connection.request.body)["birth_date"]
            connection.answer(200, {"matches": record["standing"] == "active" and given == record["birth_date"]})
