"""A process that is killed inside its unit of work: the key is taken, a thing is written, and nothing is committed."""

from __future__ import annotations

import os
import signal
import sys

from services.chassis import mongo, sql
from tests.integration.chassis.making import insert_thing, make_call, new_id, now


def main(kind: str, url: str, database: str = "") -> None:
    """Begin as `key` k for `chair`, and die."""
    store: sql.Database | mongo.Documents
    if kind == "sql":
        store = sql.Database(sql.engine(url, name="dying"), service="things", clock=now, new_id=new_id)
    else:
        store = mongo.Documents(mongo.client(url), database, service="things", clock=now, new_id=new_id)
    with store.begin(make_call(key="k", body="chair")) as unit:
        insert_thing(unit, "chair")
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
