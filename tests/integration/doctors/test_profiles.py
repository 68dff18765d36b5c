"""Profiles and lists in PostgreSQL: kept whole, unique, versioned, told and audited."""

from __future__ import annotations

import base64
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest

from tests.integration.doctors import making
from tests.integration.doctors.making import done

PNG = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(64)).decode()


@pytest.mark.row("DOC-02")
def test_doctors_are_found_by_specialization_and_one_in_use_stays(house):
    heart, skin = (making.specialization(house, name) for name in ("Cardiology", "Dermatology"))
    both = making.doctor(house, specialization_ids=[heart, skin])
    one = making.doctor(house, specialization_ids=[heart])
    making.doctor(house)
    found = done(house.call("list_doctors", query={"specialization_id": heart}), 200)
    assert [each["id"] for each in found["items"]] == [both["id"], one["id"]]
    assert len(done(house.call("list_doctors", query={"specialization_id": skin}), 200)["items"]) == 1
    refused = done(house.call("delete_specialization", specialization_id=skin, version=1), 409)
    assert refused["code"] == "in_use"
    body = {"specialization_ids": [heart]}
    done(house.call("update_doctor", doctor_id=both["id"], version=1, body=body), 200)
    assert house.call("delete_specialization", specialization_id=skin, version=1).status == 204
    assert house.call("get_specialization", specialization_id=skin).status == 404


def test_a_profile_is_made_read_changed_and_kept_in_every_version(house, identity):
    department = identity.department(identity.facility())
    made = making.doctor(
        house, title="Dr.", languages=["de", "en"], department_ids=[department], contacts={"phone": "+49 30 5550101"}
    )
    assert (made["active"], made["version"], made["change"]["state"]) == (True, 1, "effective")
    body = {"title": None, "licence": {"number": "X-1", "authority": "Chamber", "expires_on": "2099-12-31"}}
    fresh = done(house.call("update_doctor", doctor_id=made["id"], version=1, body=body), 200)
    assert (fresh["title"], fresh["licence"]["expires_on"], fresh["version"]) == (None, "2099-12-31", 2)
    read = done(house.call("get_doctor", doctor_id=made["id"]), 200)
    assert read == {name: value for name, value in fresh.items() if name != "change"}
    stale = done(house.call("update_doctor", doctor_id=made["id"], version=1, body={"title": "Prof."}), 412)
    assert stale["fields"] == ["licence", "title"]
    kept = making.rows(house, "record_versions")
    assert [(row["version"], row["fields"]) for row in kept if row["kind"] == "Doctor"][1] == (2, ["licence", "title"])
    assert making.types(house) == ["doctors.created.v1", "doctors.changed.v1"]
    assert identity.asked == {"Bearer super_admin@00000000-0000-7000-8000-000000000001"}
    entry, refused = making.entries(house)[-2:]
    assert (refused["record_id"], refused["outcome"], refused["fields"]) == (made["id"], "failed", [])
    assert (entry["operation"], entry["record_id"], entry["fields"]) == (
        "update_doctor",
        made["id"],
        ["licence", "title"],
    )


def test_what_changes_nothing_makes_no_version(house):
    made = making.doctor(house, title="Dr.")
    fresh = done(house.call("update_doctor", doctor_id=made["id"], version=1, body={"title": "Dr."}), 200)
    assert (fresh["version"], making.types(house)) == (1, ["doctors.created.v1"])


@pytest.mark.parametrize("number", ["be-00/77", "BE 00 77"])
def test_a_licence_number_belongs_to_one_doctor_however_it_is_written(house, number):
    making.doctor(house, licence={"number": "BE-0077", "authority": "Chamber"})
    body = making.profile(licence={"number": number, "authority": "Chamber"})
    assert done(house.call("create_doctor", body=body), 409)["code"] == "licence_taken"
    other = making.doctor(house)
    refused = house.call("update_doctor", doctor_id=other["id"], version=1, body={"licence": body["licence"]})
    assert done(refused, 409)["code"] == "licence_taken"


