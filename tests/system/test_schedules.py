"""What doctors plan is what can be booked, through the gateway: hours, leave, closures, types, odd days."""

from __future__ import annotations

import secrets
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from tests.system import clinic as clinics
from tests.system.clinic import ZONE, Clinic, licence, registered, until
from tests.system.house import Person, Reply, add_user, new_key, word

AHEAD = 9


@pytest.fixture(scope="module")
def clinic(admin: Person) -> Clinic:
    return clinics.opened(admin)


@pytest.fixture(scope="module")
def patient(receptionist: Person) -> str:
    return registered(receptionist, 1)[0]


def act(by: Person, method: str, path: str, body: Any = None, *, version: int | None = None) -> Reply:
    """A change of plan; one that waits for a moment is waited for."""
    if_match = None if version is None else f'"{version}"'
    key = new_key() if method in {"POST", "DELETE"} else None
    return by.send(method, path, body, key=key, if_match=if_match)


def only(clinic: Clinic, *sessions: tuple[str, str], **more: Any) -> str:
    """A doctor with sessions on the weekday of the day that is looked at."""
    body = {"family_name": word(), "given_name": word(), "licence": licence()}
    doctor = str(until(clinic.admin, "POST", "/api/v1/doctors", body).expect(201).json["id"])
    for starts, ends in sessions:
        clinic.session(doctor, weekday=clinic.day(AHEAD).isoweekday(), starts=starts, ends=ends, **more)
    return doctor


def clocks(clinic: Clinic, by: Person, doctor: str, *, ahead: int = AHEAD) -> list[str]:
    """The starts of the free places of a day, as the clock shows them."""
    return [each[11:16] for each in clinic.free(by, doctor, ahead=ahead)]


@pytest.mark.row("DOC-03")
def test_the_places_of_a_day_are_those_of_its_sessions(clinic: Clinic, receptionist: Person):
    until_ = clinic.day(AHEAD + 3).isoformat()
    doctor = only(clinic, ("09:00", "10:30"), ("14:00", "15:10"), valid_to=until_)
    assert clocks(clinic, receptionist, doctor) == ["09:00", "09:30", "10:00", "14:00", "14:30"]
    assert clocks(clinic, receptionist, doctor, ahead=AHEAD + 7) == []  # after its last day
    assert clocks(clinic, receptionist, doctor, ahead=AHEAD - 1) == []  # another weekday


@pytest.mark.row("DOC-05")
@pytest.mark.parametrize("closed", ["doctor", "room", "site"])
def test_what_is_closed_is_gone_at_once_and_comes_back(admin: Person, receptionist: Person, patient: str, closed: str):
    clinic = clinics.opened(admin)  # of its own: a whole site is closed
    body = {"kind": "room", "name": f"Room {secrets.token_hex(3)}", "facility_id": clinic.facility}
    room = until(clinic.admin, "POST", "/api/v1/resources", {**body, "location_id": clinic.location}).expect(201).json
    doctor = only(clinic, ("09:00", "10:30"), resource_ids=[room["id"]])
    before = clocks(clinic, receptionist, doctor)
    assert len(before) == 3
    times = {"starts_at": clinic.at("00:00", ahead=AHEAD), "ends_at": clinic.at("00:00", ahead=AHEAD + 1)}
    scope = {"room": {"scope": "resource", "scope_id": room["id"]}, "site": {"scope": "facility"}}.get(closed, {})
    path = f"{clinic.path}/closures" if scope else f"/api/v1/doctors/{doctor}/leave"
    made = act(clinic.admin, "POST", path, {**times, **scope}).expect(201).json
    assert clocks(clinic, receptionist, doctor) == []
    wanted = clinic.wanted(doctor, clinic.at("09:30", ahead=AHEAD), patient)
    refused = receptionist.post(f"{clinic.path}/appointments", wanted).expect(409)
    assert refused.json["code"] == "place_closed"
    act(clinic.admin, "DELETE", f"{path}/{made['id']}", version=made["version"]).expect(200)
    assert clocks(clinic, receptionist, doctor) == before


def changes_of_the_clocks() -> list[date]:
    """The next days on which the clinic's clocks are changed, as far as can be booked."""
    today = datetime.now(UTC).date()
    days = [today + timedelta(days=number) for number in range(2, 390)]
    noon = {day: datetime(day.year, day.month, day.day, 12, tzinfo=ZONE).utcoffset() for day in [today, *days]}
    return [day for day in days if noon.get(day - timedelta(days=1), noon[day]) != noon[day]]


