"""Ids that an account has no business with: where an operation takes an id, and which ones somebody would try there."""

from __future__ import annotations

import copy
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from services.chassis.spec import Operation
from tests.contract.contracts import CONTRACTS, schema_of
from tests.contract.journey import MADE_BY, Journey
from tests.contract.requests import NOBODY_HERE, body_examples, properties

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
# Names under which an id stands, where they are not those of what it names.
_NAMED = {
    "facilities": "facility_id",
    "departments": "department_id",
    "appointment_type_id": "type_id",
    "to": "user_id",
}
# What takes a thing out of the world, by what names the thing.
GONE_BY = {
    "patient_id": "deactivate_patient",
    "allergy_id": "mark_allergy_entered_in_error",
    "problem_id": "mark_problem_entered_in_error",
    "user_id": "disable_user",
    "session_id": "end_own_session",
    "key_id": "revoke_service_key",
    "link_id": "end_record_link",
    "specialization_id": "delete_specialization",
    "doctor_id": "deactivate_doctor",
    "doctor_session_id": "end_doctor_session",
    "leave_id": "remove_leave",
    "closure_id": "remove_closure",
    "appointment_id": "cancel_appointment",
    "hold_id": "release_hold",
    "subscription_id": "remove_own_push_subscription",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where an operation takes an id: `path`, `query` or `body`, and there the way to it."""

    where: str
    way: tuple[str | int, ...]

    @property
    def kind(self) -> str:
        """What the id names, as `Journey.need` knows it."""
        name = str(next(part for part in reversed(self.way) if isinstance(part, str)))
        name = name[:-1] if name.endswith("_ids") else name
        return _NAMED.get(name, name)

    def put(self, sent: Mapping[str, Any], value: str) -> dict[str, Any]:
        """A request with another id here."""
        changed = copy.deepcopy(dict(sent))
        node = changed if self.where == "path" else changed.setdefault(self.where, {})
        for part in self.way[:-1]:
            node = node[part]
        last = self.way[-1]
        is_list = self.where == "body" and isinstance(last, str) and last.endswith("_ids")
        node[last] = [value] if is_list else value
        return changed


def places(operation: Operation) -> list[Place]:
    """Every place in which an operation takes the id of a thing."""
    contract, found = CONTRACTS[operation.service], []
    for each in operation.parameters:
        schema = contract.resolve(each["schema"])
        schema = contract.resolve(schema["items"]) if schema.get("type") == "array" else schema
        if each["in"] in {"path", "query"} and schema.get("format") == "uuid":
            found.append(Place(each["in"], (each["name"],)))
    return [*found, *_in_body(operation)]


def _in_body(operation: Operation) -> list[Place]:
    contract, schema = CONTRACTS[operation.service], schema_of(operation)
    if schema is None:
        return []
    example = next(iter(body_examples(operation).values()))
    ways = list(_ids_in(example, ()))
    for name, node in properties(contract.resolve(schema), operation).items():
        item = contract.resolve(node["items"]) if node.get("type") == "array" else node
        if item.get("format") == "uuid" and not any(way[0] == name for way in ways):
            ways.append((name,))
    return [Place("body", way) for way in ways]


def _ids_in(node: Any, way: tuple[str | int, ...]) -> Iterator[tuple[str | int, ...]]:
    members = node.items() if isinstance(node, Mapping) else enumerate(node) if isinstance(node, list) else ()
    for name, value in members:
        if isinstance(value, str) and _UUID.fullmatch(value):
            yield (*way, name)
        else:
            yield from _ids_in(value, (*way, name))


class World:
    """Things of somebody else, made when they are asked for, or made and taken out of the world again.

    begin: starts a journey. Each kind of thing has its own, so that what is done to one does nothing to another.
    """

    def __init__(self, begin: Callable[[], Journey], *, gone: bool = False) -> None:
        self._begin, self._gone = begin, gone
        self._things: dict[str, tuple[str | None, Journey]] = {}

    def id(self, kind: str) -> str | None:
        """The id of such a thing; None where it cannot be taken away."""
        return self._thing(kind)[0]

    def patient(self, kind: str) -> str | None:
        """Whose thing that is, where it is a patient's."""
        return self._thing(kind)[1].made.get("patient_id")

    def _thing(self, kind: str) -> tuple[str | None, Journey]:
        if kind not in self._things:
            journey = self._begin()
            self._things[kind] = _taken_away(journey, kind) if self._gone else _made(journey, kind), journey
        return self._things[kind]


def _made(journey: Journey, kind: str) -> str:
    if kind == "scope_id":
        return journey.need("location_id")
    if kind in {"doctor_id", "plan_id"}:
        journey.perform("add_doctor_session")  # one who works nowhere yet is anybody's
    if kind == "subscription_id":
        return str(journey.perform("add_own_push_subscription").body["id"])
    return journey.need(kind)


def _taken_away(journey: Journey, kind: str) -> str | None:
    if kind not in GONE_BY:
        return None
    if kind == "doctor_id":
        _made(journey, kind)
    got = journey.perform(GONE_BY[kind])
    assert got.status < 300, (kind, got.body)
    return str(journey.sent[kind])


def guessed(place: Place, sent: Mapping[str, Any]) -> dict[str, str]:
    """Ids that somebody would try who knows those of the own things, by what they are.

    sent: a right request, whose ids have neighbours.
    """
    own = UUID(_own(place, sent))
    return {
        "the next one": str(UUID(int=own.int + 1)),
        "the one before": str(UUID(int=own.int - 1)),
        "of another kind": _of_another_kind(place, sent),
        "of all zeros": str(UUID(int=0)),
        "of all ones": str(UUID(int=(1 << 128) - 1)),
        "of nothing that ever was": str(UUID(bytes=secrets.token_bytes(16), version=4)),
    }


def _own(place: Place, sent: Mapping[str, Any]) -> str:
    """The id that stands in a place, or a made-up one where the request has none there."""
    node: Any = sent if place.where == "path" else sent.get(place.where) or {}
    for part in place.way:
        node = node.get(part) if isinstance(node, Mapping) else node[part]
        if node is None:
            return NOBODY_HERE[:-1] + "0"
    return str(node[0] if isinstance(node, list) else node)


def _of_another_kind(place: Place, sent: Mapping[str, Any]) -> str:
    """An id that names a thing of the same request, which is another kind of thing."""
    for name, value in sent.items():
        if name in MADE_BY and name not in {place.kind, "facility_id"}:  # a closure may be one of the facility
            return str(value)
    return "00000000-0000-7000-8000-000000000001"  # the first account
