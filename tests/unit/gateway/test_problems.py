"""What the gateway answers by itself is the Problem that the contracts promise."""

from __future__ import annotations

import pytest

from gateway import problems
from tests.architecture import tree

RESPONSES = tree.contract("common")["components"]["responses"]
EXAMPLES = [answer["content"]["application/problem+json"]["example"] for answer in RESPONSES.values()]
SHARED = {408, 400, 401, 403, 404, 413, 429, 500, 503, 504} & {example["status"] for example in EXAMPLES}


@pytest.mark.parametrize("status", sorted(SHARED))
def test_code_and_title_are_those_of_the_contracts(status):
    (ours,) = [problem for problem in problems.PROBLEMS if problem.status == status]
    assert (ours.code, ours.title) in {(each["code"], each["title"]) for each in EXAMPLES if each["status"] == status}


@pytest.mark.parametrize("mapper", problems.mappers())
def test_every_answer_has_exactly_the_required_members(mapper):
    schema = tree.contract("common")["components"]["schemas"]["Problem"]
    body = mapper["body_format_override"]["json_format"]
    assert set(body) == set(schema["required"])
    assert body["type"] == f"urn:infirmary:problem:{body['code']}"
    assert body["status"] == mapper["status_code"]


def test_what_passes_says_when_to_come_back():
    again = {problem.status for problem in problems.PROBLEMS if dict(problem.headers).get("retry-after")}
    assert again == {503}  # the limits add it to their 429 themselves
