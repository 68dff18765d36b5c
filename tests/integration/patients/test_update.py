"""Changing a record: from the version that was seen, with every version kept."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.patients import making
from tests.integration.patients.test_register import at_once


def change(house, record, *, version=None, subject="00000000-0000-7000-8000-000000000001", **fields):
    return house.call(
        "update_patient",
        patient_id=record["id"],
        version=record["version"] if version is None else version,
        subject=subject,
        body=fields,
    )


@pytest.mark.row("PAT-14")
def test_the_second_of_two_changes_from_one_version_is_told_what_differs(house):
    record = making.registered(house)
    first = change(house, record, phones=[{"number": "5550101234"}], middle_name="Q")
    assert (first.status, first.headers["etag"]) == (200, '"2"')
    second = change(house, record, family_name="Lost")
    assert (second.status, second.body["code"]) == (412, "stale_version")
    assert second.body["fields"] == ["middle_name", "phones"]
    assert house.call("get_patient", patient_id=record["id"]).body == first.body


def test_of_many_changes_from_one_version_one_is_kept(house):
    record = making.registered(house)
    got = at_once(8, lambda number: change(house, record, middle_name=f"M{number}"))
    assert sorted(each.status for each in got) == [200] + [412] * 7
    assert len(making.rows(house, "patients_history")) == 2


@pytest.mark.row("PAT-15")
def test_every_change_is_listed_by_field_with_who_when_old_and_new(house):
    record = making.registered(house, phones=[{"number": "555 010 0001"}])
    one = change(house, record, subject="one", phones=[{"number": "555 010 0002"}]).body
    two = change(house, one, subject="two", phones=[{"number": "555 010 0003"}]).body
    got = house.call("list_patient_changes", patient_id=record["id"])
    assert got.status == 200
    seen = [(each["field"], each["by"], each["at"], each["version"]) for each in got.body["items"]]
    assert seen == [("phones", "two", two["changed_at"], 3), ("phones", "one", one["changed_at"], 2)]
    values = [(each["old"][0]["number"], each["new"][0]["number"]) for each in got.body["items"]]
    assert values == [("555 010 0002", "555 010 0003"), ("555 010 0001", "555 010 0002")]


def test_changes_are_paged_through_without_gap_or_repeat(house):
    record = making.registered(house)
    for number in range(5):
        record = change(
            house, record, middle_name=f"M{number}", prefix=f"P{number}", language=["de", "en"][number % 2]
        ).body
    whole = house.call("list_patient_changes", patient_id=record["id"]).body["items"]
    assert len(whole) == 15
    for limit in (1, 2, 4, 14, 15):
        seen, query = [], {"limit": limit}
        while True:
            page = house.call("list_patient_changes", patient_id=record["id"], query=query)
            assert page.status == 200
            seen += page.body["items"]
            if page.body["next_cursor"] is None:
                break
            query["cursor"] = page.body["next_cursor"]
        assert seen == whole
    other = making.registered(house)
    query = {
        "limit": 1,
        "cursor": house.call("list_patient_changes", patient_id=record["id"], query={"limit": 1}).body["next_cursor"],
    }
    assert house.call("list_patient_changes", patient_id=record["id"], query=query).status == 200
    assert house.call("list_patient_changes", patient_id=other["id"], query=query).status == 400


def test_a_change_follows_merge_patch(house):
    record = making.registered(house, middle_name="Q", phones=[{"number": "5550101234"}, {"number": "5550101235"}])
    got = change(house, record, middle_name=None, phones=[{"number": "5550101236"}]).body
    assert got["middle_name"] is None
    assert [each["number"] for each in got["phones"]] == ["5550101236"]
    assert got["family_name"] == record["family_name"]


def test_what_changes_nothing_makes_no_version_and_no_event(house):
    record = making.registered(house)
    got = change(house, record, family_name=record["family_name"])
    assert (got.status, got.body) == (200, record)
    told = [row["type"] for row in making.rows(house, "outbox")]
    assert told.count("patients.changed.v1") == 0
    assert told.count("audit.recorded.v1") == 2


def test_a_change_moves_the_search_keys_and_frees_identifiers(house):
    passport = [{"type": "passport", "value": "C01X00T47", "issuer": "DE"}]
    record = making.registered(house, family_name="Before", identifiers=passport)
    change(house, record, family_name="Afterwards", identifiers=[])
    assert making.found(house, text="before") == []
    assert making.found(house, text="afterwards") == [record["id"]]
    assert making.registered(house, identifiers=passport)["identifiers"] == passport


def test_a_version_is_wanted_and_must_be_one(house):
    record = making.registered(house)
    path = f"/api/v1/patients/{record['id']}"
    headers = {"authorization": "Bearer super_admin@x", "content-type": "application/json"}
    assert house.send("PATCH", path, headers=headers, content=b'{"prefix":"Dr."}').status == 428
    for wrong in ('"x"', "*", 'W/"1"', "1"):
        got = house.send("PATCH", path, headers=headers | {"if-match": wrong}, content=b'{"prefix":"Dr."}')
        assert got.status == 422
    assert change(house, record, version=7, prefix="Dr.").status == 412


def test_the_history_can_only_grow(house, postgres_url):
    making.registered(house)
    for statement in (
        "UPDATE patients_history SET by = 'x'",
        "DELETE FROM patients_history",
        "TRUNCATE patients_history",
    ):
        with psycopg.connect(postgres_url) as admin, pytest.raises(psycopg.errors.RestrictViolation):
            admin.execute(statement.encode())
    with psycopg.connect(postgres_url) as admin, pytest.raises(psycopg.errors.ForeignKeyViolation):
        admin.execute(b"DELETE FROM patients")
