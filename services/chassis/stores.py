"""What all kinds of stores have in common: how a unit of work can end otherwise than by its commit."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from services.chassis.call import Answer


class StoreError(Exception):
    """A store did not do what it was asked: the kind of store and a code of the driver, never its text."""

    def __init__(self, store: str, reason: str) -> None:
        super().__init__(f"{store}: {reason}")
        self.store = store
        self.reason = reason


class StoreAway(StoreError):
    """The store cannot be reached, or gave no answer in time. After a commit was asked for, the outcome is unknown."""


class StoreBusy(StoreError):
    """Two units of work met (deadlock, serialization failure, write conflict): nothing was kept, try again."""


class Replayed(Exception):
    """This key has its answer already: nothing was done, the stored answer is the answer.

    about, record: whose record the entry of the effect names, and what within it, where the store has kept that.
    """

    def __init__(self, answer: Answer, *, about: str | None = None, record: str | None = None) -> None:
        super().__init__("replayed")
        self.answer, self.about, self.record = answer, about, record


class KeyReused(Exception):
    """This key was used with another body."""


class KeyRunning(Exception):
    """The first request with this key has not ended yet."""


class AlreadyHandled(Exception):
    """This consumer has handled these events before: nothing was kept, and with them nothing is left to do."""

    def __init__(self, event_ids: Collection[UUID]) -> None:
        super().__init__("already handled")
        self.event_ids = frozenset(event_ids)


class NotDurable(StoreError):
    """A store is set up so that it may lose what it confirmed; `settings` names what is wrong as `name=value`."""

    def __init__(self, store: str, *, settings: Sequence[str]) -> None:
        super().__init__(store, "not durable: " + ", ".join(settings))
        self.settings = tuple(settings)
