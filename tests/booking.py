"""A service of appointments over real sockets that takes plans as its contract says: refused, superseded, or away.

It keeps the versions that it was given and the answer to each change, so that what is sent again is answered again.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from services.chassis import spec
from services.chassis.schemas import Schema
from tests.integration.chassis.peer import Connection, Peer

OPENAPI = Path(__file__).resolve().parents[1] / "openapi"
_CONTRACT = spec.load(OPENAPI, "appointments")
_PLAN = re.compile(r"/api/v1/facilities/([0-9a-f-]{36})/plans/([0-9a-f-]{36})")


class Booking:
    """What `appointments` says.

    refusing: facilities where a booked appointment is in the way of every change. is_away: it answers nothing of use;
    away_from: after it has seen so many requests.
    """

    def __init__(self) -> None:
        self.refusing: set[str] = set()
        self.is_away = False
        self.seen = 0
        self.away_from: int | None = None
        self.versions: dict[tuple[str, str], int] = {}
        self.plans: dict[tuple[str, str], dict[str, Any]] = {}
        self.applied: list[dict[str, Any]] = []
        self._answers: dict[str, tuple[int, dict[str, Any]]] = {}
        media = _CONTRACT.resolve(_CONTRACT.operations["apply_plan"].document["requestBody"])["content"]
        self._schema = Schema(media["application/json"]["schema"], _CONTRACT.document["components"])
        self.peer = Peer(self._answer)
        self.url = self.peer.url

    def empty(self) -> None:
        """Forget everything."""
        for each in (self.refusing, self.versions, self.plans, self.applied, self._answers):
            each.clear()
        self.is_away, self.away_from = False, None
        self.peer.requests.clear()

    def clash(self, facility_id: str) -> dict[str, Any]:
        """The appointment that is in the way at a facility."""
        return {
            "appointment_id": facility_id,
            "doctor_id": facility_id,
            "starts_at": "2099-01-05T09:00:00Z",
            "ends_at": "2099-01-05T09:15:00Z",
        }

    def stop(self) -> None:
        """End it."""
        self.peer.stop()

    def _answer(self, connection: Connection) -> None:
        request = connection.request
        found = _PLAN.fullmatch(request.target)
        is_away = self.is_away or (self.away_from is not None and self.seen >= self.away_from)
        self.seen += 1
        if is_away or found is None:
            connection.answer(503, {"code": "unavailable"}, headers={"retry-after": "1"})
            return
        body = json.loads(request.body)
        errors = self._schema.errors(body)
        if errors:
            connection.answer(422, {"code": "invalid_request", "errors": [str(each) for each in errors]})
            return
        if body["change_id"] not in self._answers:
            self._answers[body["change_id"]] = self._decide((found[1], found[2]), body)
        connection.answer(*self._answers[body["change_id"]])

    def _decide(self, plan: tuple[str, str], body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        clashing = [self.clash(plan[0])] if plan[0] in self.refusing else []
        if self.versions.get(plan, 0) >= body["version"]:
            return 409, {"code": "plan_superseded", "facts": {"version": self.versions[plan]}}
        if clashing and body["clashes"] == "refuse":
            return 409, {"code": "plan_clashes", "facts": {"clashing": clashing, "more": False}}
        self.versions[plan], self.plans[plan] = body["version"], body
        self.applied.append(body)
        return 200, {"version": body["version"], "clashing": clashing, "more": False}
