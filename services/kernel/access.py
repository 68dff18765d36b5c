"""Who acts, and about whom: the words in which object rules are written."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """How far an actor reaches beyond what roles say: the records that the account is linked to.

    own: the record of the person who acts; linked: those of others in whose name that person acts.
    """

    own: str | None = None
    linked: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """The account that acts, with what its roles allow at this moment.

    `roles` and `permissions` are those of the policy now, not those of the day the token was made.
    """

    subject: str
    session: str = ""
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    facilities: frozenset[str] = field(default_factory=frozenset)
    scope: Scope = Scope()

    def may(self, permission: str) -> bool:
        """Whether one of the roles holds the permission."""
        return permission in self.permissions

    def is_about(self, record_id: str) -> bool:
        """Whether the record is the actor's own, or one in whose name the actor acts."""
        return record_id == self.scope.own or record_id in self.scope.linked


NOBODY = Actor(subject="anonymous")
