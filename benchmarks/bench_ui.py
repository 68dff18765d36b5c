"""How long the server takes for each page of the web UI with twenty people at once, and how much a first page weighs.

    python -m benchmarks.bench_ui [--seconds 12] [--people 20]

The house is one of its own in a temporary folder, with the demo's invented people; pages are asked for through its
gateway by sessions that are signed in, each of which asks for the next page when the last one is answered. What is left
of today is booked first, because the demo begins with tomorrow: lists of today are longest in the morning. Beside it
stands a page of bare Flask, asked by as many clients in the same run. What counts is the ratio to that page, and how
many calls of services a page makes: absolute times only show the order. The weight is that of what a browser loads
for the first page after a sign-in, compressed as it gets it. It never fails on a figure.
"""

from __future__ import annotations

import argparse
import gzip
import itertools
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from zoneinfo import ZoneInfo

import urllib3

from benchmarks import watching
from benchmarks.load import Answered, Load, Running, encoded
from benchmarks.terminal import say
from tests.places import free_port
from tests.system.browsing import Browser
from tests.system.house import Client, RunningHouse, new_key, sign_in
from tests.waiting import wait_for

PEOPLE, WARM_S, LASTS_S = 20, 2.0, 12
WANTED_P95_MS, WANTED_KIB = 250, 300
MOST = 60_000
BOOKED = 120  # appointments of today, as far as there is room: so many a clinic of a dozen doctors has
CALLS = "http_client_request_duration_seconds_count"
PAUSE_S = 0.02  # between two bookings: the gateway takes fifty requests a second of one account
SESSIONS = 5  # of each role; the twenty share them, as windows of one browser do
PAGES: tuple[tuple[str, str, str], ...] = (
    ("home of a receptionist", "receptionist", "/"),
    ("patients", "receptionist", "/patients"),
    ("a patient", "receptionist", "/patients/{patient}"),
    ("free times", "receptionist", "/booking?appointment_type_id={type}&specialization_id={specialization}"),
    ("an appointment", "receptionist", "/booking/{appointment}"),
    ("calendar", "receptionist", "/calendar?view=week"),
    ("day list", "receptionist", "/calendar/day"),
    ("requests", "receptionist", "/requests"),
    ("day of a doctor", "doctor", "/"),
    ("hours", "doctor", "/doctors/{doctor}/hours"),
    ("reports", "admin", "/reports/appointments"),
    ("users", "admin", "/people"),
    ("audit", "auditor", "/audit"),
    ("deliveries", "receptionist", "/messages"),
)
_ASSET = re.compile(r"""(?:href|src)="(/static/[^"#]+)""")
_BARE = """
import flask
app = flask.Flask(__name__)
PAGE = "{% for each in rows %}<tr><td>{{ each.time }}</td><td>{{ each.name }}</td></tr>{% endfor %}"
ROWS = [{"time": "08:00", "name": "Somebody"}] * 40

@app.get("/")
def page():
    return flask.render_template_string(PAGE, rows=ROWS)
"""


def main() -> int:
    """Print the figures; the exit code."""
    parser = argparse.ArgumentParser(prog="bench_ui", description="Pages of the web UI, and a page of bare Flask.")
    parser.add_argument(
        "--seconds", type=float, default=LASTS_S, help="measured for each page, after a few for warming up"
    )
    parser.add_argument("--people", type=int, default=PEOPLE, help="at once")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-", ignore_cleanup_errors=True) as folder:
        with bare_page(Path(folder)) as port:
            bare = _measured(port, "/", [""], given)
        say(f"Python {platform.python_version()} of {sys.base_prefix}")
        say(f"{given.people} people at once, {given.seconds:.0f} s a page\n")
        say(f"  {'page':<24} {'p50 ms':>8} {'p95 ms':>8} {'/ bare':>8} {'calls':>6} {'pages/s':>8}")
        _line("bare Flask, no gateway", bare, bare, 0)
        house = RunningHouse(Path(folder) / "house", has_demo=True)
        try:
            house.up()
            pages(house, bare, given)
        finally:
            house.down()
    return 0


