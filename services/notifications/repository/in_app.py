"""Messages that are read in the house and in the portal: a channel whose other side is the own store."""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa

from services.chassis.sql import Database
from services.chassis.stores import StoreError
from services.notifications.model.channels import Accepted, ChannelAway, Outgoing

# The id of a delivery is that of its message, so that handing it over twice leaves one.
PUT: Final = sa.text(
    "INSERT INTO messages (id, kind, owner_id, topic, appointment_id, subject, text, language, sent_at)"
    " SELECT id, split_part(address, ':', 1), split_part(address, ':', 2)::uuid, topic, appointment_id,"
    " coalesce(subject, ''), text, language, clock_timestamp() FROM deliveries"
    " WHERE id = ANY (CAST(:ids AS uuid[])) ON CONFLICT DO NOTHING"
)


class InAppChannel:
    """Messages in the house. Addresses have the form `patient:<id>` and `account:<id>`."""

    name = "in_app"

    def __init__(self, database: Database) -> None:
        self._database = database

    def send(self, message: Outgoing) -> Accepted:
        """Put one message into the inbox of its reader.

        Raises:  ChannelAway: the store is away.
        """
        try:
            with self._database.read() as connection:
                connection.execute(PUT, {"ids": [message.delivery_id]})
        except StoreError as error:
            raise ChannelAway("store_away") from error
        return Accepted()

    def close(self) -> None:
        """Nothing is kept open but the store."""
