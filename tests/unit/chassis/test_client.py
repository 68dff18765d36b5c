"""Calls to other services: addresses and answers, before any socket."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as some

from services.chassis import http, spec
from services.chassis.client import Client, Reply, _address, _Failure, _reply, _Target

TARGET = _Target("peer", "GET", "/api/v1/things/{thing_id}/parts/{part_id}", "http://peer:8080")
texts = some.text(alphabet=some.characters(blacklist_categories=["Cs"]), min_size=1).filter(
    lambda t: t not in (".", "..")
)


@given(texts, texts)
def test_whatever_stands_in_a_path_parameter_arrives_as_it_is_in_one_segment(thing: str, part: str) -> None:
    parts = urlsplit(_address(TARGET, {"thing_id": thing, "part_id": part}, {}))
    assert (parts.scheme, parts.netloc, parts.query, parts.fragment) == ("http", "peer:8080", "", "")
    segments = parts.path.split("/")
    assert len(segments) == 7
    assert (unquote(segments[4]), unquote(segments[6])) == (thing, part)


@given(some.dictionaries(some.sampled_from(["limit", "cursor"]), some.one_of(texts, some.integers())))
def test_query_parameters_never_leave_the_query(query: dict[str, object]) -> None:
    parts = urlsplit(_address(TARGET, {"thing_id": 1, "part_id": 2}, query))
    assert parts.path == "/api/v1/things/1/parts/2"
    assert parts.fragment == ""
    assert parts.query.count("=") == len(query)


def received(status: int, *, body: bytes = b"", **headers: str) -> http.Received:
    return http.Received(status, {name.replace("_", "-"): value for name, value in headers.items()}, body)


@pytest.mark.parametrize(
    ("answer", "reply"),
    [
        (received(200, body=b"[1]", content_type="application/json"), Reply(200, [1], {})),
        (received(404, body=b"{}", content_type="application/problem+json; charset=utf-8"), Reply(404, {}, {})),
        (received(200, body=b"<p>", content_type="text/html"), Reply(200, None, {})),
        (received(204), Reply(204, None, {})),
    ],
)
def test_only_json_is_read_as_json(answer: http.Received, reply: Reply) -> None:
    found = _reply(answer)
    assert (found.status, found.body) == (reply.status, reply.body)


@pytest.mark.parametrize("status", [100, 301, 302, 307, 500, 501, 502, 503, 504, 599])
def test_redirects_and_faults_of_the_peer_are_no_answers(status: int) -> None:
    with pytest.raises(_Failure) as failure:
        _reply(received(status, location="http://elsewhere.example/"))
    assert failure.value.counts


def test_a_service_without_a_contract_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(spec.ContractError):
        Client(tmp_path, urls={"nobody": "http://127.0.0.1:1"})
