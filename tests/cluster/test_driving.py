"""How `make cluster-test` drives a cluster: its calls by a real kubectl and Helm, to an API server in memory.

What only pods can show (that they start, and that no request fails) is left to a real cluster.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import needs
from tests.cluster import driving
from tests.cluster.api import Cluster, serving
from tests.cluster.cluster_answers import kubeconfig
from tests.cluster.edges import WEB, may
from tests.cluster.rendering import OLDEST, deployments, documents, pods, rendered, values_of
from tests.cluster.test_valid import validator


class Speaking(Cluster):
    """A cluster in which the load says more each time that it is asked, as it does where time passes."""

    def __init__(self, *, failed: int) -> None:
        super().__init__()
        self._asked, self._failed = 0, failed

    @property
    def log(self) -> str:  # type: ignore[override]
        self._asked += 1
        return json.dumps({"asked": self._asked, "failed": self._failed})

    @log.setter
    def log(self, _: str) -> None:
        """It is said anew each time."""


@pytest.fixture
def current(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """A cluster in which everything does well but what the load counts, as the current context."""
    needs.find("kubectl")
    cluster = Speaking(failed=request.param)
    with serving(cluster) as url:
        (tmp_path / "config").write_text(kubeconfig(url), encoding="utf-8")
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
        monkeypatch.setenv("HOME", str(tmp_path))
        yield cluster


def rolled(cluster: Cluster) -> set[str]:
    return {path.rpartition("/")[2] for verb, path in cluster.asked if verb == "PATCH" and "/deployments/" in path}


@pytest.mark.parametrize("current", [0], indirect=True)
def test_it_installs_tests_rolls_every_deployment_and_leaves_nothing(current: Cluster, capsys):
    assert driving.main(storage="memory") == 0, capsys.readouterr().out
    titles = [line.partition(":")[0] for line in capsys.readouterr().out.splitlines() if not line.startswith(" ")]
    assert titles[1:] == ["installed and ready", "helm test", "every Deployment rolled under load, no request failed"]
    assert {pod.owner["metadata"]["name"] for pod in deployments(rendered("demo"))} <= rolled(current)
    assert any("house-infirmary-tests" in path for _, path in current.asked)
    assert current.objects == {}


@pytest.mark.nightly
@pytest.mark.parametrize("current", [3], indirect=True)
def test_requests_that_failed_are_a_failure_and_nothing_stays_all_the_same(current: Cluster, capsys):
    assert driving.main(storage="memory") == 1
    assert "failed: requests failed while Deployments were rolled" in capsys.readouterr().out
    assert current.objects == {}


def test_without_a_current_context_it_says_what_it_wants(tmp_path, monkeypatch, capsys):
    needs.find("kubectl")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert driving.main() == 2
    assert "wants a current context" in capsys.readouterr().err


def test_the_load_is_a_pod_as_restricted_as_all_and_may_ask_the_gateway_only():
    values = values_of("demo")
    made = driving.load("care", values)
    for each in made:
        assert list(validator(OLDEST, each["kind"], each["apiVersion"]).iter_errors(each)) == []
    found = documents(values)
    (load,) = pods(made)
    (test,) = [each for each in pods(found) if each.component == "tests"]
    assert load.spec["securityContext"] == test.spec["securityContext"]
    for mine, theirs in zip(load.containers, test.containers, strict=True):
        assert (mine["securityContext"], mine["image"]) == (theirs["securityContext"], theirs["image"])
    reached = {each.component for each in pods(found) if may(found, load, each, WEB)}
    assert reached == {"gateway"}
    (config,) = [each for each in made if each["kind"] == "ConfigMap"]
    assert set(config["data"]) == {"journey.py", "load.py"}
