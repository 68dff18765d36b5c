"""What roles allow at this moment, and which sessions and accounts are ended: followed in the background.

The roles of the system are fixed and stand in `openapi/permissions.yaml`. All else comes from the bus: a snapshot at
the start, and then each change within milliseconds. When the bus is away the last known state goes on, and after 30
seconds without a heartbeat `is_live` says so, and what is dangerous is refused.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
import redis
from prometheus_client import Counter, Gauge

from services.chassis import reach
from services.chassis.policy_stream import SNAPSHOT, STREAM, PolicyState, bus_time_ms, state_from_json
from services.kernel.access import Actor
from services.kernel.errors import NotSignedIn

LIVE_S: Final = 30.0
_QUIET_S: Final = 5.0
_REBUILD_S: Final = 60.0
_OLDEST_SNAPSHOT_S: Final = 1800.0
_PAUSES_S = (0.1, 0.2, 0.4, 0.8, 1.0)
_BATCH: Final = 500
_BLOCK_MS: Final = 500

AGE = Gauge("infirmary_policy_heartbeat_age_seconds", "Time since the policy's last heartbeat; infinite before it.")
ENTRIES = Counter("infirmary_policy_entries_total", "Entries of the policy stream, by kind.", ["kind"])
RELOADS = Counter("infirmary_policy_reloads_total", "Times the policy was read anew from its snapshot.", ["result"])
_KINDS = frozenset({"subject", "session", "role", "key", "heartbeat"})
# What is left of an account whose roles want a second factor that was not shown: the way to one.
_WITHOUT_FACTOR: Final = "first_sign_in"
# Methods of signing in (RFC 8176) that are a second factor, and the one of programs, which have none.
SECOND_FACTORS: Final = frozenset({"otp", "mfa", "hwk"})
PROGRAM: Final = "svc"
_BAD = (KeyError, TypeError, ValueError, AttributeError)


class Policy:
    """The policy of now.

    bus: a client of its own for the bus (this one waits; give it a timeout of 2 s or more).
    permissions: what `openapi/permissions.yaml` says. monotonic: for ages; clock: seconds since 1970, for `until`.
    """

    def __init__(
        self,
        bus: redis.Redis,
        *,
        permissions: Mapping[str, Any],
        monotonic: Callable[[], float] = time.monotonic,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._bus, self._monotonic, self._clock = bus, monotonic, clock
        self._system = system_roles(permissions)
        self._known = frozenset(permissions["permissions"])
        self._by_link, self._assigned = roles_by_link(permissions), assigned_only(permissions)
        self._keys_changed: Callable[[], None] = lambda: None
        self._state = PolicyState()
        self._position = "0-0"
        self._beat_at = float("-inf")
        self._complete = False
        self._heard_at = self._rebuilt_at = float("-inf")
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to follow."""
        AGE.set_function(self.heartbeat_age_s)
        self._thread = threading.Thread(target=self._follow, name="policy", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End to follow; the state stays as it is."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(3)
        with contextlib.suppress(redis.RedisError, OSError):
            self._bus.close()

    @property
    def is_live(self) -> bool:
        """Whether every change that was made more than half a minute ago is surely known here."""
        return self._complete and self.heartbeat_age_s() < LIVE_S

    def heartbeat_age_s(self) -> float:
        """Seconds since the last heartbeat was sent; infinite before the first."""
        return self._monotonic() - self._beat_at

    def actor(self, claims: Mapping[str, Any]) -> Actor:
        """The account that checked claims name, with what its roles allow now.

        Raises:  NotSignedIn: its session was ended, or the account is disabled.
        """
        state = self._state
        subject, session, roles = claims["sub"], claims["sid"], claims["roles"]
        areas, links = claims.get("areas", {}), claims.get("links", ())
        if session in state.sessions:
            raise NotSignedIn
        known = state.subjects.get(subject)
        if known is not None:
            if not known.active:
                raise NotSignedIn
            roles, areas, links = known.roles, known.areas, known.links
        methods = set(claims.get("amr", ()))
        shown = bool(methods & SECOND_FACTORS)
        wanted = PROGRAM not in methods and any(r in state.roles and state.roles[r].second_factor for r in roles)
        if wanted and not shown:
            roles = (_WITHOUT_FACTOR,)
        allowed = {role: self._allowed(role, state) for role in roles}
        now, by_link = self._clock(), self._by_link
        return Actor(
            subject=subject,
            session=session,
            roles=frozenset(roles),
            permissions=frozenset().union(*allowed.values()),
            scope=reach.scope(roles, areas=areas, links=links, by_link=by_link, now=now),
            grants=reach.grants(allowed, areas=areas, by_link=by_link, assigned=self._assigned),
            needs_second_factor=wanted,
            second_factor_at=claims.get("auth_time") if shown else None,
        )

    def is_withdrawn(self, kid: str) -> bool:
        """Whether a signing key is withdrawn."""
        return kid in self._state.keys

    def when_keys_change(self, told: Callable[[], None]) -> None:
        """Call this when a key is withdrawn: there is another one now."""
        self._keys_changed = told

    def _allowed(self, role: str, state: PolicyState) -> frozenset[str]:
        system = self._system.get(role)
        if system is not None:
            return system
        own = state.roles.get(role)
        return frozenset() if own is None else own.permissions & self._known

    def _follow(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            try:
                self._rebuild()
                while not self._stopping.is_set() and not self._is_due():
                    self._take_next()
                    failures = 0
            except (redis.RedisError, OSError):
                self._stopping.wait(_PAUSES_S[min(failures, len(_PAUSES_S) - 1)])
                failures += 1

    def _is_due(self) -> bool:
        """Nothing for so long that something may be wrong (the bus lost its data, nobody sends), or simply time."""
        now = self._monotonic()
        return now - self._heard_at > _QUIET_S or now - self._rebuilt_at > _REBUILD_S

    def _take_next(self) -> None:
        """Wait for entries after the position, and apply them."""
        found: Any = self._bus.xread({STREAM: self._position}, count=_BATCH, block=self._block_ms())
        if not found:
            return
        self._heard_at = self._monotonic()
        beaten, known_keys = False, len(self._state.keys)
        for _, entries in _streams(found):
            for entry_id, fields in entries:
                self._position = _text(entry_id)
                beaten |= _apply(self._state, fields)
        if len(self._state.keys) > known_keys:
            self._keys_changed()
        if beaten:
            self._beat()

    def _beat(self) -> None:
        """Note when the newest heartbeat was sent. Only a state without a hole is live: look for its snapshot."""
        if not self._complete:
            self._rebuild()
            return
        sent_ms = int(self._position.partition("-")[0])
        age = max(0.0, (bus_time_ms(self._bus) - sent_ms) / 1000)
        self._beat_at = max(self._beat_at, self._monotonic() - age)
        if len(self._state.sessions) + len(self._state.subjects) + len(self._state.keys) > 0:
            self._state = self._state.without_past(self._clock())

    def _rebuild(self) -> None:
        """Read the snapshot and all that came after it, beside the state in use, and then put it in its place."""
        now_ms = bus_time_ms(self._bus)
        loaded = _snapshot(self._bus.get(SNAPSHOT))
        fresh, position, complete = PolicyState(), "0-0", False
        if loaded is not None:
            fresh, position = loaded
            complete = now_ms - int(position.partition("-")[0]) < _OLDEST_SNAPSHOT_S * 1000
        last_beat_ms = 0
        while True:
            found: Any = self._bus.xrange(STREAM, min=f"({position}", max="+", count=_BATCH)
            for entry_id, fields in found:
                position = _text(entry_id)
                if _apply(fresh, fields):
                    last_beat_ms = int(position.partition("-")[0])
            if len(found) < _BATCH:
                break
        self._replace(fresh, position=position, complete=complete)
        if complete and last_beat_ms:
            self._beat_at = max(self._beat_at, self._monotonic() - max(0.0, (now_ms - last_beat_ms) / 1000))

    def _replace(self, fresh: PolicyState, *, position: str, complete: bool) -> None:
        """Use the state that was read; what this process knows beside it and what may be lost on the bus stays."""
        known = self._state
        if complete:
            # A snapshot names every own role, so a role that is missing in it is gone.
            roles = {name: role for name, role in known.roles.items() if name in fresh.roles}
            known = PolicyState(known.subjects, known.sessions, roles, known.keys)
        fresh.merge(known)
        if fresh.keys.keys() - self._state.keys.keys():
            self._keys_changed()
        self._state = fresh.without_past(self._clock())
        self._position, self._complete = position, complete
        self._heard_at = self._rebuilt_at = self._monotonic()
        RELOADS.labels("complete" if complete else "incomplete").inc()

    def _block_ms(self) -> int:
        timeout = self._bus.get_connection_kwargs().get("socket_timeout")
        return _BLOCK_MS if timeout is None else max(10, min(_BLOCK_MS, int(timeout * 500)))


def system_roles(permissions: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """The fixed roles with their permissions; `*` stands for all."""
    everything = frozenset(permissions["permissions"])
    return {
        name: everything if "*" in role["permissions"] else frozenset(role["permissions"])
        for name, role in permissions["roles"].items()
    }


def roles_by_link(permissions: Mapping[str, Any]) -> frozenset[str]:
    """The fixed roles that hold about linked records only (`reach: links`)."""
    return frozenset(name for name, role in permissions["roles"].items() if role.get("reach") == "links")


def assigned_only(permissions: Mapping[str, Any]) -> dict[str, frozenset[str]]:
    """What the fixed roles hold about what is assigned to the account only (`assigned`)."""
    roles = permissions["roles"].items()
    return {name: frozenset(role["assigned"]) for name, role in roles if "assigned" in role}


def _apply(state: PolicyState, fields: Mapping[Any, Any]) -> bool:
    """Take one entry; whether it was a heartbeat. An entry that is not of the form is counted and left."""
    named = {_text(name): value for name, value in fields.items()}
    kind = _text(named.get("kind", b""))
    try:
        if kind not in _KINDS:
            raise ValueError("kind")
        state.apply(kind, body=orjson.loads(named["body"]))
    except _BAD:
        ENTRIES.labels("malformed").inc()
        return False
    ENTRIES.labels(kind).inc()
    return kind == "heartbeat"


def _snapshot(raw: Any) -> tuple[PolicyState, str] | None:
    if raw is None:
        return None
    try:
        document = orjson.loads(raw)
        position = str(document["position"])
        int(position.partition("-")[0])
        return state_from_json(document["state"]), position
    except _BAD:
        ENTRIES.labels("malformed").inc()
        return None


def _streams(found: Any) -> Any:
    """Streams and entries of an XREAD answer, in the form of either protocol version."""
    return found.items() if isinstance(found, dict) else found


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
