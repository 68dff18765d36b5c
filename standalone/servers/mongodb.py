"""MongoDB: one mongod as a replica set of one, so that transactions work; one user per service."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pymongo
from pymongo.errors import OperationFailure, PyMongoError

from standalone.servers.finding import Program
from standalone.servers.ports import HOST
from standalone.servers.process import NotReady, bare_environ

REPLICA_SET = "rs0"
ADMIN = "admin"

NOT_YET_INITIALIZED, UNAUTHORIZED, AUTHENTICATION_FAILED, USER_NOT_FOUND = 94, 13, 18, 11
PRIMARY = 1
# A transaction whose client was killed holds its documents until then; the server's own limit is a minute.
TRANSACTION_S = 5


class MongoDB:
    """One mongod in a folder of its own; with a password it demands sign-in, without one it is open (tests)."""

    name = "mongodb"
    stop_signal = signal.SIGTERM

    def __init__(
        self,
        program: Program,
        *,
        home: Path,
        port: int,
        password: str | None = None,
        key: str | None = None,
        cache_gb: float = 0.25,
    ) -> None:
        """`key` is what members of the set show each other; with a password it is needed even for a set of one."""
        self.program = program
        self.home = home.resolve()
        self.port = port
        self._password = password
        self._key = key
        self._cache_gb = cache_gb

    def prepare(self) -> None:
        """Make the data folder and the key file. A lock left by a killed mongod does no harm: it checks it itself."""
        (self.home / "data").mkdir(parents=True, exist_ok=True)
        if self._key is not None:
            path = self.home / "key"
            path.touch(mode=0o600)
            path.chmod(0o600)
            path.write_text(self._key, encoding="ascii")

    def command(self) -> Sequence[str]:
        """Run in the foreground."""
        where = ["--dbpath", str(self.home / "data"), "--bind_ip", HOST, "--port", str(self.port), "--nounixsocket"]
        size = ["--wiredTigerCacheSizeGB", str(self._cache_gb), "--oplogSize", "256"]
        quiet = ["--quiet", "--setParameter", "diagnosticDataCollectionEnabled=false", "--slowms", "1000000"]
        soon = ["--setParameter", f"transactionLifetimeLimitSeconds={TRANSACTION_S}"]
        guard = ["--auth", "--keyFile", str(self.home / "key")] if self._key is not None else []
        return [str(self.program.path), *where, "--replSet", REPLICA_SET, *size, *quiet, *soon, *guard]

    def environ(self) -> Mapping[str, str]:
        """Nothing but where programs and libraries are."""
        return bare_environ()

    def url(self, *, database: str = "", user: str | None = None, password: str | None = None) -> str:
        """Where a client finds a database of this server, as one of its users or as its administrator."""
        name, secret, source = (user, password, database) if user else (ADMIN, self._password, "admin")
        who = f"{quote(name or '', safe='')}:{quote(secret, safe='')}@" if secret else ""
        proof = f"&authSource={source}" if secret else ""
        return f"mongodb://{who}{HOST}:{self.port}/{database}?replicaSet={REPLICA_SET}{proof}"

    def is_ready(self) -> bool:
        """Whether it answers; it may still wait to be made a replica set, which `settle` does."""
        try:
            with self._direct(signed_in=False) as client:
                client.admin.command("ping")
                return True
        except PyMongoError:
            return False

    def settle(self) -> None:
        """Make the replica set and the administrator once, follow a changed port, and wait until writes are taken."""
        with self._direct(signed_in=False) as client:
            fresh = self._initiate(client)
            if fresh:
                _wait_primary(client)
            if fresh and self._password:
                _make_administrator(client, self._password)
        with self._direct(signed_in=True) as client:
            self._follow_port(client)
            _wait_primary(client)

    def _direct(self, *, signed_in: bool) -> pymongo.MongoClient[dict[str, Any]]:
        secret = self._password if signed_in else None
        return direct(self.port, user=ADMIN if secret else None, password=secret)

    def _initiate(self, client: pymongo.MongoClient[dict[str, Any]]) -> bool:
        """Whether the set, or its administrator, had yet to be made (before that, this machine may do all)."""
        config = {"_id": REPLICA_SET, "members": [{"_id": 0, "host": f"{HOST}:{self.port}"}]}
        try:
            client.admin.command("replSetInitiate", config)
        except OperationFailure as error:
            if error.code in (UNAUTHORIZED, AUTHENTICATION_FAILED):
                return False
            already = error.code == 23
            if not already:
                raise
            return self._password is not None  # made, but cut off before the administrator was
        return True

    def _follow_port(self, client: pymongo.MongoClient[dict[str, Any]]) -> None:
        """A set of one that moved to another port has no primary until it is told."""
        config = client.admin.command("replSetGetConfig")["config"]
        here = f"{HOST}:{self.port}"
        if config["members"][0]["host"] != here:
            config["members"][0]["host"] = here
            config["version"] += 1
            client.admin.command("replSetReconfig", config, force=True)


def direct(port: int, *, user: str | None = None, password: str | None = None) -> pymongo.MongoClient[dict[str, Any]]:
    """A client of this one server, whatever the state of its set."""
    return pymongo.MongoClient(
        HOST, port, directConnection=True, username=user, password=password,
        serverSelectionTimeoutMS=2000, connectTimeoutMS=1000, socketTimeoutMS=10000,
    )  # fmt: skip


def answers(url: str) -> bool:
    """Whether the set at this address has a primary that answers."""
    try:
        with pymongo.MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=2000, connectTimeoutMS=1000) as client:
            return client.admin.command("hello").get("isWritablePrimary") is True
    except PyMongoError:
        return False


def ensure_user(url: str, *, name: str, password: str) -> None:
    """A user that may read, write and migrate the database of its own name; of the server it sees figures only.

    It may be called as often as you like.
    """
    own = [{"role": "readWrite", "db": name}, {"role": "dbAdmin", "db": name}]
    roles = [*own, {"role": "clusterMonitor", "db": ADMIN}]
    with pymongo.MongoClient[dict[str, Any]](url, serverSelectionTimeoutMS=5000) as client:
        try:
            client[name].command("updateUser", name, pwd=password, roles=roles)
        except OperationFailure as error:
            if error.code != USER_NOT_FOUND:
                raise
            client[name].command("createUser", name, pwd=password, roles=roles)


def _wait_primary(client: pymongo.MongoClient[dict[str, Any]], *, timeout_s: float = 30.0) -> None:
    deadline = time.monotonic() + timeout_s
    while not client.admin.command("hello").get("isWritablePrimary"):
        if time.monotonic() > deadline:
            raise NotReady(f"mongodb: the replica set had no primary within {timeout_s:.0f} s")
        time.sleep(0.05)


def _make_administrator(client: pymongo.MongoClient[dict[str, Any]], password: str) -> None:
    try:
        client.admin.command("createUser", ADMIN, pwd=password, roles=[{"role": "root", "db": "admin"}])
    except OperationFailure as error:
        if error.code not in (UNAUTHORIZED, AUTHENTICATION_FAILED, 51003):  # 51003: it exists
            raise
