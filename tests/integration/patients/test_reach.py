"""Whom an account reaches, through the whole application and the real store: by place, by care, by link."""

from __future__ import annotations

import random
from datetime import timedelta
from uuid import UUID

import pytest

from services.chassis import bus, sql
from services.chassis.bus.group import Entry
from services.chassis.call import Call
from services.chassis.service import new_id, now
from services.chassis.testing import House
from services.kernel.access import Actor, Area, Grant, Scope
from services.patients import app, model
from services.patients.repository import PatientsDatabase
from tests.integration.patients import making
from tests.integration.patients.making import HOUSE, NOBODY
from tests.integration.reports.making import envelope
from tests.integration.reports.owners import Owners

HERE, THERE = "01939c3e-0000-7000-8000-00000000fac1", "01939c3e-0000-7000-8000-00000000fac2"
NURSE = {"role": "nurse", "subject": "nurse-here"}
DOCTOR, ACCOUNT = str(new_id()), str(new_id())
OF_ONE = ("get_patient", "list_patient_changes", "get_patient_standing")


@pytest.fixture(scope="module")
def running_owners():
    """Identity and doctors, for all tests of a module."""
    made = Owners()
    yield made
    made.peer.stop()


@pytest.fixture
def owners(running_owners):
    """The same, with nothing but what the test makes."""
    running_owners.empty()
    return running_owners


@pytest.fixture(scope="module")
def migrated(postgres_url, redis_server, running_owners):
    """The patients beside services that say what the test wants."""
    peers = {"IDENTITY_URL": running_owners.url, "DOCTORS_URL": running_owners.url}
    service = app.service(making.environ(postgres_url, redis_server) | peers)
    service.migrate()
    made = House(service)
    yield made
    made.close()


@pytest.fixture
def places(house):
    """The house with a nurse and a desk of one facility, another desk, and a desk of both."""
    house.roles.areas = {
        "nurse-here": {"nurse": at(HERE)},
        "desk-here": {"receptionist": at(HERE)},
        "desk-there": {"receptionist": at(THERE)},
        "desk-of-both": {"receptionist": at(HERE, THERE)},
    }
    house.roles.links = {}
    return house


@pytest.fixture
def store(places):
    """The store of the service, for what its consumers keep."""
    engine = sql.engine(places.service.settings.database_url.get_secret_value(), name="test", pool=2)
    yield PatientsDatabase(sql.Database(engine, service="patients", clock=now, new_id=new_id), house=HOUSE)
    engine.dispose()


def at(*facilities):
    return {"facilities": [*facilities], "departments": []}


def registered(house, subject, **given):
    got = house.call("register_patient", role="receptionist", subject=subject, body=making.body(**given))
    assert got.status == 201, got.raw
    return got.body


def hear(house, subject, **given):
    """An event of an appointment arrives, and is handled as the worker does."""
    return hear_together(house, (subject, given))[0]


def hear_together(house, *told):
    """Several arrive in one read of the stream."""
    return arrive(house, *(visit(subject, **given) for subject, given in told))


def visit(subject, *, version=1, facility=HERE, status="booked", patient, starts=None):
    begins = starts or now() + timedelta(days=1)
    data = {
        "facility_id": facility,
        "patient_id": patient,
        "doctor_id": DOCTOR,
        "appointment_type_id": str(new_id()),
        "status": status,
        "starts_at": begins.isoformat(),
        "ends_at": (begins + timedelta(minutes=30)).isoformat(),
    }
    kind = "appointments.status_changed.v1"
    return envelope("appointments", kind, subject, version=version, at=now(), data=data)


def arrive(house, *events):
    subscription = next(each for each in house.service.subscriptions if each.stream == events[0].stream)
    schemas = bus.EventSchemas(house.service.settings.openapi_dir)
    handling = bus.Handling(subscription, group="patients", schemas=schemas, clock=now, new_id=new_id)
    entries = [Entry(id=f"1-{n}", fields={"event": each.event}, attempt=1) for n, each in enumerate(events)]
    together = handling.handle_together(entries) if len(entries) > 1 else [handling.handle(entries[0])]
    return [each.outcome.value for each in together]


def profile(house, owners, account, *, version):
    """The profile of the doctor names another account, and says so."""
    owners.doctors[DOCTOR] = {"id": DOCTOR, "user_id": account, "version": version}
    data = {"fields": ["user_id"]}
    return arrive(house, envelope("doctors", "doctors.changed.v1", DOCTOR, version=version, at=now(), data=data))[0]


def statuses(house, patient, **who):
    return [house.call(each, patient_id=patient, **who).status for each in OF_ONE]


def stands(house, patient, permission, *, role, subject):
    query = {"permission": permission}
    return house.call("get_patient_standing", role=role, subject=subject, patient_id=patient, query=query).status


