"""A unit of work in MongoDB: the effect, its events, its audit entry and its answer in one transaction, all or none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError, OperationFailure, PyMongoError
from pymongo.read_concern import ReadConcern
from pymongo.read_preferences import ReadPreference
from pymongo.write_concern import WriteConcern

from services.chassis import answers, outbox, retention
from services.chassis.call import Call, Delivery, IdempotencyKey
from services.chassis.mongo.client import Client, translated
from services.chassis.mongo.collections import IDEMPOTENCY, INBOX, OUTBOX
from services.chassis.mongo.outbox import MongoOutbox
from services.chassis.stores import AlreadyHandled, KeyRunning
from services.kernel.events import Event

_WRITE_CONFLICT, _DUPLICATE_KEY = 112, 11000
_COMMITS = 2


class Unit:
    """One transaction that is open: its session, and the events that it will tell when it commits."""

    def __init__(self, session: ClientSession, database: Database[dict[str, Any]]) -> None:
        self.session = session
        self.database = database
        self.events: list[Event] = []

    def collection(self, name: str) -> Collection[dict[str, Any]]:
        """A collection; pass `session=unit.session` with every operation, or it is outside the transaction."""
        return self.database[name]

    def record(self, *events: Event) -> None:
        """Tell these events when the transaction commits; not at all when it does not."""
        self.events.extend(events)


class Documents:
    """One service's MongoDB database."""

    def __init__(
        self,
        client: Client,
        database: str,
        *,
        service: str,
        clock: Callable[[], datetime],
        new_id: Callable[[], UUID],
    ) -> None:
        self.client = client
        self.database: Database[dict[str, Any]] = client[database]
        self.outbox = MongoOutbox(self.database, new_id=new_id)
        self._service = service
        self._clock = clock
        self._new_id = new_id

    @contextmanager
    def begin(self, call: Call) -> Iterator[Unit]:
        """One transaction that commits, with the effect, all that belongs to the call.

        Raises:  AlreadyHandled: this consumer has had these events. Replayed, KeyReused, KeyRunning: see there.
                 StoreBusy: nothing was kept, try again. StoreAway: away, or after the commit was asked for unknown.
        """
        with translated(), self.client.start_session() as session:
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority", j=True),
                read_preference=ReadPreference.PRIMARY,
            )
            try:
                self._admit(session, call)
                unit = Unit(session, self.database)
                yield unit
                self._complete(unit, call)
            except BaseException:
                session.abort_transaction()  # never raises: what the server does not hear of ends by its own limit
                raise
            with translated(committing=True):
                _commit(session)
        call.committed()

    @contextmanager
    def read(self) -> Iterator[Database[dict[str, Any]]]:
        """The database, for single reads; each sees what a majority has."""
        with translated():
            yield self.database

    def audit(self, call: Call) -> None:
        """Commit the audit entry of a call alone."""
        with call.alone(), self.begin(call):
            pass

    def ping(self) -> None:
        """Answer when a primary answers; StoreAway otherwise."""
        with translated():
            self.database.command("ping", read_preference=ReadPreference.PRIMARY)

    def tidy(self, call: Call) -> None:
        """Forget events, inbox marks and stored answers that are older than they are kept; a job for once an hour."""
        self.outbox.purge(call.at - retention.SENT_EVENTS)
        for name, field, kept in (
            (INBOX, "handled_at", retention.HANDLED_EVENTS),
            (IDEMPOTENCY, "created_at", retention.ANSWERS),
        ):
            forget(self.database[name], field, call.at - kept)

    def _admit(self, session: ClientSession, call: Call) -> None:
        if call.delivery is not None:
            self._mark_handled(session, call.delivery)
        if call.key is not None:
            self._take_key(session, call.key)

    def _mark_handled(self, session: ClientSession, delivery: Delivery) -> None:
        at, ids = self._clock(), {f"{delivery.consumer}:{each}": each for each in delivery.event_ids}
        try:
            self.database[INBOX].insert_many([{"_id": mark, "handled_at": at} for mark in ids], session=session)
        except BulkWriteError as error:
            (first,) = error.details["writeErrors"]
            if first["code"] != _DUPLICATE_KEY:
                raise
            others = self.database[INBOX].find({"_id": {"$in": list(ids)}}, {"_id": 1})
            raise AlreadyHandled({ids[mark["_id"]] for mark in (first["op"], *others)}) from error

    def _take_key(self, session: ClientSession, key: IdempotencyKey) -> None:
        """Own the key until the transaction ends: a second insert of its id conflicts at once and waits for nothing."""
        stored = self.database[IDEMPOTENCY].find_one({"_id": _key_id(key)}, session=session)
        if stored is not None:
            answers.answer_again(
                key,
                fingerprint=stored["fingerprint"],
                status=stored["status"],
                body=stored["body"],
                headers=stored["headers"],
            )
        try:
            self.database[IDEMPOTENCY].insert_one({"_id": _key_id(key), "created_at": self._clock()}, session=session)
        except DuplicateKeyError as error:
            raise KeyRunning from error
        except OperationFailure as error:
            if error.code == _WRITE_CONFLICT:
                raise KeyRunning from error
            raise

    def _complete(self, unit: Unit, call: Call) -> None:
        sent = outbox.outgoing(call, unit.events, service=self._service, new_id=self._new_id)
        if sent:
            at = self._clock()
            rows = [
                {
                    "_id": each.id,
                    "stream": each.stream,
                    "type": each.type,
                    "event": each.event,
                    "recorded_at": at,
                    "number": number,
                    "unsent": True,
                }
                for number, each in enumerate(sent)
            ]
            self.database[OUTBOX].insert_many(rows, session=unit.session)
        if call.key is not None:
            answer = answers.to_store(call)
            kept = {
                "fingerprint": call.key.fingerprint,
                "status": answer.status,
                "body": answers.packed(answer.body),
                "headers": dict(answer.headers),
            }
            self.database[IDEMPOTENCY].update_one({"_id": _key_id(call.key)}, {"$set": kept}, session=unit.session)


def forget(collection: Collection[dict[str, Any]], field: str, before: datetime) -> int:
    """Delete, in small batches, what is older than a moment, and say how many."""
    total = 0
    with translated():
        while True:
            ids = [row["_id"] for row in collection.find({field: {"$lt": before}}, {"_id": 1}).limit(1000)]
            if not ids:
                return total
            total += collection.delete_many({"_id": {"$in": ids}}).deleted_count


def _key_id(key: IdempotencyKey) -> dict[str, str]:
    return {"principal": key.principal, "key": key.key}


def _commit(session: ClientSession) -> None:
    """Commit; asking again is safe, because the server knows the transaction and commits it once."""
    for left in reversed(range(_COMMITS)):
        try:
            session.commit_transaction()
        except PyMongoError as error:
            if left == 0 or not error.has_error_label("UnknownTransactionCommitResult"):
                raise
        else:
            return
