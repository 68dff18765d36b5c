"""Tells the policy on the bus: right after a commit, and again from the rows that the commit kept."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import redis
from prometheus_client import Counter

from services.chassis import logs
from services.chassis.policy_stream import KEPT_S, KEY_KEPT_S, PolicyPublisher
from services.identity.model.policy import Change, KeyWithdrawn, RoleNow, SessionEnded, SubjectNow

LATE = Counter("infirmary_policy_left_to_worker_total", "Changes of the policy that a web process could not tell.")


class Voice:
    """The sending side of the policy."""

    def __init__(self, publisher: PolicyPublisher) -> None:
        self._publisher = publisher

    def at_once(self, changes: Sequence[Change]) -> None:
        """Tell changes that were committed just now. When the bus is away the worker tells them; nothing is raised."""
        for place, change in enumerate(changes):
            try:
                self._tell(change, until=None)
            except (redis.RedisError, OSError) as error:
                LATE.inc(len(changes) - place)
                logs.logger().warning("policy_left_to_worker", reason=type(error).__name__)
                return

    def surely(self, change: Change, committed_at: datetime) -> None:
        """Tell a change from its row.

        Raises:  redis.RedisError, OSError: the bus is away.
        """
        is_key = isinstance(change, KeyWithdrawn)
        self._tell(change, until=committed_at.timestamp() + (KEY_KEPT_S if is_key else KEPT_S))

    def _tell(self, change: Change, *, until: float | None) -> None:
        match change:
            case SubjectNow():
                self._publisher.subject(
                    str(change.subject),
                    roles=change.roles,
                    active=change.is_active,
                    version=change.version,
                    until=until,
                    areas=change.areas,
                    links=change.links,
                )
            case RoleNow():
                self._publisher.role(
                    change.role,
                    permissions=change.permissions,
                    version=change.version,
                    second_factor=change.second_factor,
                )
            case KeyWithdrawn():
                self._publisher.key(change.kid, until=until)
            case SessionEnded():
                self._publisher.session(str(change.session), until=until)
