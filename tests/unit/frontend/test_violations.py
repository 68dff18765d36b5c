"""Which rule a report of a browser is about."""

from __future__ import annotations

import pytest

from frontend.violations import OTHER, rule


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"effective-directive": "script-src-elem", "blocked-uri": "https://elsewhere.example/x"}, "script-src-elem"),
        ({"violated-directive": "img-src 'self' data:"}, "img-src"),
        ({"effective-directive": "Ada Example, born in 1990"}, OTHER),
        ({"effective-directive": ["img-src"]}, OTHER),
        ({}, OTHER),
    ],
)
def test_only_rules_that_there_are_are_told(body, expected):
    assert rule({"csp-report": body}) == expected


@pytest.mark.parametrize("report", [None, [], "img-src", 7, {}, {"csp-report": "img-src"}])
def test_what_is_no_report_is_none(report):
    assert not rule(report)
