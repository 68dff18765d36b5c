"""The caller's own account."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model import accounts, passwords, policy
from services.identity.model.accounts import Account, UnknownAccount
from services.identity.model.sessions import Ended, WrongCurrentPassword
from services.kernel.errors import NotSignedIn


class OwnAccount:
    """Operations on the caller's own account."""

    _desk: Desk

    def get_own_account(self, call: Call) -> dict[str, Any]:
        """The own account, with what its roles allow at this moment."""
        return view.own_account(self._own(call), permissions=call.actor.permissions)

    def change_own_password(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Change the own password, and end every other session."""
        account = self._own(call)
        self._check_current(account, body["current_password"], call)
        about = (account.username, account.display_name)
        ready = passwords.accepted(body["new_password"], about=about, pointer="/new_password")
        fresh_hash = self._desk.hash(ready)
        me, session = self._desk.me(call)
        with self._desk.store.begin(call) as tx:
            held = tx.account_for_change(me)
            if held.password_hash != account.password_hash:
                raise WrongCurrentPassword  # it was changed while this was checked
            changed = accounts.with_own_password(held, password_hash=fresh_hash, at=call.at)
            self._save_password(tx, changed, session, call)
            return call.answer(status=204)

    def _save_password(self, tx: Any, changed: Account, session: Any, call: Call) -> None:
        tx.save_account(changed, fields=["password"])
        tx.end_sessions(changed.id, at=call.at, why=Ended.PASSWORD, but=session)
        tx.announce(policy.of_account(changed))
        tx.record(accounts.event("password_changed", account=changed))
        call.audit(record=changed.id, version=changed.version, fields=["password"])

    def _check_current(self, account: Account, current: str, call: Call) -> None:
        """Check it as a sign-in does, with the same count: a stolen token must not be a way to guess the password."""
        accounts.refuse_service(account)
        scopes = self._desk.scopes(account.username, source=call.source)
        with self._desk.store.begin(call) as tx:
            self._desk.count_try(tx, scopes, call=call)
        given = passwords.prepared(current)
        verdict = self._desk.check(given, against=account.password_hash, scopes=scopes, call=call)
        with self._desk.store.begin(call) as tx:
            if verdict.fits:
                self._desk.forgive(tx, scopes)
            else:
                call.audit(record=account.id, outcome="failed")
        if not verdict.fits:
            raise WrongCurrentPassword

    def _own(self, call: Call) -> Account:
        me, _ = self._desk.me(call)
        try:
            with self._desk.store.read() as tx:
                return tx.account(me)
        except UnknownAccount:
            raise NotSignedIn from None
