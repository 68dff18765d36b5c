"""Sign-in by the outside provider, and the table that says which roles its groups give."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk, answered, refuse_stale
from services.identity.model import accounts, administering, external, policy, sessions
from services.identity.model.accounts import Account
from services.identity.model.external import Attempt, ExternalRefused, GroupRoles, NoProvider, Provider, Said
from services.identity.model.sessions import PROVIDER, SEVERAL
from services.identity.model.store import Reading, Work
from services.kernel.errors import DomainError


class External:
    """Operations on sign-in by the outside provider."""

    _desk: Desk
    _opened: Callable[..., Answer]  # as every sign-in ends

    def start_external_sign_in(self, call: Call) -> Answer:
        """Begin: where to send the person, and what only who began can complete it with."""
        provider = self._provider()
        state, binding, nonce, verifier = (self._desk.secret() for _ in range(4))
        digest = sessions.digest(state)
        address = provider.begin(state=state, nonce=nonce, verifier=verifier)
        attempt = Attempt(
            state_digest=digest,
            binding_digest=sessions.digest(binding),
            nonce=nonce,
            sealed_verifier=provider.seal(verifier, state_digest=digest),
            made_at=call.at,
        )
        with self._desk.store.begin(call) as tx:
            tx.add_attempt(attempt)
        return Answer(view.attempt(address, binding=binding, ends_at=call.at + external.LIFE), 201)

    def complete_external_sign_in(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Complete: what the provider says of the person opens a session."""
        provider = self._provider()
        with self._desk.store.begin(call) as tx:
            attempt = self._used(tx, body, call)
        said = None if attempt is None else self._said(provider, attempt, body["code"], call)
        with self._desk.store.begin(call) as tx:
            outcome = self._enter(tx, said, call)
        return answered(outcome)

    def _used(self, tx: Work, body: Mapping[str, Any], call: Call) -> Attempt | None:
        """The attempt, used up by this, when it may be completed."""
        attempt = tx.attempt_for_change(sessions.digest(body["state"]))
        binding = sessions.digest(body["binding"])
        if attempt is None or not external.is_open(attempt, binding_digest=binding, at=call.at):
            return None
        tx.save_attempt(replace(attempt, used_at=call.at))
        return attempt

    def _said(self, provider: Provider, attempt: Attempt, code: str, call: Call) -> Said | None:
        verifier = provider.unseal(attempt.sealed_verifier, state_digest=attempt.state_digest)
        try:
            return provider.complete(code=code, nonce=attempt.nonce, verifier=verifier, at=call.at)
        except ExternalRefused:
            return None

    def _enter(self, tx: Work, said: Said | None, call: Call) -> Answer | DomainError:
        before, account = (None, None) if said is None else self._accounts(tx, said, call)
        if said is None or account is None:
            call.audit(outcome="failed")
            return ExternalRefused()
        added, removed = accounts.roles_changed(before, after=account)
        fields = ["roles"] if added or removed else []
        if not account.roles or not account.is_active or not self._desk.may_enter(tx, account):
            call.audit(record=account.id, fields=fields, added=added, removed=removed, outcome="failed")
            return ExternalRefused()
        methods = (PROVIDER, SEVERAL) if said.has_second_factor else (PROVIDER,)
        return self._opened(tx, account, call, methods=methods, fields=fields, added=added, removed=removed)

    def _accounts(self, tx: Work, said: Said, call: Call) -> tuple[Account | None, Account | None]:
        """The account of this person as it was, and with the roles of the groups now; made when a group gives one."""
        given = external.roles_of(tx.group_roles(), groups=said.groups)
        known = tx.external_account(said.issuer, subject=said.subject)
        if known is None:
            return None, self._made(tx, said, given, call) if given else None
        account = tx.account_for_change(known)
        fresh = external.followed(account, roles=given, at=call.at)
        if fresh.version != account.version:
            tx.save_account(fresh, fields=accounts.differing(account, after=fresh))
            tx.announce(policy.of_account(fresh, at=call.at))
            tx.record(accounts.event("roles_assigned", account=fresh))
        return account, fresh

    def _made(self, tx: Work, said: Said, given: tuple[str, ...], call: Call) -> Account:
        taken = tx.usernames_beginning(external.base_name(said))
        name = external.username(said, is_taken=taken)
        made = external.new_account(said, account_id=self._desk.new_id(), name=name, roles=given, at=call.at)
        tx.add_account(made)
        tx.add_external(said.issuer, subject=said.subject, account_id=made.id, at=call.at)
        tx.record(accounts.event("user_created", account=made))
        return made

    def get_group_roles(self) -> dict[str, Any]:
        """Which roles groups of the provider give."""
        with self._desk.store.read() as tx:
            return view.group_roles(tx.group_roles())

    def set_group_roles(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Say for all groups which roles they give; it holds at each one's next sign-in."""
        administering.refuse_narrowed(call.actor)
        with self._desk.store.begin(call) as tx:
            known = self._desk.catalogue.with_kept(tx.roles_for_change())
            for number, each in enumerate(body["entries"]):
                known.refuse_unknown(each["roles"], pointer=f"/entries/{number}/roles")
            now = _table(tx, call)
            refuse_stale(tx, now, call)
            fresh = external.changed(now, entries=body["entries"], at=call.at)
            fields = ["entries"] if fresh.version != now.version else []
            if fields:
                tx.save_group_roles(fresh, fields=fields)
            added, removed = external.roles_changed(now, after=fresh)
            call.audit(record=fresh.id, version=fresh.version, fields=fields, added=added, removed=removed)
            return call.answer(view.group_roles(fresh))

    def _provider(self) -> Provider:
        if self._desk.provider is None:
            raise NoProvider
        return self._desk.provider


def _table(tx: Reading, call: Call) -> GroupRoles:
    return tx.group_roles() or GroupRoles(entries={}, created_at=call.at, changed_at=call.at)
