"""What timed work needs of the store: the policy's unsent rows and its state, and old rows to forget."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import UUID

import sqlalchemy as sa

from services.chassis.policy_stream import KEPT_S, PolicyState, Subject
from services.chassis.sql import Database
from services.identity import schema
from services.identity.model.policy import Change, SessionEnded, SubjectNow

_BATCH = 200
_OLD_SESSIONS = timedelta(days=30)
_OLD_COUNTERS = timedelta(days=2)
_OLD_POLICY = timedelta(days=1)


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
                tell(_change(row), row.at)
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
                until = row.at.timestamp() + KEPT_S
                if row.kind == "session":
                    state.put_session(row.name, until=until)
                else:
                    body = row.body
                    now = Subject(tuple(body["roles"]), body["active"], body["version"], until)
                    state.put_subject(row.name, subject=now)
        return state


class OldRows:
    """What nobody needs any more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def forget(self, *, at: datetime) -> None:
        """Forget sessions that ended long ago with their tokens, counters that count nothing, policy that was sent."""
        sessions, counters, policy = schema.sessions, schema.failure_counters, schema.policy_changes
        tokens = schema.refresh_tokens
        self._forget(tokens, tokens.c.used_at < at - _OLD_POLICY - timedelta(hours=12))
        self._forget(sessions, sessions.c.expires_at < at - _OLD_SESSIONS)
        self._forget(counters, sa.or_(counters.c.last_at < at - _OLD_COUNTERS, counters.c.last_at.is_(None)))
        self._forget(policy, sa.and_(policy.c.at < at - _OLD_POLICY, policy.c.published_at.is_not(None)))

    def _forget(self, table: sa.Table, where: sa.ColumnElement[bool]) -> None:
        # Small batches, so that no statement nears its time limit.
        keys = list(table.primary_key.columns)
        some = sa.select(*keys).where(where).limit(500)
        statement = sa.delete(table).where(sa.tuple_(*keys).in_(some))
        with self._database.read() as connection:
            while connection.execute(statement).rowcount:
                pass


def _change(row: sa.Row[tuple[object, ...]]) -> Change:
    if row.kind == "session":
        return SessionEnded(session=UUID(row.name))
    body = row.body
    return SubjectNow(
        subject=UUID(row.name), roles=tuple(body["roles"]), is_active=body["active"], version=body["version"]
    )
