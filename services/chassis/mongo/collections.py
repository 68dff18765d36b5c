"""The collections of every Mongo service beside its own: outbox, inbox, and the stored answers of keyed requests."""

from __future__ import annotations

from typing import Any

from pymongo import ASCENDING, IndexModel
from pymongo.database import Database

OUTBOX, INBOX, IDEMPOTENCY = "outbox", "inbox", "idempotency"

_UP = ASCENDING


def create_technical_collections_v1(database: Database[dict[str, Any]]) -> None:
    """Create them in a service's first migration; safe to run again. Frozen: a change is a new function and number."""
    there = set(database.list_collection_names())
    for name in (OUTBOX, INBOX, IDEMPOTENCY):
        if name not in there:
            database.create_collection(name)
    database[OUTBOX].create_indexes(
        [
            # `unsent` is there and true until the event is sent, so this index holds only what waits.
            IndexModel(
                [("recorded_at", _UP), ("number", _UP)],
                name="outbox_unsent",
                partialFilterExpression={"unsent": True},
            ),
            IndexModel([("sent_at", _UP), ("recorded_at", _UP)], name="outbox_sent", sparse=True),
        ]
    )
    database[INBOX].create_indexes([IndexModel([("handled_at", _UP)], name="inbox_handled")])
    database[IDEMPOTENCY].create_indexes([IndexModel([("created_at", _UP)], name="idempotency_created")])
