"""Searching in PostgreSQL: found by whatever is known, ranked, paged, audited."""

from __future__ import annotations

import base64

import orjson
import pytest

from tests.integration.patients import making


@pytest.mark.parametrize(
    ("said", "search"),
    [
        ({"family_name": "Smith", "given_name": "John"}, {"text": "jhon smit"}),
        ({"family_name": "Smith", "given_name": "John"}, {"name": "smi"}),
        ({"family_name": "山田", "given_name": "太郎"}, {"text": "太郎"}),
        ({"family_name": "محمود", "given_name": "محمد"}, {"text": "محمد محمود"}),
        ({"family_name": "Ångström"}, {"text": "angstrom"}),
        ({"family_name": "O'Brien"}, {"text": "obrien"}),
        ({"phones": [{"number": "+1 (555) 010-1234"}]}, {"phone": "5550101234"}),
        ({"phones": [{"number": "5550101234"}]}, {"phone": "+1 (555) 010-1234"}),
        ({"phones": [{"number": "5550101234"}]}, {"text": "555.010.1234"}),
        ({"identifiers": [{"type": "passport", "value": "C01X00T47"}]}, {"identifier": "c01x-00t47"}),
        ({"birth_date": "1911-11-11"}, {"birth_date": "1911-11-11"}),
    ],
)
def test_a_patient_is_found_by_what_is_known(house, said, search):
    record = making.registered(house, **said)
    for _ in range(5):
        making.registered(house)
    assert making.found(house, **search) == [record["id"]]


def test_a_patient_is_found_by_the_record_number(house):
    record, _ = making.registered(house), making.registered(house)
    assert making.found(house, mrn=record["mrn"]) == [record["id"]]
    assert making.found(house, text=f"{record['mrn'][:4]} {record['mrn'][4:]}") == [record["id"]]


def test_the_best_come_first(house):
    like = making.registered(house, family_name="Smits", given_name="Jon")
    begins = making.registered(house, family_name="Smithson", given_name="Johnny")
    exact = making.registered(house, family_name="Smith", given_name="John")
    assert making.found(house, text="john smith") == [exact["id"], begins["id"], like["id"]]


def test_pages_add_up_to_the_whole_list_while_others_register(house):
    known = {making.registered(house, family_name="Berg")["id"] for _ in range(25)}
    seen, cursor = [], None
    while True:
        query = {"limit": 10} | ({"cursor": cursor} if cursor else {})
        page = house.call("search_patients", body={"text": "berg"}, query=query).body
        seen += [each["patient"]["id"] for each in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        making.registered(house, family_name="Berg")
    assert known <= set(seen)
    assert len(seen) == len(set(seen))


def test_a_cursor_holds_a_score_and_an_id_and_nothing_that_was_typed(house):
    records = [making.registered(house, family_name="Berg", birth_date="1950-05-05") for _ in range(2)]
    search = {"text": "berg", "birth_date": "1950-05-05"}
    cursor = house.call("search_patients", body=search, query={"limit": 1}).body["next_cursor"]
    other = house.call("search_patients", body={"text": "berg"}, query={"limit": 1}).body["next_cursor"]
    assert cursor == other
    (_, held) = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    assert held[0] == 100 - 1
    assert held[1] in {record["id"] for record in records}


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "eyJhIjoxfQ"])
def test_a_cursor_of_nowhere_is_refused(house, cursor):
    assert house.call("search_patients", body={"text": "berg"}, query={"cursor": cursor}).status == 400


def test_a_search_is_audited_with_what_it_showed(house):
    record = making.registered(house, family_name="Berg")
    making.registered(house)
    making.found(house, text="berg")
    entry = orjson.loads(making.rows(house, "outbox")[-1]["event"])
    assert (entry["type"], entry["data"]["action"], entry["data"]["found"]) == (
        "audit.recorded.v1",
        "search",
        [record["id"]],
    )
    assert "berg" not in str(entry).lower()


def test_more_than_can_be_ranked_is_said(house, postgres_url):
    making.registered(house, family_name="Many")
    making.multiply(postgres_url, 600)
    got = house.call("search_patients", body={"text": "many"}, query={"limit": 200}).body
    assert (len(got["items"]), got["truncated"]) == (200, True)


def test_nothing_to_search_for_is_refused(house):
    for body in ({}, {"text": "--"}, {"include_inactive": True}):
        got = house.call("search_patients", body=body)
        assert (got.status, got.body["code"]) == (422, "nothing_to_search")
