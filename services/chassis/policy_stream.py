"""The form in which policy travels on the bus, and the side that sends it.

Policy is what makes a role change or a sign-out work before tokens expire. It travels as whole states of single things
(one account, one session, one role) with a version: an entry may come twice, late or out of order, and does no harm.

    string  identity.policy.snapshot   {"position": "<stream id>", "state": {"subjects", "sessions", "roles", "keys"}}
    stream  identity.policy            kind = subject | session | role | key | heartbeat;  body = JSON

`position` is a place in the stream before which nothing is missing in the state; a reader goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import redis

from services.chassis import reach

STREAM: Final = "identity.policy"
SNAPSHOT: Final = "identity.policy.snapshot"
KEPT_S: Final = 900
"""How long a change overrides what tokens say: the longest life of a token (600 s), its leeway, and a margin."""
KEY_KEPT_S: Final = 48 * 3600
"""How long a withdrawn key is named: longer than any set of keys may be used while its source is away."""
STREAM_KEPT_S: Final = 3600
SNAPSHOT_EVERY_S: Final = 300


@dataclass(frozen=True, slots=True)
class Subject:
    """What holds for an account now, whatever its tokens say; forgotten after `until` (seconds since 1970).

    areas, links: how far it reaches, in the form of `reach`.
    """

    roles: tuple[str, ...]
    active: bool
    version: int
    until: float
    areas: Mapping[str, Any] = field(default_factory=dict)
    links: Sequence[Any] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A role that the house made itself: a set of permissions. A deleted one has none.

    second_factor: whoever holds it must have shown one. It is said of fixed roles too, whose permissions do not count.
    """

    permissions: frozenset[str]
    version: int
    second_factor: bool = False


@dataclass(slots=True)
class PolicyState:
    """All that overrides tokens: changed accounts, ended sessions and keys (until when they matter), roles."""

    subjects: dict[str, Subject] = field(default_factory=dict)
    sessions: dict[str, float] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)
    keys: dict[str, float] = field(default_factory=dict)

    def put_subject(self, name: str, *, subject: Subject) -> None:
        """Take a state of an account, unless a later one is known."""
        known = self.subjects.get(name)
        if known is None or subject.version >= known.version:
            self.subjects[name] = subject

    def put_role(self, name: str, *, role: Role) -> None:
        """Take a state of a role, unless a later one is known."""
        known = self.roles.get(name)
        if known is None or role.version >= known.version:
            self.roles[name] = role

    def put_session(self, name: str, *, until: float) -> None:
        """A session is ended; that is never taken back."""
        self.sessions[name] = max(until, self.sessions.get(name, 0.0))

    def put_key(self, kid: str, *, until: float) -> None:
        """A key is withdrawn; that is never taken back."""
        self.keys[kid] = max(until, self.keys.get(kid, 0.0))

    def apply(self, kind: str, *, body: Mapping[str, Any]) -> None:
        """Take one entry of the stream.

        Raises:  KeyError, TypeError, ValueError: the entry is not of the form.
        """
        if kind == "subject":
            self.put_subject(str(body["subject"]), subject=_subject(body))
        elif kind == "session":
            self.put_session(str(body["session"]), until=float(body["until"]))
        elif kind == "role":
            self.put_role(str(body["role"]), role=_role(body))
        elif kind == "key":
            self.put_key(str(body["key"]), until=float(body["until"]))

    def merge(self, other: PolicyState) -> None:
        """Take all that the other knows and that is later."""
        for name, subject in other.subjects.items():
            self.put_subject(name, subject=subject)
        for name, until in other.sessions.items():
            self.put_session(name, until=until)
        for name, role in other.roles.items():
            self.put_role(name, role=role)
        for kid, until in other.keys.items():
            self.put_key(kid, until=until)

    def without_past(self, now: float) -> PolicyState:
        """The same without what no living token can contradict any more."""
        return PolicyState(
            {name: each for name, each in self.subjects.items() if each.until > now},
            {name: until for name, until in self.sessions.items() if until > now},
            dict(self.roles),
            {kid: until for kid, until in self.keys.items() if until > now},
        )


def state_to_json(state: PolicyState) -> dict[str, Any]:
    """The state as it stands in the snapshot."""
    return {
        "subjects": {name: _subject_body(each) for name, each in state.subjects.items()},
        "sessions": dict(state.sessions),
        "roles": {name: _role_body(each) for name, each in state.roles.items()},
        "keys": dict(state.keys),
    }


def state_from_json(body: Mapping[str, Any]) -> PolicyState:
    """The state that stands in a snapshot.

    Raises:  KeyError, TypeError, ValueError, AttributeError: it is not of the form.
    """
    return PolicyState(
        {str(name): _subject(each) for name, each in body["subjects"].items()},
        {str(name): float(until) for name, until in body["sessions"].items()},
        {str(name): _role(each) for name, each in body["roles"].items()},
        {str(kid): float(until) for kid, until in body.get("keys", {}).items()},
    )


