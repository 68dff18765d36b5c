"""Writes of what access is made of: roles, second factors, codes, keys of service accounts, sign-in by a provider."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from services.identity import schema
from services.identity.model import roles
from services.identity.model.accounts import Account
from services.identity.model.activation import ActivationCode
from services.identity.model.clients import ServiceKey, UnknownKey
from services.identity.model.external import Attempt, GroupRoles
from services.identity.model.factors import Challenge, SecondFactor
from services.identity.model.policy import SessionEnded
from services.identity.model.reach import Relation, UnknownLink
from services.identity.model.resets import Reset
from services.identity.model.roles import Role
from services.identity.model.sessions import Session
from services.identity.model.store import Scope
from services.identity.repository import rows
from services.identity.repository.writing import Writing

# Names of locks that hold until the end of the transaction.
_ROLES, _EXTERNAL = 0x1D000003, 0x1D000004


class AccessWork(Writing):
    """Writes over one transaction."""

    # ---- roles ---------------------------------------------------------------------------------------------------

    def roles_for_change(self) -> list[Role]:
        """As kept_roles, held for this transaction."""
        self._lock(_ROLES)
        return self.kept_roles()

    def save_role(self, role: Role, *, fields: Sequence[str]) -> None:
        """A new role, or the next version of one."""
        names = {column.name for column in schema.roles.columns}
        values = {name: value for name, value in rows.values_of(role).items() if name in names}
        self._upsert(schema.roles, values, by=["id"])
        self._keep_version("role", role, fields=fields, state=roles.state(role))

    def holders_of(self, role: str) -> int:
        """How many accounts and groups hold a role."""
        held = sa.select(sa.func.count()).where(schema.accounts.c.roles.contains([role]))
        count = int(self._connection.execute(held).scalar_one())
        table = self.group_roles()
        return count + (0 if table is None else sum(role in given for given in table.entries.values()))

    # ---- second factors --------------------------------------------------------------------------------------------

    def second_factor_for_change(self, account_id: UUID) -> SecondFactor | None:
        """The second factor of an account, held for this transaction."""
        return self._held(SecondFactor, schema.second_factors, schema.second_factors.c.account_id == account_id)

    def set_second_factor(self, factor: SecondFactor) -> None:
        """Keep the second factor of an account, in the place of the one before."""
        self._upsert(schema.second_factors, rows.values_of(factor), by=["account_id"])

    def drop_second_factor(self, account_id: UUID) -> None:
        """Forget the second factor of an account with its backup codes."""
        self.set_backup_codes(account_id, digests=())
        self._execute(sa.delete(schema.second_factors).where(schema.second_factors.c.account_id == account_id))

    def set_backup_codes(self, account_id: UUID, *, digests: Collection[bytes]) -> None:
        """Keep these backup codes and no others."""
        table = schema.backup_codes
        self._execute(sa.delete(table).where(table.c.account_id == account_id))
        if digests:
            self._execute(sa.insert(table), [{"account_id": account_id, "digest": each} for each in digests])

    def use_backup_code(self, account_id: UUID, *, digest: bytes) -> bool:
        """Use one up; False when the account has no such code."""
        table = schema.backup_codes
        used = sa.delete(table).where(table.c.account_id == account_id, table.c.digest == digest)
        return self._connection.execute(used).rowcount == 1

    def add_challenge(self, challenge: Challenge) -> None:
        """A sign-in whose first half was right."""
        self._execute(sa.insert(schema.challenges).values(rows.values_of(challenge)))

    def challenge_for_change(self, digest: bytes) -> Challenge | None:
        """The challenge, held for this transaction."""
        return self._held(Challenge, schema.challenges, schema.challenges.c.digest == digest)

    def save_challenge(self, challenge: Challenge) -> None:
        """The new state of a challenge that is held."""
        table = schema.challenges
        self._save(table, rows.values_of(challenge), table.c.digest == challenge.digest)

    # ---- sessions and counters -------------------------------------------------------------------------------------

    def session_for_change(self, session_id: UUID, *, account_id: UUID) -> Session | None:
        """An open session of an account, held for this transaction."""
        table = schema.sessions
        where = (table.c.id == session_id, table.c.account_id == account_id, table.c.ended_at.is_(None))
        row = self._connection.execute(sa.select(table).where(*where).with_for_update()).one_or_none()
        return None if row is None else rows.session(row)

    def save_session(self, session: Session) -> None:
        """The new state of a session that is held."""
        self._save(schema.sessions, rows.values_of(session), schema.sessions.c.id == session.id)

    def clear_counter(self, scope: Scope) -> bool:
        """Forget a counter; False when there is none."""
        table = schema.failure_counters
        gone = sa.delete(table).where(table.c.kind == scope.kind, table.c.digest == scope.digest)
        return self._connection.execute(gone.where(table.c.failures > 0)).rowcount == 1

    # ---- activation codes and keys of service accounts -------------------------------------------------------------

    def add_activation_code(self, code: ActivationCode) -> None:
        """A new activation code."""
        self._execute(sa.insert(schema.activation_codes).values(rows.values_of(code)))

    def activation_code_for_change(self, digest: bytes) -> ActivationCode | None:
        """The code, held for this transaction."""
        table = schema.activation_codes
        query = sa.select(table).where(table.c.digest == digest).with_for_update()
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        return ActivationCode(**{**row._mapping, "relation": Relation(row.relation)})  # noqa: SLF001 - as elsewhere

    def save_activation_code(self, code: ActivationCode) -> None:
        """The new state of a code that is held."""
        self._save(schema.activation_codes, rows.values_of(code), schema.activation_codes.c.id == code.id)

    def add_service_key(self, key: ServiceKey) -> None:
        """A new key of a service account."""
        self._execute(sa.insert(schema.service_keys).values(rows.values_of(key)))

    def service_key_for_change(self, key_id: UUID, *, account_id: UUID) -> ServiceKey:
        """The key, held for this transaction; UnknownKey otherwise."""
        table = schema.service_keys
        found = self._held(ServiceKey, table, sa.and_(table.c.id == key_id, table.c.account_id == account_id))
        if found is None:
            raise UnknownKey
        return found

    def save_service_key(self, key: ServiceKey) -> None:
        """The new state of a key that is held. Tells the policy."""
        self._save(schema.service_keys, rows.values_of(key), schema.service_keys.c.id == key.id)
        if key.revoked_at is not None:
            self.announce(SessionEnded(session=key.id))

    # ---- sign-in by the provider -----------------------------------------------------------------------------------

    def add_attempt(self, attempt: Attempt) -> None:
        """A sign-in by the provider that was begun."""
        self._execute(sa.insert(schema.external_sign_ins).values(rows.values_of(attempt)))

    def attempt_for_change(self, state_digest: bytes) -> Attempt | None:
        """The attempt, held for this transaction."""
        table = schema.external_sign_ins
        return self._held(Attempt, table, table.c.state_digest == state_digest)

    def save_attempt(self, attempt: Attempt) -> None:
        """The new state of an attempt that is held."""
        table = schema.external_sign_ins
        self._save(table, rows.values_of(attempt), table.c.state_digest == attempt.state_digest)

    def external_account(self, issuer: str, *, subject: str) -> UUID | None:
        """The account of whom the provider calls this; nobody else makes one until the end of this transaction."""
        self._lock(_EXTERNAL)
        table = schema.external_identities.c
        query = sa.select(table.account_id).where(table.issuer == issuer, table.subject == subject)
        found: UUID | None = self._connection.execute(query).scalar_one_or_none()
        return found

    def add_external(self, issuer: str, *, subject: str, account_id: UUID, at: datetime) -> None:
        """Whom the provider calls this has this account."""
        values = {"issuer": issuer, "subject": subject, "account_id": account_id, "made_at": at}
        self._execute(sa.insert(schema.external_identities).values(values))

    def usernames_beginning(self, base: str) -> set[str]:
        """User names that begin so."""
        table = schema.accounts.c
        query = sa.select(table.username).where(table.username.startswith(base, autoescape=True))
        return set(self._connection.execute(query).scalars())

    def save_group_roles(self, table: GroupRoles, *, fields: Sequence[str]) -> None:
        """The table, new or in its next version."""
        entries = {group: list(given) for group, given in table.entries.items()}
        self._upsert(schema.group_roles, {**rows.values_of(table), "entries": entries}, by=["id"])
        self._keep_version("group_roles", table, fields=fields, state={"entries": entries})

    def add_reset(self, reset: Reset) -> None:
        """A new password that was asked for."""
        self._execute(sa.insert(schema.password_resets).values(rows.values_of(reset)))

    def reset_for_change(self, digest: bytes) -> Reset | None:
        """What was asked for with this link, held for this transaction."""
        return self._held(Reset, schema.password_resets, schema.password_resets.c.digest == digest)

    def save_reset(self, reset: Reset) -> None:
        """Its new state."""
        table = schema.password_resets
        self._save(table, rows.values_of(reset), table.c.digest == reset.digest)

    # ---- links and places -------------------------------------------------------------------------------------------

    def accounts_linked(self, *, patient_id: UUID) -> list[Account]:
        """Accounts that are linked to a record."""
        query = sa.select(schema.accounts).where(_has_link(patient_id=str(patient_id))).order_by(schema.accounts.c.id)
        return [rows.account(row) for row in self._connection.execute(query)]

    def account_of_link(self, link_id: UUID) -> Account:
        """The account with this link, held for this transaction; UnknownLink otherwise."""
        query = sa.select(schema.accounts).where(_has_link(id=str(link_id))).with_for_update()
        row = self._connection.execute(query).one_or_none()
        if row is None:
            raise UnknownLink
        return rows.account(row)

    def accounts_at(self, facility_id: UUID) -> list[Account]:
        """Accounts with a role that is narrowed to this facility, held for this transaction."""
        table = schema.accounts.c
        inside = sa.func.jsonb_path_exists(
            table.areas, sa.text("'$.*.facilities[*] ? (@ == $id)'"), sa.func.jsonb_build_object("id", str(facility_id))
        )
        query = sa.select(schema.accounts).where(inside).order_by(table.id).with_for_update()
        return [rows.account(row) for row in self._connection.execute(query)]

    def _held(self, kind: type[Any], table: sa.Table, where: sa.ColumnElement[bool]) -> Any:
        return self._one(kind, sa.select(table).where(where).with_for_update())

    def _save(self, table: sa.Table, values: dict[str, Any], where: sa.ColumnElement[bool]) -> None:
        self._execute(sa.update(table).where(where).values(values))

    def _upsert(self, table: sa.Table, values: dict[str, Any], *, by: Sequence[str]) -> None:
        made = insert(table).values(values)
        fresh = {name: value for name, value in values.items() if name not in by}
        self._execute(made.on_conflict_do_update(index_elements=list(by), set_=fresh))


def _has_link(**member: str) -> sa.ColumnElement[bool]:
    """Whether one of an account's links has this member; the index on links answers it."""
    found: sa.ColumnElement[bool] = schema.accounts.c.links.contains([member])
    return found
