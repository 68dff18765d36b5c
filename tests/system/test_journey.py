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

import psycopg
import pymongo
import pytest
import redis
import urllib3

from standalone import journey, needs, state
from standalone.layout import Layout
from tests.system import clinic as clinics
from tests.system.clinic import Clinic, until
from tests.system.collector import collecting, service_of
from tests.system.effects import counted, mailed, noted
from tests.system.house import Client, Person, RunningHouse, hire, new_patient, sign_in, word
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

    def bus(self) -> redis.Redis:
        url = (self.house.home / "environ" / "notifications" / "BUS_URL").read_text(encoding="utf-8").strip()
        return redis.Redis.from_url(url, decode_responses=True)

    def events(self) -> list[str]:
        """All that services have told, as it stands in their outboxes: streams are cut once everybody has read."""
        found: list[str] = []
        for service in needs.services():
            url = (self.house.home / "environ" / service / "DATABASE_URL").read_text(encoding="utf-8").strip()
            if url.startswith("mongodb"):
                with pymongo.MongoClient(url) as client:
                    found += [each["event"] for each in client.get_default_database()["outbox"].find()]
                continue
            with psycopg.connect(url.replace("+psycopg", "")) as database:
                found += [each for (each,) in database.execute("SELECT event FROM outbox")]
        return found


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
    told_of = {json.loads(each)["requestid"] for each in played.events()}
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


# ---- what must be nowhere --------------------------------------------------------------------------------------------


@pytest.mark.timeout(600)
def test_nothing_of_a_person_is_in_any_event_dead_letter_log_trace_or_metric(
    played: Played, admin: Person, clinic: Clinic, desk: Person
):
    """Twenty words that stand nowhere else go through every flow, wrong ways too; then all that is told is read."""
    seeds = {name: word() for name in SEEDS} | {"passport": word()[:8].upper()}
    digits = f"{int.from_bytes(os.urandom(4), 'big') % 10**7:07d}"
    patient = until(desk, "POST", "/api/v1/patients", canary(seeds, digits)).expect(201).json
    requests = go_everywhere(clinic, admin, desk, patient, seeds)
    spoil_the_bus(played, seeds)
    secret = [*seeds.values(), digits, patient["mrn"]]
    assert len(secret) >= 20
    wait_for(
        lambda: set(mailed(played.house, requests)) == requests, within_s=ARRIVES_S, what="messages to the patient"
    )
    found = {(place, each) for place, text in told(played) for each in secret if each.lower() in text.lower()}
    assert not found


SEEDS = (
    "family", "given", "middle", "email", "street", "city", "passport", "reason", "move_reason", "note", "overlap",
    "substance", "reaction", "problem", "search", "wrong", "leave", "display",
)  # fmt: skip


def canary(seeds: dict[str, str], digits: str) -> dict[str, Any]:
    return new_patient(
        family_name=seeds["family"],
        given_name=seeds["given"],
        middle_name=seeds["middle"],
        phones=[{"number": f"+49 30 {digits}", "use": "mobile"}],
        emails=[{"address": f"{seeds['email']}@example.org", "use": "home"}],
        addresses=[{"use": "home", "lines": [f"{seeds['street']} 1"], "city": seeds["city"], "country": "DE"}],
        identifiers=[{"type": "passport", "value": seeds["passport"], "issuer": "DE"}],
    )


def go_everywhere(
    clinic: Clinic, admin: Person, desk: Person, patient: dict[str, Any], seeds: dict[str, str]
) -> set[str]:
    """Book, move, cancel, search, write history; and each wrongly too. The requests that the patient is told of."""
    doctor, who = clinic.doctor(), patient["id"]
    wanted = clinic.wanted(doctor, clinic.at("09:00", ahead=9), who, reason=seeds["reason"])
    made = until(desk, "POST", f"{clinic.path}/appointments", wanted).expect(201)
    path = f"{clinic.path}/appointments/{made.json['id']}"
    moving = {"starts_at": clinic.at("11:00", ahead=9), "reason": seeds["move_reason"]}
    moved = until(desk, "POST", f"{path}/reschedule", moving, if_match='"1"').expect(200)
    stop = {"reason_code": "other", "note": seeds["note"]}
    cancelled = until(desk, "POST", f"{path}/cancel", stop, if_match=moved.etag).expect(200)
    until(desk, "POST", f"{path}/cancel", stop, if_match=moved.etag).expect(412)
    clinic.booked(desk, doctor, clinic.at("12:00", ahead=9), who)
    body = clinic.wanted(clinic.doctor(), clinic.at("12:00", ahead=9), who, overlap_reason=seeds["overlap"])
    until(desk, "POST", f"{clinic.path}/appointments", body).expect(201)
    allergy = {"substance": {"display": seeds["substance"]}, "category": "medication", "criticality": "high"}
    allergy |= {"certainty": "confirmed", "reactions": [{"manifestation": {"display": seeds["reaction"]}}]}
    until(admin, "POST", f"/api/v1/patients/{who}/allergies", allergy)
    problem = {"condition": {"display": seeds["problem"]}, "certainty": "confirmed"}
    until(admin, "POST", f"/api/v1/patients/{who}/problems", problem).expect(201)
    desk.post("/api/v1/patients/search", {"text": seeds["search"]}, key=None)
    desk.post("/api/v1/patients", {"family_name": seeds["wrong"], "nonsense": seeds["wrong"]}).expect(422)
    desk.send("POST", "/api/v1/patients", raw=f'{{"family_name": "{seeds["wrong"]}"'.encode()).expect(400)
    desk.get(f"/api/v1/patients/{seeds['wrong']}")
    leave = {"starts_at": clinic.at("06:00", ahead=40), "ends_at": clinic.at("07:00", ahead=40)}
    until(admin, "POST", f"/api/v1/doctors/{doctor}/leave", {**leave, "reason": seeds["leave"]}).expect(201)
    account = {"username": f"u{os.urandom(4).hex()}", "display_name": seeds["display"], "roles": ["nurse"]}
    until(admin, "POST", "/api/v1/users", account).expect(201)
    return {made.request_id, moved.request_id, cancelled.request_id}


def spoil_the_bus(played: Played, seeds: dict[str, str]) -> None:
    """An event that no consumer can read becomes a dead letter, which must not repeat what it says."""
    bad = {"specversion": "1.0", "type": "appointments.booked.v1", "data": {"name": seeds["family"]}}
    with played.bus() as bus:
        entry = bus.xadd("events.appointments", {"event": json.dumps(bad)})
        dead = "dead.notifications"
        wait_for(lambda: any(entry in str(fields) for _, fields in bus.xrange(dead)), within_s=30, what="a dead letter")
        bus.xdel("events.appointments", entry)


def told(played: Played) -> Iterator[tuple[str, str]]:
    """Everything that leaves the stores of the services: place and text."""
    for log in (played.house.home / "logs").iterdir():
        yield log.name, log.read_text(encoding="utf-8", errors="replace")
    with played.bus() as bus:
        for name in bus.scan_iter(count=1000):
            kept = bus.xrange(name) if bus.type(name) == "stream" else name
            yield f"bus {name}", json.dumps(kept, ensure_ascii=False)
    events = played.events()
    assert events
    yield "outboxes", "\n".join(events)
    for span in list(played.spans):
        yield f"span {span.name}", str(span)
    for name, port in played.house.ports().items():
        yield f"metrics of {name}", metrics(port)


def metrics(port: int) -> str:
    try:
        got = urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", timeout=5, retries=False)
    except urllib3.exceptions.HTTPError:
        return ""
    return got.data.decode(errors="replace") if got.status == 200 else ""