def test_who_is_registered_at_a_desk_is_reached_by_its_facility_at_once_and_by_no_other(places):
    known = registered(places, "desk-here")["id"]
    assert statuses(places, known, **NURSE) == [200, 200, 200], "an emergency: just registered, and no appointment"
    assert statuses(places, known, role="receptionist", subject="desk-there") == [404, 404, 404]
    assert statuses(places, known, role="nurse", subject="of-the-whole-house") == [200, 200, 200]


def test_a_desk_of_several_facilities_says_which_or_means_all(places, owners):
    body = making.body(facility_id=THERE)
    refused = places.call("register_patient", role="receptionist", subject="desk-here", body=body)
    assert (refused.status, refused.body["errors"]) == (422, [{"pointer": "/facility_id", "rule": "unknown"}])
    both = registered(places, "desk-of-both")["id"]
    assert statuses(places, both, **NURSE)[0] == 200
    assert statuses(places, both, role="receptionist", subject="desk-there")[0] == 200
    desk = {"role": "receptionist", "subject": "desk-of-both"}
    unknown = places.call("register_patient", body=body, **desk)
    assert (unknown.status, unknown.raw.replace(unknown.body["request_id"].encode(), b"")) == (
        422, refused.raw.replace(refused.body["request_id"].encode(), b""),
    ), "a facility that is not there answers as one that is not the desk's"  # fmt: skip
    owners.facilities[THERE] = {"id": THERE}
    said = places.call("register_patient", body=body, **desk).body["id"]
    assert statuses(places, said, role="receptionist", subject="desk-there")[0] == 200
    assert statuses(places, said, **NURSE)[0] == 404


def test_what_is_not_in_reach_answers_byte_for_byte_as_what_is_not_there(places):
    known = registered(places, "desk-there")["id"]
    desk = {"role": "receptionist", "subject": "desk-here"}
    change = {"body": {"given_name": "X"}, "version": 1}
    headers = {"x-request-id": "the-same"}
    for operation, more in (*((each, {}) for each in OF_ONE), ("update_patient", change)):
        one, other = (
            places.call(operation, patient_id=each, headers=headers, **desk, **more) for each in (known, NOBODY)
        )
        assert (one.status, one.raw) == (404, other.raw), operation
    clerk = {"role": "records_clerk", "subject": "clerk-here", "version": 1, "headers": headers}
    places.roles.areas["clerk-here"] = {"records_clerk": at(HERE)}
    for operation, more in (
        ("deactivate_patient", {"query": {"reason": "other"}}),
        ("mark_deceased", {"body": {"deceased_on": "2026-01-01"}}),
    ):
        one, other = (places.call(operation, patient_id=each, **clerk, **more) for each in (known, NOBODY))
        assert (one.status, one.raw) == (404, other.raw), operation
    places.roles.areas["admin-here"] = {"admin": at(HERE)}
    got = places.call("restore_patient", role="admin", subject="admin-here", patient_id=known, version=1)
    assert got.status == 404
    assert making.rows(places, "patients")[0]["version"] == 1