def pages(house: RunningHouse, bare: Answered, given: argparse.Namespace) -> None:
    """All pages of a house that is up, and what the first one weighs."""
    port, desk = int(house.url.rpartition(":")[2]), Desk(house)
    ids = known(desk)
    say(f"  booked for today: {fill(desk, ids)}")
    people: dict[str, list[Browser]] = {}
    late = []
    for name, role, path in PAGES:
        if role not in people:
            password = house.secret("demo-password")
            people[role] = [signed_in(house, f"demo.{role}", password) for _ in range(SESSIONS)]
        before = _calls(house)
        got = _measured(port, path.format(**ids), [each.cookie for each in people[role]], given)
        asked = (_calls(house) - before) / max(1, sum(got.statuses.values())) * given.seconds / (given.seconds + WARM_S)
        _line(name, got, bare, asked)
        late += [name] if got.percentile_ms(95) > WANTED_P95_MS else []
    say(f"\n  target: p95 at most {WANTED_P95_MS} ms: {'met' if not late else 'missed by ' + ', '.join(late)}")
    weigh(people["receptionist"][0])


def signed_in(house: RunningHouse, username: str, password: str) -> Browser:
    """Somebody's browser, at the page after the door."""
    browser = Browser(house.url)
    if browser.sign_in(username, password).status != 200:
        raise RuntimeError(f"{username} does not come in")
    return browser


class Desk:
    """The receptionist of the demo, who asks and books by the API."""

    def __init__(self, house: RunningHouse) -> None:
        self._client, password = Client(house.url), house.secret("demo-password")
        signed_in = sign_in(self._client, "demo.receptionist", password=password).expect(201)
        self._token = signed_in.json["access_token"]

    def every(self, path: str, **query: object) -> list[Mapping[str, str]]:
        """The first page of a list."""
        address = f"/api/v1/{path}?{urllib.parse.urlencode(query)}"
        found: list[Mapping[str, str]] = self._client.send("GET", address, token=self._token).expect(200).json["items"]
        return found

    def book(self, facility: str, wanted: Mapping[str, str]) -> bool:
        """Whether it was booked; somebody who is busy then, or has enough appointments, is left out."""
        path = f"/api/v1/facilities/{facility}/appointments"
        return self._client.send("POST", path, wanted, token=self._token, key=new_key()).status == HTTPStatus.CREATED


def fill(desk: Desk, ids: Mapping[str, str]) -> int:
    """Book what is left of today with all doctors in turn; how many it were."""
    facility = desk.every("facilities")[0]
    now = datetime.now(ZoneInfo(facility["zone"])).replace(second=0, microsecond=0) + timedelta(minutes=1)
    until, places = now.replace(hour=0, minute=0) + timedelta(days=1), f"facilities/{facility['id']}/free-places"
    asked = {"appointment_type_id": ids["type"], "since": now.isoformat(), "until": until.isoformat(), "limit": 200}
    free = [desk.every(places, doctor_id=each["id"], **asked) for each in desk.every("doctors")]
    patients = itertools.cycle(sorted({each["patient_id"] for each in _coming(desk, facility["id"])}))
    booked = 0
    for place in [each for turn in itertools.zip_longest(*free) for each in turn if each]:
        wanted = {name: place[name] for name in ("doctor_id", "starts_at")}
        booked += desk.book(
            facility["id"], {**wanted, "patient_id": next(patients), "appointment_type_id": ids["type"]}
        )
        if booked == BOOKED:
            break
        time.sleep(PAUSE_S)
    return booked


