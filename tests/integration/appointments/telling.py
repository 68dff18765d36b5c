"""What the journal has handed on for the bus: events, and traces for the audit trail."""

from __future__ import annotations

from typing import Any

import orjson
import sqlalchemy as sa

from tests.integration.appointments.making import Booking


def envelopes(desk: Booking) -> list[dict[str, Any]]:
    """Everything in the outbox, in its order."""
    engine = sa.create_engine(desk.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        rows = connection.execute(sa.text("SELECT event FROM outbox ORDER BY position")).all()
    engine.dispose()
    return [orjson.loads(row.event) for row in rows]


def events(desk: Booking) -> list[tuple[str, str]]:
    """Subject and type of each event of the facility."""
    of = desk.world.facility
    found = [each for each in envelopes(desk) if each["type"].startswith("appointments.")]
    return [(each["subject"], each["type"]) for each in found if each["data"]["facility_id"] == of]


def entries(desk: Booking) -> list[dict[str, Any]]:
    """Each audit entry."""
    return [each["data"] for each in envelopes(desk) if each["type"] == "audit.recorded.v1"]


def traces(desk: Booking) -> list[tuple[str, str, str]]:
    """Record, operation and outcome of each audit entry."""
    return [(each["record_id"], each["operation"], each["outcome"]) for each in entries(desk)]
