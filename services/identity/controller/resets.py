"""A forgotten password: asked for by name, and set anew by a link that came by mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.chassis.call import Answer, Call
from services.identity.controller.desk import Desk, answered
from services.identity.model import accounts, passwords, policy, resets, sessions
from services.identity.model.accounts import Account
from services.identity.model.resets import NoMail, Reset, ResetRefused
from services.identity.model.sessions import Ended
from services.identity.model.store import Scope, Work
from services.kernel.errors import DomainError


class Resets:
    """Operations on forgotten passwords."""

    _desk: Desk

    def request_password_reset(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Send a link, where there is somebody to send it to; the answer and the work are the same where not."""
        mail = self._desk.mail
        if mail is None:
            raise NoMail
        name, token = accounts.canonical(body["username"]), self._desk.secret()
        digest = sessions.digest(token)
        sealed = mail.seal(token, digest=digest)
        with self._desk.store.begin(call) as tx:
            found = tx.account_named(name)
            self._desk.count_try(tx, self._scopes(name, found, call), call=call)
            who = found.id if found is not None and resets.may_be_reset(found) else None
            tx.add_reset(Reset(digest=digest, account_id=who, made_at=call.at, sealed=sealed))
            call.audit(record=who, outcome="failed" if who is None else "success", fields=["password_reset"])
        return Answer(status=202)

    def _scopes(self, name: str, found: Account | None, call: Call) -> tuple[Scope, ...]:
        about = None if found is None else str(found.id)
        of_account = Scope("reset", self._desk.digest(f"reset {name}"), about)
        return of_account, *self._desk.secret_scopes("reset", call=call)

    def complete_password_reset(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Set the password of whoever got the link; every session ends."""
        digest = sessions.digest(body["token"])
        account = self._owner_of(digest, call)
        about = (account.username, account.display_name)
        ready = passwords.accepted(body["new_password"], about=about, common=self._desk.common, pointer="/new_password")
        hashed = self._desk.hash(ready)
        with self._desk.store.begin(call) as tx:
            outcome = self._set_password(tx, digest, hashed, call)
        return answered(outcome)

    def _owner_of(self, digest: bytes, call: Call) -> Account:
        """The account that a link opens now.

        Raises:  ResetRefused: after the try was counted, and a trace left.
        """
        scopes = self._desk.secret_scopes("reset token", call=call)
        with self._desk.store.begin(call) as tx:
            self._desk.count_try(tx, scopes, call=call)
            found = self._opened_by(tx, digest, call)
            if found is None:
                call.audit(outcome="failed")
            else:
                self._desk.uncount(tx, scopes)
        if found is None:
            raise ResetRefused
        return found[1]

    def _opened_by(self, tx: Work, digest: bytes, call: Call) -> tuple[Reset, Account] | None:
        """A link that counts, and its account, both held."""
        reset = tx.reset_for_change(digest)
        if reset is None or reset.account_id is None or not resets.is_open(reset, at=call.at):
            return None
        account = tx.account_for_change(reset.account_id)
        return (reset, account) if resets.may_be_reset(account) else None

    def _set_password(self, tx: Work, digest: bytes, hashed: str, call: Call) -> Answer | DomainError:
        found = self._opened_by(tx, digest, call)
        if found is None:
            call.audit(outcome="failed")
            return ResetRefused()
        reset, held = found
        tx.save_reset(replace(reset, used_at=call.at, sealed=None))
        fresh = accounts.with_own_password(held, password_hash=hashed, at=call.at)
        tx.save_account(fresh, fields=["password"])
        tx.end_sessions(fresh.id, at=call.at, why=Ended.PASSWORD)
        self._desk.forgive(tx, self._desk.scopes(fresh.username, found=fresh, call=call)[:1])
        tx.announce(policy.of_account(fresh, at=call.at))
        tx.record(accounts.event("password_changed", account=fresh))
        call.audit(record=fresh.id, version=fresh.version, fields=["password"])
        return call.answer(status=204)
