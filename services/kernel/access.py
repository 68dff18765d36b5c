"""Who acts: the words in which object rules are written."""

from __future__ import annotations

from dataclasses import dataclass, field


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

    def may(self, permission: str) -> bool:
        """Whether one of the roles holds the permission."""
        return permission in self.permissions


NOBODY = Actor(subject="anonymous")
