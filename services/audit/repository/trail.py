"""The trail in PostgreSQL, and the checkpoints in their two places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from services.audit import model, schema
from services.audit.repository.second_place import CheckpointFile
from services.chassis import sql
from services.chassis.call import Call

PAGE: Final = 2000  # more at once costs more: what lives longer is looked at again by Python's collector

_entries, _head, _checkpoints, _copied = schema.entries.c, schema.chain_head, schema.checkpoints, schema.copied
_INDEX = (_entries.id, _entries.at, _entries.actor, _entries.operation, _entries.action, _entries.outcome)
_LINK = (_entries.position, _entries.previous, _entries.hash, _entries.entry, *_INDEX, _entries.about)
# As text, because the driver gives the right types by itself, and a whole trail is read through here.
_WALK = sa.text(
    "SELECT position, previous, hash, entry, id, at, actor, operation, action, outcome, about FROM entries"
    " WHERE position BETWEEN :first AND :last ORDER BY position LIMIT :limit"
)
# Searched in the entry itself, by an index over the expression: there is no second copy that could say something else.
_WITHIN = {
    name: sa.literal_column(f"((entry::jsonb) ->> '{name}')", sa.Text)
    for name in ("service", "request_id", "record_id")
}
_NEWEST_COPY = sa.select(sa.func.coalesce(sa.func.max(_copied.c.position), 0))


class AuditStore:
    """The trail, one unit of work at a time, and as a whole to be walked."""

    def __init__(self, database: sql.Database, *, second_place: CheckpointFile | None) -> None:
        self._database, self._second_place = database, second_place

    @contextmanager
    def begin(self, call: Call) -> Iterator[model.Transaction]:
        """One transaction with all that belongs to the call."""
        with self._database.begin(call) as unit:
            yield AuditTransaction(unit.connection)

    @contextmanager
    def trail(self) -> Iterator[model.Trail]:
        """The trail as it is, read page by page."""
        with self._database.read() as connection, sql.in_binary(connection):
            yield StoredTrail(connection, second_place=self._second_place)

    def copy_checkpoints(self, call: Call) -> int:
        """Bring the second place up to date with the checkpoints of the store, and say how many were copied.

        What was copied once is never copied again: a place that has lost lines stays without them, and is found out.
        """
        if self._second_place is None:
            return 0
        with self._database.begin(call) as unit:
            query = sa.select(_checkpoints).where(_checkpoints.c.position > _NEWEST_COPY.scalar_subquery())
            rows = unit.connection.execute(query.order_by(_checkpoints.c.position).limit(PAGE)).all()
            if rows:
                self._second_place.append([_checkpoint(row) for row in rows])
                mark = pg.insert(_copied).values(position=rows[-1].position)
                unit.connection.execute(mark.on_conflict_do_nothing())
        return len(rows)


class AuditTransaction:
    """The trail within one transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def head(self) -> model.Head:
        """The newest link, locked until the transaction ends."""
        row = self._connection.execute(sa.select(_head.c.position, _head.c.hash).with_for_update()).one()
        return model.Head(row.position, bytes(row.hash))

    def append(self, links: Sequence[model.Link]) -> None:
        """Keep links, one at least, each of which follows the one before, and make the last one the head."""
        names = [column.name for column in _LINK]
        rows = [dict(zip(names, each, strict=True)) for each in links]
        self._connection.execute(schema.entries.insert(), rows)
        self._connection.execute(_head.update().values(position=links[-1].position, hash=links[-1].hash))

    def find(self, search: model.Search, *, before: int | None, limit: int) -> Sequence[model.Link]:
        """The newest links that a search is about."""
        query = sa.select(*_LINK).order_by(_entries.position.desc()).limit(limit)
        if before is not None:
            query = query.where(_entries.position < before)
        return [model.Link._make(row) for row in self._connection.execute(query.where(*_conditions(search)))]

    def last_checkpoint(self) -> model.Checkpoint | None:
        """The newest checkpoint in the store."""
        return _newest_checkpoint(self._connection)

    def add_checkpoint(self, checkpoint: model.Checkpoint) -> None:
        """Keep a checkpoint."""
        values = {"position": checkpoint.position, "hash": checkpoint.hash, "at": checkpoint.at, "mac": checkpoint.mac}
        self._connection.execute(_checkpoints.insert(), values)


