"""identity is killed and kept down: who has signed in works on, nobody else comes in, nothing dangerous is done."""

from __future__ import annotations

import itertools
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.system import clinic as clinics
from tests.system.clinic import Clinic
from tests.system.exports import exports
from tests.system.house import Client, Person, Reply, RunningHouse, held_down, hire, new_allergy, new_patient, sign_in
from tests.waiting import wait_for

IDENTITY = ("identity", "identity-worker")
POLICY_IS_OLD_S = 40.0  # 30 s without a heartbeat, and what a slow machine adds
KEYS_ARE_READ_EVERY_S = 35.0  # and a margin
BEFORE = 6  # rounds of ordinary work, so that each process has heard of the clinic
PLACES = 32  # half hours of the doctor's day
PACE_S = 0.15  # between two rounds: the gateway takes fifty requests a second of one account, and a round has five


@contextmanager
def as_signed_in(*people: Person) -> Iterator[None]:
    """Nobody can sign in anew, and nobody has to: the tokens that they have are used to their end."""
    for each in people:
        each.renews = False
    try:
        yield
    finally:
        for each in people:
            each.renews = True


def works(desk: Person, nurse: Person, clinic: Clinic, doctor: str, *, turn: int) -> Iterator[Reply]:
    """Reads and writes of five services, among them those that ask each other and those that would ask identity."""
    made = desk.post("/api/v1/patients", new_patient()).expect(201)
    yield made
    place = f"/api/v1/patients/{made.json['id']}"
    yield desk.get(place)
    yield nurse.post(f"{place}/allergies", new_allergy("Penicillin"))
    yield nurse.get(f"{place}/allergies")
    yield desk.get(f"{clinic.path}/free-places?doctor_id={doctor}&appointment_type_id={clinic.type}&limit=1")
    start = clinic.at(f"{6 + turn % PLACES // 2:02d}:{30 * (turn % 2):02d}", ahead=7 + turn // PLACES % 30)
    yield desk.post(f"{clinic.path}/appointments", clinic.wanted(doctor, start, made.json["id"]))
    since, till = clinic.at("00:00", ahead=7), clinic.at("00:00", ahead=8)
    yield desk.get(f"{clinic.path}/appointments?since={since}&until={till}&limit=1".replace("+", "%2B"))
    days = f"first_day={clinic.day(0)}&last_day={clinic.day(0)}"
    yield clinic.admin.get(f"/api/v1/reports/appointments?facility_id={clinic.facility}&{days}")


@pytest.mark.target("B-10")
@pytest.mark.timeout(1500)
def test_without_identity_tokens_count_to_their_end_and_only_new_sign_ins_and_what_is_dangerous_wait(
    house: RunningHouse, admin: Person, rounds
):
    clinic, desk, nurse = clinics.opened(admin), hire(admin, "receptionist"), hire(admin, "nurse")
    doctor = clinic.doctor(capacity=50)
    assert [each.status for each in exports(admin, clinic)] == [200, 200, 200]
    for each in (desk.sign_in(), nurse.sign_in(), admin.sign_in()):
        each.works()
    seen, seconds = Counter[int](), rounds(full=600, short=35)
    for turn in range(BEFORE):
        seen.update(each.status for each in works(desk, nurse, clinic, doctor, turn=turn))
    with as_signed_in(desk, nurse, admin), held_down(house, *IDENTITY):
        began = time.monotonic()
        for turn in itertools.count(BEFORE):
            if time.monotonic() - began > seconds:
                break
            seen.update(each.status for each in works(desk, nurse, clinic, doctor, turn=turn))
            time.sleep(PACE_S)
        is_away(sign_in(desk.client, desk.username, password=desk.password))
        is_away(desk.client.send("POST", "/api/v1/sessions/refresh", {"refresh_token": desk.tokens["refresh_token"]}))
        is_away(admin.send("PUT", f"/api/v1/users/{desk.id}/roles", {"roles": ["nurse"]}, if_match='"1"'))
        wait_for(
            lambda: {each.status for each in exports(admin, clinic)} == {503},
            within_s=POLICY_IS_OLD_S,
            what="nothing leaves the house while changes of roles may be unknown",
            step_s=1,
        )
        for each in exports(admin, clinic):
            is_away(each)
        assert desk.get("/api/v1/doctors").status == 200, "what is not dangerous goes on"
        wait_for(lambda: age_of_keys(house) > KEYS_ARE_READ_EVERY_S, within_s=POLICY_IS_OLD_S, what="the gauge grows")
    assert set(seen) == {200, 201}, seen
    assert seen.total() > seconds
    wait_for(lambda: age_of_keys(house) < KEYS_ARE_READ_EVERY_S, within_s=POLICY_IS_OLD_S, what="and falls again")
    kept = {"refresh_token": desk.tokens["refresh_token"]}
    assert desk.client.send("POST", "/api/v1/sessions/refresh", kept).expect(200).json["access_token"]
    sign_in(desk.client, desk.username, password=desk.password).expect(201)
    wait_for(
        lambda: {each.status for each in exports(admin, clinic)} == {200}, what="the policy is heard again", step_s=1
    )


def age_of_keys(house: RunningHouse) -> float:
    """What `patients` says of the keys that it checks tokens with."""
    shown = Client(f"http://127.0.0.1:{house.port('patients')}").send("GET", "/metrics").body.decode()
    return float(next(line.split()[1] for line in shown.splitlines() if line.startswith("infirmary_jwks_age_seconds ")))


def is_away(got: Reply) -> None:
    """A problem that the contract names, and when to come back."""
    assert got.expect(503).json["code"] == "unavailable"
    assert int(got.headers["retry-after"]) >= 1
