"""Many want the same at once: as many get it as there are, and nobody gets an error."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from tests.integration.appointments import contests
from tests.integration.appointments.contests import clean, statuses
from tests.integration.appointments.making import Booking, at, fresh, monday, session, together
from tests.integration.appointments.mixing import one_day

EVERYTHING = [
    *(f"{kind} {said}" for kind in ("book", "move") for said in ("done", "place_taken", "place_closed")),
    *("book resource_taken", "cancel done", "cancel stale_version", "cancel illegal_move", "read done"),
    *("close done", "open done"),
]


@pytest.mark.target("A-01")
@pytest.mark.timeout(1800)
def test_of_two_hundred_clients_for_one_place_one_gets_it(crowded: Booking, rounds, figure):
    took: list[float] = []
    for _ in range(rounds(full=100, short=2)):
        took += contests.one_place(crowded, clients=200)
    took.sort()
    figure("p99 of 200 clients in one process with the service", took[int(len(took) * 0.99)], "s")


@pytest.mark.target("A-02")
@pytest.mark.timeout(600)
def test_what_overlaps_is_refused_and_all_that_was_confirmed_stands(desk: Booking, rounds):
    for seed in range(rounds(full=40, short=1)):
        contests.overlapping(desk, clients=50, each_does=8, seed=seed)


@pytest.mark.target("A-03")
def test_ten_places_are_given_to_ten_of_three_hundred_with_numbers_of_their_own(crowded: Booking):
    doctor, start = crowded.doctor(session(capacity=10, resource_ids=[fresh()])), at(monday(), "10:00")
    got, _ = contests.at_once(300, lambda _: crowded.book(doctor, start))
    assert statuses(got) == {201: 10, 409: 290}
    assert sorted(each.body["seat"] for each in got if each.status == 201) == list(range(1, 11))
    clean(crowded)


@pytest.mark.target("A-04")
def test_one_patient_at_one_time_with_two_doctors_gets_one_of_them(desk: Booking, rounds):
    pairs = rounds(full=100, short=20)
    one, other = (desk.doctor(*(session(weekday=day, capacity=50) for day in range(1, 8))) for _ in range(2))
    patients = [fresh() for _ in range(pairs)]
    got = together(20, lambda index: [
        desk.book((one, other)[turn], at(monday(), "10:00"), patient=patient)
        for patient in patients[index // 2 :: 10] for turn in [index % 2]
    ])  # fmt: skip
    answers = [each for some in got for each in some]
    won = sum(each.status == 201 for each in answers)
    assert won <= pairs
    assert {each.body["code"] for each in answers if each.status != 201} <= {"patient_busy", "place_taken"}
    listed = desk.listed(at(monday(), "00:00"), at(monday(), "23:00"))
    assert len({each["patient_id"] for each in listed}) == len(listed) == won
    assert won == pairs
    clean(desk)


@pytest.mark.target("A-05")
def test_doctor_room_and_device_in_opposite_orders_never_block_each_other(desk: Booking):
    """Every first answer counts: nobody is told to come back later."""
    rooms = [fresh() for _ in range(4)]
    doctors = [desk.doctor(*(session(weekday=day) for day in range(1, 8))) for _ in range(4)]

    def one(index: int):
        chance = random.Random(index)
        chosen = chance.sample(rooms, 3)
        return desk.book(chance.choice(doctors), at(monday(), chance.choice(("10:00", "10:15"))), resource_ids=chosen)

    got, _ = contests.at_once(100, one)
    assert set(statuses(got)) == {201, 409}
    assert sum(each.status == 201 for each in got) == 1  # three of four rooms: any two meet in one
    clean(desk)


@pytest.mark.target("A-06")
def test_of_fifty_requests_for_one_place_twenty_of_the_staff_approve_one(desk: Booking, rounds):
    for _ in range(rounds(full=20, short=1)):
        contests.one_place_for_many_requests(desk, requests=50, staff=20)


@pytest.mark.target("A-08")
def test_an_empty_day_that_a_hundred_look_at_shows_each_place_once(desk: Booking):
    doctor = desk.doctor()
    written = desk.size()
    found = together(100, lambda _: desk.free(doctor, monday()))
    assert len({tuple(each) for each in found}) == 1
    assert len(found[0]) == len(set(found[0])) == 16
    assert desk.size() == written


@pytest.mark.target("A-07")
@pytest.mark.timeout(900)
def test_booking_cancelling_moving_and_leave_on_one_day_could_have_been_one_after_the_other(
    desk: Booking, rounds, figure
):
    """Every answer of every client is explained by some order of them all; every 20 s another facility begins."""
    left, said, later = rounds(full=300, short=5), Counter(), 0
    for seed in itertools.count():
        mixing = one_day(desk, seconds=min(left, 20), seed=seed)
        said, later, left = said + mixing.count(), later + mixing.later, left - 20
        if left <= 0:
            break
    assert min(said[each] for each in EVERYTHING) > 0, said
    figure("answers in the history", said.total(), "")
    figure("answers to come back later", later, "")
