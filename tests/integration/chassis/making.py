"""Small things that the tests of the chassis make: ids, times, calls, stores with one table of things."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey
from joserfc.util import int_to_base64

from services.chassis import mongo, sql
from services.chassis.call import Call, Delivery, IdempotencyKey
from services.kernel.access import Actor
from services.kernel.events import Event
from services.kernel.identifiers import uuid7

HERE = Path(__file__).parent
MIGRATIONS, SCRIPTS = HERE / "migrations", HERE / "scripts"


def now() -> datetime:
    """The time."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A new id."""
    return uuid7(now(), os.urandom(10))


def make_call(
    *, key: str | None = None, body: str = "", principal: str = "ann", delivery: Delivery | None = None
) -> Call:
    """A call of an operation; with `key` and `body` as a client sends them, or for an event that was delivered."""
    keyed = None if key is None else IdempotencyKey(principal=principal, key=key, fingerprint=body.encode())
    return Call(
        id=new_id(),
        operation="add_thing",
        action="create",
        actor=Actor(subject=principal, session="s1", roles=frozenset({"nurse", "admin"})),
        at=now(),
        request_id="r1",
        key=keyed,
        delivery=delivery,
    )


def thing_added(name: str, *, version: int = 1) -> Event:
    """What happened when a thing was added."""
    return Event(type="things.added.v1", subject=name, version=version, data={"id": name})


def sql_store(url: str, *, pool: int = 16) -> sql.Database:
    """A migrated database of things."""
    sql.migrate(url, MIGRATIONS)
    return sql.Database(sql.engine(url, name="things", pool=pool), service="things", clock=now, new_id=new_id)


def mongo_store(server: str, database: str) -> mongo.Documents:
    """A migrated Mongo database of things."""
    store = mongo.Documents(mongo.client(server), database, service="things", clock=now, new_id=new_id)
    mongo.migrate(store.database, SCRIPTS)
    return store


def killed(program: str, *words: str, store: sql.Database | mongo.Documents, server: str) -> None:
    """Run a program beside this file on a store, until it has killed itself. `server`: where MongoDB is."""
    if isinstance(store, sql.Database):
        given = ["sql", *words, store.engine.url.render_as_string(hide_password=False)]
    else:
        given = ["mongo", *words, server, store.database.name]
    command = [sys.executable, "-m", f"tests.integration.chassis.{program}", *given]
    died = subprocess.run(command, cwd=HERE.parents[2], timeout=60, check=False)
    assert died.returncode == -signal.SIGKILL


def insert_thing(unit: sql.Unit | mongo.Unit, name: str) -> None:
    """Put one thing into whichever store the unit is of."""
    if isinstance(unit, sql.Unit):
        unit.connection.execute(sa.text("INSERT INTO things (name) VALUES (:name)"), {"name": name})
    else:
        unit.collection("things").insert_one({"_id": name}, session=unit.session)


def things(store: sql.Database | mongo.Documents) -> set[str]:
    """The names of all things that are committed."""
    if isinstance(store, sql.Database):
        with store.read() as connection:
            return set(connection.execute(sa.text("SELECT name FROM things")).scalars())
    with store.read() as database:
        return {row["_id"] for row in database["things"].find()}


def outbox_rows(store: sql.Database | mongo.Documents) -> list[tuple[str, str]]:
    """Stream and type of everything in the outbox, in its order."""
    if isinstance(store, sql.Database):
        with store.read() as connection:
            rows = connection.execute(sa.text("SELECT stream, type FROM outbox ORDER BY position")).all()
            return [(row.stream, row.type) for row in rows]
    with store.read() as database:
        found = database["outbox"].find().sort([("recorded_at", 1), ("number", 1)])
        return [(row["stream"], row["type"]) for row in found]


def empty(store: sql.Database | mongo.Documents) -> None:
    """Forget everything, for the next test."""
    if isinstance(store, sql.Database):
        with store.engine.begin() as connection:
            connection.execute(sa.text("TRUNCATE things, outbox, inbox, idempotency"))
    else:
        for name in ("things", "outbox", "inbox", "idempotency"):
            store.database[name].delete_many({})


def jwk(kid: str, *, bits: int = 2048, **other: Any) -> dict[str, Any]:
    """The public half of a new key, as a JWKS holds it."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=bits).public_key().public_numbers()
    key = {"kty": "RSA", "n": int_to_base64(made.n), "e": int_to_base64(made.e)}
    return {**key, "kid": kid, "use": "sig", "alg": "RS256", **other}


def signing_key(kid: str = "k1") -> RSAKey:
    """A key that signs tokens as identity does."""
    return RSAKey.generate_key(2048, {"kid": kid, "alg": "RS256", "use": "sig"})


def jwk_of(key: RSAKey) -> dict[str, Any]:
    """Its public half, as a JWKS holds it."""
    return dict(key.as_dict(private=False))


def token_of(key: RSAKey, *, roles: Sequence[str], life_s: int = 300, ahead_s: int = 0) -> str:
    """An access token as identity signs it, by a clock that may be ahead."""
    at = int(time.time()) + ahead_s
    claims = {"iss": "infirmary", "aud": "infirmary", "sub": str(new_id()), "sid": str(new_id()), "roles": [*roles]}
    claims |= {"iat": at, "nbf": at, "exp": at + life_s, "jti": str(new_id())}
    header = {"alg": "RS256", "kid": key.kid, "typ": "at+jwt"}
    return jwt.encode(header, claims, key, algorithms=["RS256"])
