"""Accounts of patients and guardians: a code from the reception, a birth date, and a link that can be ended."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.integration.identity import making

_numbers = itertools.count(1)


def code(house, patient_id, relation="self", **more):
    """An activation code that the reception hands out."""
    _, tokens = house.signed_in("receptionist")
    body = {"patient_id": patient_id, "relation": relation, **more}
    got = house.with_token("create_activation_code", tokens["access_token"], body=body)
    assert got.status == 201, got.raw
    return got.body


def activate(house, text, birth_date="1984-11-05", **more):
    """Make an account with a code."""
    body = {
        "code": text,
        "birth_date": birth_date,
        "username": f"patient.{next(_numbers)}.links",
        "password": making.PASSWORD,
        **more,
    }
    return house.call("activate_account", role=None, body=body)


def test_a_patient_makes_an_account_and_reaches_the_own_record_only(house, records):
    patient = records.register()
    handed = code(house, patient)
    made = activate(house, handed["code"].lower().replace("-", " "))
    assert made.status == 201
    tokens = house.sign_in(made.body["username"], making.PASSWORD).body
    own = house.with_token("get_own_account", tokens["access_token"]).body
    assert (own["roles"], own["links"][0]["patient_id"], own["links"][0]["relation"]) == (["patient"], patient, "self")
    me = house.me(tokens["access_token"])
    assert me.is_about(patient)
    assert me.scope.own == patient
    assert not me.is_about(records.register())
    assert not me.covers_facility("any"), "the role holds about linked records and nowhere else"
    asked = [each.headers["authorization"] for each in records.peer.requests if patient in each.target]
    assert len(set(asked)) == 2, "for the desk whether it reaches the record, for the service whether the date is right"
    assert f"Bearer {tokens['access_token']}" not in asked
    entry = making.entries(house, "create_activation_code")[-1]
    assert entry["patient_id"] == patient


def test_a_code_is_shown_once_counts_once_and_lies_nowhere_in_clear(house, records):
    patient = records.register()
    _, tokens = house.signed_in("receptionist")
    body, key = {"patient_id": patient, "relation": "self"}, "one-activation-code"
    first = house.with_token("create_activation_code", tokens["access_token"], body=body, key=key)
    again = house.with_token("create_activation_code", tokens["access_token"], body=body, key=key)
    assert again.body == first.body | {"code": None}
    kept = "".join(row["line"] for row in making.rows(house, "SELECT t::text AS line FROM activation_codes AS t"))
    assert first.body["code"] not in kept
    assert first.body["code"].replace("-", "") not in kept
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda _: activate(house, first.body["code"]).status, range(4)))
    assert got.count(201) == 1
    assert set(got) <= {201, 401}


def test_three_wrong_birth_dates_end_a_code_and_every_refusal_is_the_same(house, records):
    patient = records.register()
    handed = code(house, patient)["code"]
    answers = [activate(house, handed, "1990-01-01") for _ in range(3)]
    answers.append(activate(house, handed))
    answers.append(activate(house, "ZZZZ-ZZZZ-ZZZZ"))
    old = code(house, patient)["code"]
    making.rows(house, "UPDATE activation_codes SET expires_at = now() WHERE tries = 0")
    answers.append(activate(house, old))
    bodies = [{k: v for k, v in got.body.items() if k != "request_id"} for got in answers]
    assert {got.status for got in answers} == {401}
    assert all(each == bodies[0] for each in bodies)


def test_a_user_name_that_is_taken_uses_up_no_try(house, records):
    handed = code(house, records.register())["code"]
    for _ in range(4):
        got = activate(house, handed, username="admin")
        assert (got.status, got.body["code"]) == (409, "username_taken")
    assert activate(house, handed, password="password password 1").body["code"] == "password_refused"
    assert activate(house, handed).status == 201


def test_a_record_that_is_not_there_or_out_of_use_gets_no_code(house, records):
    _, tokens = house.signed_in("receptionist")
    for patient in (records.register(standing="deceased"), "01939c3e-0000-7000-8000-0000000000ff"):
        body = {"patient_id": patient, "relation": "self"}
        got = house.with_token("create_activation_code", tokens["access_token"], body=body)
        assert (got.status, got.body["code"]) == (422, "unknown_patient")
    past = {"patient_id": records.register(), "relation": "guardian", "until": "2020-01-01T00:00:00Z"}
    got = house.with_token("create_activation_code", tokens["access_token"], body=past)
    assert (got.status, got.body["code"]) == (422, "ends_in_the_past")


def test_while_patients_is_away_nothing_is_decided(house, records):
    handed = code(house, records.register())["code"]
    records.status = 503
    try:
        assert activate(house, handed).status == 503
    finally:
        records.status = None
    making.rows(house, "UPDATE failure_counters SET closed_until = NULL")
    assert activate(house, handed).status in {201, 503}


def test_a_guardian_reaches_each_linked_child_until_the_link_ends(house, records):
    one, two = records.register(), records.register("2016-05-05")
    made = activate(house, code(house, one, "guardian")["code"])
    tokens = house.sign_in(made.body["username"], making.PASSWORD).body
    token = tokens["access_token"]
    more = {"code": code(house, two, "guardian", until="2034-05-05T00:00:00Z")["code"], "birth_date": "2016-05-05"}
    assert house.with_token("add_own_link", token, body=more).status == 201
    me = house.me(token)
    assert (me.scope.own, me.scope.linked) == (None, {one, two})
    listed = house.with_token("list_record_links", house.admin(), query={"patient_id": two}).body["items"]
    assert [(each["user_id"], each["until"]) for each in listed] == [(made.body["id"], "2034-05-05T00:00:00.000Z")]
    assert listed[0]["made_by"]
    ended = house.with_token("end_record_link", house.admin(), link_id=listed[0]["id"])
    assert ended.status == 204
    assert house.me(token).scope.linked == {one}, "at once, with the token that was out"
    assert house.me(house.refresh(tokens["refresh_token"]).body["access_token"]).scope.linked == {one}
    assert house.with_token("end_record_link", house.admin(), link_id=listed[0]["id"]).status == 404
    assert making.entries(house, "end_record_link")[-2]["patient_id"] == two
    assert making.entries(house, "activate_account")[-1]["added"] == ["patient"]
    assert "added" not in making.entries(house, "add_own_link")[-1], "the role is there already"


def test_a_link_with_an_end_ends_by_itself_with_the_token_that_was_out(house, records):
    child = records.register("2016-05-05")
    made = activate(house, code(house, child, "guardian", until="2034-05-05T00:00:00Z")["code"], "2016-05-05")
    token = house.sign_in(made.body["username"], making.PASSWORD).body["access_token"]
    assert house.me(token).is_about(child)
    policy = house.service_policy
    policy._clock = lambda: 2_100_000_000.0  # in the year 2036
    try:
        claims = house.tokens._claims(token)
        assert child not in policy.actor(claims).scope.linked
    finally:
        policy._clock = making.time.time


def test_one_account_has_one_own_record_and_no_link_twice(house, records):
    one, two = records.register(), records.register()
    made = activate(house, code(house, one)["code"])
    token = house.sign_in(made.body["username"], making.PASSWORD).body["access_token"]
    for patient, relation in ((two, "self"), (one, "guardian")):
        body = {"code": code(house, patient, relation)["code"], "birth_date": "1984-11-05"}
        got = house.with_token("add_own_link", token, body=body)
        assert (got.status, got.body["code"]) == (409, "linked_already")


@pytest.mark.parametrize("role", ["nurse", "doctor", "patient", "auditor", "admin"])
def test_only_those_who_register_people_hand_out_codes(house, records, role):
    """An administrator who knows a birth date could open the record with a code."""
    _, tokens = house.signed_in(role)
    body = {"patient_id": records.register(), "relation": "self"}
    assert house.with_token("create_activation_code", tokens["access_token"], body=body).status == 403
