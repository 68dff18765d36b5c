"""One booking through the whole house: the steps of `make demo`, what they leave behind, and what they never do."""

from __future__ import annotations

import json
import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from standalone import journey, state
from standalone.layout import Layout
from tests.system import clinic as clinics
from tests.system import sinks
from tests.system.clinic import Clinic, until
from tests.system.collector import collecting, service_of
from tests.system.effects import counted, mailed, noted
from tests.system.house import Client, Person, RunningHouse, hire, sign_in
from tests.waiting import wait_for

ACTS = ("patient", "booked", "moved", "cancelled", "again")
ARRIVES_S = 150  # what a dead consumer had in hand is taken over within 90 s


@dataclass
class Played:
    """A house in which the journey was played, and what it printed and sent to the collector."""

    house: RunningHouse
    spans: list[Any]
    journey: journey.Journey
    shown: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    """It is played in an empty house; a step that is not as it must be fails here."""
    home = tmp_path_factory.mktemp("journey") / "house"
    with collecting() as (collector, spans):
        house, shown = RunningHouse(home, collector=collector), []
        try:
            house.up()
            gone = journey.play_at(
                Layout(home),
                today=datetime.now(UTC).date(),
                show=lambda number, title, lines: shown.extend([f"{number} {title}", *lines]),
            )
            yield Played(house, spans, gone, shown)
        finally:
            house.down()


@pytest.fixture(scope="module")
def admin(played: Played) -> Iterator[Person]:
    client = Client(played.house.url)
    password = played.house.secret("super-admin-changed")
    yield Person(client, "", "admin", ["super_admin"], password, sign_in(client, "admin", password=password).json)
    client.close()


@pytest.fixture(scope="module")
def clinic(admin: Person) -> Clinic:
    """A facility without quiet hours, so that nothing waits for the morning."""
    made = clinics.opened(admin)
    until(admin, "PUT", f"{made.path}/notification-settings", journey.NO_QUIET_HOURS, if_match='"1"').expect(200)
    return made


@pytest.fixture(scope="module")
def desk(admin: Person) -> Person:
    return hire(admin, "receptionist")


# ---- the journey -----------------------------------------------------------------------------------------------------


def test_every_step_shows_what_came_back(played: Played):
    titles = [f"{number} {title}" for number, title in enumerate(journey.STEPS, start=1)]
    assert [each for each in played.shown if each in titles] == titles
    assert sum("→" in each for each in played.shown) > len(titles)


def test_one_request_id_runs_from_the_gateway_to_the_message(played: Played):
    """In the access log, in the log of what sent the messages, in the events and in each message."""
    told_of = {json.loads(each)["requestid"] for each in sinks.events(played.house)}
    for act in ACTS[1:]:
        request_id = played.journey.requests[act]
        for log in ("gateway", "notifications-worker"):
            file = played.house.home / "logs" / f"{log}.log"
            wait_for(lambda f=file, i=request_id: i in f.read_text(encoding="utf-8"), what=f"{act} is in {log}")
        assert request_id in told_of
        told = played.journey.told[act]
        assert {told[kind]["request_id"] for kind in ("email", "sms")} == {request_id}


def test_one_trace_runs_through_gateway_services_events_and_messages(played: Played):
    """From the span of the gateway: the booking, the questions to patients and doctors, each consumer, each message."""
    wanted = {"gateway", "appointments", "patients", "doctors", "notifications", "reports", "audit"}

    def whole() -> bool:
        traces: dict[bytes, set[str]] = {}
        names: dict[bytes, set[str]] = {}
        for span in list(played.spans):
            traces.setdefault(span.trace_id, set()).add(service_of(span))
            names.setdefault(span.trace_id, set()).add(span.name)
        booked = [each for each, found in names.items() if "appointments.book_appointment" in found]
        return any(
            traces[each] >= wanted and {f"send {kind}" for kind in journey.KINDS} <= names[each] for each in booked
        )

    wait_for(whole, within_s=20, what="a trace of one booking with every part of the house")


def test_the_messages_say_nothing_of_why_somebody_comes(played: Played):
    for told in played.journey.told.values():
        for each in told.values():
            said = json.dumps(each, ensure_ascii=False)
            assert "mole" not in said
            assert played.journey.made["specialization"]["name"] not in said


def test_workers_give_way_to_the_processes_that_somebody_waits_for(played: Played):
    processes = state.read(played.house.home / "run" / "state.json").processes
    niceness = {each.name: os.getpriority(os.PRIO_PROCESS, each.pid) for each in processes}
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert {each: niceness[each] - ours for each in ("appointments", "gateway", "postgresql")} == {
        "appointments": 0,
        "gateway": 0,
        "postgresql": 0,
    }
    assert {niceness[name] - ours for name in niceness if name.endswith("-worker")} == {5}


# ---- what is stopped while it is booked ------------------------------------------------------------------------------


@contextmanager
def stopped(played: Played, *names: str) -> Iterator[None]:
    """Processes that do nothing within the block, and die at its end with all that they had in hand."""
    known = {each.name: each for each in state.read(played.house.home / "run" / "state.json").processes}
    for name in names:
        os.kill(known[name].pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for name in names:
            os.kill(known[name].pid, signal.SIGKILL)
    wait_for(
        lambda: state.read(played.house.home / "run" / "state.json").is_healthy, within_s=60, what="the house is well"
    )


STOPPED = {
    "notifications": ["notifications", "notifications-worker"],
    "reports": ["reports", "reports-worker"],
    "the consumer of the trail": ["audit-worker"],
    "the relay of the bookings": ["appointments-worker"],
    "the bus": ["redis-bus"],
}


@pytest.mark.row("NOT-19")
@pytest.mark.timeout(900)
def test_twenty_bookings_are_answered_while_a_part_is_away_and_all_follows_once_it_is_back(
    played: Played, admin: Person, clinic: Clinic, desk: Person
):
    """Each part in turn; what was in the hands of those who died is taken over, so all is looked for at the end."""
    doctors, told_of = {}, set()
    for part, processes in STOPPED.items():
        doctors[part] = clinic.doctor()
        people = clinics.registered(desk, 20, emails=True)
        with stopped(played, *processes):
            got = [book(clinic, desk, doctors[part], number, patient) for number, patient in enumerate(people)]
        assert Counter(each.status for each in got) == {201: 20}, part
        told_of |= {each.request_id for each in got}
    once = dict.fromkeys(told_of, 1)
    wait_for(lambda: mailed(played.house, told_of) == once, within_s=ARRIVES_S, what="a mail for each", step_s=0.5)
    wait_for(lambda: noted(played.house, told_of) == once, within_s=ARRIVES_S, what="an entry for each", step_s=0.5)
    for part, doctor in doctors.items():
        wait_for(lambda d=doctor: counted(admin, clinic, d) == {"booked": 20}, within_s=ARRIVES_S, what=part)
    assert until(admin, "POST", "/api/v1/audit-trail/verifications", {}).expect(200).json["whole"]


def book(clinic: Clinic, desk: Person, doctor: str, number: int, patient: str):
    """Sent once: a part that is away must not be felt."""
    start = clinic.at(f"{8 + number // 2:02d}:{30 * (number % 2):02d}", ahead=8)
    return desk.post(f"{clinic.path}/appointments", clinic.wanted(doctor, start, patient))
