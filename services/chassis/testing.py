"""What tests need to call a service as a client does: its real application in this process, and tokens that count.

Nothing here stands in for a store. Only the two followers (keys, policy) are replaced, by the roles of
`openapi/permissions.yaml`.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import uuid4

import orjson
from starlette.testclient import TestClient

from services.chassis import logs, reach, spec
from services.chassis.gate import Tokens
from services.chassis.policy import assigned_only, roles_by_link, system_roles
from services.chassis.service import Service
from services.chassis.web import Web
from services.kernel.access import Actor
from services.kernel.errors import NotSignedIn


class RoleTokens:
    """Tokens of the form `role@subject` that count here and nowhere else; several roles are joined by `+`.

    areas, links: how far an account reaches, by its subject, in the form of tokens; everywhere, and no record, where
    nothing is said.
    """

    def __init__(self, permissions: Mapping[str, Any]) -> None:
        self._roles, self._by_link = system_roles(permissions), roles_by_link(permissions)
        self._assigned = assigned_only(permissions)
        self.areas: dict[str, Mapping[str, Any]] = {}
        self.links: dict[str, Sequence[Any]] = {}

    def actor(self, token: str) -> tuple[Actor, Mapping[str, Any]]:
        """The account that a token names.

        Raises:  NotSignedIn: it is not of the form, or names an unknown role.
        """
        named, _, subject = token.partition("@")
        roles = named.split("+")
        if not subject or not self._roles.keys() >= set(roles):
            raise NotSignedIn
        allowed = {role: self._roles[role] for role in roles}
        areas, links, by_link = self.areas.get(subject, {}), self.links.get(subject, ()), self._by_link
        actor = Actor(
            subject=subject,
            session="test",
            roles=frozenset(roles),
            permissions=frozenset().union(*allowed.values()),
            scope=reach.scope(roles, areas=areas, links=links, by_link=by_link, now=time.time()),
            grants=reach.grants(allowed, areas=areas, by_link=by_link, assigned=self._assigned),
        )
        return actor, {"sub": subject, "sid": "test", "roles": roles}


@dataclass(slots=True)
class SwitchedPolicy:
    """A policy that is live or not, as the test says."""

    is_live: bool = True


@dataclass(frozen=True, slots=True)
class Got:
    """An answer."""

    status: int
    headers: Mapping[str, str]
    body: Any
    raw: bytes


class House:
    """One service under test, called through its whole web application."""

    def __init__(self, service: Service, *, tokens: Tokens | None = None) -> None:
        logs.set_up(service.name)
        self.service, self.policy = service, SwitchedPolicy()
        permissions = spec.permissions(service.settings.openapi_dir)
        self.contract = spec.load(service.settings.openapi_dir, service.name)
        self.roles = tokens if isinstance(tokens, RoleTokens) else RoleTokens(permissions)
        self.web = Web(service, tokens=tokens or self.roles, policy=self.policy)
        self._client = TestClient(cast("Any", self.web.app), raise_server_exceptions=False)

    def close(self) -> None:
        """Give back what the application holds."""
        self._client.close()
        self.web.bridge.close()
        for close in self.service.close:
            close()

    def call(
        self,
        operation_id: str,
        *,
        role: str | None = "super_admin",
        subject: str = "00000000-0000-7000-8000-000000000001",
        body: object = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        version: int | None = None,
        key: str | None = None,
        raw: bytes | None = None,
        **path: object,
    ) -> Got:
        """Call an operation by its id; a keyed one gets a new Idempotency-Key unless one is given."""
        operation = self.contract.operations[operation_id]
        sent = {"x-request-id": f"test-{time.monotonic_ns()}", **(headers or {})}
        if role is not None:
            sent.setdefault("authorization", f"Bearer {role}@{subject}")
        if operation.takes_key and "idempotency-key" not in {name.lower() for name in sent}:
            sent["idempotency-key"] = key or str(uuid4())
        if version is not None:
            sent["if-match"] = f'"{version}"'
        content = raw if raw is not None else (None if body is None else orjson.dumps(body))
        if content is not None:
            sent.setdefault("content-type", "application/json")
        return self.send(operation.method, operation.path.format(**path), query=query, headers=sent, content=content)

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Got:
        """Send a request as it is."""
        answer = self._client.request(method, path, params=query, headers=dict(headers or {}), content=content)
        media = answer.headers.get("content-type", "").partition(";")[0]
        is_json = media == "application/json" or media.endswith("+json")
        body = orjson.loads(answer.content) if is_json and answer.content else None
        return Got(answer.status_code, answer.headers, body, answer.content)
