"""What a request costs in the chassis, beside connexion as it comes: CPU per request, and their ratio, within one run.

Both applications serve the contract of the chassis' own tests in this process, without a network: a trivial GET, and a
validated POST with a token. Run it from the checkout: `python -m benchmarks.bench_chassis`.
"""

from __future__ import annotations

import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import orjson
import uvloop

ROUNDS, REQUESTS = 5, 400
BODY = orjson.dumps({"name": "Ada Example", "count": 1, "day": "2026-01-01", "note": "x" * 20})


def stock_make_thing(body: dict[str, Any], **_: Any) -> tuple[dict[str, Any], int]:
    """The POST of the stock application."""
    return {"id": "1", "version": 1, "name": body["name"]}, 201


def stock_open_door() -> dict[str, Any]:
    """The GET of the stock application."""
    return {"open": True}


def stock_token(_token: str) -> dict[str, Any]:
    """The token check of the stock application."""
    return {"sub": "x", "scope": "patients.register"}


def _stock(document: dict[str, Any]) -> Any:
    from connexion import FlaskApp  # noqa: PLC0415 - after its warnings are silenced

    here = "benchmarks.bench_chassis"
    paths = document["paths"]
    document["paths"] = {
        "/api/v1/things": {"post": {**paths["/api/v1/things"]["post"], "operationId": f"{here}.stock_make_thing"}},
        "/api/v1/doors": {"get": {**paths["/api/v1/doors"]["get"], "operationId": f"{here}.stock_open_door"}},
    }
    document["components"]["securitySchemes"]["bearer"]["x-tokenInfoFunc"] = f"{here}.stock_token"
    app = FlaskApp("stock", strict_validation=True)
    app.add_api(document)
    return app


async def call(app: Any, method: str, path: str, body: bytes) -> int:
    """One request to an ASGI application, with the token of a super admin; the status of its answer."""
    sent = [{"type": "http.request", "body": body, "more_body": False}]
    status = 0

    async def receive() -> Any:
        return sent.pop() if sent else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    headers = [(b"host", b"x"), (b"authorization", b"Bearer super_admin@x"), (b"idempotency-key", b"0123456789")]
    headers += [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())] if body else []
    scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path}
    scope |= {"raw_path": path.encode(), "query_string": b"", "root_path": "", "scheme": "http", "headers": headers}
    await app({**scope, "server": ("x", 80), "client": ("127.0.0.1", 1)}, receive, send)
    return status


def _cpu_us(app: Any, method: str, path: str, body: bytes, expected: int) -> float:
    async def many() -> None:
        for _ in range(REQUESTS):
            if await call(app, method, path, body) != expected:
                raise SystemExit(f"{method} {path} was not answered with {expected}")

    started = time.process_time()
    uvloop.run(many())
    return (time.process_time() - started) / REQUESTS * 1e6


def main() -> int:
    """Print the figures; the exit code."""
    warnings.simplefilter("ignore")
    from services.chassis import spec  # noqa: PLC0415 - as above
    from tests.unit.chassis.test_web import World  # noqa: PLC0415 - as above

    world = World(Path(tempfile.mkdtemp()))
    ours, stock = world.house.web.app, _stock(spec.runtime_view(world.house.contract))
    for name, request in {
        "GET, trivial": ("GET", "/api/v1/doors", b"", 200),
        "POST, validated, with token": ("POST", "/api/v1/things", BODY, 201),
    }.items():
        pairs = [(_cpu_us(stock, *request), _cpu_us(ours, *request)) for _ in range(ROUNDS)]
        old, new = (sorted(each)[ROUNDS // 2] for each in zip(*pairs, strict=True))
        sys.stdout.write(f"{name:<30} stock {old:6.0f} us   chassis {new:6.0f} us   ratio {old / new:.2f}\n")
    world.house.close()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
