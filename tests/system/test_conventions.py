"""What is alike in every service, tried on every operation of the running house that it concerns."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import yaml

from services.chassis.spec import Operation
from services.chassis.testing import Got
from tests.contract.contracts import CONTRACTS, OPENAPI, OPERATIONS, named, schema_of
from tests.contract.requests import properties
from tests.system.growing import GROWING, Growing
from tests.system.visit import Service, Visit
from tests.waiting import wait_for

VERSIONED = [operation for operation in OPERATIONS if operation.takes_version]
SHARED = {
    each["name"]: each
    for name, each in yaml.safe_load((OPENAPI / "common.yaml").read_text("utf-8"))["components"]["parameters"].items()
    if name in {"Limit", "Cursor"}
}
BEFOREHAND = 5  # items that a list has before somebody walks it
PAGES = 20  # about so many, however long a list has become by what other tests have made


def members(operation: Operation) -> Mapping[str, Any]:
    """What the answer of an operation has, by name."""
    contract = CONTRACTS[operation.service]
    _, answer = operation.success
    schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
    return contract.resolve(schema).get("properties", {})


LISTS = [operation for operation in OPERATIONS if "next_cursor" in members(operation)]


# --- versions


def reading(operation: Operation) -> Operation:
    """The operation that shows what another one changes: the nearest address above it that can be read."""
    readable = {each.path: each for each in CONTRACTS[operation.service].operations.values() if each.method == "GET"}
    path = operation.path
    while path not in readable:
        path = path.rpartition("/")[0]
    return readable[path]


@pytest.mark.row("API-05")
@pytest.mark.parametrize("operation", VERSIONED, ids=named)
def test_a_write_counts_only_on_the_version_that_it_names(visit, operation):
    journey, name, shown = visit(), operation.operation_id, reading(operation).operation_id
    journey.prepare(name)
    before = journey.perform(shown)
    version = before.body["version"]

    refused(journey.perform(name, version=None), 428, "precondition_required")
    for other in {version + 1, max(version - 1, 1)} - {version}:
        refused(journey.perform(name, version=other), 412, "stale_version")
    assert journey.perform(shown).body == before.body

    done = journey.perform(name, version=version)
    assert 200 <= done.status < 300, (done.status, done.body)
    after = journey.perform(shown)
    if after.status == 404:
        return  # it took the thing away
    assert after.body["version"] == version + 1
    assert after.headers["etag"] == f'"{version + 1}"'

    refused(journey.perform(name, version=version), 412, "stale_version")
    assert journey.perform(shown).body == after.body


def refused(got: Got, status: int, code: str) -> None:
    assert (got.status, got.body["code"]) == (status, code)
    assert got.headers["content-type"] == "application/problem+json"


# --- pages


@pytest.mark.row("API-04")
@pytest.mark.parametrize("operation", LISTS, ids=named)
def test_a_list_is_read_page_by_page_as_a_whole_while_it_grows(services, visit, operation):
    journey = visit()
    assert not SHARED.keys() & asked_in_body(operation), "limit and cursor belong into the query"
    if not paging(operation):
        assert journey.perform(operation.operation_id).body["next_cursor"] is None, "it has pages, and takes no cursor"
        return
    assert paging(operation) == SHARED, "limit and cursor are not those of common.yaml"
    growing = GROWING.get(operation.operation_id)
    assert growing, f"{operation.operation_id} has pages: say in GROWING how one more item is made, so that it is tried"

    listed = Listed(services[operation.service], operation, journey, growing)
    for _ in range(BEFOREHAND):
        growing.one_more(journey)
    if growing.comes_later:
        wait_for(lambda: len(listed.walk(limit=200)) >= BEFOREHAND, within_s=20, what="what was done is listed")
    there = listed.walk(limit=200)
    assert len(there) >= BEFOREHAND

    walked = listed.walk(limit=max(3, len(there) // PAGES), between=lambda: growing.one_more(journey))
    assert [each for each in walked if each in set(there)] == there
    assert len(walked) == len(set(walked)), "an item came twice"
    again = listed.walk(limit=200)
    assert [each for each in again if each in set(walked)] == walked, "the order is another one"
    listed.refuses_alike()


@dataclass(frozen=True)
class Listed:
    """One list, as a client reads it."""

    service: Service
    operation: Operation
    journey: Visit
    growing: Growing

    def ask(self, **query: Any) -> Got:
        """One page."""
        names = [each["name"] for each in self.operation.parameters if each["in"] == "path"]
        return self.service.call(
            self.operation.operation_id,
            query=self.growing.query(self.journey) | query,
            body=self.growing.body(self.journey),
            **self._actor,
            **{name: self.journey.need(name) for name in names},
        )

    @property
    def _actor(self) -> dict[str, str]:
        """The person of the journey where a list is about the own account; else one of those who take turns."""
        is_own = (self.operation.permission or "").startswith("account.")
        return self.journey.actor(self.operation) if is_own else {}

    def walk(self, *, limit: int, between: Callable[[], object] = lambda: None) -> list[str]:
        """All items from the first page to the last, with something that happens between the pages."""
        found, query = [], {"limit": limit}
        while True:
            page = self.ask(**query)
            assert page.status == 200, (page.status, page.body)
            assert len(page.body["items"]) <= limit
            found += [json.dumps(each, sort_keys=True) for each in page.body["items"]]
            if page.body["next_cursor"] is None:
                return found
            assert page.body["items"], "a page before the last one is empty"
            query["cursor"] = page.body["next_cursor"]
            between()

    def refuses_alike(self) -> None:
        """What is no page of this list is refused in the same words everywhere."""
        for limit in (0, 201):
            assert refusal(self.ask(limit=limit)) == (
                422,
                "invalid_request",
                [{"parameter": "limit", "rule": RULES[limit]}],
            )
        for cursor in ("bm93aGVyZQ", *written_by_hand(self.ask(limit=1).body["next_cursor"])):
            got = refusal(self.ask(cursor=cursor))
            assert got == (400, "malformed_request", [{"parameter": "cursor", "rule": "cursor"}])
        assert refusal(self.ask(order_by="name")) == (400, "malformed_request", [{"rule": "unknown_parameter"}])


RULES = {0: "minimum", 201: "maximum"}


def refusal(got: Got) -> tuple[int, str, list[dict[str, str]]]:
    return got.status, got.body["code"], got.body["errors"]


def written_by_hand(cursor: str) -> Iterator[str]:
    """Cursors with the mark of a list and sort keys that it never had."""
    mark, keys = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    for wrong in ([], [None] * len(keys), [{}] * len(keys), ["x"] * len(keys), [*keys, 1]):
        yield base64.urlsafe_b64encode(json.dumps([mark, wrong]).encode()).rstrip(b"=").decode()


def asked_in_body(operation: Operation) -> set[str]:
    """The names in the body of a search; none where there is no body."""
    return set(properties(CONTRACTS[operation.service].resolve(schema_of(operation) or {}), operation))


def paging(operation: Operation) -> dict[str, Any]:
    """The parameters by which an operation is paged, as its contract has them."""
    return {each["name"]: each for each in operation.parameters if each["name"] in {"limit", "cursor"}}