def test_a_licence_number_that_was_given_up_can_be_another_doctors(house):
    licence = {"number": "BE-0078", "authority": "Chamber"}
    made = making.doctor(house, licence=licence)
    body = {"licence": licence | {"number": "BE-0079"}}
    done(house.call("update_doctor", doctor_id=made["id"], version=1, body=body), 200)
    making.doctor(house, licence=licence)


def test_of_fifty_at_once_one_gets_the_licence_number_and_one_the_account(house):
    account = str(uuid4())

    def create(number: int):
        given = {"user_id": account} if number % 2 else {"licence": {"number": "BE 1", "authority": "Chamber"}}
        return house.call("create_doctor", body=making.profile(**given))

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(create, range(50)))
    found = Counter((each.status, each.body.get("code")) for each in answers)
    assert found[201, None] == 2, found
    assert set(found) <= {(201, None), (409, "licence_taken"), (409, "account_taken"), (503, "unavailable")}
    assert len(making.rows(house, "doctors")) == 2


def test_departments_and_specializations_that_are_not_there_are_named(house, identity):
    closed = identity.department(identity.facility(), active=False)
    body = making.profile(department_ids=[closed])
    assert done(house.call("create_doctor", body=body), 422)["errors"] == [
        {"pointer": "/department_ids/0", "rule": "unknown"}
    ]
    body = making.profile(specialization_ids=[making.NOBODY])
    assert done(house.call("create_doctor", body=body), 422)["errors"] == [
        {"pointer": "/specialization_ids/0", "rule": "unknown"}
    ]
    identity.status = 503
    assert house.call("create_doctor", body=making.profile(department_ids=[closed])).status == 503
    assert making.rows(house, "doctors") == []


def test_a_photo_comes_back_as_it_was_sent_until_it_is_taken_away(house):
    made = making.doctor(house)
    body = {"media_type": "image/png", "data": PNG}
    done(house.call("set_doctor_photo", doctor_id=made["id"], body=body), 200)
    shown = done(house.call("get_doctor_photo", doctor_id=made["id"]), 200)
    assert {name: shown[name] for name in body} == body
    jpeg = {"media_type": "image/jpeg", "data": PNG}
    refused = done(house.call("set_doctor_photo", doctor_id=made["id"], body=jpeg), 422)
    assert refused["errors"] == [{"pointer": "/data", "rule": "not_an_image"}]
    large = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(512 * 1024)).decode()
    refused = done(house.call("set_doctor_photo", doctor_id=made["id"], body=body | {"data": large}), 422)
    assert refused["errors"][0]["pointer"] == "/data"
    assert house.call("remove_doctor_photo", doctor_id=made["id"]).status == 204
    assert house.call("get_doctor_photo", doctor_id=made["id"]).status == 404


def test_names_of_a_list_are_unique_without_case_and_blanks(house):
    making.specialization(house, "Heart  Medicine")
    refused = done(house.call("create_specialization", body={"name": "heart medicine "}), 409)
    assert refused["code"] == "name_taken"
    with ThreadPoolExecutor(8) as pool:
        answers = list(
            pool.map(lambda _: house.call("create_specialization", body={"name": "Surgery"}).status, range(8))
        )
    assert sorted(answers) == [201] + [409] * 7


def test_a_specialization_cannot_be_deleted_while_somebody_takes_it(house):
    """Whoever is first: never is there a doctor with a specialization that is gone."""
    for number in range(10):
        wanted = making.specialization(house, f"Number {number}")
        with ThreadPoolExecutor(2) as pool:
            gone = pool.submit(house.call, "delete_specialization", specialization_id=wanted, version=1)
            taken = pool.submit(house.call, "create_doctor", body=making.profile(specialization_ids=[wanted]))
        assert (gone.result().status, taken.result().status) in {(204, 422), (409, 201)}


