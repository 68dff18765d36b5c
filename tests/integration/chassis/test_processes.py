"""A web process as it is run: it starts when its store is there, says what it lacks, and leaves in order."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from standalone.servers.ports import free
from tests.integration.chassis.making import jwk
from tests.integration.chassis.peer import Peer

ROOT = Path(__file__).parents[3]
WAIT_S = 30.0
PEERS = ("APPOINTMENTS", "AUDIT", "DOCTORS", "HISTORY", "IDENTITY", "NOTIFICATIONS", "PATIENTS", "REPORTS")


class Collector(ThreadingHTTPServer):
    """Takes what is exported over OTLP and keeps its bytes."""

    def __init__(self) -> None:
        self.got: list[bytes] = []
        got = self.got

        class Take(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                got.append(self.rfile.read(int(self.headers["content-length"])))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing: the test's output is not a log."""

        super().__init__(("127.0.0.1", 0), Take)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def collector() -> Iterator[Collector]:
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join(5)


def run(*words: str, **environ: str) -> subprocess.Popen[bytes]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    command = [sys.executable, "-m", "services.chassis", *words]
    return subprocess.Popen(command, cwd=ROOT, env={**kept, **environ}, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def settings(postgres_url: str, redis_url: str, **more: str) -> dict[str, str]:
    return {
        "DATABASE_URL": postgres_url,
        "BUS_URL": redis_url,
        "IDENTITY_URL": "http://127.0.0.1:1",
        "SERVICE_SECRET": "a-secret-of-tests-only",
        "CHECKPOINT_KEY": "a-key-of-tests-only-and-long-enough",
        **more,
    }


def get(port: int, path: str) -> tuple[int, bytes]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + WAIT_S
    while time.monotonic() < ends:
        try:
            if condition():
                return
        except OSError:
            pass
        time.sleep(0.05)
    pytest.fail("it did not happen in time")


def test_it_serves_when_its_schema_is_there_and_leaves_in_order(
    new_postgres: Callable[[], str], redis_url: str, collector: Collector
) -> None:
    port = free()
    keys = Peer(lambda connection: connection.answer(200, {"keys": published}))
    environ = settings(
        new_postgres(),
        redis_url,
        PORT=str(port),
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.address,
        IDENTITY_URL=keys.url,
    )
    published: list[dict[str, object]] = []
    process = run("serve", "audit", **environ)
    try:
        until(lambda: get(port, "/healthz")[0] == 200)
        assert get(port, "/readyz") == (503, b'{"status":"not ready","missing":["keys","schema"]}')
        migration = run("migrate", "audit", **environ)
        migration.communicate(timeout=WAIT_S)
        assert migration.returncode == 0
        until(lambda: get(port, "/readyz") == (503, b'{"status":"not ready","missing":["keys"]}'))
        published.append(jwk("k1"))
        until(lambda: get(port, "/readyz")[0] == 200)
        assert get(port, "/api/v1/audit-entries/search")[0] == 405
        assert b"infirmary_build_info" in get(port, "/metrics")[1]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
        keys.stop()
    assert (process.returncode, err) == (0, b"")
    assert b'"event":"process.stopping"' in out
    # The span of the last request left with the process, which proves that it was flushed before the end.
    assert b"http.response.status_code" in b"".join(collector.got)


def test_without_settings_it_names_each_and_exits() -> None:
    process = run("serve", "audit", DATABASE_URL="postgresql://Canary")
    out, err = process.communicate(timeout=WAIT_S)
    assert (process.returncode, out) == (2, b"")
    assert err.count(b"\n") == 1
    for name in (b"BUS_URL", b"CHECKPOINT_KEY", b"IDENTITY_URL", b"SERVICE_SECRET"):
        assert name in err
    assert b"Canary" not in err


@pytest.mark.parametrize("words", [[], ["serve"], ["serve", "nobody"], ["nobody", "verify"]])
def test_what_is_no_command_is_answered_with_what_there_is(words: list[str]) -> None:
    process = run(*words)
    _, err = process.communicate(timeout=WAIT_S)
    assert process.returncode == 2
    assert b"infirmary serve <program>" in err
    assert b"audit" in err


def beside(redis_url: str, **more: str) -> dict[str, str]:
    """The settings of the program that stands beside the services; no service answers."""
    away = {f"{name}_URL": "http://127.0.0.1:1" for name in PEERS}
    return {**away, "BUS_URL": redis_url, "PUBLIC_URL": "http://127.0.0.1:1", "SESSION_SECRET": "of tests only", **more}


def test_a_program_beside_the_services_is_waited_for_and_served_like_them(redis_url: str) -> None:
    port = free()
    environ = beside(redis_url, PORT=str(port))
    waited = run("wait", "frontend", **environ)
    assert waited.communicate(timeout=WAIT_S) == (b"frontend has what it wants: bus\n", b"")
    process = run("serve", "frontend", **environ)
    try:
        until(lambda: get(port, "/readyz")[0] == 200)
        assert b'infirmary_build_info{service="frontend"' in get(port, "/metrics")[1]
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=WAIT_S)
    finally:
        process.kill()
    assert (process.returncode, err) == (0, b"")
    assert b'"event":"process.stopping"' in out


def test_a_program_beside_the_services_is_not_ready_while_its_store_is_away(redis_url: str) -> None:
    port = free()
    process = run("serve", "frontend", **beside("redis://:canary@127.0.0.1:9", PORT=str(port)))
    try:
        until(lambda: get(port, "/readyz") == (503, b'{"status":"not ready","missing":["bus"]}'))
        assert get(port, "/healthz")[0] == 200
    finally:
        process.kill()
        said = b"".join(process.communicate(timeout=WAIT_S))
    assert b"canary" not in said


@pytest.mark.parametrize("words", [("work", "frontend"), ("migrate", "frontend"), ("frontend", "verify")])
def test_what_only_services_have_is_refused_for_a_program_beside_them(words: tuple[str, str], redis_url: str) -> None:
    process = run(*words, **beside(redis_url))
    _, err = process.communicate(timeout=WAIT_S)
    assert (process.returncode, err.count(b"\n")) == (2, 1)


@pytest.mark.parametrize("words", [("bus", "dead", "audit"), ("audit", "verify")])
def test_an_operator_whose_store_is_away_is_told_so_in_one_line(words: tuple[str, ...]) -> None:
    nobody = settings("postgresql://nobody:canary@127.0.0.1:9/x", "redis://:canary@127.0.0.1:9")
    process = run(*words, **nobody)
    out, err = process.communicate(timeout=WAIT_S)
    assert (process.returncode, out, err.count(b"\n")) == (1, b"", 1)
    assert b"is away" in err
    assert b"canary" not in err
