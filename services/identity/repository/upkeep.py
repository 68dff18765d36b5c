"""What timed work needs of the store: the policy's unsent rows and its state, and old rows to forget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import sqlalchemy as sa

from services.chassis.policy_stream import KEPT_S, KEY_KEPT_S, PolicyState, Role, Subject
from services.chassis.sql import Database
from services.identity import schema
from services.identity.model import policy, roles
from services.identity.model.policy import Change, RoleNow, SessionEnded, SubjectNow
from services.identity.repository import policy_rows, rows

_BATCH = 200
_OLD_SESSIONS = timedelta(days=30)
_OLD_COUNTERS = timedelta(days=2)
_OLD_POLICY = timedelta(days=1)
# What counts for minutes or days only, and the column that says since when it counts no more.
_SHORT_LIVED = {
    schema.password_resets: "made_at",
    schema.challenges: "made_at",
    schema.external_sign_ins: "made_at",
    schema.activation_codes: "expires_at",
}


class PolicyRows:
    """The changes of the policy as rows: kept with the effect, sent after it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def send(self, tell: Callable[[Change, datetime], None], *, at: datetime) -> int:
        """Send the oldest unsent changes and mark them; how many there were. Others' rows in work are left to them."""
        table = schema.policy_changes
        query = sa.select(table).where(table.c.published_at.is_(None)).order_by(table.c.id)
        with self._database.engine.begin() as connection:
            found = connection.execute(query.limit(_BATCH).with_for_update(skip_locked=True)).all()
            for row in found:
                tell(policy_rows.change(row), row.at)
            if found:
                sent = [row.id for row in found]
                connection.execute(sa.update(table).where(table.c.id.in_(sent)).values(published_at=at))
        return len(found)

    def has_unsent(self, *, before: datetime) -> bool:
        """Whether a change from before this moment waits to be sent."""
        table = schema.policy_changes.c
        query = sa.select(sa.exists().where(table.published_at.is_(None), table.at < before))
        with self._database.read() as connection:
            return bool(connection.execute(query).scalar_one())

    def state(self, *, at: datetime) -> PolicyState:
        """All that overrides tokens at this moment."""
        table = schema.policy_changes
        query = sa.select(table).where(table.c.at > at - timedelta(seconds=KEPT_S)).order_by(table.c.id)
        state = PolicyState()
        with self._database.read() as connection:
            for row in connection.execute(query):
                _put(state, policy_rows.change(row), until=row.at.timestamp() + KEPT_S)
            for row in connection.execute(sa.select(schema.roles)):
                now = policy.of_role(rows.item(roles.Role, row))
                _put(state, now, until=0)
            withdrawn = sa.select(schema.signing_keys).where(schema.signing_keys.c.withdrawn_at.is_not(None))
            for row in connection.execute(withdrawn):
                state.put_key(row.kid, until=row.withdrawn_at.timestamp() + KEY_KEPT_S)
        return state


class OldRows:
    """What nobody needs any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forget(self, *, at: datetime) -> None:
        """Forget sessions that ended long ago with their tokens, counters that count nothing, policy that was sent."""
        sessions, counters, changes = schema.sessions, schema.failure_counters, schema.policy_changes
        tokens = schema.refresh_tokens
        for table, end in _SHORT_LIVED.items():
            self._forget(table, table.c[end] < at - _OLD_POLICY)
        self._forget(tokens, tokens.c.used_at < at - _OLD_POLICY - timedelta(hours=12))
        self._forget(sessions, sessions.c.expires_at < at - _OLD_SESSIONS)
        is_shut = sa.and_(counters.c.closed_until.is_not(None), counters.c.closed_until > at)
        is_old = sa.or_(counters.c.last_at < at - _OLD_COUNTERS, counters.c.last_at.is_(None))
        self._forget(counters, sa.and_(is_old, sa.not_(is_shut)))
        self._forget(changes, sa.and_(changes.c.at < at - _OLD_POLICY, changes.c.published_at.is_not(None)))

    def _forget(self, table: sa.Table, where: sa.ColumnElement[bool]) -> None:
        # Small batches, so that no statement nears its time limit.
        keys = list(table.primary_key.columns)
        some = sa.select(*keys).where(where).limit(500)
        statement = sa.delete(table).where(sa.tuple_(*keys).in_(some))
        with self._database.read() as connection:
            while connection.execute(statement).rowcount:
                pass


def _put(state: PolicyState, change: Change, *, until: float) -> None:
    """Take a change; keys are taken from their own rows, which are kept longer than changes."""
    match change:
        case SessionEnded():
            state.put_session(str(change.session), until=until)
        case RoleNow():
            held = frozenset(change.permissions)
            state.put_role(change.role, role=Role(held, change.version, change.second_factor))
        case SubjectNow():
            now = Subject(
                change.roles, change.is_active, change.version, until, change.areas, tuple(map(tuple, change.links))
            )
            state.put_subject(str(change.subject), subject=now)
