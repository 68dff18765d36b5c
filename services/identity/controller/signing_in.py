"""Signing in, refreshing, signing out; tokens of services.

A refusal is committed, with its trace and its count, before it is raised: raised inside the unit of work it would take
both back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from prometheus_client import Counter

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model import accounts, passwords, policy, sessions
from services.identity.model.accounts import Account, Kind
from services.identity.model.passwords import Verdict
from services.identity.model.sessions import (
    Ended,
    RefreshRefused,
    RefreshToken,
    SecretRefused,
    Session,
    SignInRefused,
    Turn,
    UnknownSession,
)
from services.identity.model.store import Scope, Work

SIGN_INS = Counter("infirmary_sign_ins_total", "Passwords that were looked at, by what came of it.", ["result"])
REUSED = Counter("infirmary_refresh_tokens_reused_total", "Refresh tokens used twice: somebody else has one.")


class SigningIn:
    """Operations that open and end sessions."""

    _desk: Desk

    def sign_in(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Open a session for a user name and its password."""
        scopes = self._desk.scopes(body["username"], source=call.source)
        with self._desk.store.begin(call) as tx:
            self._desk.count_try(tx, scopes, call=call)
            found = tx.account_named(accounts.canonical(body["username"]))
        given = passwords.prepared(body["password"])
        known = None if found is None else found.password_hash
        verdict = self._desk.check(given, against=known, scopes=scopes, call=call)
        better = self._desk.hash(given) if verdict.fits and verdict.is_outdated else None
        with self._desk.store.begin(call) as tx:
            answer = self._open(tx, found, verdict, better, scopes, call)
        SIGN_INS.labels("refused" if answer is None else "opened").inc()
        if answer is None:
            raise SignInRefused
        return answer

    def _open(
        self,
        tx: Work,
        found: Account | None,
        verdict: Verdict,
        better: str | None,
        scopes: Sequence[Scope],
        call: Call,
    ) -> Answer | None:
        """Open a session when all is right; a trace is left either way."""
        account = None if found is None else tx.account_for_change(found.id)
        is_same = account is not None and found is not None and account.password_hash == found.password_hash
        if account is None or not (is_same and verdict.fits and account.may_sign_in(call.at)):
            call.audit(record=None if account is None else account.id, outcome="failed")
            return None
        self._desk.forgive(tx, scopes)
        if better is not None:
            tx.better_hash(account.id, fresh=better, instead_of=account.password_hash or "")
        return self._opened(tx, account, call)

    def _opened(self, tx: Work, account: Account, call: Call) -> Answer:
        new_id, limits = self._desk.new_id(), self._desk.limits
        session = sessions.opened(account, session_id=new_id, source=call.source, at=call.at, limits=limits)
        text, kept = self._desk.new_refresh(session, call=call)
        tx.add_session(session, refresh=kept)
        call.actor = sessions.actor_of(account, session=session.id)
        call.audit(record=account.id)
        access = self._desk.access_token(account, session=session.id, call=call)
        return call.answer(view.tokens(access=access, refresh=text, session=session, account=account), status=201)

    def refresh_session(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Exchange a refresh token for the next one and an access token."""
        with self._desk.store.begin(call) as tx:
            answer = self._exchange(tx, sessions.digest(body["refresh_token"]), call)
        if answer is None:
            raise RefreshRefused
        return answer

    def _exchange(self, tx: Work, digest: bytes, call: Call) -> Answer | None:
        """The next pair of tokens; nothing, and the end of the session, when the token was used before."""
        held = tx.session_of_token(digest)
        if held is None:
            call.audit(outcome="failed")
            return None
        session, token = held
        account = tx.account(session.account_id)
        call.actor = sessions.actor_of(account, session=session.id)
        turn = sessions.turn(session, token=token, at=call.at, limits=self._desk.limits)
        if turn is Turn.REUSED:
            REUSED.inc()
            tx.end_session(session.id, account_id=account.id, at=call.at, why=Ended.REUSE)
        if turn is not Turn.GOOD or not account.is_active:
            call.audit(record=session.id, outcome="denied" if turn is Turn.REUSED else "failed")
            return None
        return self._exchanged(tx, sessions.used(session, at=call.at), token, account, call)

    def _exchanged(self, tx: Work, session: Session, token: RefreshToken, account: Account, call: Call) -> Answer:
        text, fresh = self._desk.new_refresh(session, call=call)
        tx.exchange_token(session, used=token, fresh=fresh)
        call.audit(record=session.id)
        access = self._desk.access_token(account, session=session.id, call=call)
        return call.answer(view.tokens(access=access, refresh=text, session=session, account=account))

    def sign_out(self, call: Call) -> Answer:
        """End the session of this token."""
        me, session = self._desk.me(call)
        with self._desk.store.begin(call) as tx:
            if not tx.end_session(session, account_id=me, at=call.at, why=Ended.SIGN_OUT):
                tx.announce(policy.SessionEnded(session=session))  # ended before, and perhaps not yet known everywhere
            call.audit(record=session)
            return call.answer(status=204)

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

    def issue_service_token(self, body: Mapping[str, Any], call: Call) -> Answer:
        """An access token for a service that shows its secret."""
        scopes = self._desk.service_scopes(source=call.source)
        with self._desk.store.begin(call) as tx:
            self._desk.count_try(tx, scopes, call=call)
            account = tx.account_named(body["client_id"])
            is_right = self._desk.same(sessions.digest(body["client_secret"]), account)
            if account is not None and is_right and account.kind is Kind.SERVICE and account.is_active:
                self._desk.forgive(tx, scopes)
                return self._service_answer(account, call)
            call.audit(record=None if account is None else account.id, outcome="failed")
        raise SecretRefused

    def _service_answer(self, account: Account, call: Call) -> Answer:
        session = self._desk.new_id()
        call.actor = sessions.actor_of(account, session=session)
        call.audit(record=account.id)
        return call.answer(view.service_token(self._desk.access_token(account, session=session, call=call)))
