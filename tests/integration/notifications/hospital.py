"""The rest of the hospital over real sockets: patients, doctors, facilities and appointments as a test wants them.

What it answers begins as the examples of the contracts, so that it has their form.
"""

from __future__ import annotations

import copy
import re
from pathlib import Path
from typing import Any

import orjson

from services.chassis import spec
from services.chassis.service import new_id
from tests.contract.contracts import examples
from tests.integration.chassis.peer import Connection, Peer

OPENAPI = Path(__file__).resolve().parents[3] / "openapi"
_ASKED = {
    "patients": {"get_patient_standing", "find_patient_contacts", "find_patient_standings"},
    "doctors": {"get_doctor", "get_appointment_type", "get_specialization"},
    "identity": {"get_facility", "get_location"},
    "appointments": {"get_appointment"},
}


class Hospital:
    """All other services at one address. away: operations that answer 503. asked: each operation with its token."""

    def __init__(self) -> None:
        self._operations = [
            (re.compile(re.sub(r"\\{[^}]*\\}", "([0-9a-f-]{36})", re.escape(each.path))), each)
            for name, wanted in _ASKED.items()
            for each in spec.load(OPENAPI, name).operations.values()
            if each.operation_id in wanted
        ]
        self.people: dict[str, dict[str, Any]] = {}
        self.known: dict[str, dict[str, Any]] = {}
        self.away: set[str] = set()
        self.asked: list[tuple[str, str | None]] = []
        self.targets: list[str] = []
        self.peer = Peer(self._answer)
        self.url = self.peer.url
        self.facility = self.add("get_facility", name="Northgate Hospital")
        self.location = self.add("get_location", name="Building A", facility_id=self.facility)
        self.type = self.add("get_appointment_type", name="Chemotherapy")
        self.account = str(new_id())
        names = {"title": "Dr.", "given_name": "Zoe", "family_name": "Example"}
        self.doctor = self.add("get_doctor", user_id=self.account, specialization_ids=[], **names)

    def example(self, operation_id: str) -> dict[str, Any]:
        """What the contract shows as an answer."""
        operation = next(each for _, each in self._operations if each.operation_id == operation_id)
        _, shown = next(examples(operation.success[1]["content"]["application/json"]))
        return copy.deepcopy(shown)

    def add(self, operation_id: str, **given: Any) -> str:
        """A thing that is there; its id."""
        id_ = str(new_id())
        self.known[id_] = {**self.example(operation_id), "id": id_, **given}
        return id_

    def patient(self, **given: Any) -> str:
        """A patient who can be reached by e-mail and SMS, written to in English."""
        id_ = str(new_id())
        made = {
            "id": id_, "language": "en", "contact_preference": None, "standing": "active",
            "phones": [{"e164": "+49305550101", "use": "mobile"}],
            "emails": [{"address": "ada@example.org", "use": "home"}],
        }  # fmt: skip
        self.people[id_] = {**self.example("find_patient_contacts")["items"][0], **made, **given}
        return id_

    def stop(self) -> None:
        """End it."""
        self.peer.stop()

    def _answer(self, connection: Connection) -> None:
        self.targets.append(connection.request.target)
        target = connection.request.target.partition("?")[0]
        if target == "/api/v1/tokens":
            token = {"access_token": "service@notifications", "token_type": "Bearer", "expires_in": 600}
            connection.answer(200, token)
            return
        found = ((pattern.fullmatch(target), each) for pattern, each in self._operations)
        match, operation = next(((match, each) for match, each in found if match), (None, None))
        if match is None or operation is None:
            connection.answer(404, {"status": 404})
            return
        self.asked.append((operation.operation_id, connection.request.headers.get("authorization")))
        if operation.operation_id in self.away:
            connection.answer(503, {"status": 503}, headers={"retry-after": "1"})
            return
        if operation.operation_id in {"find_patient_contacts", "find_patient_standings"}:
            asked = orjson.loads(connection.request.body)["patient_ids"]
            there = [self.people[each] for each in asked if each in self.people]
            connection.answer(200, {"items": there, "next_cursor": None})
            return
        known = {**self.known, **self.people}.get(match[match.lastindex or 1])
        connection.answer(404 if known is None else 200, {"status": 404} if known is None else known)
