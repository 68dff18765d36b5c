"""What the inbox keeps: messages, how many came of each kind, and the subscriptions of the push service.

One SQLite file. A commit reaches the system before it is answered, so it outlives a process that is killed.
"""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

KINDS = ("email", "sms", "push")
MOST_SHOWN = 500
MOST_KEPT = 100_000
_TRIMMED_EVERY = 1000
_PAGE = 500
_SCHEMA = """
CREATE TABLE IF NOT EXISTS deliveries (number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, reference TEXT);
CREATE INDEX IF NOT EXISTS deliveries_kind ON deliveries (kind, reference);
CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY, kind TEXT, at TEXT, body TEXT);
CREATE INDEX IF NOT EXISTS messages_kind ON messages (kind, number);
CREATE TABLE IF NOT EXISTS addresses (address TEXT, number INTEGER, PRIMARY KEY (address, number)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (id TEXT PRIMARY KEY, private_key TEXT, secret TEXT, sender_key TEXT, is_gone);
"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """One browser as the push service knows it: its private key and secret, and the one sender it wants, if it said."""

    id: str
    private_key: str
    secret: str
    sender_key: str | None
    is_gone: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which messages somebody asks for. after: those with a greater number. since: those of this moment and later."""

    kind: str | None = None
    to: str | None = None
    since: datetime | None = None
    after: int | None = None
    most: int | None = None


EVERYTHING = Wanted()


class Store:
    """One file; thread-safe. most: messages that are kept whole; counts go on over all."""

    def __init__(self, file: Path, *, most: int = MOST_KEPT) -> None:
        self._file, self._most = file, most
        self._lock = threading.Lock()
        self._writing = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
        self._writing.execute("PRAGMA journal_mode = WAL")
        self._writing.execute("PRAGMA synchronous = NORMAL")
        self._writing.executescript(_SCHEMA)

    def close(self) -> None:
        """Give the file back."""
        with self._lock:
            self._writing.close()

    def add(
        self,
        kind: str,
        *,
        to: Sequence[str],
        subject: str,
        text: str,
        reference: str,
        more: Mapping[str, Any] | None = None,
    ) -> int:
        """Keep a message; its number. reference: the sender's own name for it, by which a repeat is known."""
        at = _written(datetime.now(UTC))
        with self._transaction() as connection:
            number = connection.execute(
                "INSERT INTO deliveries (kind, reference) VALUES (?, ?)", (kind, reference)
            ).lastrowid
            head = {"number": number, "kind": kind, "at": at, "to": list(to), "subject": subject, "text": text}
            body = json.dumps({**head, "reference": reference, **(more or {})}, ensure_ascii=False)
            connection.execute("INSERT INTO messages VALUES (?, ?, ?, ?)", (number, kind, at, body))
            connection.executemany(
                "INSERT INTO addresses VALUES (?, ?)", [(each, number) for each in dict.fromkeys(to)]
            )
            if number is not None and number % _TRIMMED_EVERY == 0:
                oldest = number - self._most
                connection.execute("DELETE FROM messages WHERE number <= ?", (oldest,))
                connection.execute("DELETE FROM addresses WHERE number <= ?", (oldest,))
            return number or 0

    def newest_first(self, wanted: Wanted = EVERYTHING) -> Iterator[str]:
        """Messages as JSON, one after the other; a page at a time, so that nobody waits for the whole."""
        before, left = 1 << 62, wanted.most
        while left is None or left > 0:
            page = self._page(wanted, before=before, most=_PAGE if left is None else min(_PAGE, left))
            if not page:
                return
            yield from (body for _, body in page)
            before = page[-1][0]
            left = None if left is None else left - len(page)

    def get(self, number: int) -> dict[str, Any] | None:
        """One message."""
        with closing(sqlite3.connect(self._file)) as reading:
            row = reading.execute("SELECT body FROM messages WHERE number = ?", (number,)).fetchone()
        return None if row is None else dict(json.loads(row[0]))

    def counts(self) -> dict[str, dict[str, int]]:
        """By kind: how many have come, and how many different ones by their references."""
        counted = "SELECT kind, count(*), count(DISTINCT reference) FROM deliveries GROUP BY kind"
        with closing(sqlite3.connect(self._file)) as reading:
            found = {kind: (received, distinct) for kind, received, distinct in reading.execute(counted)}
        return {kind: dict(zip(("received", "distinct"), found.get(kind, (0, 0)), strict=True)) for kind in KINDS}

    def clear(self) -> None:
        """Forget all messages and what was counted; numbers go on."""
        with self._transaction() as connection:
            for table in ("deliveries", "messages", "addresses"):
                connection.execute(f"DELETE FROM {table}")  # noqa: S608 - names of our own

    # ---- the push service --------------------------------------------------------------------------------------------

    def subscribe(self, new: Subscription) -> None:
        """Keep a subscription."""
        row = (new.id, new.private_key, new.secret, new.sender_key, new.is_gone)
        with self._transaction() as connection:
            connection.execute("INSERT INTO subscriptions VALUES (?, ?, ?, ?, ?)", row)

    def subscription(self, subscription_id: str) -> Subscription | None:
        """One subscription, gone or not."""
        with closing(sqlite3.connect(self._file)) as reading:
            row = reading.execute("SELECT * FROM subscriptions WHERE id = ?", (subscription_id,)).fetchone()
        return None if row is None else Subscription(*row)

    def unsubscribe(self, subscription_id: str) -> bool:
        """Whether there was such a subscription; it is gone now."""
        with self._transaction() as connection:
            done = connection.execute("UPDATE subscriptions SET is_gone = 1 WHERE id = ?", (subscription_id,))
            return done.rowcount == 1

    # ------------------------------------------------------------------------------------------------------------------

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._writing.execute("BEGIN IMMEDIATE")
            try:
                yield self._writing
            except BaseException:
                self._writing.execute("ROLLBACK")
                raise
            self._writing.execute("COMMIT")

    def _page(self, wanted: Wanted, *, before: int, most: int) -> list[tuple[int, str]]:
        terms: list[str] = ["number < ?"]
        values: list[object] = [before]
        for term, value in (
            ("kind = ?", wanted.kind),
            ("number IN (SELECT number FROM addresses WHERE address = ?)", wanted.to),
            ("at >= ?", wanted.since and _written(wanted.since)),
            ("number > ?", wanted.after),
        ):
            if value is not None:
                terms.append(term)
                values.append(value)
        query = f"SELECT number, body FROM messages WHERE {' AND '.join(terms)} ORDER BY number DESC LIMIT ?"  # noqa: S608 - terms of our own
        with closing(sqlite3.connect(self._file)) as reading:
            return reading.execute(query, (*values, most)).fetchall()


def _written(at: datetime) -> str:
    """A moment in the one form that sorts as text."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")
