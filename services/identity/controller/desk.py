"""What the methods of the controller work with, and the steps that several of them take."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from services.chassis.call import Answer, Call
from services.identity.model import accounts, factors, passwords, reach, sessions, throttle
from services.identity.model.accounts import Account
from services.identity.model.activation import Records
from services.identity.model.external import GroupRoles, Provider
from services.identity.model.factors import Authenticator
from services.identity.model.keys import KeyMaker, TokenMint
from services.identity.model.passwords import HashingBusy, PasswordHasher, Verdict
from services.identity.model.places import Place
from services.identity.model.resets import Mail
from services.identity.model.roles import Catalogue, Role
from services.identity.model.sessions import Limits, RefreshToken, Session, WrongCurrentPassword
from services.identity.model.store import Reading, Scope, Store, Work
from services.kernel.errors import DomainError, NotSignedIn, Unavailable


class Devices(Protocol):
    """Tokens by which devices are known that signed in before."""

    def new(self, name: str, *, at: datetime) -> str:
        """A token for a device of the owner of this user name."""

    def known(self, name: str, token: str | None, *, at: datetime) -> bytes | None:
        """What names the device; None when the token does not count."""


@dataclass(frozen=True, kw_only=True)
class Desk:
    """Store, hasher, keys and settings; it holds nothing of a request.

    secret: a new random text of 256 bits; randomness: that many random bytes; digest: names a thing without saying it.
    common: passwords that everybody tries first. provider, mail: the outside one, and the way out for mails, where they
    are set up.
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
    common: Container[str]
    devices: Devices
    authenticator: Authenticator
    records: Records
    provider: Provider | None
    mail: Mail | None

    def scopes(
        self, account_name: str, *, found: Account | None, call: Call, device: str | None = None
    ) -> tuple[Scope, ...]:
        """What a try counts against: the account, known or not, the address that it comes from, and the house.

        A device that the owner of the account has signed in with before counts for itself: whoever guesses elsewhere
        cannot shut it out.
        """
        name = accounts.canonical(account_name)
        about = None if found is None else str(found.id)
        known = self.devices.known(name, device, at=call.at)
        if known is not None:
            return (Scope("device", self.digest(f"device {known.hex()}"), about),)
        of_account = Scope("account", self.digest(f"account {name}"), about)
        of_source = Scope("source", self.digest(f"source {call.source}"), call.source)
        return of_account, of_source, Scope("house", self.digest("house"))

    def secret_scopes(self, what: str, *, call: Call) -> tuple[Scope]:
        """What a try of a long random secret counts against: the address only.

        Such a secret needs no protection against guessing; a count per account would let anybody shut one out.
        """
        return (Scope("source", self.digest(f"{what} source {call.source}"), call.source),)

    def factor_scopes(self, account: Account) -> tuple[Scope]:
        """What a code of the second factor counts against; only who has the password comes so far."""
        return (Scope("factor", self.digest(f"factor {account.id}"), str(account.id)),)

    def count_try(self, tx: Work, scopes: Sequence[Scope], *, call: Call) -> None:
        """Count a try before it is looked at; TooMany when one of the scopes has to wait."""
        held = tx.counters(scopes)
        fresh = {scope: throttle.counted(held[scope], rule=self.throttles[scope.kind], at=call.at) for scope in scopes}
        tx.set_counters(fresh)

    def forgive(self, tx: Work, scopes: Sequence[Scope]) -> None:
        """A try was right: account, device and factor begin anew; source and house get this one try back."""
        held = tx.counters(scopes)
        fresh = {
            scope: throttle.Counter()
            if scope.kind in _IN_A_ROW
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

    def check_current(self, account: Account, current: str, call: Call) -> None:
        """Check the password of who acts, counted as at a sign-in: a stolen token must be no way to guess it.

        Raises:  WrongCurrentPassword, NotAPerson, NoPassword, TooMany, Unavailable.
        """
        accounts.refuse_service(account)
        if account.password_hash is None:
            raise accounts.NoPassword
        scopes = self.scopes(account.username, found=account, call=call)
        with self.store.begin(call) as tx:
            self.count_try(tx, scopes, call=call)
        verdict = self.check(passwords.prepared(current), against=account.password_hash, scopes=scopes, call=call)
        with self.store.begin(call) as tx:
            if verdict.fits:
                self.forgive(tx, scopes)
            else:
                call.audit(record=account.id, outcome="failed")
        if not verdict.fits:
            raise WrongCurrentPassword

    def code_fits(self, tx: Work, account: Account, code: str, *, call: Call) -> str | None:
        """How a code was right, and is used up: `otp` or `backup_code`; None when it is not."""
        factor = tx.second_factor_for_change(account.id)
        if factor is None or factor.confirmed_at is None:
            return None
        given = factors.comparable(code)
        step = self.authenticator.step_of(factor.sealed, given, account_id=account.id, at=call.at)
        accepted = factors.accepts(factor, step=step)
        if accepted is not None:
            tx.set_second_factor(accepted)
            return "otp"
        used = tx.use_backup_code(account.id, digest=self.backup_digest(account.id, given))
        return "backup_code" if used else None

    def backup_digest(self, account_id: UUID, code: str) -> bytes:
        """What is kept of a backup code."""
        return self.digest(f"backup code {account_id} {factors.comparable(code)}")

    def new_backup_codes(self, tx: Work, account: Account) -> list[str]:
        """Ten new backup codes in the place of those before."""
        codes = [factors.backup_code(self.randomness(10)) for _ in range(factors.BACKUP_CODES)]
        tx.set_backup_codes(account.id, digests=[self.backup_digest(account.id, each) for each in codes])
        return codes

    def may_enter(self, tx: Reading, account: Account) -> bool:
        """Whether one of the places that an account is narrowed to is open; most are narrowed to none."""
        wanted = reach.all_facilities(account.roles, account.areas)
        if wanted is None:
            return True
        return any(each.is_active for each in tx.facilities_named(wanted).values())

    def catalogue_of(self, tx: Reading) -> Catalogue:
        """All roles that there are now, those of the house's own among them."""
        return self.catalogue.with_kept(tx.kept_roles())

    def areas(self, tx: Reading, body: Mapping[str, object]) -> dict[str, reach.Area]:
        """The areas that a body asks for.

        Raises:  Invalid.
        """
        given, given_roles = body.get("areas", ()), body["roles"]
        facilities, departments = reach.named(given)
        known = tx.departments_named(departments)
        return reach.areas(given, roles=given_roles, facilities=tx.facilities_named(facilities), departments=known)

    def own(self, call: Call) -> Account:
        """The account of who acts.

        Raises:  NotSignedIn: the token was not made here, or its account is gone.
        """
        me, _ = self.me(call)
        try:
            with self.store.read() as tx:
                return tx.account(me)
        except accounts.UnknownAccount:
            raise NotSignedIn from None

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

    def access_token(self, tx: Reading, account: Account, *, session: Session, call: Call) -> str:
        """A signed access token of an account in one of its sessions."""
        claims = sessions.claims(
            account,
            session=session.id,
            methods=session.methods,
            authenticated_at=session.authenticated_at,
            at=call.at,
            token_id=self.new_id(),
            with_factor=self.catalogue_of(tx).with_factor(),
        )
        return self.mint.sign(claims, at=call.at)

    def program_token(self, account: Account, *, session: UUID, ends_at: datetime | None, call: Call) -> str:
        """A signed access token of a service or of a program of others."""
        claims = sessions.claims(
            account,
            session=session,
            methods=[sessions.PROGRAM],
            authenticated_at=call.at,
            at=call.at,
            token_id=self.new_id(),
            ends_at=ends_at,
        )
        return self.mint.sign(claims, at=call.at)


_IN_A_ROW = frozenset({"account", "device", "factor"})


def answered(outcome: Answer | DomainError) -> Answer:
    """The answer, or the refusal raised: after its trace was committed."""
    if isinstance(outcome, DomainError):
        raise outcome
    return outcome


def refuse_stale(tx: Work, record: Account | Place | Role | GroupRoles, call: Call) -> None:
    """Refuse a change that starts from an old version of a record, with the fields that others changed since."""
    expected = call.expected_version
    if expected is not None and expected != record.version:
        since = [] if record.id is None else tx.fields_since(record.id, version=expected)
        accounts.refuse_stale(record.version, expected=expected, fields_since=since)
