"""The form in which policy travels on the bus, and the side that sends it.

Policy is what makes a role change or a sign-out work before tokens expire. It travels as whole states of single things
(one account, one session, one role) with a version: an entry may come twice, late or out of order, and does no harm.

    string  identity.policy.snapshot   {"position": "<stream id>", "state": {"subjects": …, "sessions": …, "roles": …}}
    stream  identity.policy            kind = subject | session | role | heartbeat;  body = JSON

`position` is a place in the stream before which nothing is missing in the state; a reader goes on from there.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
import redis

STREAM: Final = "identity.policy"
SNAPSHOT: Final = "identity.policy.snapshot"
KEPT_S: Final = 900
"""How long a change overrides what tokens say: the longest life of a token (600 s), its leeway, and a margin."""
STREAM_KEPT_S: Final = 3600
SNAPSHOT_EVERY_S: Final = 300


@dataclass(frozen=True, slots=True)
class Subject:
    """What holds for an account now, whatever its tokens say; forgotten after `until` (seconds since 1970)."""

    roles: tuple[str, ...]
    active: bool
    version: int
    until: float


@dataclass(frozen=True, slots=True)
class Role:
    """A role that the house made itself: a set of permissions. A deleted one has none."""

    permissions: frozenset[str]
    version: int


@dataclass(slots=True)
class PolicyState:
    """All that overrides tokens: changed accounts, ended sessions (until when they matter), own roles."""

    subjects: dict[str, Subject] = field(default_factory=dict)
    sessions: dict[str, float] = field(default_factory=dict)
    roles: dict[str, Role] = field(default_factory=dict)

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

    def merge(self, other: PolicyState) -> None:
        """Take all that the other knows and that is later."""
        for name, subject in other.subjects.items():
            self.put_subject(name, subject=subject)
        for name, until in other.sessions.items():
            self.put_session(name, until=until)
        for name, role in other.roles.items():
            self.put_role(name, role=role)

    def without_past(self, now: float) -> PolicyState:
        """The same without what no living token can contradict any more."""
        return PolicyState(
            {name: each for name, each in self.subjects.items() if each.until > now},
            {name: until for name, until in self.sessions.items() if until > now},
            dict(self.roles),
        )


def state_to_json(state: PolicyState) -> dict[str, Any]:
    """The state as it stands in the snapshot."""
    return {
        "subjects": {name: _subject_body(each) for name, each in state.subjects.items()},
        "sessions": dict(state.sessions),
        "roles": {name: _role_body(each) for name, each in state.roles.items()},
    }


def state_from_json(body: Mapping[str, Any]) -> PolicyState:
    """The state that stands in a snapshot.

    Raises:  KeyError, TypeError, ValueError, AttributeError: it is not of the form.
    """
    return PolicyState(
        {str(name): _subject(each) for name, each in body["subjects"].items()},
        {str(name): float(until) for name, until in body["sessions"].items()},
        {str(name): _role(each) for name, each in body["roles"].items()},
    )


def _subject(body: Mapping[str, Any]) -> Subject:
    if not isinstance(body["active"], bool):
        raise TypeError("active")
    return Subject(tuple(map(str, body["roles"])), body["active"], int(body["version"]), float(body["until"]))


def _subject_body(subject: Subject) -> dict[str, Any]:
    return {
        "roles": list(subject.roles),
        "active": subject.active,
        "version": subject.version,
        "until": subject.until,
    }


def _role(body: Mapping[str, Any]) -> Role:
    return Role(frozenset(map(str, body["permissions"])), int(body["version"]))


def _role_body(role: Role) -> dict[str, Any]:
    return {"permissions": sorted(role.permissions), "version": role.version}


class PolicyPublisher:
    """The sending side, for the one service that decides about accounts and roles.

    bus: a client of the bus; its errors go through. clock: seconds since 1970. Publish after the commit; publishing the
    same again (from the relay, say) does no harm.
    """

    def __init__(self, bus: redis.Redis, *, clock: Callable[[], float] = time.time) -> None:
        self._bus, self._clock = bus, clock

    def subject(
        self, subject: str, *, roles: Iterable[str], active: bool, version: int, until: float | None = None
    ) -> None:
        """An account has these roles now and is active or not; `version` is the account's after the change."""
        state = Subject(tuple(roles), active, version, self._until(until))
        self._add("subject", {"subject": subject, **_subject_body(state)})

    def session(self, session: str, *, until: float | None = None) -> None:
        """A session (`sid` of its tokens) is ended."""
        self._add("session", {"session": session, "until": self._until(until)})

    def role(self, role: str, *, permissions: Iterable[str], version: int) -> None:
        """A role of the house's own allows this now; no permissions at all when it was deleted."""
        self._add("role", {"role": role, **_role_body(Role(frozenset(permissions), version))})

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
