"""Booking through the gateway, with two processes of appointments: nothing is booked twice, nothing is lost."""

from __future__ import annotations

import contextlib
import itertools
import random
import time
from collections import Counter

import pytest
import urllib3

from tests.system import clinic as clinics
from tests.system.clinic import Clinic, at_once, clients, registered, until
from tests.system.house import Client, Person, RunningHouse, hire, new_key

DESKS, CROWD, CLIENTS = 20, 300, 200


@pytest.fixture(scope="module")
def clinic(admin: Person) -> Clinic:
    return clinics.opened(admin)


@pytest.fixture(scope="module")
def desks(admin: Person) -> list[Person]:
    """Receptionists; the gateway limits each of them."""
    return [hire(admin, "receptionist") for _ in range(DESKS)]


@pytest.fixture(scope="module")
def crowd(desks: list[Person]) -> list[str]:
    """Patients who all want something, but none of them many things: a patient has at most ten appointments ahead."""
    return people(desks, CROWD)


@pytest.fixture(autouse=True)
def nothing_is_wrong(house: RunningHouse):
    """After every test the auditor looks at all records."""
    yield
    done = house.infirmary("appointments", "check")
    assert done.returncode == 0, done.stdout


def people(desks: list[Person], count: int) -> list[str]:
    """So many patients, registered at all desks at once."""
    parts = at_once(lambda number: registered(desks[number], -(-count // DESKS)), DESKS)
    return [each for part in parts for each in part]


def desk_of(desks: list[Person], number: int) -> Person:
    return desks[number % len(desks)]


@pytest.mark.target("A-01")
@pytest.mark.timeout(900)
def test_of_two_hundred_who_want_one_place_one_gets_it(
    clinic: Clinic, desks: list[Person], crowd: list[str], rounds, figure
):
    """One 201 and 199 times 409 in the end, and no other 5xx on the way than 503 with the wish to come back later.

    A process takes 128 requests at a time, eight for each of its threads, and refuses what is over that before anything
    of it is begun. 200 fit into two processes, so that usually nobody is refused; while the gateway sends to only one
    of them, 72 of the 200 are. The figures say how many were.
    """
    doctor, again, count = clinic.doctor(), Counter(), rounds(full=100, short=10)
    for number in range(count):
        start = clinic.at(f"{6 + number % 15:02d}:{30 * (number % 2):02d}", ahead=7 + number // 30)
        got = at_once(lambda n, at=start: race(clinic, desk_of(desks, n), doctor, at, crowd[n], again), CLIENTS)
        assert Counter(each.status for each in got) == {201: 1, 409: CLIENTS - 1}, Counter(e.said for e in got)
    assert {said for said in again if said.startswith("5")} <= {"503 unavailable"}
    for said in sorted({"503 unavailable", *again}):
        figure(f"told to come back later, {said}", again[said] / count / CLIENTS * 100, "%")
    assert len(clinic.listed(desks[0], days=60 if number > 400 else 31)) >= 1


def race(clinic: Clinic, by: Person, doctor: str, start: str, patient: str, again: Counter[str] | None = None):
    """One booking; a limit of the gateway or a process that is too busy is not the answer."""
    return until(by, "POST", f"{clinic.path}/appointments", clinic.wanted(doctor, start, patient), again=again)


@pytest.mark.target("A-03")
def test_ten_seats_go_to_ten_and_have_their_numbers(clinic: Clinic, desks: list[Person], crowd: list[str]):
    doctor, start = clinic.doctor(capacity=10), clinic.at("07:00", ahead=3)
    got = at_once(lambda n: race(clinic, desk_of(desks, n), doctor, start, crowd[n]), 300)
    seats = sorted(each.json["seat"] for each in got if each.status == 201)
    assert seats == list(range(1, 11))
    assert Counter(each.status for each in got) == {201: 10, 409: 290}


@pytest.mark.target("A-02")
@pytest.mark.timeout(300)
def test_overlapping_wishes_never_overlap_when_they_are_granted(
    clinic: Clinic, desks: list[Person], crowd: list[str], rounds, figure
):
    """Every 201 is in the calendar afterwards, every 409 is not.

    Every two seconds all go on to the next day, so that there is something to contend for until the end.
    """
    doctor, chance, seconds = clinic.doctor(), random.Random(2), rounds(full=60, short=6)
    clocks = [f"{chance.randrange(6, 20):02d}:{chance.randrange(0, 60, 5):02d}" for _ in range(50)]
    began, booked, refused = time.monotonic(), [], []

    def want(number: int) -> None:
        own = random.Random(number)
        while (passed := time.monotonic() - began) < seconds:
            start = clinic.at(own.choice(clocks), ahead=5 + int(passed / 2))
            got = race(clinic, desk_of(desks, number), doctor, start, own.choice(crowd))
            assert got.status in {201, 409}, got.said
            (booked if got.status == 201 else refused).append(got.json)

    at_once(want, CLIENTS)
    figure("confirmed", len(booked), "")
    figure("refused", len(refused), "")
    found = clinic.listed(desks[0], ahead=5, days=seconds // 2 + 1)
    there = sorted((each for each in found if each["doctor_id"] == doctor), key=lambda each: each["starts_at"])
    assert {each["id"] for each in there} == {each["id"] for each in booked}
    assert all(one["ends_at"] <= other["starts_at"] for one, other in itertools.pairwise(there))


@pytest.mark.target("A-06")
def test_one_of_many_requests_for_a_place_is_approved(
    clinic: Clinic, desks: list[Person], crowd: list[str], doctor: Person
):
    who, start = clinic.doctor(), clinic.at("09:00", ahead=4)
    path = f"{clinic.path}/appointment-requests"
    asked = [
        until(desk_of(desks, n), "POST", path, clinic.wanted(who, start, crowd[-n])).expect(201).json for n in range(50)
    ]
    some = at_once(lambda n: [approve(clinic, desks[n], each["id"]) for each in asked[n::20]], 20)
    got = [each for part in some for each in part]
    assert Counter(each.status for each in got) == {200: 1, 409: 49}
    assert {each.json["code"] for each in got if each.status == 409} == {"place_taken"}
    now = [desks[0].get(f"{clinic.path}/appointments/{each['id']}").expect(200).json["status"] for each in asked]
    assert Counter(now) == {"booked": 1, "pending": 49}


def approve(clinic: Clinic, by: Person, id_: str):
    return until(by, "POST", f"{clinic.path}/appointments/{id_}/approve", if_match='"1"')


@pytest.mark.target("A-09")
@pytest.mark.row("APT-07")
@pytest.mark.timeout(600)
def test_a_request_that_is_sent_five_times_at_once_books_once(
    house: RunningHouse, clinic: Clinic, desks: list[Person], rounds
):
    doctor = clinic.doctor(capacity=50)
    count = rounds(full=1000, short=40)
    patients = people(desks, count // 4)
    for number in range(count):
        key, by = new_key(), desk_of(desks, number)
        start = clinic.at(f"{6 + number % 15:02d}:{30 * (number // 15 % 2):02d}", ahead=10 + number // 1000)
        body = clinic.wanted(doctor, start, patients[number % len(patients)], overlap_reason="A test of keys.")
        path = f"{clinic.path}/appointments"
        with clients(house.url, 5) as five:
            got = at_once(lambda n, b=body, k=key, c=five, p=by, to=path: sent(c[n], p, to, b, k), 5)
        assert len({each.body for each in got}) == 1, [each.said for each in got]
        if number == 0:
            again = by.send("POST", path, {**body, "reason": "Another"}, key=key)
            assert (again.status, again.json["code"]) == (422, "key_reused")


def sent(client: Client, by: Person, path: str, body: object, key: str):
    own = Person(client, by.id, by.username, by.roles, by.password, {"access_token": by.token})
    return until(own, "POST", path, body, key=key)


@pytest.mark.target("A-12")
@pytest.mark.timeout(900)
def test_a_client_that_gives_up_and_asks_again_is_booked_once(
    house: RunningHouse, clinic: Clinic, desks: list[Person], rounds
):
    """The connection is dropped at a random moment; the same key then tells what was decided."""
    doctor, chance, made = clinic.doctor(capacity=50), random.Random(12), []
    count = rounds(full=10_000, short=60)
    patients = people(desks, count // 8)
    for number in range(count):
        key, by = new_key(), desk_of(desks, number)
        start = clinic.at(f"{6 + number % 15:02d}:{30 * (number // 15 % 2):02d}", ahead=12 + number // 1200)
        body = clinic.wanted(doctor, start, patients[number % len(patients)], overlap_reason="A test of timeouts.")
        pool = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(total=chance.uniform(0.001, 0.05)))
        headers = {"authorization": f"Bearer {by.token}", "idempotency-key": key}
        with contextlib.suppress(urllib3.exceptions.HTTPError):
            pool.request("POST", f"{house.url}{clinic.path}/appointments", json=body, headers=headers)
        pool.clear()
        got = until(by, "POST", f"{clinic.path}/appointments", body, key=key)
        assert got.status in {201, 409}, got.said
        made += [got.json["id"]] if got.status == 201 else []
    there = [each["id"] for each in clinic.listed(desks[0], ahead=12, days=10) if each["doctor_id"] == doctor]
    assert sorted(there) == sorted(set(made))


@pytest.mark.timeout(900)
def test_no_booking_lies_inside_leave(clinic: Clinic, desks: list[Person], rounds):
    """Leave and bookings in parallel: either the leave is refused with the list, or nobody is booked in it.

    All rounds are about one morning, so nobody comes in two of them: the second visit would be refused as one too many.
    """
    count = rounds(full=1000, short=8)
    patients = people(desks, 8 * count)
    for number in range(count):
        doctor = clinic.doctor(weekdays=[clinic.day(9).isoweekday()])
        body = {"starts_at": clinic.at("08:00", ahead=9), "ends_at": clinic.at("12:00", ahead=9), "reason": "Away"}
        path = f"/api/v1/doctors/{doctor}/leave"

        def one(n: int, doctor=doctor, path=path, body=body, who=patients[8 * number :]):
            if n == 3:
                return until(clinic.admin, "POST", path, body)
            start = clinic.at(f"{8 + n % 4:02d}:{30 * (n // 4):02d}", ahead=9)
            return race(clinic, desk_of(desks, n), doctor, start, who[n])

        got = at_once(one, 8)
        leave, bookings = got[3], [each for n, each in enumerate(got) if n != 3 and each.status == 201]
        assert leave.status in {201, 409}, leave.said
        if leave.status == 201:
            assert not bookings
            assert clinic.free(desks[0], doctor, ahead=9)[0] == clinic.at("06:00", ahead=9)
            assert clinic.at("08:00", ahead=9) not in clinic.free(desks[0], doctor, ahead=9)
        else:
            named = {each["appointment_id"] for each in leave.json["facts"]["clashing"]}
            assert named <= {each.json["id"] for each in bookings}
            assert named
