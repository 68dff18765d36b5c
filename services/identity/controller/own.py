"""The caller's own account and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model import accounts, passwords, policy
from services.identity.model.accounts import Account
from services.identity.model.sessions import Ended, UnknownSession, WrongCurrentPassword


class OwnAccount:
    """Operations on the caller's own account."""

    _desk: Desk

    def get_own_account(self, call: Call) -> dict[str, Any]:
        """The own account, with what its roles allow at this moment."""
        return view.own_account(self._desk.own(call), permissions=call.actor.permissions)

    def change_own_password(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Change the own password, and end every other session."""
        account = self._desk.own(call)
        self._desk.check_current(account, body["current_password"], call)
        fresh_hash = self._desk.hash(self._accepted(account, body["new_password"]))
        me, session = self._desk.me(call)
        with self._desk.store.begin(call) as tx:
            held = tx.account_for_change(me)
            if held.password_hash != account.password_hash:
                raise WrongCurrentPassword  # it was changed while this was checked
            changed = accounts.with_own_password(held, password_hash=fresh_hash, at=call.at)
            self._save_password(tx, changed, session, call)
            return call.answer(status=204)

    def _accepted(self, account: Account, password: str) -> str:
        """The new password, when it may be one. Eight characters are enough where a role demands a second factor."""
        with self._desk.store.read() as tx:
            with_factor = self._desk.catalogue_of(tx).with_factor()
        is_enforced = account.second_factor_since is not None and bool(with_factor & set(account.roles))
        return passwords.accepted(
            password,
            about=(account.username, account.display_name),
            common=self._desk.common,
            pointer="/new_password",
            shortest=passwords.SHORTEST_WITH_FACTOR if is_enforced else passwords.SHORTEST,
        )

    def _save_password(self, tx: Any, changed: Account, session: Any, call: Call) -> None:
        tx.save_account(changed, fields=["password"])
        tx.end_sessions(changed.id, at=call.at, why=Ended.PASSWORD, but=session)
        tx.announce(policy.of_account(changed, at=call.at))
        tx.record(accounts.event("password_changed", account=changed))
        call.audit(record=changed.id, version=changed.version, fields=["password"])

    def list_own_sessions(self, call: Call) -> dict[str, Any]:
        """The caller's open sessions, newest first."""
        me, _ = self._desk.me(call)
        since = call.at - self._desk.limits.idle
        with self._desk.store.read() as tx:
            found = tx.open_sessions(me, at=call.at, idle_since=since)
        return view.page([view.session(each, current=call.actor.session) for each in found])

    def end_own_session(self, session_id: str, call: Call) -> Answer:
        """End one of the caller's sessions."""
        me, _ = self._desk.me(call)
        with self._desk.store.begin(call) as tx:
            if not tx.end_session(UUID(session_id), account_id=me, at=call.at, why=Ended.BY_OWNER):
                raise UnknownSession
            call.audit(record=session_id)
            return call.answer(status=204)

    def end_own_sessions(self, call: Call) -> Answer:
        """End every session of the caller but the one in use."""
        me, session = self._desk.me(call)
        with self._desk.store.begin(call) as tx:
            ended = tx.end_sessions(me, at=call.at, why=Ended.BY_OWNER, but=session)
            call.audit(record=me)
            return call.answer({"ended": ended})
