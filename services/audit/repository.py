"""The trail in PostgreSQL, and the checkpoints in their two places. The only file that talks to either."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from services.audit import model, schema
from services.chassis import sql
from services.chassis.call import Call

PAGE: Final = 4000

_entries, _head, _checkpoints = schema.entries.c, schema.chain_head, schema.checkpoints
_INDEX = (_entries.id, _entries.at, _entries.actor, _entries.operation, _entries.action, _entries.outcome)
_LINK = (_entries.position, _entries.previous, _entries.hash, _entries.entry, *_INDEX, _entries.about)
# As text, because the driver gives the right types by itself, and a whole trail is read through here.
_WALK = sa.text(
    "SELECT position, previous, hash, entry, id, at, actor, operation, action, outcome, about FROM entries"
    " WHERE position BETWEEN :first AND :last ORDER BY position LIMIT :limit"
)


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
        with self._database.read() as connection:
            yield StoredTrail(connection, second_place=self._second_place)

    def copy_checkpoints(self) -> int:
        """Bring the second place up to date with the checkpoints of the store, and say how many were copied."""
        if self._second_place is None:
            return 0
        newest = self._second_place.newest()
        query = sa.select(_checkpoints).where(_checkpoints.c.position > (newest.position if newest else 0))
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(_checkpoints.c.position).limit(PAGE)).all()
        self._second_place.append([_checkpoint(row) for row in rows])
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
        rows = [
            {"position": each.position, "previous": each.previous, "hash": each.hash, "entry": each.text}
            | each.index._asdict()
            for each in links
        ]
        self._connection.execute(schema.entries.insert(), rows)
        self._connection.execute(_head.update().values(position=links[-1].position, hash=links[-1].hash))

    def find(self, search: model.Search, *, before: int | None, limit: int) -> Sequence[model.Link]:
        """The newest links that a search is about."""
        query = sa.select(*_LINK).order_by(_entries.position.desc()).limit(limit)
        if before is not None:
            query = query.where(_entries.position < before)
        return [_link(row) for row in self._connection.execute(query.where(*_conditions(search)))]

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
            yield [_link(row) for row in rows]
            first = rows[-1].position + 1

    def checkpoints(self, first: int, *, last: int) -> Sequence[model.Checkpoint]:
        """The checkpoints of a range, of both places."""
        query = sa.select(_checkpoints).where(_checkpoints.c.position.between(first, last))
        found = [_checkpoint(row) for row in self._connection.execute(query)]
        if self._second_place is not None:
            found += self._second_place.between(first, last=last)
        return found


class CheckpointFile:
    """The second place: a file that grows by lines of one width, so that any of them is found by halving.

    It belongs on another machine's disk, or on one that can be written once. A line that cannot be read counts as a
    checkpoint that is not genuine: whoever spoils the file does not go unseen. A last line without its end is one
    that a crash has cut.
    """

    WIDTH = 256

    def __init__(self, path: Path) -> None:
        self._path = path

    def append(self, checkpoints: Sequence[model.Checkpoint]) -> None:
        """Add lines for those that are newer than the last one, and return when the disk has them.

        A line that a crash has cut goes first. Two writers wait for each other.
        """
        with self._path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            last = self.newest()
            file.truncate(self._count() * self.WIDTH)
            new = [each for each in checkpoints if last is None or each.position > last.position]
            file.write(b"".join(map(self._line, new)))
            file.flush()
            os.fsync(file.fileno())

    def newest(self) -> model.Checkpoint | None:
        """The last line that can be read."""
        for number in reversed(range(self._count())):
            found = self._read(number, count=1)[0]
            if found != model.UNREADABLE:
                return found
        return None

    def between(self, first: int, *, last: int) -> list[model.Checkpoint]:
        """The lines of a range of positions, and what cannot be read among them."""
        low, high = 0, self._count()
        while low < high:
            middle = (low + high) // 2
            found = self._read(middle, count=1)[0]
            if found != model.UNREADABLE and found.position < first:
                low = middle + 1
            else:
                high = middle
        kept: list[model.Checkpoint] = []
        while page := self._read(low, count=100):
            kept += [each for each in page if each.position <= last]
            if page[-1].position > last:
                break
            low += len(page)
        return kept

    def _count(self) -> int:
        try:
            return self._path.stat().st_size // self.WIDTH
        except FileNotFoundError:
            return 0

    def _read(self, number: int, *, count: int) -> list[model.Checkpoint]:
        if number >= self._count():
            return []
        with self._path.open("rb") as file:
            file.seek(number * self.WIDTH)
            lines = file.read(count * self.WIDTH)
        lines = lines[: len(lines) // self.WIDTH * self.WIDTH]
        return [self._parsed(lines[at : at + self.WIDTH]) for at in range(0, len(lines), self.WIDTH)]

    def _line(self, checkpoint: model.Checkpoint) -> bytes:
        words = (str(checkpoint.position), checkpoint.at.isoformat(), checkpoint.hash.hex(), checkpoint.mac.hex())
        return " ".join(words).ljust(self.WIDTH - 1).encode("ascii") + b"\n"

    @staticmethod
    def _parsed(line: bytes) -> model.Checkpoint:
        try:
            position, at, hash_, mac = line.decode("ascii").split()
            moment = datetime.fromisoformat(at)
            return model.Checkpoint(int(position), bytes.fromhex(hash_), moment, bytes.fromhex(mac))
        except ValueError:
            return model.UNREADABLE


def _conditions(search: model.Search) -> list[sa.ColumnElement[bool]]:
    same = ("actor", "operation", "action", "outcome")
    found = [_entries[name] == getattr(search, name) for name in same if getattr(search, name) is not None]
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


def _link(row: sa.Row[Any]) -> model.Link:
    position, previous, hash_, text, *index = row
    return model.Link(position, previous, hash_, text, model.Index._make(index))
