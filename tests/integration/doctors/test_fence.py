"""The plan fence: applied, refused, away, killed in between, and taken back where a later facility refuses."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.chassis.testing import Got
from services.doctors.model.fence import Reply
from tests.integration.doctors import making
from tests.integration.doctors.making import done

PENDING = {"state": "pending"}


@pytest.fixture
def berlin(identity) -> making.Site:
    """A facility in Berlin."""
    return making.site(identity)


@pytest.fixture
def london(identity) -> making.Site:
    """A facility in London."""
    return making.site(identity, "Europe/London")


@pytest.fixture
def doctor(house, berlin) -> str:
    """A doctor with hours in Berlin."""
    made = making.doctor(house)["id"]
    making.session(house, made, berlin)
    return made


class Killed(BaseException):
    """The process ends here."""


def give_leave(house, doctor, **more) -> Got:
    return house.call("add_leave", doctor_id=doctor, body=making.coming() | more.pop("body", {}), **more)


def waiting(house) -> list[dict]:
    return done(house.call("list_plan_changes", query=PENDING), 200)["items"]


def test_what_is_refused_is_withdrawn_and_named_and_changes_nothing(house, appointments, berlin, doctor):
    before = making.plan(house, doctor, berlin)
    appointments.refusing.add(berlin.facility)
    refused = done(give_leave(house, doctor), 409)
    assert refused["code"] == "has_bookings"
    assert refused["facts"] == {"clashing": [appointments.clash(berlin.facility)], "more": False}
    assert making.plan(house, doctor, berlin) == before
    (kept,) = done(house.call("list_plan_changes", query={"state": "withdrawn"}), 200)["items"]
    assert (kept["operation"], kept["doctor_id"], kept["clashing"]) == (
        "add_leave",
        doctor,
        refused["facts"]["clashing"],
    )
    assert making.rows(house, "leave") == []
    assert [each["outcome"] for each in making.entries(house)][-1] == "failed"
    appointments.refusing.clear()
    made = done(give_leave(house, doctor))
    assert making.plan(house, doctor, berlin)["version"] == 3, "a version that was refused is never offered again"
    assert made["change"]["state"] == "effective"


def test_a_refused_request_can_be_tried_again_under_its_key(house, appointments, berlin, doctor):
    appointments.refusing.add(berlin.facility)
    body = {"reason": "the same"} | making.coming()
    ask = {"doctor_id": doctor, "body": body, "key": "the-same-key"}
    assert house.call("add_leave", **ask).status == 409
    appointments.refusing.clear()
    made = done(house.call("add_leave", **ask))
    again = done(house.call("add_leave", **ask))
    assert again == made
    assert len(making.rows(house, "leave")) == 1


def test_who_keeps_the_appointments_gets_their_list(house, appointments, berlin, doctor):
    appointments.refusing.add(berlin.facility)
    made = done(give_leave(house, doctor, body={"clashing": "keep"}))
    assert made["change"]["clashing"] == [appointments.clash(berlin.facility)]
    assert len(making.plan(house, doctor, berlin)["closures"]) == 1
    where = {"facility_id": berlin.facility}
    body = making.coming() | {"scope": "facility"}
    assert done(house.call("add_closure", **where, body=body), 409)["code"] == "has_bookings"
    assert done(house.call("add_closure", **where, body=body | {"clashing": "keep"}))["change"]["clashing"]


@pytest.mark.parametrize(
    "operation", ["deactivate_doctor", "update_doctor", "change_doctor_session", "end_doctor_session"]
)
def test_appointments_are_never_left_behind_by_a_shorter_plan(house, appointments, berlin, doctor, operation):
    (session,) = done(house.call("list_doctor_sessions", doctor_id=doctor), 200)["items"]
    appointments.refusing.add(berlin.facility)
    given = {
        "deactivate_doctor": {},
        "update_doctor": {"body": {"max_per_day": 1}},
        "change_doctor_session": {
            "doctor_session_id": session["id"],
            "body": {"applies_from": "2099-01-01", "weekday": 2},
        },
        "end_doctor_session": {"doctor_session_id": session["id"], "query": {"last": "2099-01-01"}},
    }
    before = making.plan(house, doctor, berlin)
    refused = done(house.call(operation, doctor_id=doctor, version=1, **given[operation]), 409)
    assert refused["code"] == "has_bookings"
    assert making.plan(house, doctor, berlin) == before
    assert done(house.call("get_doctor", doctor_id=doctor), 200)["version"] == 1


def test_an_inactive_doctor_is_so_in_every_plan(house, berlin, doctor):
    done(house.call("deactivate_doctor", doctor_id=doctor, version=1), 200)
    assert not making.plan(house, doctor, berlin)["active"]
    assert done(house.call("deactivate_doctor", doctor_id=doctor, version=2), 409)["code"] == "already_inactive"
    done(house.call("activate_doctor", doctor_id=doctor, version=2), 200)
    plan = making.plan(house, doctor, berlin)
    assert (plan["active"], plan["version"]) == (True, 3)
    assert making.types(house).count("doctors.deactivated.v1") == 1
    assert making.types(house).count("doctors.activated.v1") == 1


def test_while_appointments_is_away_a_change_waits_and_the_job_brings_it_in_force(house, appointments, berlin, doctor):
    before = making.plan(house, doctor, berlin)
    appointments.is_away = True
    got = give_leave(house, doctor, key="the-only-key")
    assert got.status == 202
    assert got.body["change"]["state"] == "pending"
    assert making.plan(house, doctor, berlin) == before
    assert [each["id"] for each in waiting(house)] == [got.body["change"]["change_id"]]
    assert done(give_leave(house, doctor), 409)["facts"] == {"change_id": got.body["change"]["change_id"]}
    refused = house.call("update_doctor", doctor_id=doctor, version=1, body={"title": "Dr."})
    assert done(refused, 409)["code"] == "plan_pending"
    making.run(house, "doctors_plans")
    assert len(waiting(house)) == 1
    appointments.is_away = False
    making.run(house, "doctors_plans")
    assert waiting(house) == []
    plan = making.plan(house, doctor, berlin)
    assert (plan["version"], [each["id"] for each in plan["closures"]]) == (2, [got.body["id"]])
    change = done(house.call("get_plan_change", change_id=got.body["change"]["change_id"]), 200)
    assert (change["state"], change["asked_by"]) == ("effective", "00000000-0000-7000-8000-000000000001")
    entry = making.entries(house)[-1]
    assert (entry["operation"], entry["action"], entry["actor"]) == ("add_leave", "create", change["asked_by"])
    versions = [row for row in making.rows(house, "record_versions") if row["kind"] == "Leave"]
    assert [row["by"] for row in versions] == [change["asked_by"]]


def test_what_waits_is_withdrawn_when_it_is_refused_at_last(house, appointments, berlin, doctor):
    appointments.is_away = True
    got = give_leave(house, doctor)
    appointments.is_away = False
    appointments.refusing.add(berlin.facility)
    making.run(house, "doctors_plans")
    change = done(house.call("get_plan_change", change_id=got.body["change"]["change_id"]), 200)
    assert (change["state"], change["clashing"]) == ("withdrawn", [appointments.clash(berlin.facility)])
    assert making.rows(house, "leave") == []
    appointments.refusing.clear()
    done(give_leave(house, doctor))


class Interrupted:
    """A way to the appointments on which the process dies, after the answer was given or before."""

    def __init__(self, inner, *, after: bool) -> None:
        self._inner, self._after = inner, after

    def apply(self, sending, *, request_id: str) -> Reply:
        if self._after:
            self._inner.apply(sending, request_id=request_id)
        raise Killed


@pytest.mark.parametrize("after", [False, True])
def test_the_job_finishes_what_a_killed_process_has_begun(house, appointments, berlin, doctor, after):
    fence = house.service.controller._desk.fence
    inner = fence._appointments
    fence._appointments = Interrupted(inner, after=after)
    try:
        with pytest.raises(Killed):
            call_in_process(house, doctor)
    finally:
        fence._appointments = inner
    assert making.plan(house, doctor, berlin)["version"] == 1
    (change,) = waiting(house)
    making.run(house, "doctors_plans")
    assert len(waiting(house)) == 1, "the request that began it has some seconds of its own"
    making.run(house, "doctors_plans", later_s=13)
    assert waiting(house) == []
    assert making.plan(house, doctor, berlin)["version"] == 2
    (row,) = [each for each in making.rows(house, "plan_changes") if str(each["id"]) == change["id"]]
    leave = [each["change_id"] for each in appointments.applied if each["version"] == 2]
    assert leave == [row["steps"][0]["change_id"]], "offered again under the same id, and applied once"


def call_in_process(house, doctor) -> None:
    """Ask for leave in this thread, so that the end of the process can be seen."""
    call = making.call()
    call.operation, call.action = "add_leave", "create"
    permissions = frozenset({"schedules.manage"})
    call.actor = type(call.actor)(subject=making.PLANNER, roles=frozenset({"admin"}), permissions=permissions)
    house.service.controller.add_leave(doctor, making.coming(), call)


def test_a_key_whose_request_was_killed_gets_the_answer_to_what_it_began(house, appointments, berlin, doctor):
    appointments.is_away = True
    body = making.coming()
    first = house.call("add_leave", doctor_id=doctor, body=body, key="the-same-key")
    assert first.status == 202
    (row,) = [each for each in making.rows(house, "plan_changes") if each["state"] == "pending"]
    forget_answer(house)
    appointments.is_away = False
    again = done(house.call("add_leave", doctor_id=doctor, body=body, key="the-same-key"))
    assert again["change"] == {"state": "effective", "change_id": str(row["id"]), "clashing": [], "more": False}
    forget_answer(house)
    other = house.call("add_leave", doctor_id=doctor, body=body | {"reason": "x"}, key="the-same-key")
    assert done(other, 422)["code"] == "key_reused"


def forget_answer(house) -> None:
    """As if the process had died before the answer was kept."""
    import psycopg

    with psycopg.connect(house.service.settings.database_url.get_secret_value()) as admin:
        admin.execute("DELETE FROM idempotency WHERE key = 'the-same-key'")


def test_when_the_second_facility_refuses_the_first_is_taken_back(house, appointments, berlin, london, doctor):
    making.session(house, doctor, london, weekday=2)
    first, second = sorted([berlin, london], key=lambda site: site.facility)
    before = {site: making.plan(house, doctor, site) for site in (first, second)}
    appointments.refusing.add(second.facility)
    refused = done(give_leave(house, doctor), 409)
    assert refused["facts"]["clashing"] == [appointments.clash(second.facility)]
    after = {site: making.plan(house, doctor, site) for site in (first, second)}
    assert after[second] == before[second]
    assert after[first] == before[first] | {"version": 3}
    assert appointments.plans[first.facility, doctor]["doctor"] == after[first]
    assert making.rows(house, "leave") == []
    told = [each["data"] for each in making.sent(house) if each["type"] == "doctors.plan_changed.v1"]
    assert told[-1] == {"facility_id": first.facility, "plan_version": 3}
    appointments.refusing.clear()
    done(give_leave(house, doctor))
    found = [making.plan(house, doctor, site)["version"] for site in (first, second)]
    assert found == [4, 3]


def test_what_is_to_be_taken_back_waits_too_while_appointments_is_away(house, appointments, berlin, london, doctor):
    making.session(house, doctor, london, weekday=2)
    first, second = sorted([berlin, london], key=lambda site: site.facility)
    appointments.refusing.add(second.facility)
    appointments.away_from = appointments.seen + 2
    got = give_leave(house, doctor)
    assert got.status == 202
    assert len(waiting(house)) == 1
    appointments.away_from = None
    making.run(house, "doctors_plans")
    change = done(house.call("get_plan_change", change_id=got.body["change"]["change_id"]), 200)
    assert change["state"] == "withdrawn"
    assert making.plan(house, doctor, first)["version"] == 3
    assert appointments.plans[first.facility, doctor]["doctor"]["closures"] == []


def test_above_a_later_plan_a_change_is_offered_anew(house, appointments, berlin, doctor):
    appointments.versions[berlin.facility, doctor] = 41
    made = done(give_leave(house, doctor))
    assert made["change"]["state"] == "effective"
    assert making.plan(house, doctor, berlin)["version"] == 42


def test_request_and_job_at_once_bring_a_change_in_force_once(house, appointments, berlin, doctor):
    for number in range(5):
        appointments.is_away = True
        body = making.coming(days=number + 1)
        got = house.call("add_leave", doctor_id=doctor, body=body, key=f"number-{number}-of-five")
        assert got.status == 202
        appointments.is_away = False
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: making.run(house, "doctors_plans"), range(4)))
        assert making.plan(house, doctor, berlin)["version"] == number + 2
    versions = [
        each["data"]["plan_version"] for each in making.sent(house) if each["type"] == "doctors.plan_changed.v1"
    ]
    assert Counter(versions) == Counter(range(1, 7))


def test_a_clock_that_was_moved_is_followed_in_plans_and_sessions(house, identity, appointments, berlin, doctor):
    """What `identity` tells of a location and a facility; appointments that do not fit are kept."""
    appointments.refusing.add(berlin.facility)
    tell(house, "identity.location_changed.v1", berlin.location, version=2, zone="Europe/Lisbon", at=berlin)
    tell(house, "identity.location_changed.v1", berlin.location, version=1, zone="Asia/Tokyo", at=berlin)
    assert making.plan(house, doctor, berlin)["sessions"][0]["zone"] == "Europe/Berlin"
    making.run(house, "doctors_places")
    making.run(house, "doctors_plans")
    plan = making.plan(house, doctor, berlin)
    assert (plan["zone"], plan["sessions"][0]["zone"], plan["version"]) == ("Europe/Berlin", "Europe/Lisbon", 2)
    tell(house, "identity.facility_changed.v1", berlin.facility, version=2, zone="Europe/Lisbon", at=berlin)
    making.run(house, "doctors_places")
    making.run(house, "doctors_plans")
    plan = making.plan(house, doctor, berlin)
    assert (plan["zone"], plan["version"]) == ("Europe/Lisbon", 3)
    making.run(house, "doctors_places")
    assert waiting(house) == []


def tell(house, type_, subject, *, version, zone, at) -> None:
    """What arrives when `identity` has changed a place."""
    from services.chassis.bus import Received
    from services.chassis.call import Delivery
    from services.chassis.service import new_id, now

    (subscription,) = house.service.subscriptions
    data = {"active": True, "zone": zone, "facility_id": at.facility}
    event = Received(
        id=new_id(), type=type_, source="/infirmary/identity", subject=subject, version=version, time=now(),
        schema_version=1, data=data,
    )  # fmt: skip
    call = making.call()
    call.delivery = Delivery(consumer="doctors", event_ids=(event.id,))
    subscription.handlers[type_](event, call)


def test_a_change_that_cannot_be_settled_keeps_no_other_waiting(house, appointments, identity, berlin, doctor):
    other = making.doctor(house)["id"]
    making.session(house, other, berlin)
    appointments.is_away = True
    first, second = give_leave(house, doctor), give_leave(house, other)
    spoil(house, first.body["change"]["change_id"])
    appointments.is_away = False
    making.run(house, "doctors_plans")
    assert (
        done(house.call("get_plan_change", change_id=second.body["change"]["change_id"]), 200)["state"] == "effective"
    )


def spoil(house, change_id) -> None:
    """As a mistake of ours would leave it."""
    import psycopg

    with psycopg.connect(house.service.settings.database_url.get_secret_value()) as admin:
        admin.execute("UPDATE plan_changes SET steps = '[{}]' WHERE id = %s", (change_id,))