def test_a_search_shows_those_in_reach_only_and_fills_its_pages(places):
    here = [registered(places, "desk-here", family_name="Berg", confirm_duplicate=True)["id"] for _ in range(3)]
    for _ in range(3):
        registered(places, "desk-there", family_name="Berg", confirm_duplicate=True)
    shown, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = places.call("search_patients", body={"text": "berg"}, query=query, **NURSE).body
        assert len(page["items"]) == 2 or page["next_cursor"] is None
        shown += [each["patient"]["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert sorted(shown) == sorted(here)
    everybody = places.call("search_patients", role="nurse", subject="of-all", body={"text": "berg"}).body
    assert len(everybody["items"]) == 6


def test_a_likely_duplicate_out_of_reach_is_counted_and_not_shown(places):
    given = {"family_name": "Ångström", "given_name": "Zoë", "birth_date": "1990-02-28"}
    passport = [{"type": "passport", "value": "C01X00T47", "issuer": "DE"}]
    registered(places, "desk-there", **given, identifiers=passport)
    desk = {"role": "receptionist", "subject": "desk-here"}
    warned = places.call("register_patient", body=making.body(**given), **desk)
    assert (warned.status, warned.body["candidates"], warned.body["hidden"]) == (200, [], 1)
    taken = places.call("register_patient", body=making.body(identifiers=passport), **desk)
    assert (taken.status, taken.body.get("facts")) == (409, None)


def test_an_appointment_makes_a_patient_known_there_until_it_is_not_held(places):
    known, visit = registered(places, "desk-there")["id"], str(new_id())
    assert statuses(places, known, **NURSE)[0] == 404
    hear(places, visit, patient=known)
    assert statuses(places, known, **NURSE)[0] == 200
    assert len(places.call("search_patients", body={"mrn": mrn(places, known)}, **NURSE).body["items"]) == 1
    hear(places, visit, patient=known, version=2, status="cancelled")
    assert statuses(places, known, **NURSE)[0] == 404
    hear(places, visit, patient=known, version=1)
    assert statuses(places, known, **NURSE)[0] == 404, "what comes late or again changes nothing"
    assert places.call("search_patients", body={"mrn": mrn(places, known)}, **NURSE).body["items"] == []


def test_what_a_read_brings_of_one_appointment_leaves_how_it_stands_in_the_end(places):
    first, second = (registered(places, "desk-there")["id"] for _ in range(2))
    cancelled, held = str(new_id()), str(new_id())
    told = hear_together(
        places,
        (cancelled, {"patient": first}),
        (held, {"patient": second, "version": 2}),
        (cancelled, {"patient": first, "version": 2, "status": "cancelled"}),
        (held, {"patient": second, "version": 1, "status": "cancelled"}),
    )
    assert told == ["handled"] * 4
    assert [statuses(places, each, **NURSE)[0] for each in (first, second)] == [404, 200]


def test_of_several_who_are_asked_for_only_those_within_reach_are_shown(places):
    """By place for somebody at work there; a service that writes to patients reaches all."""
    here, there = (registered(places, desk)["id"] for desk in ("desk-here", "desk-there"))
    body = {"patient_ids": [there, here]}
    found = places.call("find_patient_standings", body=body, **NURSE).body["items"]
    assert [each["id"] for each in found] == [here]
    found = places.call("find_patient_contacts", body=body, role="service").body["items"]
    assert [each["id"] for each in found] == [there, here]


def test_a_patient_is_known_for_two_years_after_the_last_appointment(places):
    known, kept = registered(places, "desk-there")["id"], HOUSE.known_for
    hear(places, str(new_id()), patient=known, status="completed", starts=now() - kept - timedelta(hours=1))
    assert statuses(places, known, **NURSE)[0] == 404
    hear(places, str(new_id()), patient=known, status="completed", starts=now() - kept + timedelta(hours=1))
    assert statuses(places, known, **NURSE)[0] == 200


def test_the_history_is_for_doctors_who_have_the_patient_in_care(places, owners):
    """Demographics reach as far as the place; what is held about assigned patients wants an appointment."""
    known, doctor = registered(places, "desk-there")["id"], {"role": "doctor", "subject": ACCOUNT}
    colleague = {"role": "doctor", "subject": str(new_id())}
    age(places, days=2)
    hear(places, str(new_id()), patient=known)
    assert stands(places, known, "history.read", **doctor) == 404, "nobody knows yet who that doctor is"
    owners.away.add("doctors")
    assert profile(places, owners, ACCOUNT, version=1) != "handled", "nothing is kept of what is not said"
    owners.away.clear()
    assert profile(places, owners, ACCOUNT, version=1) == "handled"
    assert [stands(places, known, f"history.{each}", **doctor) for each in ("read", "write", "correct")] == [200] * 3
    assert stands(places, known, "history.read", **colleague) == 404
    assert stands(places, known, "history.read", role="nurse", subject="of-the-whole-house") == 200
    assert statuses(places, known, **colleague) == [200, 200, 200]
    assert profile(places, owners, colleague["subject"], version=2) == "handled"
    assert stands(places, known, "history.read", **doctor) == 404, "the profile is another account's now"
    assert stands(places, known, "history.read", **colleague) == 200


def test_the_history_of_who_was_just_registered_is_open_to_every_doctor_on_duty_there(places):
    known = registered(places, "desk-here")["id"]
    places.roles.areas |= {"doctor-here": {"doctor": at(HERE)}, "doctor-there": {"doctor": at(THERE)}}
    assert stands(places, known, "history.write", role="doctor", subject="doctor-here") == 200
    assert stands(places, known, "history.write", role="doctor", subject="doctor-there") == 404
    age(places, days=2)
    assert stands(places, known, "history.write", role="doctor", subject="doctor-here") == 404
    assert statuses(places, known, role="doctor", subject="doctor-here")[0] == 200


def test_a_person_reaches_the_own_record_and_those_it_speaks_for_and_finds_no_other(places):
    own, child, other = (registered(places, "desk-here", family_name="Berg", confirm_duplicate=True) for _ in range(3))
    ended = registered(places, "desk-here", family_name="Berg", confirm_duplicate=True)["id"]
    person = {"role": "patient", "subject": "person"}
    places.roles.links["person"] = [[own["id"], "own", None], [child["id"], "linked", None], [ended, "linked", 1]]
    assert [statuses(places, each, **person)[0] for each in (own["id"], child["id"], other["id"], ended)] == [
        200, 200, 404, 404,
    ]  # fmt: skip
    found = places.call("search_patients", body={"text": "berg"}, **person).body["items"]
    assert sorted(each["patient"]["id"] for each in found) == sorted([own["id"], child["id"]])
    assert places.call("update_patient", patient_id=own["id"], body={}, version=1, **person).status == 403
    assert stands(places, own["id"], "history.read", **person) == 200
    assert stands(places, other["id"], "history.read", **person) == 404
    assert stands(places, own["id"], "history.write", **person) == 404, "what the role does not hold reaches nobody"


def test_staff_who_are_patients_too_reach_their_own_record_as_a_patient_and_no_further(places):
    own = registered(places, "desk-there")["id"]
    places.roles.areas["both"] = {"receptionist": at(HERE)}
    places.roles.links["both"] = [[own, "own", None]]
    both = {"role": "receptionist+patient", "subject": "both"}
    assert statuses(places, own, **both)[0] == 200
    assert places.call("update_patient", patient_id=own, body={"given_name": "X"}, version=1, **both).status == 404


def test_a_person_does_not_see_which_account_changed_the_record(places):
    own = registered(places, "desk-here")["id"]
    desk = {"role": "receptionist", "subject": "desk-here"}
    assert places.call("update_patient", patient_id=own, body={"given_name": "X"}, version=1, **desk).status == 200
    places.roles.links["person"] = [[own, "own", None]]
    [change] = places.call("list_patient_changes", role="patient", subject="person", patient_id=own).body["items"]
    assert (change["by"], change["new"]) == (None, "X")
    [change] = places.call("list_patient_changes", patient_id=own, **desk).body["items"]
    assert change["by"] == "desk-here"


def test_what_was_refused_leaves_its_entry_on_the_record(places):
    known = registered(places, "desk-there")["id"]
    before = len(making.rows(places, "outbox"))
    statuses(places, known, **NURSE)
    kept = making.rows(places, "outbox")[before:]
    assert sorted(str(each["event"]).count(known) > 0 for each in kept) == [True, True]


def test_the_store_says_of_many_what_the_model_says_of_each(places, store):
    """The rule stands in the model for one record and in the query for a search; here both are asked by chance."""
    chance, base = random.Random(5), now()
    ids = [UUID(registered(places, None, family_name="Berg", confirm_duplicate=True)["id"]) for _ in range(12)]
    doctors, facilities = [new_id(), new_id()], [UUID(HERE), UUID(THERE)]
    with store.begin(call()) as tx:
        tx.keep_doctor_account(model.DoctorAccount(doctor_id=doctors[0], account=UUID(ACCOUNT), version=1))
        tx.keep_known(*(known_by_chance(chance, ids, facilities, doctors, base) for _ in range(40)))
    for _ in range(60):
        within = model.reach(by_chance(chance, ids), house=HOUSE, at=base)
        search = model.read_search({"text": "berg"}, house=HOUSE)
        with store.read() as view:
            found = {each.id for each in view.matching(search, within=within, limit=50)}
            assert found == model.reached(ids, within=within, known=view.known)


def known_by_chance(chance, ids, facilities, doctors, base):
    is_visit = chance.random() < 0.6
    return model.Known(
        id=new_id(),
        patient_id=chance.choice(ids),
        facility_id=chance.choice([*facilities, None]),
        doctor_id=chance.choice(doctors) if is_visit else None,
        since=base - timedelta(hours=chance.choice([1, 48])),
        ends_at=base - timedelta(days=chance.choice([-3, 3, 900])) if is_visit else None,
        is_taken_back=chance.random() < 0.2,
    )


def by_chance(chance, ids):
    areas = [
        Area(
            facilities=chance.choice([None, frozenset({HERE}), frozenset({HERE, THERE})]),
            is_assigned=chance.random() < 0.5,
        )
        for _ in range(chance.randrange(3))
    ]
    linked = frozenset(str(each) for each in chance.sample(ids, chance.randrange(3)))
    held = frozenset({"patients.read"})
    grants = [Grant(permissions=held, area=each) for each in [*areas, None]]
    scope = Scope(areas=tuple(areas), linked=linked)
    return Actor(subject=ACCOUNT, permissions=held, scope=scope, grants=tuple(grants))


def call():
    return Call(id=new_id(), operation="test", actor=Actor(subject="x"), at=now(), request_id="r")


def mrn(house, patient):
    return house.call("get_patient", patient_id=patient).body["mrn"]


def age(house, *, days):
    """All that is known was told some days before."""
    url = house.service.settings.database_url.get_secret_value()
    with making.psycopg.connect(url) as admin:
        admin.execute("UPDATE known SET since = since - make_interval(days => %s)", [days])
