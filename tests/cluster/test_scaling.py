"""How many of each there are, and what may be taken away at once."""

from __future__ import annotations

import pytest

from tests.cluster.rendering import MANY, deployments, documents, named, of_kind, rendered, selects, values_of


@pytest.mark.target("D-06")
@pytest.mark.parametrize("profile", MANY)
def test_production_has_at_least_two_of_everything(profile):
    found = rendered(profile)
    scalers = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"] for each in of_kind(found, "HorizontalPodAutoscaler")
    }
    for pod in deployments(found):
        name = pod.owner["metadata"]["name"]
        least = scalers[name]["minReplicas"] if name in scalers else pod.owner["spec"]["replicas"]
        assert least >= 2, name


@pytest.mark.target("D-07")
def test_a_node_can_always_be_drained_and_takes_one_pod_of_a_kind(manifests):
    budgets = of_kind(manifests, "PodDisruptionBudget")
    guarded = set()
    for budget in budgets:
        spec = budget["spec"]
        assert spec["maxUnavailable"] == 1
        assert spec["unhealthyPodEvictionPolicy"] == "AlwaysAllow"
        (pod,) = [each for each in deployments(manifests) if selects(spec["selector"], each.labels)]
        guarded.add(pod.name)
    scaled = {each["spec"]["scaleTargetRef"]["name"] for each in of_kind(manifests, "HorizontalPodAutoscaler")}
    for pod in deployments(manifests):
        several = pod.owner["spec"].get("replicas", 0) > 1 or pod.owner["metadata"]["name"] in scaled
        assert (pod.name in guarded) == several, pod.name


@pytest.mark.target("D-09")
def test_scaling_is_slow_to_take_away_and_never_contradicts_a_number_of_replicas():
    found = rendered("ha")
    targets = {pod.owner["metadata"]["name"]: pod for pod in deployments(found)}
    scalers = of_kind(found, "HorizontalPodAutoscaler")
    assert {each["spec"]["scaleTargetRef"]["name"] for each in scalers} == set(targets)
    for scaler in scalers:
        spec = scaler["spec"]
        target = targets[spec["scaleTargetRef"]["name"]]
        assert "replicas" not in target.owner["spec"], named(scaler)
        assert spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"] == 300
        assert spec["minReplicas"] <= spec["maxReplicas"]
        kind = "Pods" if target.component.endswith("-worker") else "Resource"
        assert spec["metrics"][0]["type"] == kind, "workers scale on what waits, web processes on CPU"


@pytest.mark.target("D-09")
def test_the_metric_that_workers_scale_on_is_one_that_they_have():
    from services.chassis.bus import counts
    from tests.architecture import tree

    metric = values_of("ha")["defaults"]["worker"]["autoscaling"]["metrics"][0]["pods"]["metric"]["name"]
    assert f'"{metric}"' in (tree.ROOT / counts.__file__).read_text(encoding="utf-8")


def test_budgets_can_be_left_out():
    values = {**values_of("production"), "podDisruptionBudget": {"enabled": False}}
    assert not of_kind(documents(values), "PodDisruptionBudget")
