"""The second factor: enrolled, shown again, replaced by backup codes, removed, and reset by an administrator."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk, answered
from services.identity.model import accounts, factors, policy, sessions
from services.identity.model.accounts import Account
from services.identity.model.administering import administered
from services.identity.model.factors import FactorEnforced, FactorInUse, NoFactor, SecondFactor, WrongCode
from services.identity.model.sessions import Ended, Session
from services.identity.model.store import Work
from services.kernel.errors import DomainError, NotSignedIn


class SecondFactors:
    """Operations on second factors."""

    _desk: Desk

    def start_second_factor(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Begin to enrol a device: its secret, shown once."""
        account = self._desk.own(call)
        self._desk.check_current(account, body["current_password"], call)
        secret, sealed = self._desk.authenticator.new_secret(account.id)
        with self._desk.store.begin(call) as tx:
            held = tx.account_for_change(account.id)
            if held.second_factor_since is not None:
                raise FactorInUse
            tx.set_second_factor(SecondFactor(account_id=held.id, sealed=sealed, made_at=call.at))
            call.audit(record=held.id, fields=["second_factor"])
        address = self._desk.authenticator.address(secret, username=held.username)
        return Answer(view.enrolment(secret, address=address, ends_at=call.at + factors.ENROLMENT_LIFE))

    def confirm_second_factor(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Show that the device makes the right codes: from now on every sign-in asks for one."""
        with self._desk.store.begin(call) as tx:
            outcome = self._confirm(tx, body["code"], call)
        return answered(outcome)

    def _confirm(self, tx: Work, code: str, call: Call) -> Answer | DomainError:
        account = self._counted(tx, call)
        pending = tx.second_factor_for_change(account.id)
        try:
            factor = factors.confirmed(pending, step=self._step(pending, code, call), at=call.at)
        except WrongCode as wrong:
            call.audit(record=account.id, outcome="failed")
            return wrong
        self._desk.forgive(tx, self._desk.factor_scopes(account))
        tx.set_second_factor(factor)
        fresh = accounts.with_second_factor(account, since=call.at, at=call.at)
        self._save(tx, fresh, call)
        codes = self._desk.new_backup_codes(tx, fresh)
        return Answer({**self._stepped_up(tx, fresh, call), "backup_codes": codes})

    def _step(self, factor: SecondFactor | None, code: str, call: Call) -> int | None:
        if factor is None:
            return None
        given, owner = factors.comparable(code), factor.account_id
        return self._desk.authenticator.step_of(factor.sealed, given, account_id=owner, at=call.at)

    def show_second_factor(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Show the second factor again in this session: an access token that says so."""
        with self._desk.store.begin(call) as tx:
            outcome = self._shown(tx, body["code"], call)
        return answered(outcome)

    def _shown(self, tx: Work, code: str, call: Call) -> Answer | DomainError:
        account = self._counted(tx, call)
        if account.second_factor_since is None:
            raise NoFactor
        how = self._desk.code_fits(tx, account, code, call=call)
        if how is None:
            call.audit(record=account.id, outcome="failed")
            return WrongCode()
        self._desk.forgive(tx, self._desk.factor_scopes(account))
        call.audit(record=account.id, fields=[f"second_factor.{how}"])
        return Answer(self._stepped_up(tx, account, call))

    def renew_backup_codes(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Ten new backup codes; those before count no more."""
        account = self._desk.own(call)
        self._desk.check_current(account, body["current_password"], call)
        with self._desk.store.begin(call) as tx:
            held = tx.account_for_change(account.id)
            if held.second_factor_since is None:
                raise NoFactor
            codes = self._desk.new_backup_codes(tx, held)
            call.audit(record=held.id, fields=["backup_codes"])
        return Answer({"backup_codes": codes})

    def remove_second_factor(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Do without the second factor, where no role wants one."""
        account = self._desk.own(call)
        self._desk.check_current(account, body["current_password"], call)
        with self._desk.store.begin(call) as tx:
            outcome = self._removed(tx, body["code"], call)
        return answered(outcome)

    def _removed(self, tx: Work, code: str, call: Call) -> Answer | DomainError:
        account = self._counted(tx, call)
        if account.second_factor_since is None:
            raise NoFactor
        if self._desk.catalogue_of(tx).with_factor() & set(account.roles):
            raise FactorEnforced
        if self._desk.code_fits(tx, account, code, call=call) is None:
            call.audit(record=account.id, outcome="failed")
            return WrongCode()
        self._desk.forgive(tx, self._desk.factor_scopes(account))
        tx.drop_second_factor(account.id)
        self._save(tx, accounts.with_second_factor(account, since=None, at=call.at), call)
        return call.answer(status=204)

    def reset_second_factor(self, user_id: str, call: Call) -> Answer:
        """Take the second factor from an account whose owner has lost it, and end its sessions."""
        with self._desk.store.begin(call) as tx:
            account = administered(tx.account_for_change(UUID(user_id)), by=call.actor)
            call.audit(record=account.id)
            accounts.refuse_unless_above(account, by=call.actor)
            fresh = accounts.with_second_factor(account, since=None, at=call.at)
            tx.drop_second_factor(account.id)
            tx.end_sessions(account.id, at=call.at, why=Ended.FACTOR)
            self._desk.forgive(tx, self._desk.factor_scopes(account))
            self._save(tx, fresh, call)
            return call.answer(view.account(fresh))

    def _counted(self, tx: Work, call: Call) -> Account:
        """The own account, held, with one more try of its second factor."""
        me, _ = self._desk.me(call)
        account = tx.account_for_change(me)
        self._desk.count_try(tx, self._desk.factor_scopes(account), call=call)
        return account

    def _save(self, tx: Work, fresh: Account, call: Call) -> None:
        if fresh.version != tx.account(fresh.id).version:
            tx.save_account(fresh, fields=["second_factor"])
            tx.announce(policy.of_account(fresh, at=call.at))
            tx.record(accounts.event("second_factor_changed", account=fresh))
        call.audit(record=fresh.id, version=fresh.version, fields=["second_factor"])

    def _stepped_up(self, tx: Work, account: Account, call: Call) -> dict[str, Any]:
        """An access token of this session, in which the second factor was shown just now."""
        _, session_id = self._desk.me(call)
        held: Session | None = tx.session_for_change(session_id, account_id=account.id)
        if held is None:
            raise NotSignedIn
        session = sessions.with_code(held, at=call.at)
        tx.save_session(session)
        return view.service_token(self._desk.access_token(tx, account, session=session, call=call))
