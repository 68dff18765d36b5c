"""The outbox collection, seen by the relay: events are claimed for a while, so that several relays share them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pymongo import ASCENDING
from pymongo.database import Database

from services.chassis.mongo.client import translated
from services.chassis.mongo.collections import OUTBOX
from services.chassis.outbox import Backlog, Outgoing, Publish

LEASE_S = 15.0
_ORDER = [("recorded_at", ASCENDING), ("number", ASCENDING)]
_FIELDS = ("stream", "type", "event")


class MongoOutbox:
    """What a database has committed and a stream may not have yet."""

    def __init__(
        self, database: Database[dict[str, Any]], *, new_id: Callable[[], UUID], lease_s: float = LEASE_S
    ) -> None:
        self._outbox = database[OUTBOX]
        self._new_id = new_id
        self._lease_ms = int(lease_s * 1000)

    def send(self, publish: Publish, *, limit: int = 100) -> int:
        """Hand up to `limit` unsent events to `publish`, mark them as sent when it returns, and say how many.

        Dying in between sends them again when the claim has run out: consumers know each event by its id.
        """
        with translated():
            rows, claim = self._claim(limit)
            if not rows:
                return 0
            try:
                publish([_outgoing(row) for row in rows])
            except BaseException:
                self._release(claim)
                raise
            ids = [row["_id"] for row in rows]
            sent: list[dict[str, Any]] = [
                {"$set": {"sent_at": "$$NOW"}},
                {"$unset": ["unsent", "claim", "claimed_until"]},
            ]
            self._outbox.update_many({"_id": {"$in": ids}}, sent)
        return len(rows)

    def backlog(self) -> Backlog:
        """What still waits, by the server's clock."""
        with translated():
            found = list(
                self._outbox.aggregate(
                    [
                        {"$match": {"unsent": True}},
                        {"$group": {"_id": None, "unsent": {"$sum": 1}, "oldest": {"$min": "$recorded_at"}}},
                        {"$project": {"unsent": 1, "oldest_ms": {"$subtract": ["$$NOW", "$oldest"]}}},
                    ]
                )
            )
        if not found:
            return Backlog(unsent=0, oldest_s=0.0)
        return Backlog(unsent=found[0]["unsent"], oldest_s=max(0.0, found[0]["oldest_ms"] / 1000))

    def sent_since(self, since: datetime, *, batch: int = 100) -> Iterator[Sequence[Outgoing]]:
        """What was sent at or after `since`, in the order of recording, in batches."""
        rows: list[dict[str, Any]] = []
        with translated():
            for row in self._outbox.find({"sent_at": {"$gte": since}}).sort(_ORDER).allow_disk_use(True):
                rows.append(row)
                if len(rows) == batch:
                    yield [_outgoing(each) for each in rows]
                    rows = []
        if rows:
            yield [_outgoing(each) for each in rows]

    def purge(self, before: datetime) -> int:
        """Forget what was sent before this moment, in small batches, and say how many."""
        total = 0
        with translated():
            while ids := [
                row["_id"] for row in self._outbox.find({"sent_at": {"$lt": before}}, {"_id": 1}).limit(1000)
            ]:
                total += self._outbox.delete_many({"_id": {"$in": ids}}).deleted_count
        return total

    def _claim(self, limit: int) -> tuple[list[dict[str, Any]], UUID]:
        """Take the oldest unsent events that nobody holds; the server's clock says whose claim has run out."""
        claim = self._new_id()
        free = {"unsent": True, "$expr": {"$lt": [{"$ifNull": ["$claimed_until", 0]}, "$$NOW"]}}
        ids = [row["_id"] for row in self._outbox.find(free, {"_id": 1}).sort(_ORDER).limit(limit)]
        if not ids:
            return [], claim
        until = {"$add": ["$$NOW", self._lease_ms]}
        taken = [{"$set": {"claim": claim, "claimed_until": until}}]
        self._outbox.update_many({"_id": {"$in": ids}, **free}, taken)
        return list(self._outbox.find({"_id": {"$in": ids}, "claim": claim}).sort(_ORDER)), claim

    def _release(self, claim: UUID) -> None:
        self._outbox.update_many({"unsent": True, "claim": claim}, {"$unset": {"claim": 1, "claimed_until": 1}})


def _outgoing(row: dict[str, Any]) -> Outgoing:
    return Outgoing(id=row["_id"], **{name: row[name] for name in _FIELDS})
