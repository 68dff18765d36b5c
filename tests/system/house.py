"""A running house as its clients see it: the process that starts it, an HTTP client, and people who have signed in."""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import urllib3

from standalone import state
from tests.places import free_port
from tests.waiting import wait_for, within

ROOT = Path(__file__).resolve().parents[2]
COMES_UP_S, GOES_DOWN_S = 300, 150
NEARLY_OVER_S = 60
AT_GATEWAY = "1"  # seconds: when to come back, as the gateway's own limits say
COMES_BACK_S = 90.0
IDLE_S = 60.0  # less than the gateway keeps a connection on which nothing is asked
TAIL = 25


@dataclass(frozen=True)
class Reply:
    """What a client got."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def request_id(self) -> str:
        return self.headers["x-request-id"]

    @property
    def etag(self) -> str:
        return self.headers["etag"]

    @property
    def said(self) -> str:
        """For the message of a failed assertion."""
        return f"{self.status} {self.body[:600].decode(errors='replace')}"

    @property
    def broken(self) -> set[str]:
        """The places that an error names."""
        return {each.get("pointer", each.get("parameter", "")) for each in self.json.get("errors", [])}

    def expect(self, status: int) -> Reply:
        """The same answer, when it has this status."""
        assert self.status == status, f"wanted {status}, got {self.said}"
        if status >= 400:
            assert self.headers["content-type"].startswith("application/problem+json"), self.said
            assert (self.json["status"], self.json["request_id"]) == (status, self.request_id), self.said
        return self


class Client:
    """Speaks HTTP to one address; never tries again by itself, and leaves a connection before the gateway does."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(connect=5, read=20), maxsize=16)
        self._used_at = time.monotonic()

    def send(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        token: str | None = None,
        key: str | None = None,
        if_match: str | None = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request. `raw` is sent as it stands, `body` as JSON."""
        given = {"content-type": "application/json"} if body is not None or raw is not None else {}
        given |= {"authorization": f"Bearer {token}"} if token else {}
        given |= {"idempotency-key": key} if key else {}
        given |= {"if-match": if_match} if if_match else {}
        sent = raw if raw is not None else None if body is None else json.dumps(body).encode()
        if time.monotonic() - self._used_at > IDLE_S:
            self._pool.clear()
        self._used_at = time.monotonic()
        found = self._pool.request(method, self._url + path, body=sent, headers={**given, **(headers or {})})
        return Reply(found.status, {name.lower(): value for name, value in found.headers.items()}, found.data)

    def close(self) -> None:
        self._pool.clear()


@dataclass
class Person:
    """Somebody with an account, signed in."""

    client: Client
    id: str
    username: str
    roles: list[str]
    password: str
    tokens: dict[str, Any] = field(default_factory=dict)
    renews: bool = True
    _renewing: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def get(self, path: str, **more: Any) -> Reply:
        return self.client.send("GET", path, token=self.token, **more)

    def post(self, path: str, body: object = None, *, key: str | None = "new", **more: Any) -> Reply:
        """With a fresh Idempotency-Key, when none is given."""
        return self.client.send("POST", path, body, token=self.token, key=new_key() if key == "new" else key, **more)

    def send(self, method: str, path: str, body: object = None, **more: Any) -> Reply:
        return self.client.send(method, path, body, token=self.token, **more)

    @property
    def token(self) -> str:
        """That of the session; when its ten minutes are nearly over, that of another one."""
        with self._renewing:  # who has many hands signs in with one of them
            if self.renews and _ends_at(self.tokens["access_token"]) - time.time() < NEARLY_OVER_S:
                wait_for(self._came_in, within_s=20, what="a session of its own")
        return self.tokens["access_token"]

    def _came_in(self) -> bool:
        """Whether there is a new session; where too many sign in at once, or from here, one is told to come back."""
        got = sign_in(self.client, self.username, password=self.password)
        if got.status == 503 or (got.status, got.headers.get("retry-after")) == (429, AT_GATEWAY):
            return False
        self.tokens = got.expect(201).json
        return True

    def sign_in(self) -> Person:
        """A session of its own with the password that it has now."""
        self.tokens = sign_in(self.client, self.username, password=self.password).expect(201).json
        return self

    def change_password(self) -> Person:
        """From the one that it has to a new one."""
        fresh = new_password()
        body = {"current_password": self.password, "new_password": fresh}
        self.post("/api/v1/account/password", body, key=None).expect(204)
        self.password = fresh
        return self

    def works(self, *, within_s: float = 5.0) -> Person:
        """Once the roles hold everywhere: a password that was just changed opens the other services a moment later."""
        wait_for(
            lambda: self.get("/api/v1/facilities").status == 200, within_s=within_s, what=f"{self.username} may read"
        )
        return self


class RunningHouse:
    """One house in a folder of its own on free ports.

    scale: how many processes of which service; what is decided by one of two must hold for the other. collector: where
    traces go. watched: with Prometheus and Alertmanager. has_demo: with invented people and appointments. provider: the
    settings of an outside provider that people sign in by.
    """

    def __init__(
        self,
        home: Path,
        *,
        scale: str = "appointments=2",
        collector: str = "",
        watched: bool = False,
        has_demo: bool = False,
        provider: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        gateway, inbox = free_port(), free_port()
        self._environ = {
            **{
                name: value for name, value in os.environ.items() if not name.startswith(("INFIRMARY_", "SCALE", "TLS"))
            },
            "INFIRMARY_HOME": str(home),
            "INFIRMARY_DEMO": "1" if has_demo else "0",
            "SCALE": scale,
            "INFIRMARY_PORT": str(gateway),
            "INFIRMARY_PORT_INBOX": str(inbox),
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector,
            "OBSERVABILITY": "1" if watched else "0",
            "HASH_MEMORY_MIB": "19",  # the least that is allowed: many people sign in here
            **(provider or {}),
        }
        self.url, self.inbox_url = f"http://127.0.0.1:{gateway}", f"http://127.0.0.1:{inbox}"

    def up(self) -> None:
        """Start it.

        Raises:  AssertionError: with what it said and the last lines of the log of what failed.
        """
        done = self._run("up", COMES_UP_S)
        assert done.returncode == 0, (
            f"The house did not come up: {done.stderr.strip()}\n{self._last_words(done.stderr)}"
        )

    def down(self) -> None:
        """Stop it, whatever state it is in."""
        done = self._run("down", GOES_DOWN_S)
        assert done.returncode == 0, f"The house did not go down: {done.stderr.strip()}"

    def infirmary(self, service: str, *words: str, as_: str = "") -> subprocess.CompletedProcess[str]:
        """A command of a service, as its operator runs it: with its settings in this house, or those of `as_`."""
        folder = self.home / "environ" / (as_ or service)
        given = {f"{each.name}_FILE": str(each) for each in folder.iterdir()}
        command = [sys.executable, "-m", "services.chassis", service, *words]
        return subprocess.run(
            command, cwd=ROOT, env={**self._environ, **given}, capture_output=True, text=True, timeout=120, check=False
        )

    def _run(self, verb: str, timeout_s: float) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "standalone", verb]
        return subprocess.run(
            command, cwd=ROOT, env=self._environ, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def _last_words(self, said: str) -> str:
        """The tail of the log that the failure names, or of the supervisor's."""
        logs = sorted((self.home / "logs").glob("*.log"))
        named = [log for log in logs if str(log) in said] or [log for log in logs if log.stem == "supervisor"]
        return "\n".join(f"--- {log.name}\n{tail(log)}" for log in named)

    def port(self, name: str) -> int:
        return json.loads((self.home / "ports.json").read_text(encoding="utf-8"))[name]

    def ports(self) -> dict[str, int]:
        return json.loads((self.home / "ports.json").read_text(encoding="utf-8"))

    def secret(self, name: str) -> str:
        return (self.home / "secrets" / name).read_text(encoding="utf-8").strip()


def _ends_at(token: str) -> float:
    payload = token.split(".")[1]
    return float(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"])


@contextmanager
def standing() -> Iterator[RunningHouse]:
    """A house without demo data; it is stopped at the end, whatever happens, and its folder goes."""
    with tempfile.TemporaryDirectory(prefix="house-", ignore_cleanup_errors=True) as folder:
        running = RunningHouse(Path(folder) / "house")
        try:
            running.up()
            yield running
        finally:
            running.down()


def tail(log: Path) -> str:
    return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-TAIL:])


