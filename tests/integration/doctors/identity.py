"""A service of identity over real sockets: facilities, locations and departments as a test makes them."""

from __future__ import annotations

import re
from typing import Any

from services.chassis.service import new_id
from tests.integration.chassis.peer import Connection, Peer

_ONE = re.compile(r"/api/v1/(facilities|locations|departments)/([0-9a-f-]{36})")


class Identity:
    """What `identity` says of places; `status` overrides it with one status for all of them."""

    def __init__(self) -> None:
        self.known: dict[str, dict[str, Any]] = {}
        self.status: int | None = None
        self.peer = Peer(self._answer)
        self.url = self.peer.url

    def empty(self) -> None:
        """Forget everything."""
        self.known.clear()
        self.peer.requests.clear()
        self.status = None

    def facility(self, zone: str = "Europe/Berlin", **given: Any) -> str:
        """A new facility."""
        return self._add({"zone": zone, **given})

    def location(self, facility_id: str, zone: str = "Europe/Berlin", **given: Any) -> str:
        """A new location of a facility."""
        return self._add({"facility_id": facility_id, "zone": zone, **given})

    def department(self, facility_id: str, **given: Any) -> str:
        """A new department of a facility."""
        return self._add({"facility_id": facility_id, "location_id": None, **given})

    @property
    def asked(self) -> set[str | None]:
        """The tokens that places were asked for with."""
        return {each.headers.get("authorization") for each in self.peer.requests if _ONE.fullmatch(each.target)}

    def stop(self) -> None:
        """End it."""
        self.peer.stop()

    def _add(self, given: dict[str, Any]) -> str:
        id_ = str(new_id())
        self.known[id_] = {"id": id_, "name": "Somewhere", "active": True, "version": 1, **given}
        return id_

    def _answer(self, connection: Connection) -> None:
        if connection.request.target == "/api/v1/tokens":
            body = {"access_token": "service@doctors", "token_type": "Bearer", "expires_in": 600}
            connection.answer(200, body)
            return
        found = _ONE.fullmatch(connection.request.target)
        known = self.known.get(found[2]) if found else None
        status = self.status or (200 if known else 404)
        connection.answer(status, known if status == 200 else {"status": status})
