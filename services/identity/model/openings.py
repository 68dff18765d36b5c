"""Accounts that are not made by an administrator for a colleague: of services, programs, patients, the first one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from services.identity.model.accounts import (
    ONE_TIME_LIFE,
    Account,
    Kind,
    canonical,
    refuse_service,
    refuse_unless_above,
)
from services.identity.model.reach import Link
from services.identity.model.roles import PATIENT, SERVICE, SUPER_ADMIN
from services.kernel.access import Actor


def of_patient(*, account_id: UUID, username: str, password_hash: str, link: Link, at: datetime) -> Account:
    """The account of a patient or guardian, with a password that its owner chose.

    Source:  NIST SP 800-63A-4, section 3.1.7 (enrolment by a code that was handed out).
    """
    return Account(
        id=account_id,
        kind=Kind.PERSON,
        username=canonical(username),
        display_name=username,
        roles=(PATIENT,),
        created_at=at,
        changed_at=at,
        password_hash=password_hash,
        links=(link,),
    )


def of_client(
    *, account_id: UUID, client_id: str, display_name: str, roles: Sequence[str], by: Actor, at: datetime
) -> Account:
    """The account of a program of others, which shows one of its keys.

    Raises:  SuperAdminOnly.
    Source:  NIST SP 800-53 Rev. 5, IA-9 (services identify themselves) and AC-6 (least privilege).
    """
    account = Account(
        id=account_id,
        kind=Kind.SERVICE,
        username=client_id,
        display_name=display_name.strip(),
        roles=tuple(sorted(roles)),
        created_at=at,
        changed_at=at,
    )
    refuse_unless_above(account, by=by)
    return account


def rescued(account: Account, *, password_hash: str, at: datetime) -> Account:
    """The account of somebody who has lost every way in: open, with a one-time password and without a second factor.

    Raises:  NotAPerson.
    Source:  NIST SP 800-53 Rev. 5, AC-2 (privileged accounts stay manageable); whoever commands the machine decides.
    """
    refuse_service(account)
    fresh = replace(account, is_active=True, password_hash=password_hash, must_change_password=True)
    return replace(
        fresh,
        one_time_until=at + ONE_TIME_LIFE,
        second_factor_since=None,
        version=account.version + 1,
        changed_at=at,
    )


def service_account(*, account_id: UUID, client_id: str, digest: bytes, at: datetime) -> Account:
    """The account of a service, which shows a secret instead of a password.

    Source:  NIST SP 800-53 Rev. 5, AC-6 (least privilege): one role that holds what services need of each other.
    """
    return Account(
        id=account_id,
        kind=Kind.SERVICE,
        username=client_id,
        display_name=client_id,
        roles=(SERVICE,),
        created_at=at,
        changed_at=at,
        secret_digest=digest,
    )


def with_secret(account: Account, *, digest: bytes, at: datetime) -> Account:
    """The account of a service with another secret; the one before counts no more.

    Source:  NIST SP 800-53 Rev. 5, IA-5 (authenticators can be changed).
    """
    return replace(account, secret_digest=digest, version=account.version + 1, changed_at=at)


def first_super_admin(*, account_id: UUID, password_hash: str, at: datetime) -> Account:
    """The account with which a new house begins. Its first password has no end, so that nobody is locked out for good.

    Source:  NIST SP 800-63B-4, section 3.1.1.2 (a password given out by others is temporary).
    """
    return Account(
        id=account_id,
        kind=Kind.PERSON,
        username="admin",
        display_name="Super admin",
        roles=(SUPER_ADMIN,),
        created_at=at,
        changed_at=at,
        must_change_password=True,
        password_hash=password_hash,
    )