def test_patients_see_types_for_everyone_only(house):
    open_, hidden = making.appointment_type(house, "Visit"), making.appointment_type(house, "Meeting", audience="staff")
    seen = done(house.call("list_appointment_types", role="patient"), 200)["items"]
    assert [each["id"] for each in seen] == [open_["id"]]
    assert done(house.call("list_appointment_types", role="patient", query={"audience": "staff"}), 200)["items"] == []
    assert house.call("get_appointment_type", role="patient", type_id=hidden["id"]).status == 404
    assert len(done(house.call("list_appointment_types", role="nurse"), 200)["items"]) == 2


def test_a_type_takes_as_long_as_the_doctor_says(house):
    made, kind = making.doctor(house), making.appointment_type(house, "First visit", minutes=45)
    where = {"doctor_id": made["id"], "type_id": kind["id"]}
    assert done(house.call("set_type_minutes", **where, body={"minutes": 60}), 200)["minutes"] == 60
    (shown,) = done(house.call("list_type_minutes", doctor_id=made["id"]), 200)["items"]
    assert shown == {"type_id": kind["id"], "minutes": 60, "usual_minutes": 45}
    assert house.call("remove_type_minutes", **where).status == 204
    (shown,) = done(house.call("list_type_minutes", doctor_id=made["id"]), 200)["items"]
    assert shown["minutes"] == 45
    assert making.types(house)[-2:] == ["doctors.type_changed.v1"] * 2


def test_rooms_stand_at_a_facility_and_its_locations(house, identity):
    here, there = making.site(identity), making.site(identity)
    body = {"kind": "room", "name": "Room 1", "facility_id": here.facility, "location_id": there.location}
    refused = done(house.call("create_resource", body=body), 422)
    assert refused["errors"] == [{"pointer": "/location_id", "rule": "other_facility"}]
    made = done(house.call("create_resource", body=body | {"location_id": here.location}))
    assert done(house.call("create_resource", body=body | {"location_id": None}), 409)["code"] == "name_taken"
    fresh = done(
        house.call("update_resource", resource_id=made["id"], version=1, body={"active": False, "location_id": None}),
        200,
    )
    assert (fresh["active"], fresh["location_id"], fresh["version"]) == (False, None, 2)
    query = {"facility_id": here.facility, "kind": "room", "active": "false"}
    assert len(done(house.call("list_resources", query=query), 200)["items"]) == 1


def test_every_list_goes_on_where_its_page_ended(house):
    wanted = [making.doctor(house)["id"] for _ in range(5)]
    found, cursor = [], None
    while True:
        page = done(house.call("list_doctors", query={"limit": 2} | ({"cursor": cursor} if cursor else {})), 200)
        found += [each["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == wanted


def test_the_same_key_gives_the_same_doctor(house):
    body = making.profile()
    first = house.call("create_doctor", body=body, key="the-same-key")
    again = house.call("create_doctor", body=body, key="the-same-key")
    assert (first.body, again.headers["idempotency-replayed"]) == (again.body, "true")
    other = house.call("create_doctor", body=body | {"title": "Dr."}, key="the-same-key")
    assert done(other, 422)["code"] == "key_reused"


@pytest.mark.parametrize("role", ["receptionist", "nurse", "doctor", "pharmacist", "records_clerk", "patient"])
def test_only_those_who_keep_profiles_change_them(house, role):
    made = making.doctor(house)
    assert house.call("get_doctor", role=role, doctor_id=made["id"]).status == 200
    assert house.call("update_doctor", role=role, doctor_id=made["id"], version=1, body={"title": "X"}).status == 403


def test_patients_see_what_a_doctor_does_for_everyone_only(house):
    made = making.doctor(house)
    open_, hidden = making.appointment_type(house, "Visit"), making.appointment_type(house, "Meeting", audience="staff")
    seen = done(house.call("list_type_minutes", role="patient", doctor_id=made["id"]), 200)["items"]
    assert [each["type_id"] for each in seen] == [open_["id"]]
    seen = done(house.call("list_type_minutes", role="nurse", doctor_id=made["id"]), 200)["items"]
    assert [each["type_id"] for each in seen] == [open_["id"], hidden["id"]]
