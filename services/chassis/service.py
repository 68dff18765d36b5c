"""What a composition root builds: what a service, or another program, is made of, before any process of it runs."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from services.chassis.bus import BatchSubscription, Subscription
from services.chassis.call import Call
from services.chassis.config import ProcessSettings, ServiceSettings
from services.chassis.following import Follower
from services.chassis.jobs import Job
from services.chassis.outbox import Outbox
from services.chassis.spec import Contract
from services.chassis.watching import Look
from services.kernel.identifiers import uuid7


class Mismatch(Exception):
    """The operations of the contract and the methods of the controller are not the same; the text names them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """Something that an operator runs by hand: `infirmary <service> <name> …`; returns the exit code."""

    help: str
    run: Callable[[Sequence[str]], int]


Part = Callable[[Event], None]
"""What a worker runs in a thread of its own until the event is set; it survives stores and peers being away."""


class Program(Protocol):
    """What runs: a service, or whatever else has settings, connections to give back and checks before its start."""

    @property
    def name(self) -> str:
        """What it is called in logs, metrics and traces."""
        ...

    @property
    def settings(self) -> ProcessSettings:
        """Its settings."""
        ...

    @property
    def close(self) -> Sequence[Callable[[], None]]:
        """What gives its connections back."""
        ...

    @property
    def start_checks(self) -> Sequence[Callable[[], None]]:
        """What refuses to let it start."""
        ...

    @property
    def wanted(self) -> Mapping[str, Callable[[], None]]:
        """What must be there before the first start."""
        ...


@runtime_checkable
class WebProgram(Program, Protocol):
    """A program without a contract: it has one process, and brings the application that this serves."""

    async def app(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """The application, as ASGI."""
        ...

    def start(self, closing: ExitStack) -> None:
        """Begin what runs beside the application; what is put on the stack is closed at the end, in reverse order."""
        ...

    def drain(self) -> None:
        """The end begins: nobody shall send more."""
        ...


@dataclass(frozen=True, kw_only=True)
class Service:
    """One service.

    audit: commits the audit entry of a call alone. readiness: what it cannot work without, each raises when it is away.
    before_start: what else must be there before the first start, though it may be away later.
    start_checks: refuse to start (settings of a store that would lose data). migrate: brings the store to its schema.
    close: gives back connections. gives_keys: of the one that publishes the keys for tokens, called when a key was
    withdrawn. followers: what the web process hears from others, made when it starts. parts: what its worker runs all
    the time beside the relay, the consumers and the jobs, by name. stores: what its worker watches beside the bus.
    Building one opens no connection.
    """

    name: str
    settings: ServiceSettings
    controller: object
    audit: Callable[[Call], None]
    readiness: Mapping[str, Callable[[], None]]
    migrate: Callable[[], None]
    before_start: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    start_checks: Sequence[Callable[[], None]] = ()
    close: Sequence[Callable[[], None]] = ()
    outbox: Outbox | None = None
    stores: Sequence[Look] = ()
    subscriptions: Sequence[Subscription | BatchSubscription] = ()
    jobs: Sequence[Job] = ()
    parts: Mapping[str, Part] = field(default_factory=dict)
    commands: Mapping[str, Command] = field(default_factory=dict)
    gives_keys: Callable[[], None] | None = None
    followers: Sequence[Callable[[], Follower]] = ()

    @property
    def wanted(self) -> Mapping[str, Callable[[], None]]:
        """What must be there before the first start."""
        return {**self.readiness, **self.before_start}


def now() -> datetime:
    """This moment, with its zone: the clock that a composition root hands in."""
    return datetime.now(UTC)


def new_id() -> UUID:
    """A time-ordered id: the id maker that a composition root hands in."""
    return uuid7(now(), secrets.token_bytes(10))


def require_match(contract: Contract, controller: object) -> None:
    """Refuse a controller that lacks a method of the contract, or has one that the contract does not know.

    Raises:  Mismatch.
    """
    methods = {name for name in dir(controller) if not name.startswith("_") and callable(getattr(controller, name))}
    operations = set(contract.operations)
    lacking, unknown = sorted(operations - methods), sorted(methods - operations)
    if lacking or unknown:
        raise Mismatch(f"{contract.service}: without a method: {lacking}; without an operation: {unknown}")