@pytest.mark.row("DOC-09")
@pytest.mark.target("A-23")
def test_on_days_on_which_the_clocks_change_no_place_is_missing_or_double(clinic: Clinic, receptionist: Person):
    changing = changes_of_the_clocks()
    assert len(changing) == 2
    body = {"family_name": word(), "given_name": word(), "licence": licence()}
    whole, mornings = (
        str(until(clinic.admin, "POST", "/api/v1/doctors", {**body, "licence": licence()}).expect(201).json["id"])
        for _ in range(2)
    )
    clinic.session(whole, weekday=7, starts="00:00", ends="12:00")
    clinic.session(whole, weekday=7, starts="12:00", ends="00:00")
    clinic.session(mornings, weekday=7, starts="09:00", ends="10:00")
    for day in changing:
        ahead = (day - datetime.now(ZONE).date()).days
        since, till = clinic.at("00:00", ahead=ahead), clinic.at("00:00", ahead=ahead + 1)
        hours = (datetime.fromisoformat(till) - datetime.fromisoformat(since)).total_seconds() / 3600
        assert hours in {23, 25}
        starts = [datetime.fromisoformat(each) for each in clinic.free(receptionist, whole, ahead=ahead)]
        assert len(starts) == hours * 2
        assert {later - earlier for earlier, later in pairwise(starts)} == {timedelta(minutes=30)}
        assert all(each.astimezone(ZONE).utcoffset() == each.utcoffset() for each in starts)
        assert clocks(clinic, receptionist, mornings, ahead=ahead) == ["09:00", "09:30"]


@pytest.mark.row("DOC-10")
def test_a_session_with_bookings_is_not_taken_away_and_changes_from_a_day_on(
    clinic: Clinic, receptionist: Person, patient: str
):
    doctor = only(clinic)
    session = clinic.session(doctor, weekday=clinic.day(AHEAD).isoweekday(), starts="09:00", ends="11:00")
    booked = clinic.booked(receptionist, doctor, clinic.at("10:00", ahead=AHEAD), patient)
    path, yesterday = f"/api/v1/doctors/{doctor}/sessions/{session['id']}", clinic.day(-1).isoformat()
    kept = act(clinic.admin, "DELETE", f"{path}?last={yesterday}", version=session["version"]).expect(409)
    assert [each["appointment_id"] for each in kept.json["facts"]["clashing"]] == [booked["id"]]
    body = {"applies_from": clinic.day(AHEAD).isoformat(), "ends": "10:00"}
    assert act(clinic.admin, "PATCH", path, body, version=session["version"]).expect(409).json["facts"]["clashing"]
    assert receptionist.get(f"{clinic.path}/appointments/{booked['id']}").expect(200).json["status"] == "booked"
    later = {**body, "applies_from": clinic.day(AHEAD + 1).isoformat()}
    act(clinic.admin, "PATCH", path, later, version=session["version"]).expect(200)
    assert clocks(clinic, receptionist, doctor) == ["09:00", "09:30", "10:30"]
    assert clocks(clinic, receptionist, doctor, ahead=AHEAD + 7) == ["09:00", "09:30"]


@pytest.mark.row("DOC-11", "DOC-12")
def test_a_type_takes_its_own_time_and_what_is_booked_keeps_it(
    clinic: Clinic, admin: Person, receptionist: Person, patient: str
):
    body = {"name": f"Long {secrets.token_hex(3)}", "minutes": 45, "color": "#2f6fab", "audience": "staff"}
    kind = until(admin, "POST", "/api/v1/appointment-types", body).expect(201).json
    doctor, other = (only(clinic, ("09:00", "10:30"), slot_minutes=15) for _ in range(2))
    long = Clinic(admin, clinic.facility, clinic.location, kind["id"])
    assert clocks(long, receptionist, doctor) == ["09:00", "09:15", "09:30", "09:45"]
    booked = long.booked(receptionist, doctor, long.at("09:00", ahead=AHEAD), patient)
    assert booked["minutes"] == 45
    assert clocks(clinic, receptionist, doctor) == ["09:45", "10:00"]  # three places of a quarter are taken
    _, account = add_user(admin, "patient")
    own = account.sign_in().change_password()
    assert until(own, "GET", f"/api/v1/appointment-types/{kind['id']}").status == 404
    shown = {each["id"] for each in own.get("/api/v1/appointment-types?limit=200").expect(200).json["items"]}
    assert clinic.type in shown
    assert kind["id"] not in shown
    admin.send("PUT", f"/api/v1/doctors/{other}/appointment-types/{kind['id']}", {"minutes": 90}).expect(200)
    clinics.settled(lambda: clocks(long, receptionist, other) == ["09:00"])
    path = f"/api/v1/appointment-types/{kind['id']}"
    act(admin, "PATCH", path, {"minutes": 60}, version=kind["version"]).expect(200)
    clinics.settled(lambda: clocks(long, receptionist, other) == ["09:00"])
    clinics.settled(lambda: clocks(long, receptionist, doctor) == [])  # an hour does not fit behind the booking
    assert receptionist.get(f"{clinic.path}/appointments/{booked['id']}").expect(200).json["minutes"] == 45


