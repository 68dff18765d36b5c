"""Free places against a slow oracle that was written from the definition."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.appointments import model, view
from services.kernel.intervals import Interval
from tests.unit.appointments import oracle
from tests.unit.appointments.making import (
    AT,
    DOCTOR,
    FACILITY,
    LOCATION,
    ROOM,
    TYPE,
    closure,
    number,
    plan,
    plan_body,
    session,
)

# Days around which the clocks of a zone are changed, and a plain one.
ZONES = {
    "Europe/Berlin": [date(2026, 3, 29), date(2026, 10, 25), date(2026, 6, 10)],
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1), date(2026, 6, 10)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4), date(2026, 6, 10)],
}


DAY = timedelta(days=1)


def clock(chance: random.Random) -> str:
    return f"{chance.randrange(24):02}:{chance.choice((0, 0, 15, 30, 50)):02}"


def moment(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).isoformat()


class Case:
    """One random plan with what stands in its schedules."""

    def __init__(self, seed: int) -> None:
        chance = random.Random(seed)
        self.zone = chance.choice(list(ZONES))
        day = chance.choice(ZONES[self.zone]) + timedelta(days=chance.choice((-1, 0, 0, 1)))
        self.base = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) // 60
        rooms, locations = [str(ROOM), str(number(21))], [str(LOCATION), str(number(22))]
        sessions = [
            session(
                id=str(number(100 + index)), zone=self.zone, weekday=(day - chance.choice((DAY, 0 * DAY))).isoweekday(),
                starts=clock(chance), ends=clock(chance), slot_minutes=chance.choice((5, 15, 20, 30, 45)),
                capacity=chance.choice((1, 1, 2, 4)), max_bookings=chance.choice((None, None, 3, 6)),
                resource_ids=chance.sample(rooms, chance.choice((0, 0, 1, 2))), location_id=chance.choice(locations),
                appointment_type_ids=chance.choice(([], [], [str(TYPE)], [str(number(99))])),
                valid_to=chance.choice((None, None, None, (day - DAY).isoformat())),
            )
            for index in range(chance.choice((1, 1, 2, 3)))
        ]  # fmt: skip
        closures = self._closures(chance)
        self.body = plan_body(
            *sessions,
            zone=chance.choice((self.zone, "Europe/Berlin")),
            max_per_day=chance.choice((None, None, 4, 8)),
            licence_expires_on=chance.choice((None, None, None, day.isoformat(), (day - DAY).isoformat())),
            closures=[each for each in closures if each["scope"] == "doctor"],
            facility_closures=[each for each in closures if each["scope"] != "doctor"],
        )
        self.doctor = [self._standing(chance, index) for index in range(chance.choice((0, 3, 10, 20)))]
        self.rooms = {
            room: [self._standing(chance, 500 + index) for index in range(chance.choice((0, 2, 5)))]
            + [each._replace(seat=0) for each in self.doctor if chance.random() < 0.5]
            for room in rooms
        }
        self.minutes = chance.choice((5, 10, 25, 30, 50, 90))
        self.first = self.base + chance.randrange(-1440, 600)
        self.last = self.first + chance.choice((60, 1440, 2880))
        self.now = self.first + chance.choice((-1000, -1000, 100))

    def _closures(self, chance: random.Random) -> list[dict]:
        scopes = [("doctor", DOCTOR), ("facility", FACILITY), ("location", number(22)), ("resource", ROOM)]
        closures = []
        for index in range(chance.choice((0, 1, 3))):
            scope, id_ = chance.choice(scopes)
            first = self.base + chance.randrange(-600, 1800)
            since, until = moment(first), moment(first + chance.randrange(1, 400))
            closures.append({**closure(scope, id_, since, until), "id": str(number(300 + index))})
        return closures

    def _standing(self, chance: random.Random, index: int) -> oracle.Standing:
        first, how = self.base + chance.randrange(-900, 1900), chance.choice("bbbbhxpn")
        seat = 0 if how == "x" else chance.randrange(1, 5)
        return oracle.Standing(number(1000 + index).hex, first, first + chance.randrange(5, 120), seat, how)

    def wanted(self) -> list[oracle.Free]:
        return oracle.free(
            self.body, type_id=str(TYPE), minutes=self.minutes, first=self.first, last=self.last, now=self.now,
            doctor=self.doctor, rooms=self.rooms,
        )  # fmt: skip

    def found(self) -> list[oracle.Free]:
        def taken(each: oracle.Standing) -> model.Taken:
            return model.Taken(each.id, each.first, each.last, each.seat, model.Taking(each.how))

        schedule = model.Schedule(
            doctor=[taken(each) for each in self.doctor],
            resources={UUID(room): [taken(each) for each in some] for room, some in self.rooms.items()},
        )
        places = model.free_places(
            model.read_plan(self.body), type_id=TYPE, minutes=self.minutes, schedule=schedule,
            period=Interval(model.moment_of(self.first), model.moment_of(self.last)), at=model.moment_of(self.now),
        )  # fmt: skip
        return sorted(oracle.Free(each.start, each.end, str(each.opening.session.id), each.places) for each in places)


@pytest.mark.row("DOC-07")
@pytest.mark.timeout(900)
def test_free_places_are_sessions_without_leave_closures_bookings_and_holds(rounds):
    some = 0
    for seed in range(rounds(full=20_000, short=1000)):
        case = Case(seed)
        wanted = case.wanted()
        assert case.found() == wanted, f"seed {seed}"
        some += bool(wanted)
    assert some > 200


@pytest.mark.target("A-23")
@pytest.mark.parametrize(("zone", "day"), [(zone, day) for zone, days in ZONES.items() for day in days[:2]])
@pytest.mark.parametrize("slot", [15, 30])
def test_on_days_on_which_the_clocks_change_places_meet_without_gap_and_labels_are_those_of_the_clock(zone, day, slot):
    always = [
        session(id=str(number(each)), zone=zone, weekday=each, starts="00:00", ends="00:00", slot_minutes=slot)
        for each in range(1, 8)
    ]
    first = oracle.when(day, "00:00", zone)
    last = oracle.when(day + timedelta(days=1), "00:00", zone)
    found = list(
        model.free_places(
            plan(*always, zone=zone), type_id=TYPE, minutes=slot, schedule=model.Schedule(doctor=[], resources={}),
            period=Interval(model.moment_of(first), model.moment_of(last)), at=AT - timedelta(days=200),
        )
    )  # fmt: skip
    assert last - first != 24 * 60
    assert (found[0].start, found[-1].end) == (first, last)
    assert all(one.end == other.start for one, other in pairwise(found))
    labels = [view.place(each)["starts_at"] for each in found]
    assert len(set(labels)) == len(labels) == (last - first) // slot
    for place, label in zip(found, labels, strict=True):
        shown = datetime.fromisoformat(label)
        assert (shown.date(), shown.hour * 60 + shown.minute) == oracle.shown(place.start, zone)
        assert shown.utcoffset() == shown.astimezone(ZoneInfo(zone)).utcoffset()


def at(clock_: str, day: str = "2026-03-02") -> int:
    return oracle.minute_of(f"{day}T{clock_}:00+01:00")


def first(plans, schedules):
    period = Interval(AT, AT + timedelta(days=7))
    return model.first_free(plans, schedules, type_id=TYPE, period=period, at=AT)


def busy(count: int) -> model.Schedule:
    """So many appointments in the afternoon."""
    begins = [at("15:00") + each for each in range(count)]
    taken = [model.Taken(number(each).hex, each, each + 1, 1, model.Taking.BOOKED) for each in begins]
    return model.Schedule(doctor=taken, resources={})


@pytest.mark.row("DOC-08")
def test_the_first_free_place_is_the_earliest_over_all_doctors_and_between_equals_the_less_busy_ones():
    hours = {number(10): "10:00", number(11): "09:00", number(12): "09:00"}
    plans = [plan(session(starts=starts), doctor_id=str(doctor)) for doctor, starts in hours.items()]

    def found(*counts: int) -> model.Place | None:
        return first(plans, dict(zip(hours, map(busy, counts), strict=True)))

    assert found(0, 2, 1).doctor_id == number(12)
    assert found(0, 1, 2).doctor_id == number(11)
    assert found(0, 1, 1).start == at("09:00")
    assert first([], {}) is None


def test_the_nearest_are_named_in_the_order_of_their_start_the_earlier_between_equals():
    opening = plan().openings(Interval(AT, AT + timedelta(hours=12)))[0]
    places = [model.Place(DOCTOR, opening, TYPE, start, start + 30, 1) for start in (0, 30, 90, 120, 150)]
    assert [each.start for each in model.nearest(places, start=60)] == [0, 30, 90]
    assert [each.start for each in model.nearest(places, start=61)] == [30, 90, 120]
    assert [each.start for each in model.nearest(places, start=60, most=1)] == [30]


def test_an_appointment_that_is_moved_is_not_in_its_own_way():
    hows = (model.Taking.BOOKED, model.Taking.HELD)
    taken = [model.Taken(number(each).hex, 0, 30, each, how) for each, how in enumerate(hows, 1)]
    left = model.Schedule(doctor=taken, resources={ROOM: taken}, patient=taken).without(number(1))
    assert left.doctor == left.resources[ROOM] == left.patient == taken[1:]
