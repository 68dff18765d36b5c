"""Patients and doctors in a process of their own, over real sockets: every patient is active, plans are as given."""

from __future__ import annotations

import multiprocessing
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

import orjson
import uvicorn

from tests.places import free_port

_STANDING = orjson.dumps({"standing": "active"})
_READY_S = 30.0
Plans = Mapping[str, Mapping[str, Any]]


@contextmanager
def speaking(plans: Plans) -> Iterator[str]:
    """Their address, for as long as it is open; `plans` by doctor."""
    port = free_port()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(plans, port), daemon=True)
    process.start()
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(f"{url}/api/v1/patients/any/standing")
        yield url
    finally:
        process.terminate()
        process.join(10)


def _wait_for(url: str) -> None:
    ends = time.monotonic() + _READY_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()  # noqa: S310 - our own address
        except OSError:
            if time.monotonic() > ends:
                raise
            time.sleep(0.1)
        else:
            return


def _serve(plans: Plans, port: int) -> None:
    by_doctor = {name: orjson.dumps(plan) for name, plan in plans.items()}
    by_specialization: dict[str, list[Mapping[str, Any]]] = {}
    for plan in plans.values():
        for each in plan["specialization_ids"]:
            by_specialization.setdefault(each, []).append(plan)
    pages = {name: orjson.dumps({"items": items, "next_cursor": None}) for name, items in by_specialization.items()}

    async def app(scope: dict[str, Any], _receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        words = scope["path"].split("/")
        if words[3] == "patients":
            body = _STANDING
        elif words[3] == "doctors":
            body = by_doctor[words[4]]
        else:
            body = pages[parse_qs(scope["query_string"].decode())["specialization_id"][0]]
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="critical", access_log=False, lifespan="off")
