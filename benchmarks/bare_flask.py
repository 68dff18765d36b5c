"""The least that a booking over HTTP can be in Flask: a body in, the script of a booking, its answer out.

No contract, no token, no question to anybody, no rule. The argument of the script is a real one, in which ids and times
are put; it is told by two files that BARE_FOLDER names.
"""

from __future__ import annotations

import os
import uuid
from datetime import UTC, datetime
from pathlib import Path

import flask
import orjson
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from benchmarks.sample import names

_FOLDER = Path(os.environ["BARE_FOLDER"])
_SCRIPT = (_FOLDER / "place.lua").read_text(encoding="utf-8")
_SAMPLE = orjson.loads((_FOLDER / "sample.json").read_bytes())
_TEXT, _OLD = _SAMPLE["text"], _SAMPLE["names"]

app = flask.Flask(__name__)
_pool = redis.BlockingConnectionPool.from_url(
    os.environ["BARE_REDIS_URL"], max_connections=32, socket_timeout=5, retry=Retry(NoBackoff(), 0), driver_info=None
)
_records = redis.Redis.from_pool(_pool)
_SHA = _records.script_load(_SCRIPT)


@app.post("/bookings")
def book() -> flask.Response:
    """Book a place."""
    body = orjson.loads(flask.request.get_data())
    text = told(body, uuid.uuid4())
    *keys, argument = text.split("\n")
    word, more = _records.evalsha(_SHA, len(keys), *keys, argument)
    return flask.Response(more, status=201 if word == b"ok" else 409, mimetype="application/json")


def told(body: dict[str, str], appointment: uuid.UUID) -> str:
    """Keys and argument, in lines: the sample with the ids and times of this request."""
    start = datetime.fromisoformat(body["starts_at"]).astimezone(UTC)
    first, text = int(start.timestamp()) // 60, _TEXT
    fresh = names(appointment=str(appointment), patient=body["patient_id"], doctor=body["doctor_id"], first=first)
    for old, new in zip(_OLD, fresh, strict=True):
        text = text.replace(old, new)
    return str(text)