class StoredTrail:
    """The trail read row by row, with the checkpoints of both places."""

    def __init__(self, connection: sa.Connection, *, second_place: CheckpointFile | None) -> None:
        self._connection, self._second_place = connection, second_place

    @property
    def has_second_place(self) -> bool:
        """Whether checkpoints are kept outside the database too."""
        return self._second_place is not None

    def ends(self) -> model.Ends:
        """The head and the highest position, seen by one statement."""
        highest = sa.select(sa.func.coalesce(sa.func.max(_entries.position), 0)).scalar_subquery()
        row = self._connection.execute(
            sa.select(_head.c.position, _head.c.hash, highest.label("highest"))
        ).one_or_none()
        if row is None:
            return model.Ends(model.Head(0, model.GENESIS), self._connection.execute(sa.select(highest)).scalar_one())
        return model.Ends(model.Head(row.position, bytes(row.hash)), row.highest)

    def newest_checkpoint(self) -> model.Checkpoint | None:
        """The checkpoint with the highest position, of both places."""
        places = [_newest_checkpoint(self._connection)]
        if self._second_place is not None:
            places.append(self._second_place.newest())
        return max((each for each in places if each is not None), key=lambda each: each.position, default=None)

    def hash_at(self, position: int) -> bytes | None:
        """The stored hash at a position."""
        found = self._connection.execute(sa.select(_entries.hash).where(_entries.position == position)).scalar()
        return None if found is None else bytes(found)

    def pages(self, first: int, *, last: int) -> Iterator[Sequence[model.Link]]:
        """The links of a range in order; each page is a statement of its own, so none lasts long."""
        while rows := self._connection.execute(_WALK, {"first": first, "last": last, "limit": PAGE}).all():
            yield [model.Link._make(row) for row in rows]
            first = rows[-1].position + 1

    def found(self, search: model.Search, *, last: int) -> Iterator[model.Link]:
        """The links up to a position that a search is about, oldest first; each page is a statement of its own."""
        first = 0
        query = sa.select(*_LINK).where(*_conditions(search)).order_by(_entries.position).limit(PAGE)
        while rows := self._connection.execute(query.where(_entries.position.between(first, last))).all():
            yield from map(model.Link._make, rows)
            first = rows[-1].position + 1

    def checkpoints(self, first: int, *, last: int) -> model.Noted:
        """The checkpoints of a range, of both places.

        Read in this order, because each is written in the order against it: what was copied stands in the file, and
        what stands in the file is in the database.
        """
        copied = self._connection.execute(_NEWEST_COPY).scalar_one()
        outside = [] if self._second_place is None else self._second_place.between(first, last=last)
        query = sa.select(_checkpoints).where(_checkpoints.c.position.between(first, last))
        inside = [_checkpoint(row) for row in self._connection.execute(query)]
        if self._second_place is None:
            return model.Noted(inside)
        of_inside, of_outside = ({each.position for each in place} for place in (inside, outside))
        lacking = {each for each in of_inside if each <= copied} ^ {each for each in of_outside if each <= copied}
        return model.Noted([*inside, *outside], min(lacking, default=None))


def _conditions(search: model.Search) -> list[sa.ColumnElement[bool]]:
    same = ("actor", "operation", "action", "outcome")
    found = [_entries[name] == getattr(search, name) for name in same if getattr(search, name) is not None]
    found += [_WITHIN[name] == getattr(search, name) for name in _WITHIN if getattr(search, name) is not None]
    if search.patient_id is not None:
        found.append(_entries.about.contains([search.patient_id]))
    if search.since is not None:
        found.append(_entries.at >= search.since)
    if search.until is not None:
        found.append(_entries.at < search.until)
    return found


def _newest_checkpoint(connection: sa.Connection) -> model.Checkpoint | None:
    row = connection.execute(sa.select(_checkpoints).order_by(_checkpoints.c.position.desc()).limit(1)).one_or_none()
    return None if row is None else _checkpoint(row)


def _checkpoint(row: sa.Row[Any]) -> model.Checkpoint:
    return model.Checkpoint(row.position, bytes(row.hash), row.at, bytes(row.mac))
