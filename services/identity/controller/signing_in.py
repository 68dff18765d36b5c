"""Signing in by password and second factor, refreshing, signing out; tokens of services.

A refusal is committed, with its trace and its count, before it is raised: raised inside the unit of work it would take
both back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from prometheus_client import Counter

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk, answered
from services.identity.model import accounts, factors, passwords, policy, sessions
from services.identity.model.accounts import Account, Kind
from services.identity.model.factors import Challenge, FactorRefused, SecondFactorRequired
from services.identity.model.passwords import Verdict
from services.identity.model.sessions import (
    CODE,
    PASSWORD,
    Ended,
    RefreshRefused,
    RefreshToken,
    SecretRefused,
    Session,
    SignInRefused,
    Turn,
)
from services.identity.model.store import Scope, Work
from services.kernel.errors import DomainError

SIGN_INS = Counter("infirmary_sign_ins_total", "Passwords that were looked at, by what came of it.", ["result"])
REUSED = Counter("infirmary_refresh_tokens_reused_total", "Refresh tokens used twice: somebody else has one.")


@dataclass(frozen=True, slots=True)
class _Tried:
    """A password that was looked at: for which account, with what counted, and what came of it."""

    found: Account | None
    scopes: Sequence[Scope]
    verdict: Verdict
    better: str | None


class SigningIn:
    """Operations that open and end sessions."""

    _desk: Desk

    def sign_in(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Open a session for a user name and its password, or the way to the second factor."""
        with self._desk.store.begin(call) as tx:
            found = tx.account_named(accounts.canonical(body["username"]))
            device = body.get("device_token")
            scopes = self._desk.scopes(body["username"], found=found, call=call, device=device)
            self._desk.count_try(tx, scopes, call=call)
        given = passwords.prepared(body["password"])
        known = None if found is None else found.password_hash
        verdict = self._desk.check(given, against=known, scopes=scopes, call=call)
        better = self._desk.hash(given) if verdict.fits and verdict.is_outdated else None
        with self._desk.store.begin(call) as tx:
            outcome = self._open(tx, _Tried(found, scopes, verdict, better), call)
        SIGN_INS.labels("refused" if isinstance(outcome, SignInRefused) else "opened").inc()
        return answered(outcome)

    def _open(self, tx: Work, tried: _Tried, call: Call) -> Answer | DomainError:
        """Open a session when all is right; a trace is left either way."""
        found, verdict = tried.found, tried.verdict
        account = None if found is None else tx.account_for_change(found.id)
        is_same = account is not None and found is not None and account.password_hash == found.password_hash
        if account is None or not (is_same and verdict.fits and self._lets_in(tx, account, call)):
            call.audit(record=None if account is None else account.id, outcome="failed")
            return SignInRefused()
        if tried.better is not None:
            tx.better_hash(account.id, fresh=tried.better, instead_of=account.password_hash or "")
        self._desk.forgive(tx, tried.scopes)
        if account.second_factor_since is not None:
            return self._challenge(tx, account, call)
        return self._opened(tx, account, call, methods=(PASSWORD,))

    def _lets_in(self, tx: Work, account: Account, call: Call) -> bool:
        return account.may_sign_in(call.at) and self._desk.may_enter(tx, account)

    def _challenge(self, tx: Work, account: Account, call: Call) -> SecondFactorRequired:
        """The password was right; codes of the second factor have a count of their own."""
        text = self._desk.secret()
        made = Challenge(digest=sessions.digest(text), account_id=account.id, methods=(PASSWORD,), made_at=call.at)
        tx.add_challenge(made)
        call.audit(record=account.id, outcome="denied")
        return SecondFactorRequired(text)

    def finish_sign_in(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Open a session for a challenge and a code of the second factor."""
        with self._desk.store.begin(call) as tx:
            outcome = self._finish(tx, body, call)
        return answered(outcome)

    def _finish(self, tx: Work, body: Mapping[str, Any], call: Call) -> Answer | DomainError:
        challenge = tx.challenge_for_change(sessions.digest(body["challenge_id"]))
        if challenge is None or not factors.is_open(challenge, at=call.at):
            call.audit(outcome="failed")
            return FactorRefused()
        account = tx.account_for_change(challenge.account_id)
        scopes = self._desk.factor_scopes(account)
        self._desk.count_try(tx, scopes, call=call)
        how = self._desk.code_fits(tx, account, body["code"], call=call)
        is_right = how is not None and self._lets_in(tx, account, call)
        tx.save_challenge(replace(challenge, tries=challenge.tries + 1, used_at=call.at if is_right else None))
        if not is_right:
            call.audit(record=account.id, outcome="failed")
            return FactorRefused()
        self._desk.forgive(tx, scopes)
        return self._opened(tx, account, call, methods=(*challenge.methods, CODE), fields=[f"second_factor.{how}"])

    def _opened(
        self,
        tx: Work,
        account: Account,
        call: Call,
        *,
        methods: Sequence[str],
        fields: Sequence[str] = (),
        added: Iterable[str] = (),
        removed: Iterable[str] = (),
    ) -> Answer:
        new_id, limits = self._desk.new_id(), self._desk.limits
        session = sessions.opened(
            account, session_id=new_id, source=call.source, at=call.at, limits=limits, methods=methods
        )
        text, kept = self._desk.new_refresh(session, call=call)
        tx.add_session(session, refresh=kept)
        call.actor = sessions.actor_of(account, session=session.id)
        call.audit(record=account.id, fields=fields, added=added, removed=removed)
        device = self._desk.devices.new(account.username, at=call.at)
        return call.answer({**self._tokens(tx, session, account, text, call), "device_token": device}, status=201)

    def _tokens(self, tx: Work, session: Session, account: Account, refresh: str, call: Call) -> dict[str, Any]:
        access = self._desk.access_token(tx, account, session=session, call=call)
        with_factor = self._desk.catalogue_of(tx).with_factor()
        lacks = not session.has_second_factor and bool(with_factor & set(account.roles))
        return view.tokens(access=access, refresh=refresh, session=session, account=account, lacks_factor=lacks)

    def refresh_session(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Exchange a refresh token for the next one and an access token."""
        with self._desk.store.begin(call) as tx:
            outcome = self._exchange(tx, sessions.digest(body["refresh_token"]), call)
        return answered(outcome)

    def _exchange(self, tx: Work, digest: bytes, call: Call) -> Answer | DomainError:
        """The next pair of tokens; a refusal, and the end of the session, when the token was used before."""
        held = tx.session_of_token(digest)
        if held is None:
            call.audit(outcome="failed")
            return RefreshRefused()
        session, token = held
        account = tx.account(session.account_id)
        call.actor = sessions.actor_of(account, session=session.id)
        turn = sessions.turn(session, token=token, at=call.at, limits=self._desk.limits)
        if turn is Turn.REUSED:
            REUSED.inc()
            tx.end_session(session.id, account_id=account.id, at=call.at, why=Ended.REUSE)
        if turn is not Turn.GOOD or not account.is_active:
            call.audit(record=session.id, outcome="denied" if turn is Turn.REUSED else "failed")
            return RefreshRefused()
        return self._exchanged(tx, sessions.used(session, at=call.at), token, account, call)

    def _exchanged(self, tx: Work, session: Session, token: RefreshToken, account: Account, call: Call) -> Answer:
        text, fresh = self._desk.new_refresh(session, call=call)
        tx.exchange_token(session, used=token, fresh=fresh)
        call.audit(record=session.id)
        return call.answer(self._tokens(tx, session, account, text, call))

    def sign_out(self, call: Call) -> Answer:
        """End the session of this token."""
        me, session = self._desk.me(call)
        with self._desk.store.begin(call) as tx:
            if not tx.end_session(session, account_id=me, at=call.at, why=Ended.SIGN_OUT):
                tx.announce(policy.SessionEnded(session=session))  # ended before, and perhaps not yet known everywhere
            call.audit(record=session)
            return call.answer(status=204)

    def issue_service_token(self, body: Mapping[str, Any], call: Call) -> Answer:
        """An access token for a service or a program of others that shows its secret."""
        scopes = self._desk.secret_scopes("service", call=call)
        digest = sessions.digest(body["client_secret"])
        with self._desk.store.begin(call) as tx:
            self._desk.count_try(tx, scopes, call=call)
            account = tx.account_named(body["client_id"])
            answer = self._for_secret(tx, account, digest, call)
            if answer is not None:
                self._desk.forgive(tx, scopes)
                return answer
            call.audit(record=None if account is None else account.id, outcome="failed")
        raise SecretRefused

    def _for_secret(self, tx: Work, account: Account | None, digest: bytes, call: Call) -> Answer | None:
        """A token for the secret of a service, or for a key of a program: its id is then the session."""
        is_right, key = self._desk.same(digest, account), tx.service_key_of(digest)
        if account is None or account.kind is not Kind.SERVICE or not account.is_active:
            return None
        if key is not None and key.account_id == account.id and key.is_good(call.at):
            session, ends_at = key.id, key.expires_at
        elif is_right:
            session, ends_at = self._desk.new_id(), None
        else:
            return None
        call.actor = sessions.actor_of(account, session=session)
        call.audit(record=account.id)
        token = self._desk.program_token(account, session=session, ends_at=ends_at, call=call)
        return call.answer(view.service_token(token, ends_at=ends_at, at=call.at))