def known(desk: Desk) -> Mapping[str, str]:
    """One of each that a page is about."""
    appointment = _coming(desk, desk.every("facilities")[0]["id"])[0]
    return {
        "type": desk.every("appointment-types")[0]["id"],
        "specialization": desk.every("specializations")[0]["id"],
        "doctor": desk.every("doctors")[0]["id"],
        "patient": appointment["patient_id"],
        "appointment": appointment["id"],
    }


def _coming(desk: Desk, facility: str) -> list[Mapping[str, str]]:
    """Appointments of a week."""
    begins = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    period = {"since": begins.isoformat(), "until": (begins + timedelta(days=7)).isoformat()}
    return desk.every(f"facilities/{facility}/appointments", limit=100, **period)


def _sent(browser: Browser, path: str) -> bytes:
    """What comes over the wire."""
    headers = {"cookie": browser.cookie, "accept-encoding": "gzip"}
    return urllib3.request(
        "GET", browser.url + path, headers=headers, decode_content=False, retries=False, timeout=30
    ).data


def weigh(browser: Browser) -> None:
    """What a browser loads for its first page: the page, and every asset that it and its style sheets name."""
    page = _sent(browser, "/")
    loaded = {"the page": len(page)}
    text = gzip.decompress(page).decode()
    for address in sorted(set(_ASSET.findall(text))):
        loaded[address.partition("?")[0].removeprefix("/static/")] = len(_sent(browser, address))
    say("\n  first page, as it comes over the wire")
    for name, size in sorted(loaded.items(), key=lambda each: -each[1]):
        say(f"  {name:<50} {size / 1024:>7.1f} KiB")
    total = sum(loaded.values()) / 1024
    say(f"  {'together':<50} {total:>7.1f} KiB   at most {WANTED_KIB}: {'met' if total <= WANTED_KIB else 'missed'}")


@contextmanager
def bare_page(folder: Path) -> Iterator[int]:
    """A page of bare Flask on granian, with as many threads as the web UI has; its port."""
    (folder / "bare_page.py").write_text(_BARE, encoding="utf-8")
    port = free_port()
    command = [
        sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port),
        "--workers", "1", "--blocking-threads", "16", "--no-ws", "--http", "1", "bare_page:app",
    ]  # fmt: skip
    with (folder / "granian.log").open("wb") as out:
        server = subprocess.Popen(  # noqa: S603 - fixed words and our own paths
            command, cwd=folder, env={**os.environ, "PYTHONPATH": str(folder)}, stdout=out, stderr=out
        )
    try:
        wait_for(lambda: _answers(port), within_s=20, what="bare Flask answers")
        yield port
    finally:
        server.terminate()
        server.wait(10)


def _answers(port: int) -> bool:
    with suppress(OSError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=1).close()
        return True
    return False


def _measured(port: int, path: str, cookies: Sequence[str], given: argparse.Namespace) -> Answered:
    """Pages come as they are when nobody asks for less: the answer says its length, and that is what is read."""
    asked = [encoded("GET", path, b"", {"cookie": each} if each else {}) for each in cookies]
    several = [asked[number % len(asked)] for number in range(MOST)]
    running = Running(Load(host="127.0.0.1", port=port, requests=several, clients=given.people))
    running.begin(lasts_s=WARM_S + given.seconds)
    time.sleep(WARM_S)
    return running.answers(since=time.monotonic(), wanted=200)


def _calls(house: RunningHouse) -> float:
    """Calls of services that the web UI has made so far."""
    return sum(watching.values(house.port("frontend"), CALLS).values())


def _line(name: str, got: Answered, bare: Answered, calls: float) -> None:
    p50, p95, ratio = got.percentile_ms(50), got.percentile_ms(95), got.percentile_ms(50) / bare.percentile_ms(50)
    other = {status: count for status, count in got.statuses.items() if status != 200}
    note = f"  also {other}" if other else ""
    say(f"  {name:<24} {p50:>8.1f} {p95:>8.1f} {ratio:>8.1f} {calls:>6.1f} {got.per_s:>8.1f}{note}")


if __name__ == "__main__":
    raise SystemExit(main())
