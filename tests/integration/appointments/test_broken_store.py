"""A test that always passes proves nothing: on a store that checks first and writes later, the contests must fail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.integration.appointments import broken, contests, mixing
from tests.integration.appointments.making import Booking, at, monday, opened

BODIES: dict[str, Callable[[Booking], object]] = {
    "A-01": lambda desk: contests.one_place(desk, clients=60),
    "A-02": lambda desk: contests.overlapping(desk, clients=30, each_does=8, seed=1),
    "A-06": lambda desk: contests.one_place_for_many_requests(desk, requests=50, staff=20),
    "A-07": lambda desk: mixing.one_day(desk, seconds=4, seed=1),
    "A-09": lambda desk: contests.same_keys(desk, requests=20),
}


@pytest.fixture
def torn(postgres_url: str, redis_url: str):
    with opened(postgres_url, redis_url, texts=broken.texts()) as found:
        yield found


@pytest.mark.parametrize("target", BODIES)
def test_the_contests_notice_a_store_that_checks_first_and_writes_later(torn: Booking, target: str):
    with pytest.raises(AssertionError):
        BODIES[target](torn)


@pytest.mark.parametrize("target", BODIES)
def test_the_same_contests_pass_on_the_real_store(desk: Booking, target: str):
    BODIES[target](desk)


def test_one_client_alone_notices_nothing_of_the_torn_store(torn: Booking):
    """So it is the meeting of many that the contests notice, not a store that never works."""
    doctor, start = torn.doctor(), at(monday(), "10:00")
    made = torn.booked(doctor, start)
    assert torn.book(doctor, start).status == 409
    assert torn.act("cancel_appointment", made, {"reason_code": "other"}).status == 200
    torn.booked(doctor, start)
    contests.clean(torn)
