"""Signing keys, and the list of roles and permissions."""

from __future__ import annotations

from typing import Any

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model import keys


class Keys:
    """Operations on keys and roles."""

    _desk: Desk

    def get_jwks(self, call: Call) -> Answer:
        """The public halves of the keys that tokens are checked with."""
        public = self._desk.mint.published(at=call.at)
        return Answer(view.jwks(public), headers={"Cache-Control": "public, max-age=30"})

    def list_signing_keys(self, call: Call) -> dict[str, Any]:
        """Every signing key, newest first."""
        with self._desk.store.read() as tx:
            found = keys.placed(tx.keys())
        return view.page([view.key(each, at=call.at) for each in reversed(found)])

    def rotate_signing_key(self, call: Call) -> Answer:
        """Make a new key; it signs when every checker of tokens can know it."""
        made = self._desk.key_maker.make()
        with self._desk.store.begin(call) as tx:
            known = tx.keys_for_change()
            fresh = keys.next_key(known, made=made, at=call.at)
            tx.add_key(fresh)
            call.audit(fields=["signing_key"])
            shown = next(each for each in keys.placed([*known, fresh]) if each.key.kid == fresh.kid)
            return call.answer(view.key(shown, at=call.at), status=201)

    def list_roles(self) -> dict[str, Any]:
        """Every role with its permissions."""
        return view.page([view.role(each) for each in self._desk.catalogue.roles])

    def list_permissions(self) -> dict[str, Any]:
        """Every permission with its sentence."""
        return view.page([view.permission(each) for each in self._desk.catalogue.permissions])
