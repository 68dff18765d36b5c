"""Whose record it is: object rules, asked after the permission of the operation has been checked."""

from __future__ import annotations

from typing import TypeVar

from services.kernel.errors import NotFound
from services.patients.model.person import Status
from services.patients.model.reach import KnownOf, Reach, reached

S = TypeVar("S", bound=Status)


def in_reach(record: S, *, within: Reach, known: KnownOf) -> S:
    """The record, for one who reaches it.

    Raises:  NotFound: the same as for a record that does not exist.
    Source:  as reach.reach.
    """
    if record.id not in reached([record.id], within=within, known=known):
        raise NotFound
    return record
