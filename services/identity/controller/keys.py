"""Signing keys: shown, turned on schedule, withdrawn in an emergency."""

from __future__ import annotations

from typing import Any

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk
from services.identity.model import administering, keys
from services.identity.model.policy import KeyWithdrawn


class Keys:
    """Operations on keys."""

    _desk: Desk

    def get_jwks(self, call: Call) -> Answer:
        """The public halves of the keys that tokens are checked with."""
        public = self._desk.mint.published(at=call.at)
        return Answer(view.jwks(public), headers={"Cache-Control": "public, max-age=30"})

    def list_signing_keys(self, call: Call) -> dict[str, Any]:
        """Every signing key, newest first."""
        administering.refuse_narrowed(call.actor)
        with self._desk.store.read() as tx:
            found = keys.placed(tx.keys())
        return view.page([view.key(each, at=call.at) for each in reversed(found)])

    def rotate_signing_key(self, call: Call) -> Answer:
        """Make a new key; it signs when every checker of tokens can know it."""
        administering.refuse_narrowed(call.actor)
        made = self._desk.key_maker.make()
        with self._desk.store.begin(call) as tx:
            known = tx.keys_for_change()
            fresh = keys.next_key(known, made=made, at=call.at)
            tx.add_key(fresh)
            call.audit(fields=["signing_key"])
            shown = next(each for each in keys.placed([*known, fresh]) if each.key.kid == fresh.kid)
            return call.answer(view.key(shown, at=call.at), status=201)

    def withdraw_signing_key(self, kid: str, call: Call) -> Answer:
        """Take a key out at once: no token of it counts any more, and another one signs."""
        administering.refuse_narrowed(call.actor)
        with self._desk.store.begin(call) as tx:
            left = keys.withdrawn(tx.keys_for_change(), kid=kid, at=call.at)
            tx.set_keys(left)
            if not keys.can_sign(left, at=call.at):
                left.append(keys.next_key(left, made=self._desk.key_maker.make(), at=call.at))
                tx.add_key(left[-1])
            tx.announce(KeyWithdrawn(kid=kid))
            call.audit(fields=["signing_key", f"signing_key-{kid}"])
            shown = next(each for each in keys.placed(left) if each.key.kid == kid)
            answer = call.answer(view.key(shown, at=call.at))
        self._desk.mint.forget()
        return answer
