"""The standing of a record: deactivated, restored, deceased; asked by other services."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import orjson
import psycopg
import pytest

from services.chassis.service import new_id, now
from tests.integration.patients import making


def act(house, operation, record, *, version=1, **given):
    return house.call(operation, patient_id=record["id"], version=version, **given)


def deactivate(house, record, **given):
    return act(house, "deactivate_patient", record, query={"reason": "moved_away"}, **given)


@pytest.mark.row("PAT-13")
def test_a_deleted_patient_is_hidden_kept_and_restored_by_an_administrator(house, postgres_url):
    record = making.registered(house, family_name="Hidden")
    gone = deactivate(house, record, role="records_clerk")
    assert (gone.status, gone.body["standing"], gone.headers["etag"]) == (200, "inactive", '"2"')
    assert making.found(house, text="hidden") == []
    assert making.found(house, text="hidden", include_inactive=True) == [record["id"]]
    read = house.call("get_patient", patient_id=record["id"])
    assert (read.status, read.body["standing"], read.body["deactivation_reason"]) == (200, "inactive", "moved_away")
    assert len(making.rows(house, "patients_history")) == 2
    with psycopg.connect(postgres_url) as owner, pytest.raises(psycopg.errors.ForeignKeyViolation):
        owner.execute(b"DELETE FROM patients")
    assert act(house, "restore_patient", record, version=2, role="records_clerk").status == 403
    back = act(house, "restore_patient", record, version=2, role="admin")
    assert (back.status, back.body["standing"], back.body["version"]) == (200, "active", 3)
    assert making.found(house, text="hidden") == [record["id"]]


def test_a_deactivated_record_is_not_changed(house):
    record = making.registered(house)
    deactivate(house, record)
    refused = act(house, "update_patient", record, version=2, body={"prefix": "Dr."})
    assert (refused.status, refused.body["code"]) == (409, "patient_inactive")
    assert deactivate(house, record, version=2).body["code"] == "patient_inactive"
    act(house, "restore_patient", record, version=2)
    assert act(house, "restore_patient", record, version=3).body["code"] == "patient_not_inactive"


def test_a_reason_is_needed_and_is_one_of_the_list(house):
    record = making.registered(house)
    assert act(house, "deactivate_patient", record).status in {400, 422}
    assert act(house, "deactivate_patient", record, query={"reason": "because"}).status == 422
    assert house.call("get_patient_standing", patient_id=record["id"]).body["standing"] == "active"


def test_a_death_is_recorded_on_a_possible_day_and_once(house):
    record = making.registered(house, birth_date="1950-05-05")
    early = act(house, "mark_deceased", record, body={"deceased_on": "1950-05-04"})
    assert (early.status, early.body["code"]) == (422, "death_date_invalid")
    assert early.body["errors"] == [{"pointer": "/deceased_on", "rule": "not_before_birth"}]
    tomorrow = (now() + timedelta(days=2)).date().isoformat()
    late = act(house, "mark_deceased", record, body={"deceased_on": tomorrow})
    assert late.body["errors"] == [{"pointer": "/deceased_on", "rule": "not_in_future"}]
    dead = act(house, "mark_deceased", record, body={"deceased_on": "2020-05-04"}, role="doctor")
    assert (dead.status, dead.body["standing"]) == (200, "deceased")
    read = house.call("get_patient", patient_id=record["id"]).body
    assert (read["deceased_on"], read["age_years"]) == ("2020-05-04", 69)
    again = act(house, "mark_deceased", record, version=2, body={"deceased_on": "2020-05-04"})
    assert (again.status, again.body["code"]) == (409, "already_deceased")


def test_other_services_ask_for_the_standing_and_learn_nothing_else(house):
    record = making.registered(house)
    got = house.call("get_patient_standing", patient_id=record["id"], role="service")
    assert (got.status, got.headers["etag"]) == (200, '"1"')
    assert got.body == {"id": record["id"], "standing": "active", "merged_into": None, "version": 1}
    assert house.call("get_patient", patient_id=record["id"], role="service").status == 403
    assert house.call("get_patient_standing", patient_id=making.NOBODY).status == 404


def test_an_action_is_done_once_per_key(house):
    record = making.registered(house)
    first = deactivate(house, record, key="the-same-key")
    again = deactivate(house, record, key="the-same-key")
    assert (again.status, again.body) == (200, first.body)
    assert again.headers["idempotency-replayed"] == "true"
    assert len(making.rows(house, "patients_history")) == 2


@pytest.mark.parametrize("operation", ["get_patient", "update_patient", "list_patient_changes", "restore_patient"])
def test_an_unknown_record_is_not_found_and_leaves_a_trace(house, operation):
    body = {"prefix": "Dr."} if operation == "update_patient" else None
    got = house.call(operation, patient_id=making.NOBODY, version=1, body=body)
    assert (got.status, got.body["code"]) == (404, "not_found")
    (trace,) = [row for row in making.rows(house, "outbox") if row["type"] == "audit.recorded.v1"]
    assert '"not_found"' in trace["event"]


def test_a_service_learns_how_a_patient_is_reached_and_the_trail_knows_it(house):
    record = making.registered(
        house,
        given_name="Zoë",
        language="de",
        contact_preference="sms",
        phones=[{"number": "+49 30 5550101"}, {"number": "911", "use": "home"}],
        emails=[{"address": "zoe@example.org"}],
    )
    got = making.fits(house, "find_patient_contacts", several(house, "find_patient_contacts", record["id"]))
    (shown,) = got.body["items"]
    assert shown["phones"] == [{"e164": "+49305550101", "use": "mobile"}]
    assert (shown["given_name"], shown["language"], shown["contact_preference"]) == ("Zoë", "de", "sms")
    trace = orjson.loads(making.rows(house, "outbox")[-1]["event"])["data"]
    assert (trace["operation"], trace["action"], trace["found"]) == ("find_patient_contacts", "search", [record["id"]])


def test_a_contact_says_that_nothing_may_be_sent(house):
    record = making.registered(house)
    deactivate(house, record)
    (shown,) = several(house, "find_patient_contacts", record["id"]).body["items"]
    assert shown["standing"] == "inactive"


def several(house, operation, *ids, **who):
    return house.call(operation, body={"patient_ids": [*ids]}, **{"role": "service", **who})


def test_contacts_and_standings_of_several_come_in_the_order_that_was_asked_for(house):
    """Who does not exist is left out; the trail has one entry, which names everybody whose contact was shown."""
    ada, zoe = (making.registered(house, given_name=each)["id"] for each in ("Ada", "Zoë"))
    got = making.fits(house, "find_patient_contacts", several(house, "find_patient_contacts", zoe, making.NOBODY, ada))
    assert [each["given_name"] for each in got.body["items"]] == ["Zoë", "Ada"]
    shown = [orjson.loads(row["event"])["data"] for row in making.rows(house, "outbox")]
    (trace,) = [each for each in shown if each.get("operation") == "find_patient_contacts"]
    assert (trace["action"], trace["found"]) == ("search", [zoe, ada])
    deactivate(house, house.call("get_patient", patient_id=ada).body)
    got = several(house, "find_patient_standings", ada, making.NOBODY, zoe)
    got = making.fits(house, "find_patient_standings", got)
    assert [(each["id"], each["standing"]) for each in got.body["items"]] == [(ada, "inactive"), (zoe, "active")]


def test_summaries_of_several_come_in_the_order_that_was_asked_for_and_the_trail_names_them(house):
    ada, zoe = (making.registered(house, given_name=each)["id"] for each in ("Ada", "Zoë"))
    got = several(house, "find_patient_summaries", zoe, making.NOBODY, ada, role="nurse")
    got = making.fits(house, "find_patient_summaries", got)
    assert [each["given_name"] for each in got.body["items"]] == ["Zoë", "Ada"]
    hit = house.call("search_patients", body={"name": "Ada"}, role="nurse").body["items"][0]["patient"]
    assert got.body["items"][1] == hit
    shown = [orjson.loads(row["event"])["data"] for row in making.rows(house, "outbox")]
    (trace,) = [each for each in shown if each.get("operation") == "find_patient_summaries"]
    assert (trace["action"], trace["found"]) == ("search", [zoe, ada])


@pytest.mark.parametrize("operation", ["find_patient_summaries", "find_patient_contacts", "find_patient_standings"])
def test_several_are_a_hundred_at_most_each_once_and_at_least_one(house, operation):
    some = [str(new_id()) for _ in range(101)]
    assert several(house, operation, *some[:100], role="super_admin").body == {"items": [], "next_cursor": None}
    for wrong in ([], some, [some[0], some[0]]):
        assert several(house, operation, *wrong, role="super_admin").status == 422


@pytest.mark.parametrize("role", ["receptionist", "doctor", "patient", "admin"])
def test_contacts_are_for_services_that_send_messages(house, role):
    assert several(house, "find_patient_contacts", making.registered(house)["id"], role=role).status == 403


def check(house, record, birth_date, **given):
    """Ask whether this is the birth date of a record."""
    body = {"birth_date": birth_date}
    return house.call("check_birth_date", patient_id=record["id"], body=body, **{"role": "service", **given})


def test_a_birth_date_is_confirmed_to_services_only_and_not_as_often_as_one_could_guess(house):
    record = making.registered(house, birth_date="1984-11-05")
    assert check(house, record, "1984-11-05").body == {"matches": True}
    assert {check(house, record, "1984-11-05", role=role).status for role in ("receptionist", "admin", "doctor")} == {
        403
    }
    with ThreadPoolExecutor(6) as pool:
        got = list(pool.map(lambda day: check(house, record, f"1990-01-{day:02d}").status, range(1, 25)))
    assert (got.count(200), got.count(429)) == (10, 14)
    assert check(house, record, "1984-11-05").status == 429
    other = making.registered(house, family_name="Else", birth_date="1984-11-05")
    assert check(house, other, "1984-11-05").body == {"matches": True}
    assert check(house, {"id": making.NOBODY}, "1984-11-05").status == 404


def test_asking_for_a_birth_date_is_in_the_trail_of_the_record_and_the_date_is_not(house):
    record = making.registered(house, birth_date="1984-11-05")
    check(house, record, "1984-11-06")
    kept = making.rows(house, "outbox")
    entry = next(row for row in kept if "check_birth_date" in row["event"])
    assert record["id"] in entry["event"]
    assert '"outcome":"failed"' in entry["event"].replace(" ", "")
    assert "1984-11-06" not in entry["event"]
