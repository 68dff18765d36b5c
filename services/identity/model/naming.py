"""What accounts are called, for those who see their ids beside what somebody did."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from services.identity.model.accounts import Account, Kind
from services.identity.model.administering import administers
from services.identity.model.roles import PATIENT
from services.kernel.access import Actor


class Sort(StrEnum):
    """Who is behind an account, as far as everybody at work may know."""

    STAFF = "staff"
    PROGRAM = "program"
    PATIENT = "patient"


@dataclass(frozen=True, slots=True)
class Called:
    """What an account is called; name: None where it is not shown."""

    id: UUID
    sort: Sort
    name: str | None


def called(account: Account, *, by: Actor) -> Called:
    """The name of who works here, and of a patient's account only that it is one, unless the accounts are managed.

    An account that lost its last role keeps its name, for what it has done stays in histories; a link to a record says
    that it was a patient's.

    Source:  GDPR, Article 5 (1) (c) (data minimisation); HIPAA 45 CFR 164.312(b) (who did what can be told).
    """
    sort = _sort(account)
    manages = by.may("users.read") and administers(account.roles, account.areas, by=by.under("users.read"))
    return Called(account.id, sort, account.display_name if sort is not Sort.PATIENT or manages else None)


def _sort(account: Account) -> Sort:
    if account.kind is Kind.SERVICE:
        return Sort.PROGRAM
    works_here = bool(set(account.roles) - {PATIENT}) or (not account.roles and not account.links)
    return Sort.STAFF if works_here else Sort.PATIENT
