"""Things that the tests of the audit make: a trail in a real database, entries, and the hands of an intruder."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from services.audit import consumers, jobs, model
from services.audit.repository import AuditStore, CheckpointFile
from services.chassis import bus, sql
from services.chassis.call import Call, Delivery
from services.kernel.access import Actor
from services.kernel.identifiers import uuid7

MIGRATIONS = Path(__file__).resolve().parents[3] / "services/audit/migrations"
KEY = b"a key of thirty-two bytes or more"
START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def new_id() -> UUID:
    """A new id."""
    return uuid7(datetime.now(UTC), os.urandom(10))


def make_call(**given: Any) -> Call:
    """A call of an operation by an auditor."""
    actor = Actor(subject="auditor-1", session="s9", roles=frozenset({"auditor"}))
    return Call(**({"id": new_id(), "operation": "run_job", "actor": actor, "at": START, "request_id": "r9"} | given))


def make_event(number: int = 0, **data: Any) -> bus.Received:
    """What a service tells the audit, at a moment of its own for each number."""
    at = START + timedelta(seconds=number)
    content = {
        "at": at.isoformat().replace("+00:00", "Z"),
        "operation": "get_patient",
        "action": "read",
        "outcome": "success",
        "actor": "doctor-1",
        "roles": ["doctor"],
        "session": "s1",
        "request_id": f"r{number}",
        "source": "192.0.2.7",
        "purpose": "treatment",
        "patient_id": "01939c3e-0000-7000-8000-000000000001",
        "record_id": None,
        "version": None,
        "fields": [],
        "found": [],
    }
    return bus.Received(
        id=new_id(),
        type="audit.recorded.v1",
        source=f"/infirmary/{data.pop('service', 'patients')}",
        subject="x",
        version=0,
        time=at,
        schema_version=1,
        data=content | data,
    )


def environ(url: str, *, second_place: Path | None = None) -> dict[str, str]:
    """The settings of the audit over a database."""
    place = {} if second_place is None else {"CHECKPOINT_FILE": str(second_place)}
    return {
        "DATABASE_URL": url,
        "CHECKPOINT_KEY": KEY.decode(),
        "BUS_URL": "redis://127.0.0.1:9",
        "IDENTITY_URL": "http://127.0.0.1:9",
        "SERVICE_SECRET": "not used here",
        **place,
    }


# What a full disk does to whoever wants to write down what is sent.
FULL_DISK = """
    CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no space left' USING ERRCODE = 'disk_full'; END $$;
    CREATE TRIGGER full_disk BEFORE INSERT ON outbox FOR EACH STATEMENT EXECUTE FUNCTION full_disk();
"""


class House:
    """The audit as it runs, and an intruder who owns its database."""

    def __init__(self, url: str, *, second_place: Path) -> None:
        sql.migrate(url, MIGRATIONS)
        self.url, self.path = url, second_place
        self.file = CheckpointFile(second_place)
        self.engine = sql.engine(url, name="audit", pool=8)
        self.database = sql.Database(self.engine, service="audit", clock=lambda: datetime.now(UTC), new_id=new_id)
        self.store = AuditStore(self.database, second_place=self.file)
        self.record = functools.partial(consumers.record_entries, store=self.store)

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    def receive(self, *events: bus.Received) -> None:
        """What the worker does with an event, or with several at once."""
        delivery = Delivery(consumer="audit", event_ids=tuple(each.id for each in events))
        self.record(events, make_call(delivery=delivery))

    def fill(self, count: int) -> None:
        """Receive so many events, a checkpoint after each tenth."""
        for number in range(count):
            self.receive(make_event(number, actor=f"doctor-{number}"))
            if number % 10 == 9:
                self.checkpoint(START + timedelta(minutes=5 * number))

    def checkpoint(self, at: datetime) -> None:
        """What the worker does every few seconds."""
        jobs.make_checkpoint(make_call(at=at), store=self.store, key=KEY)

    def verify(self, **wanted: Any) -> model.Verification:
        """Check the trail."""
        with self.store.trail() as trail:
            return model.verify(trail, key=KEY, **wanted)

    def broken(self) -> tuple[int, str] | None:
        """Where and how the trail is broken first, or nothing."""
        found = self.verify().found
        return None if found is None else (found.position, found.kind.value)

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Look into the database."""
        with psycopg.connect(self.url) as connection:
            return connection.execute(query.encode()).fetchall()

    def intrude(self, *statements: str) -> None:
        """Change the database with every right over it: the triggers are off."""
        tables = ("entries", "chain_head", "checkpoints", "copied")
        with psycopg.connect(self.url) as connection:
            for table in tables:
                connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER".encode())
            for statement in statements:
                connection.execute(statement.encode())

    def chain_anew(self, first: int, *, change: str = "", replace: Sequence[str] = ("doctor", "nurse")) -> None:
        """Edit an entry as an intruder who knows how the chain is made: every hash from there on is computed anew."""
        statements = [
            (
                f"UPDATE entries SET entry = replace(entry, '{replace[0]}', '{replace[1]}'),"
                f" actor = replace(actor, '{replace[0]}', '{replace[1]}') WHERE position = {first}"
            ),
            change,
            f"""DO $$ DECLARE link entries%ROWTYPE; before bytea; BEGIN
                SELECT CASE WHEN {first} = 1 THEN decode(repeat('00', 32), 'hex')
                    ELSE (SELECT hash FROM entries WHERE position = {first} - 1) END INTO before;
                FOR link IN SELECT * FROM entries WHERE position >= {first} ORDER BY position LOOP
                    UPDATE entries SET previous = before,
                        hash = sha256(before || int8send(position) || convert_to(entry, 'UTF8'))
                        WHERE position = link.position RETURNING hash INTO before;
                END LOOP;
                UPDATE chain_head SET hash = before, position = (SELECT max(position) FROM entries);
            END $$""",
        ]
        self.intrude(*filter(None, statements))

    def fill_fast(self, count: int) -> None:
        """Put a whole, right trail of so many entries there by bulk copy, as if each had been received."""
        head, links = model.Head(0, model.GENESIS), []
        for number in range(count):
            event = make_event(number, actor=f"doctor-{number % 500}", fields=["phones", "addresses"])
            link = model.follow(head, model.entry_from(event.data, event_id=event.id, source=event.source))
            links.append(link)
            head = model.Head(link.position, link.hash)
        self.intrude(f"UPDATE chain_head SET position = {head.position}, hash = decode('{head.hash.hex()}', 'hex')")
        columns = "position, previous, hash, entry, id, at, actor, operation, action, outcome, about"
        into = f"COPY entries ({columns}) FROM STDIN".encode()
        with psycopg.connect(self.url) as connection, connection.cursor() as cursor, cursor.copy(into) as copy:
            for link in links:
                copy.write_row(link)
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE entries")
