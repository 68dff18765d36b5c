"""Service accounts: programs of others, with roles for scopes, and keys that end and are taken back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from services.chassis import paging
from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model import accounts, administering, clients, openings, roles, sessions
from services.identity.model.accounts import Account, Kind
from services.identity.model.clients import NotAClient, ServiceKey
from services.identity.model.store import Reading


class Clients:
    """Operations on service accounts."""

    _desk: Desk

    def create_service_account(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a service account. Who gets its keys acts with its roles, so nobody gives more than he holds."""
        administering.refuse_narrowed(call.actor)
        new_id, given = self._desk.new_id(), body["roles"]
        with self._desk.store.begin(call) as tx:
            known = self._desk.catalogue_of(tx)
            known.refuse_unknown(given, pointer="/roles")
            roles.refuse_not_held(known.permissions_of(given), by=call.actor)
            name, title = body["client_id"], body["display_name"]
            made = openings.of_client(
                account_id=new_id, client_id=name, display_name=title, roles=given, by=call.actor, at=call.at
            )
            tx.add_account(made)
            tx.record(accounts.event("user_created", account=made))
            fields = accounts.differing(None, after=made)
            call.audit(record=made.id, version=made.version, fields=fields, added=made.roles)
            return call.answer(view.account(made), status=201)

    def list_service_accounts(self, call: Call, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
        """Service accounts in the order of their making."""
        administering.refuse_narrowed(call.actor)
        of = ("service_accounts",)
        page = paging.page(cursor, limit=limit, of=of)
        with self._desk.store.read() as tx:
            found = tx.clients(after=page.after_id, limit=limit + 1)
        items, following = paging.cut(found, limit=limit, keys=lambda each: [str(each.id)], of=of)
        return view.page([view.account(each) for each in items], next_cursor=following)

    def add_service_key(self, service_account_id: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a key, whose secret is shown in this answer and never again."""
        administering.refuse_narrowed(call.actor)
        secret = self._desk.secret()
        with self._desk.store.begin(call) as tx:
            account = _client(tx, service_account_id)
            clients.refuse_too_many(tx.service_keys(account.id), at=call.at)
            made = self._key(account, secret, body, call)
            tx.add_service_key(made)
            call.audit(record=account.id, fields=["keys"])
            call.answer({**view.service_key(made, at=call.at), "secret": None}, status=201)
        return Answer({**view.service_key(made, at=call.at), "secret": secret}, 201)

    def _key(self, account: Account, secret: str, body: Mapping[str, Any], call: Call) -> ServiceKey:
        return clients.new_key(
            key_id=self._desk.new_id(),
            account_id=account.id,
            digest=sessions.digest(secret),
            label=body["label"],
            days=body["days"],
            by=call.actor.subject,
            at=call.at,
        )

    def list_service_keys(self, service_account_id: str, call: Call) -> dict[str, Any]:
        """The keys of a service account, newest first; never a secret."""
        administering.refuse_narrowed(call.actor)
        with self._desk.store.read() as tx:
            found = tx.service_keys(_client(tx, service_account_id).id)
        return view.page([view.service_key(each, at=call.at) for each in found])

    def revoke_service_key(self, service_account_id: str, key_id: str, call: Call) -> Answer:
        """Take a key back: it gives no token, and those that it gave count no more."""
        administering.refuse_narrowed(call.actor)
        with self._desk.store.begin(call) as tx:
            account = _client(tx, service_account_id)
            key = tx.service_key_for_change(UUID(key_id), account_id=account.id)
            tx.save_service_key(clients.revoked(key, at=call.at))
            call.audit(record=account.id, fields=["keys"])
            return call.answer(status=204)


def _client(tx: Reading, account_id: str) -> Account:
    account = tx.account(UUID(account_id))
    if account.kind is not Kind.SERVICE or account.secret_digest is not None:
        raise NotAClient
    return account
