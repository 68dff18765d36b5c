"""A relay that is killed at the worst moment: the events are on the stream, and not yet marked as sent."""

from __future__ import annotations

import os
import signal
import sys

from services.chassis import mongo, redis, sql
from services.chassis.outbox import Outbox
from services.chassis.relay import publish
from tests.integration.chassis.making import new_id


def main(kind: str, redis_url: str, url: str, database: str = "") -> None:
    """Send one batch and die."""
    bus = redis.client(redis_url, timeout_s=5)
    outbox: Outbox
    if kind == "sql":
        outbox = sql.SqlOutbox(sql.engine(url, name="dying"))
    else:
        outbox = mongo.MongoOutbox(mongo.client(url)[database], new_id=new_id, lease_s=1.0)

    def publish_and_die(events):
        publish(bus, events)
        os.kill(os.getpid(), signal.SIGKILL)

    outbox.send(publish_and_die)


if __name__ == "__main__":
    main(*sys.argv[1:])