def _subject(body: Mapping[str, Any]) -> Subject:
    if not isinstance(body["active"], bool):
        raise TypeError("active")
    areas, links = body.get("areas", {}), body.get("links", [])
    reach.refuse_malformed(areas, links)
    roles, version, until = tuple(map(str, body["roles"])), int(body["version"]), float(body["until"])
    return Subject(roles, body["active"], version, until, areas, tuple(map(tuple, links)))


def _subject_body(subject: Subject) -> dict[str, Any]:
    return {
        "roles": list(subject.roles),
        "active": subject.active,
        "version": subject.version,
        "until": subject.until,
        "areas": dict(subject.areas),
        "links": [list(each) for each in subject.links],
    }


def _role(body: Mapping[str, Any]) -> Role:
    wants = body.get("second_factor", False)
    if not isinstance(wants, bool):
        raise TypeError("second_factor")
    return Role(frozenset(map(str, body["permissions"])), int(body["version"]), wants)


def _role_body(role: Role) -> dict[str, Any]:
    return {
        "permissions": sorted(role.permissions),
        "version": role.version,
        "second_factor": role.second_factor,
    }


class PolicyPublisher:
    """The sending side, for the one service that decides about accounts and roles.

    bus: a client of the bus; its errors go through. clock: seconds since 1970. Publish after the commit; publishing the
    same again (from the relay, say) does no harm.
    """

    def __init__(self, bus: redis.Redis, *, clock: Callable[[], float] = time.time) -> None:
        self._bus, self._clock = bus, clock

    def subject(
        self,
        subject: str,
        *,
        roles: Iterable[str],
        active: bool,
        version: int,
        until: float | None = None,
        areas: Mapping[str, Any] | None = None,
        links: Sequence[Any] = (),
    ) -> None:
        """An account has these roles now and is active or not; `version` is the account's after the change.

        areas, links: how far it reaches, in the form of `reach`.
        """
        state = Subject(tuple(roles), active, version, self._until(until), areas or {}, links)
        self._add("subject", {"subject": subject, **_subject_body(state)})

    def session(self, session: str, *, until: float | None = None) -> None:
        """A session (`sid` of its tokens) is ended."""
        self._add("session", {"session": session, "until": self._until(until)})

    def role(self, role: str, *, permissions: Iterable[str], version: int, second_factor: bool = False) -> None:
        """A role of the house's own allows this now; no permissions at all when it was deleted."""
        self._add("role", {"role": role, **_role_body(Role(frozenset(permissions), version, second_factor))})

    def key(self, kid: str, *, until: float | None = None) -> None:
        """A signing key is withdrawn: no token of it counts, whatever sets of keys say."""
        self._add("key", {"key": kid, "until": self._clock() + KEY_KEPT_S if until is None else until})

    def heartbeat(self) -> None:
        """Say that all that was committed more than two seconds ago is in the stream: every two seconds, while true."""
        self._add("heartbeat", {})

    def needs_snapshot(self) -> bool:
        """Whether the bus has lost the snapshot, or has an old one."""
        raw: Any = self._bus.get(SNAPSHOT)
        if raw is None:
            return True
        try:
            written_ms = int(str(orjson.loads(raw)["position"]).partition("-")[0])
        except (ValueError, KeyError, TypeError):
            return True
        return bus_time_ms(self._bus) - written_ms > SNAPSHOT_EVERY_S * 1000

    def write_snapshot(self, read: Callable[[], PolicyState]) -> None:
        """Write the state that `read` finds in the store, for processes that start later.

        The place in the stream is taken first and the state is read after it: what is committed in between is then in
        both, and nothing is in neither. `read` gives all own roles (deleted ones may be left out), and the accounts and
        sessions that changed in the last KEPT_S seconds; more does no harm.
        """
        position = f"{bus_time_ms(self._bus) - 1}-0"
        state = state_to_json(read().without_past(self._clock()))
        self._bus.set(SNAPSHOT, orjson.dumps({"position": position, "state": state}))

    def _until(self, until: float | None) -> float:
        return self._clock() + KEPT_S if until is None else until

    def _add(self, kind: str, body: Mapping[str, Any]) -> None:
        oldest = f"{bus_time_ms(self._bus) - STREAM_KEPT_S * 1000}-0" if kind == "heartbeat" else None
        self._bus.xadd(STREAM, {"kind": kind, "body": orjson.dumps(body)}, minid=oldest, approximate=True)


def bus_time_ms(bus: redis.Redis) -> int:
    """Now, by the clock of the bus; ids of stream entries are of the same clock."""
    seconds, micros = bus.time()
    return int(seconds) * 1000 + int(micros) // 1000