@contextmanager
def held_down(house: RunningHouse, *names: str) -> Iterator[None]:
    """`kill -9`, again as often as the supervisor starts them, so that none becomes ready before the block ends."""
    file, stop = house.home / "run" / "state.json", threading.Event()

    def kill() -> None:
        for process in state.read(file).processes:
            if process.name in names and process.lives:
                os.kill(process.pid, signal.SIGKILL)

    def keep_killing() -> None:
        while not stop.wait(0.05):
            kill()

    kill()
    killer = threading.Thread(target=keep_killing)
    killer.start()
    try:
        yield
    finally:
        stop.set()
        killer.join()
        if not within(COMES_BACK_S, lambda: state.read(file).is_healthy):
            unwell = [f"{each.name} {each.health}" for each in state.read(file).processes if each.health != state.READY]
            raise AssertionError(f"{', '.join(unwell)}\n{tail(house.home / 'logs' / 'supervisor.log')}")


def sign_in(client: Client, username: str, *, password: str) -> Reply:
    return client.send("POST", "/api/v1/sessions", {"username": username, "password": password})


def add_user(admin: Person, *roles: str) -> tuple[Reply, Person]:
    """An account that nobody has signed in with yet, and the answer that made it."""
    username = f"{roles[0].replace('_', '-')}.{secrets.token_hex(4)}"
    wanted = {"username": username, "display_name": "Mara Lindqvist", "roles": list(roles)}
    # Making accounts needs a live policy, which a house that has just started hears of within seconds: wait as told.
    until = time.monotonic() + 20
    while (made := admin.post("/api/v1/users", wanted)).status == 503 and time.monotonic() < until:
        time.sleep(int(made.headers["retry-after"]) / 5)
    made.expect(201)
    return made, Person(admin.client, made.json["id"], username, list(roles), made.json["one_time_password"])


def hire(admin: Person, *roles: str) -> Person:
    """Somebody with these roles who has signed in and changed the password."""
    _, person = add_user(admin, *roles)
    return person.sign_in().change_password().works()


def new_patient(**more: object) -> dict[str, object]:
    """What is needed to register somebody whose name nobody else has."""
    return {
        "family_name": word(),
        "given_name": word(),
        "administrative_gender": "female",
        "birth_date": "1984-11-05",
        **more,
    }


def new_allergy(substance: str) -> dict[str, object]:
    return {
        "substance": {"display": substance},
        "category": "medication",
        "criticality": "high",
        "certainty": "confirmed",
    }


def word() -> str:
    """A word of twelve letters that stands nowhere else."""
    return "".join(secrets.choice("bdfgklmnprstvz") + secrets.choice("aeiou") for _ in range(6)).capitalize()


def new_key() -> str:
    return str(uuid.uuid4())


def new_password() -> str:
    return f"{word()} {word()} {word()}"
