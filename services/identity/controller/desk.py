"""What the methods of the controller work with, and the steps that several of them take."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from services.chassis.call import Call
from services.identity.model import accounts, sessions, throttle
from services.identity.model.accounts import Account
from services.identity.model.keys import KeyMaker, TokenMint
from services.identity.model.passwords import HashingBusy, PasswordHasher, Verdict
from services.identity.model.places import Place
from services.identity.model.roles import Catalogue
from services.identity.model.sessions import Limits, RefreshToken, Session
from services.identity.model.store import Scope, Store, Work
from services.kernel.errors import NotSignedIn, Unavailable


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Store, hasher, keys and settings; it holds nothing of a request.

    secret: a new random text of 256 bits; randomness: that many random bytes; digest: names a scope without saying it.
    """

    store: Store
    passwords: PasswordHasher
    mint: TokenMint
    key_maker: KeyMaker
    catalogue: Catalogue
    zones: frozenset[str]
    limits: Limits
    throttles: Mapping[str, throttle.Rule]
    new_id: Callable[[], UUID]
    secret: Callable[[], str]
    randomness: Callable[[int], bytes]
    digest: Callable[[str], bytes]

    def scopes(self, account_name: str, *, source: str) -> tuple[Scope, Scope]:
        """What a try counts against: the account, known or not, and the address that it comes from."""
        named = self.digest(f"account {accounts.canonical(account_name)}")
        return Scope("account", named), Scope("source", self.digest(f"source {source}"))

    def service_scopes(self, *, source: str) -> tuple[Scope]:
        """What a try of a service counts against: the address only.

        A secret of 256 bits needs no protection against guessing; a count per service would let anybody shut one out.
        """
        return (Scope("source", self.digest(f"service source {source}")),)

    def count_try(self, tx: Work, scopes: Sequence[Scope], *, call: Call) -> None:
        """Count a try before it is looked at; TooMany when one of the scopes has to wait."""
        held = tx.counters(scopes)
        fresh = {scope: throttle.counted(held[scope], rule=self.throttles[scope.kind], at=call.at) for scope in scopes}
        tx.set_counters(fresh)

    def forgive(self, tx: Work, scopes: Sequence[Scope]) -> None:
        """A try was right: the account begins anew, and the source gets this one try back."""
        held = tx.counters(scopes)
        fresh = {
            scope: throttle.Counter()
            if scope.kind == "account"
            else throttle.given_back(held[scope], rule=self.throttles[scope.kind])
            for scope in scopes
        }
        tx.set_counters(fresh)

    def uncount(self, tx: Work, scopes: Sequence[Scope]) -> None:
        """A try was not looked at after all: both get it back."""
        held = tx.counters(scopes)
        tx.set_counters({s: throttle.given_back(held[s], rule=self.throttles[s.kind]) for s in scopes})

    def check(self, password: str, *, against: str | None, scopes: Sequence[Scope], call: Call) -> Verdict:
        """Check a password outside of any transaction, because it takes long.

        Raises:  Unavailable: too many are checked at once; this one was not, and does not count.
        """
        try:
            return self.passwords.check(password, against=against)
        except HashingBusy:
            with self.store.begin(call) as tx:
                self.uncount(tx, scopes)
            raise Unavailable("password check") from None

    def hash(self, password: str) -> str:
        """Hash a new password.

        Raises:  Unavailable: too many are hashed at once.
        """
        try:
            return self.passwords.hash(password)
        except HashingBusy:
            raise Unavailable("password check") from None

    def same(self, digest: bytes, account: Account | None) -> bool:
        """Whether a digest is that of the account's secret, in a time that tells nothing."""
        kept = None if account is None else account.secret_digest
        return hmac.compare_digest(digest, kept or bytes(len(digest))) and kept is not None

    def new_refresh(self, session: Session, *, call: Call) -> tuple[str, RefreshToken]:
        """A refresh token: the text for the client, and what is kept of it."""
        text = self.secret()
        kept = RefreshToken(digest=sessions.digest(text), session_id=session.id, issued_at=call.at)
        return text, kept

    def me(self, call: Call) -> tuple[UUID, UUID]:
        """The account and the session of the caller.

        Raises:  NotSignedIn: the token was not made here.
        """
        try:
            return UUID(call.actor.subject), UUID(call.actor.session)
        except ValueError:
            raise NotSignedIn from None

    def access_token(self, account: Account, *, session: UUID, call: Call) -> str:
        """A signed access token of an account."""
        claims = sessions.claims(account, session=session, at=call.at, token_id=self.new_id())
        return self.mint.sign(claims, at=call.at)


def refuse_stale(tx: Work, record: Account | Place, call: Call) -> None:
    """Refuse a change that starts from an old version of a record, with the fields that others changed since."""
    expected = call.expected_version
    if expected is not None and expected != record.version:
        since = tx.fields_since(record.id, version=expected)
        accounts.refuse_stale(record.version, expected=expected, fields_since=since)
