"""Accounts of others: made, changed, closed and opened, given roles and one-time passwords."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from services.chassis import paging
from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk, refuse_stale
from services.identity.model import accounts, administering, passwords, policy
from services.identity.model.accounts import Account
from services.identity.model.administering import administered
from services.identity.model.naming import called
from services.identity.model.sessions import Ended
from services.identity.model.store import Work

_RANDOM = 20


class Users:
    """Operations on accounts of others."""

    _desk: Desk

    def create_user(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make an account with a one-time password, which is shown in this answer and never again."""
        password = passwords.one_time(self._desk.randomness(_RANDOM))
        hashed, new_id = self._desk.hash(passwords.prepared(password)), self._desk.new_id()
        with self._desk.store.begin(call) as tx:
            self._desk.catalogue_of(tx).refuse_unknown(body["roles"], pointer="/roles")
            areas = self._desk.areas(tx, body)
            made = accounts.create(
                account_id=new_id, body=body, password_hash=hashed, by=call.actor, at=call.at, areas=areas
            )
            administering.refuse_wider(made.roles, made.areas, by=call.actor)
            tx.add_account(made)
            tx.record(accounts.event("user_created", account=made))
            fields = accounts.differing(None, after=made)
            call.audit(record=made.id, version=made.version, fields=fields, added=made.roles)
            return _shown_once(call, view.account(made), password, status=201)

    def list_users(
        self,
        call: Call,
        limit: int = 50,
        cursor: str | None = None,
        role: str | None = None,
        *,
        active: bool | None = None,
    ) -> dict[str, Any]:
        """Accounts in the order of their making."""
        of = ("users", role, active)
        page = paging.page(cursor, limit=limit, of=of)
        with self._desk.store.read() as tx:
            only: dict[str, Any] = {"role": role, "active": active, "within": call.actor.scope}
            found = tx.accounts(after=page.after_id, limit=limit + 1, **only)
        items, following = paging.cut(found, limit=limit, keys=lambda each: [str(each.id)], of=of)
        return view.page([view.account(each) for each in items], next_cursor=following)

    def get_user(self, user_id: str, call: Call) -> dict[str, Any]:
        """One account."""
        with self._desk.store.read() as tx:
            return view.account(administered(tx.account(UUID(user_id)), by=call.actor))

    def list_user_names(self, user_id: list[str], call: Call) -> dict[str, Any]:
        """What accounts are called, and nothing else of them."""
        with self._desk.store.read() as tx:
            found = tx.accounts_among([UUID(each) for each in user_id])
            return view.names([called(each, by=call.actor) for each in found])

    def update_user(self, user_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Change the name or the e-mail address of an account."""

        def decide(account: Account) -> Account:
            return accounts.changed(account, change=body, by=call.actor, at=call.at)

        with self._desk.store.begin(call) as tx:
            fresh = _apply(tx, user_id, decide, call, event="user_changed")
            return call.answer(view.account(fresh))

    def disable_user(self, user_id: str, call: Call) -> Answer:
        """Close an account: no sign-in, no session, no token of it."""

        def decide(account: Account) -> Account:
            return accounts.disabled(account, by=call.actor, at=call.at)

        with self._desk.store.begin(call) as tx:
            fresh = _apply(tx, user_id, decide, call, event="user_disabled")
            tx.end_sessions(fresh.id, at=call.at, why=Ended.DISABLED)
            return call.answer(view.account(fresh))

    def enable_user(self, user_id: str, call: Call) -> Answer:
        """Open an account again, with the roles that it had."""

        def decide(account: Account) -> Account:
            return accounts.enabled(account, by=call.actor, at=call.at)

        with self._desk.store.begin(call) as tx:
            fresh = _apply(tx, user_id, decide, call, event="user_enabled")
            return call.answer(view.account(fresh))

    def reset_password(self, user_id: str, call: Call) -> Answer:
        """Give an account a new one-time password, end its sessions, and let it try anew."""
        password = passwords.one_time(self._desk.randomness(_RANDOM))
        hashed = self._desk.hash(passwords.prepared(password))

        def decide(account: Account) -> Account:
            return accounts.with_one_time_password(account, password_hash=hashed, by=call.actor, at=call.at)

        with self._desk.store.begin(call) as tx:
            fresh = _apply(tx, user_id, decide, call, event="password_reset", fields=["password"])
            tx.end_sessions(fresh.id, at=call.at, why=Ended.PASSWORD)
            self._desk.forgive(tx, self._desk.scopes(fresh.username, found=fresh, call=call)[:1])
            return _shown_once(call, view.account(fresh), password, status=200)

    def assign_roles(self, user_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Give an account exactly these roles; it holds everywhere within two seconds."""
        with self._desk.store.begin(call) as tx:
            self._desk.catalogue_of(tx).refuse_unknown(body["roles"], pointer="/roles")
            areas = self._desk.areas(tx, body)

            def decide(account: Account) -> Account:
                administering.refuse_wider(body["roles"], areas, by=call.actor)
                return accounts.with_roles(account, roles=body["roles"], by=call.actor, at=call.at, areas=areas)

            fresh = _apply(tx, user_id, decide, call, event="roles_assigned")
            return call.answer(view.account(fresh))

    def end_user_sessions(self, user_id: str, call: Call) -> Answer:
        """End every session of an account."""
        with self._desk.store.begin(call) as tx:
            account = administered(tx.account_for_change(UUID(user_id)), by=call.actor)
            call.audit(record=account.id)
            accounts.refuse_unless_above(account, by=call.actor)
            ended = tx.end_sessions(account.id, at=call.at, why=Ended.BY_ADMIN)
            return call.answer({"ended": ended})


def _apply(
    tx: Work,
    user_id: str,
    decide: Callable[[Account], Account],
    call: Call,
    *,
    event: str,
    fields: list[str] | None = None,
) -> Account:
    """Load an account, decide, and save it with its history, its event, its trace and its word to the policy."""
    account = administered(tx.account_for_change(UUID(user_id)), by=call.actor)
    call.audit(record=account.id)
    refuse_stale(tx, account, call)
    fresh = decide(account)
    if account.is_super_admin and account.is_active:
        others = tx.other_super_admins(account.id)
        accounts.refuse_loss_of_last_super_admin(account, after=fresh, others=others)
    changed = [*accounts.differing(account, after=fresh), *(fields or [])]
    if fresh.version != account.version:
        tx.save_account(fresh, fields=changed)
        tx.announce(policy.of_account(fresh, at=call.at))
        tx.record(accounts.event(event, account=fresh))
    added, removed = accounts.roles_changed(account, after=fresh)
    call.audit(record=fresh.id, version=fresh.version, fields=changed, added=added, removed=removed)
    return fresh


def _shown_once(call: Call, body: dict[str, Any], password: str, *, status: int) -> Answer:
    """The stored answer of the key has no password: a replay must not show it again, nor a table keep it in clear."""
    call.answer({**body, "one_time_password": None}, status=status)
    return Answer({**body, "one_time_password": password}, status)
