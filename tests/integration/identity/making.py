"""Things that the tests of identity make: settings, accounts, sign-ins with real tokens, and a look into the store."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import psycopg
from joserfc.jwk import RSAKey
from psycopg.rows import dict_row

from services.chassis import spec, sql
from services.chassis.auth import TokenCheck
from services.chassis.keys import KeysInForce
from services.chassis.policy import Policy
from services.chassis.policy_stream import PolicyState
from services.chassis.service import Service, new_id
from services.chassis.testing import Got, House

ADMIN_FIRST = "one-time-for-tests-9f2c71"
ADMIN = "quiet lanterns over slow canals 7"
PASSWORD = "seven tall herons under a tin roof"
SECRETS = {
    "history": "h" * 10 + "0123456789abcdefghijklmnopqrstuv",
    "patients": "p" * 10 + "0123456789abcdefghijklmnopqrstuv",
    "identity": "i" * 10 + "0123456789abcdefghijklmnopqrstuv",
}
MASTER_KEY = "q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQq83vEjRWeJA="
_numbers = itertools.count(1)


def environ(postgres_url: str, redis_url: str, **more: str) -> dict[str, str]:
    """The settings of the service under test."""
    return {
        "DATABASE_URL": postgres_url,
        "BUS_URL": redis_url,
        "IDENTITY_URL": "http://127.0.0.1:9",
        "PATIENTS_URL": "http://127.0.0.1:9",
        "SERVICE_SECRET": "not used here",
        "MASTER_KEY": MASTER_KEY,
        "SUPER_ADMIN_PASSWORD": ADMIN_FIRST,
        "SERVICE_ACCOUNTS": str(SECRETS).replace("'", '"'),
        "HASH_MEMORY_MIB": "19",  # the least that is allowed: many accounts are made here
        "SOURCE_FREE_FAILURES": "10000",
        **more,
    }


class OwnKeys:
    """The keys that the service publishes, asked of it at each new key: what a follower does over the network."""

    def __init__(self) -> None:
        self.ask: Callable[[], list[Mapping[str, Any]]] = list
        self._known: dict[str, RSAKey] = {}

    def key(self, kid: str) -> RSAKey | None:
        """The key of this id."""
        if kid not in self._known:
            self._known.update(
                {k["kid"]: RSAKey.import_key(dict(k)) for k in self.ask() if k["kid"] not in self._known}
            )
        return self._known.get(kid)


class Followed:
    """The policy as a process follows it, without its thread: every question reads the stream up to its end first."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    def actor(self, claims: Mapping[str, Any]) -> Any:
        """The account that these claims name, by the policy of this moment."""
        self._policy._rebuild()
        return self._policy.actor(claims)

    def is_withdrawn(self, kid: str) -> bool:
        """Whether a signing key is withdrawn, by the policy of this moment."""
        self._policy._rebuild()
        return self._policy.is_withdrawn(kid)


class RealHouse(House):
    """identity with tokens and policy as they are in a process."""

    def __init__(self, service: Service, policy: Policy) -> None:
        keys, self._admin, followed = OwnKeys(), "", Followed(policy)
        self.service_policy = policy
        super().__init__(service, tokens=TokenCheck(keys=KeysInForce(keys, withdrawals=followed), policy=followed))
        desk, self.tokens = service.controller._desk, TokenCheck(keys=keys, policy=followed)
        keys.ask = lambda: list(desk.mint.published(at=datetime.now(UTC)))

    def with_token(self, operation: str, token: str, **more: Any) -> Got:
        """Call an operation with a token."""
        return self.call(operation, role=None, headers={"authorization": f"Bearer {token}"}, **more)

    def sign_in(self, username: str, password: str, *, device: str | None = None, **more: Any) -> Got:
        """Sign in."""
        known = {} if device is None else {"device_token": device}
        return self.call("sign_in", role=None, body={"username": username, "password": password, **known}, **more)

    def admin(self) -> str:
        """An access token of the super admin; the first call changes the first password."""
        if self._admin and self.with_token("get_own_account", self._admin).status == 200:
            return self._admin
        got = self.sign_in("admin", ADMIN)
        if got.status == 401:
            first = self.sign_in("admin", ADMIN_FIRST)
            assert first.status == 201, first.raw
            change = {"current_password": ADMIN_FIRST, "new_password": ADMIN}
            changed = self.with_token("change_own_password", first.body["access_token"], body=change)
            assert changed.status == 204, changed.raw
            got = self.sign_in("admin", ADMIN)
        assert got.status == 201, got.raw
        self._admin = str(got.body["access_token"])
        return self._admin

    def user(self, *roles: str, by: str | None = None) -> dict[str, Any]:
        """A new account with a one-time password."""
        body = {
            "username": f"user{next(_numbers)}.{time.time_ns()}",
            "display_name": "Ada Example",
            "roles": list(roles),
        }
        made = self.with_token("create_user", by or self.admin(), body=body)
        assert made.status == 201, made.raw
        return dict(made.body)

    def signed_in(self, *roles: str, by: str | None = None) -> tuple[dict[str, Any], dict[str, Any]]:
        """A new account that has chosen its password, and the tokens of its sign-in."""
        user = self.user(*roles, by=by)
        first = self.sign_in(user["username"], user["one_time_password"])
        change = {"current_password": user["one_time_password"], "new_password": PASSWORD}
        changed = self.with_token("change_own_password", first.body["access_token"], body=change)
        assert changed.status == 204, changed.raw
        return user, dict(self.sign_in(user["username"], PASSWORD).body)

    def me(self, token: str) -> Any:
        """Who acts with a token, as every service sees it."""
        return self.tokens.actor(token)[0]

    def refresh(self, token: str) -> Got:
        """Exchange a refresh token."""
        return self.call("refresh_session", role=None, body={"refresh_token": token})


def rows(house: House, query: str, *values: Any) -> list[dict[str, Any]]:
    """What a query finds in the store."""
    url = house.service.settings.database_url.get_secret_value()
    with psycopg.connect(url, row_factory=dict_row, autocommit=True) as admin:
        found = admin.execute(query.encode(), values)
        return found.fetchall() if found.description else []


def entries(house: House, operation: str) -> list[dict[str, Any]]:
    """The audit entries of an operation that wait in the outbox, oldest first."""
    query = "SELECT event::jsonb -> 'data' AS entry FROM outbox WHERE type = 'audit.recorded.v1' ORDER BY id"
    found = [row["entry"] for row in rows(house, query)]
    return [entry for entry in found if entry["operation"] == operation]


def now() -> datetime:
    """This moment."""
    return datetime.now(UTC)


def database(url: str) -> sql.Database:
    """The store, for what a job does with it."""
    return sql.Database(sql.engine(url, name="test", pool=2), service="identity", clock=now, new_id=new_id)


def permissions(service: Service) -> dict[str, Any]:
    """The published list of permissions and roles."""
    return spec.permissions(service.settings.openapi_dir)


def state(policy: Policy) -> PolicyState:
    """What a process knows of the policy."""
    return policy._state