@pytest.mark.row("DOC-01")
def test_a_profile_is_made_read_changed_and_closed(clinic: Clinic, admin: Person, receptionist: Person, patient: str):
    body = {
        "family_name": word(),
        "given_name": word(),
        "title": "Dr.",
        "licence": {**licence(), "expires_on": "2099-12-31"},
        "languages": ["de", "en"],
        "contacts": {"phone": "+49 30 5550101", "email": "doctor@example.org"},
    }
    made = admin.post("/api/v1/doctors", body).expect(201).json
    assert {name: made[name] for name in body if name != "licence"} == {k: v for k, v in body.items() if k != "licence"}
    twin = admin.post("/api/v1/doctors", {**body, "family_name": word()}).expect(409)
    assert twin.json["code"] == "licence_taken"
    path = f"/api/v1/doctors/{made['id']}"
    photo = {"media_type": "image/png", "data": PNG}
    admin.send("PUT", f"{path}/photo", photo).expect(200)
    assert receptionist.get(f"{path}/photo").expect(200).json["data"] == PNG
    made = admin.get(path).expect(200).json
    changed = act(admin, "PATCH", path, {"title": "Prof."}, version=made["version"]).expect(200).json
    assert changed["title"] == "Prof."
    clinic.session(made["id"], weekday=clinic.day(AHEAD).isoweekday(), starts="09:00", ends="10:00")
    assert clocks(clinic, receptionist, made["id"]) == ["09:00", "09:30"]
    version = admin.get(path).json["version"]
    act(admin, "POST", f"{path}/deactivate", version=version).expect(200)
    wanted = clinic.wanted(made["id"], clinic.at("09:00", ahead=AHEAD), patient)
    refused = receptionist.post(f"{clinic.path}/appointments", wanted).expect(409)
    assert (refused.json["code"], refused.json["facts"]["why"]) == ("doctor_not_bookable", "inactive")


PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="


@pytest.mark.row("DOC-08")
def test_the_first_free_place_is_the_earliest_of_all_and_then_the_less_busy_doctors(
    clinic: Clinic, admin: Person, receptionist: Person
):
    name = {"name": f"Field {secrets.token_hex(3)}"}
    field = until(admin, "POST", "/api/v1/specializations", name).expect(201).json["id"]
    doctors = []
    for hours in (("09:00", "10:00"), ("08:30", "10:00"), ("08:30", "10:00")):
        body = {"family_name": word(), "given_name": word(), "licence": licence(), "specialization_ids": [field]}
        doctors.append(until(admin, "POST", "/api/v1/doctors", body).expect(201).json["id"])
        clinic.session(doctors[-1], weekday=clinic.day(AHEAD).isoweekday(), starts=hours[0], ends=hours[1])
    busy, *_ = registered(receptionist, 1)

    def first() -> tuple[str, str]:
        query = f"specialization_id={field}&appointment_type_id={clinic.type}&since={clinic.at('00:00', ahead=AHEAD)}"
        found = receptionist.get(f"{clinic.path}/first-free-place?{query.replace('+', '%2B')}").expect(200)
        return found.json["place"]["starts_at"][11:16], found.json["place"]["doctor_id"]

    assert first()[0] == "08:30"
    clinic.booked(receptionist, doctors[1], clinic.at("09:30", ahead=AHEAD), busy)
    assert first() == ("08:30", doctors[2])
    clinic.booked(receptionist, doctors[2], clinic.at("09:00", ahead=AHEAD), registered(receptionist, 1)[0])
    clinic.booked(receptionist, doctors[2], clinic.at("09:30", ahead=AHEAD), registered(receptionist, 1)[0])
    assert first() == ("08:30", doctors[1])
