"""Roles and permissions: listed, and the house's own made, changed and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.chassis.call import Answer, Call
from services.identity import view
from services.identity.controller.desk import Desk, refuse_stale
from services.identity.model import accounts, administering, policy, roles
from services.identity.model.roles import Role
from services.identity.model.store import Work


class Roles:
    """Operations on roles."""

    _desk: Desk

    def list_roles(self) -> dict[str, Any]:
        """Every role with its permissions."""
        with self._desk.store.read() as tx:
            return view.page([view.role(each) for each in self._desk.catalogue_of(tx).roles])

    def list_permissions(self) -> dict[str, Any]:
        """Every permission with its sentence."""
        return view.page([view.permission(each) for each in self._desk.catalogue.permissions])

    def get_role(self, role_name: str) -> dict[str, Any]:
        """One role."""
        with self._desk.store.read() as tx:
            return view.role(self._desk.catalogue_of(tx).role(role_name))

    def create_role(self, body: Mapping[str, Any], call: Call) -> Answer:
        """Make a role of the house's own."""
        administering.refuse_narrowed(call.actor)
        new_id = self._desk.new_id()
        with self._desk.store.begin(call) as tx:
            kept = tx.roles_for_change()
            before = next((role for role in kept if role.name == body["name"] and role.is_deleted), None)
            known = self._desk.catalogue.with_kept(kept)
            made = roles.made(body, role_id=new_id, known=known, before=before, by=call.actor, at=call.at)
            _save(tx, None, made, call)
            return call.answer(view.role(made), status=201, headers={"Location": f"/api/v1/roles/{made.name}"})

    def update_role(self, role_name: str, body: Mapping[str, Any], call: Call) -> Answer:
        """Change a role of the house's own, or whether a fixed one wants a second factor."""
        administering.refuse_narrowed(call.actor)
        new_id = self._desk.new_id()
        with self._desk.store.begin(call) as tx:
            known = self._desk.catalogue.with_kept(tx.roles_for_change())
            now = known.role(role_name)
            refuse_stale(tx, now, call)
            fresh = roles.changed(now, change=body, role_id=new_id, known=known, by=call.actor, at=call.at)
            _save(tx, now, fresh, call)
            return call.answer(view.role(fresh))

    def delete_role(self, role_name: str, call: Call) -> Answer:
        """Delete a role of the house's own that nobody holds."""
        administering.refuse_narrowed(call.actor)
        with self._desk.store.begin(call) as tx:
            now = self._desk.catalogue.with_kept(tx.roles_for_change()).role(role_name)
            refuse_stale(tx, now, call)
            _save(tx, now, roles.deleted(now, holders=tx.holders_of(role_name), at=call.at), call)
            return call.answer(status=204)


def _save(tx: Work, before: Role | None, fresh: Role, call: Call) -> None:
    """Save a role with its history, its trace and its word to the policy."""
    fields = accounts.differing(before, after=fresh, names=roles.SHOWN)
    added, removed = roles.permissions_changed(before, after=fresh)
    if before is None or fresh.version != before.version:
        tx.save_role(fresh, fields=fields)
        tx.announce(policy.of_role(fresh))
    said = [f"role:{fresh.name}", *fields]
    call.audit(record=fresh.id, version=fresh.version, fields=said, added=added, removed=removed)
