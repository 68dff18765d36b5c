"""How `make cluster-lint` judges; checkov itself is run there and by .ci/run."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.cluster import linting
from tests.cluster.linting import Finding
from tests.cluster.rendering import ROOT

OPEN = Finding("CKV_K8S_99", "demo/Deployment/house-infirmary-patients", "Something is open")
WAIVER = {"check": "CKV_K8S_99", "says": "Something is open", "why": "It is meant to be."}


def report(check_type: str, **summary: int) -> dict[str, Any]:
    return {
        "check_type": check_type,
        "summary": {"passed": 9, "parsing_errors": 0, **summary},
        "results": {"failed_checks": []},
    }


def test_a_finding_that_nobody_has_waived_is_wrong():
    assert linting.judged([OPEN], []) == [f"CKV_K8S_99 at {OPEN.place}: Something is open"]
    assert linting.judged([OPEN], [WAIVER]) == []
    assert linting.judged([OPEN], [{**WAIVER, "where": "demo/.+"}]) == []


def test_a_waiver_is_for_its_place_only_and_one_of_nothing_is_wrong():
    elsewhere = {**WAIVER, "where": "production/.+"}
    assert len(linting.judged([OPEN], [elsewhere])) == 2
    assert linting.judged([], [WAIVER]) == ["CKV_K8S_99 is waived, and nothing needs it"]


def test_what_checkov_could_not_read_is_no_good_result():
    with pytest.raises(ValueError, match="could not read"):
        linting.findings([report("kubernetes", parsing_errors=1), report("dockerfile")])
    with pytest.raises(ValueError, match="could not read"):
        linting.findings([report("kubernetes", passed=0), report("dockerfile")])
    with pytest.raises(ValueError, match="not read both"):
        linting.findings(report("kubernetes"))


def test_a_place_is_a_profile_a_kind_and_a_name():
    failed = {"check_id": "CKV_K8S_8", "check_name": "x", "file_path": "/demo.yaml", "resource": "Pod.care.a.b"}
    of_docker = {"check_id": "CKV_DOCKER_2", "check_name": "y", "file_path": "/Dockerfile", "resource": "/Dockerfile."}
    found = linting.findings(
        [
            {**report("kubernetes"), "results": {"failed_checks": [failed]}},
            {**report("dockerfile"), "results": {"failed_checks": [of_docker]}},
        ]
    )
    assert [each.place for each in found] == ["demo/Pod/a.b", "Dockerfile"]


def test_every_waiver_has_a_check_what_it_says_and_a_reason():
    for waiver in linting.waivers():
        assert set(waiver) - {"where"} == {"check", "says", "why"}
        assert len(waiver["why"]) > 20
        for number in re.findall(r"D-\d+", waiver["why"]):
            assert f"**{number} " in (ROOT / "DECISIONS.md").read_text(encoding="utf-8")
