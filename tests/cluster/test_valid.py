"""What Helm and Kubernetes themselves want of manifests, and that the same values always make the same ones."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

import helm_python
import jsonschema_rs
import kubernetes_validate
import pytest

from tests.cluster.rendering import (
    CHART,
    NEWEST,
    OLDEST,
    chart,
    documents,
    merged,
    named,
    of_kind,
    pods,
    texts,
    values_of,
)

SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
OF_OTHERS = {"HTTPRoute", "PodMonitor", "PrometheusRule"}  # their schemas come with their CRDs


@functools.cache
def validator(version: str, kind: str, api: str) -> Any:
    """The strict schema of one kind: a field that Kubernetes does not know is refused too."""
    folder = SCHEMAS / f"v{version}.0-local-strict"
    group, _, number = api.rpartition("/")
    name = f"{kind.lower()}-{group.partition('.')[0] + '-' if group else ''}{number}.json"
    schema = json.loads((folder / name).read_text(encoding="utf-8").replace("/api/_definitions.json#", "#"))
    definitions = json.loads(
        (folder / "_definitions.json").read_text(encoding="utf-8").replace("/api/_definitions.json#", "#")
    )
    del schema["$id"]
    return jsonschema_rs.Draft202012Validator({"$ref": "#/$defs/it", "$defs": {**definitions["$defs"], "it": schema}})


@pytest.mark.target("D-24")
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field_of_every_manifest(manifests, version):
    for document in manifests:
        if document["kind"] not in OF_OTHERS:
            check = validator(version, document["kind"], document["apiVersion"])
            errors = [
                f"{'/'.join(map(str, each.instance_path))}: {each.message}" for each in check.iter_errors(document)
            ]
            assert not errors, f"{named(document)}: {errors}"


def test_the_schemas_refuse_a_field_that_is_misspelt():
    """Else the test above would prove nothing."""
    (policy, *_) = of_kind(documents(values_of("demo")), "NetworkPolicy")
    assert not validator(OLDEST, "NetworkPolicy", "networking.k8s.io/v1").is_valid({**policy, "specs": {}})
    assert kubernetes_validate.latest_version().startswith(NEWEST)


@pytest.mark.target("D-25")
def test_helm_finds_nothing_to_say(profile):
    said = helm_python.lint(CHART, values_of(profile), strict=True, namespace="care")
    assert not [each for each in said["messages"] if each["severity"] > 1], said
    assert not said["errors"]


@pytest.mark.target("D-25")
def test_the_same_values_make_the_same_manifests(profile):
    """But for what is made at random once, and kept."""
    again = chart().render(values_of(profile), name="house", namespace="care")
    once = texts(values_of(profile))
    assert {name for name in once if once[name] != again[name]} <= {"infirmary/templates/secrets.yaml"}


@pytest.mark.target("D-25")
def test_an_upgrade_changes_no_field_that_cannot_be_changed():
    """Another version of everything: selectors, claims and Services stay, and a migration is another Job."""
    before = documents(values_of("demo"))
    after = documents(merged(values_of("demo"), {"image": {"tag": "9.9.9"}}), is_upgrade=True, revision=2)
    there = {named(each): each for each in before}
    for each in after:
        if each["kind"] in {"Deployment", "StatefulSet"}:
            old = there[named(each)]["spec"]
            assert each["spec"]["selector"] == old["selector"]
            assert each["spec"].get("volumeClaimTemplates") == old.get("volumeClaimTemplates")
            assert each["spec"].get("serviceName") == old.get("serviceName")
    jobs = {named(each) for each in of_kind(after, "Job")}
    assert jobs
    assert not jobs & set(there), "a Job cannot be changed: it must have another name"


@pytest.mark.target("D-16")
def test_labels_are_those_that_everybody_knows_and_selectors_hold_no_version(manifests):
    for document in manifests:
        labels = document["metadata"]["labels"]
        for name in ("name", "instance", "version", "component", "part-of", "managed-by"):
            assert labels[f"app.kubernetes.io/{name}"], named(document)
        assert len(document["metadata"]["name"]) <= 63
    for pod in pods(manifests):
        chosen = pod.owner["spec"].get("selector", {}).get("matchLabels", {})
        assert not {"helm.sh/chart", "app.kubernetes.io/version"} & set(chosen), pod.name


@pytest.mark.target("D-16")
def test_names_fit_however_long_the_release_is_called():
    found = documents({**values_of("demo"), "fullnameOverride": "a" * 30}, name="r" * 53)
    assert max(len(each["metadata"]["name"]) for each in found) <= 63
    assert len({named(each) for each in found}) == len(found)


@pytest.mark.target("D-16")
def test_names_are_unique_and_every_reference_leads_somewhere(manifests):
    names = [named(each) for each in manifests]
    assert len(set(names)) == len(names)
    there = {each["metadata"]["name"] for each in of_kind(manifests, "ConfigMap")}
    for pod in pods(manifests):
        volumes = pod.spec.get("volumes", [])
        sources = [*volumes, *(part for each in volumes for part in each.get("projected", {}).get("sources", []))]
        assert {each["configMap"]["name"] for each in sources if "configMap" in each} <= there, pod.name


@pytest.mark.target("D-16")
def test_what_is_common_reaches_every_object_and_what_is_extra_its_pod():
    extra = {
        "podAnnotations": {"note": "here"},
        "priorityClassName": "high",
        "nodeSelector": {"disk": "fast"},
        "tolerations": [{"key": "care", "operator": "Exists"}],
        "affinity": {"nodeAffinity": {}},
        "extraEnv": [{"name": "TZ", "value": "UTC"}],
        "extraVolumes": [{"name": "more", "emptyDir": {"sizeLimit": "1Mi"}}],
        "extraVolumeMounts": [{"name": "more", "mountPath": "/more"}],
    }
    common = {"commonLabels": {"team": "care"}, "commonAnnotations": {"owner": "care"}}
    values = merged(values_of("production"), {**common, "defaults": extra, "gateway": extra})
    for document in (found := documents(values)):
        assert document["metadata"]["labels"]["team"] == "care", named(document)
        assert document["metadata"]["annotations"]["owner"] == "care", named(document)
    for pod in pods(found):
        if pod.owner["kind"] == "Deployment":
            assert pod.owner["spec"]["template"]["metadata"]["annotations"]["note"] == "here"
            assert {
                name: pod.spec[name] for name in ("priorityClassName", "nodeSelector", "tolerations", "affinity")
            } == {name: extra[name] for name in ("priorityClassName", "nodeSelector", "tolerations", "affinity")}
            (container,) = pod.spec["containers"]
            assert extra["extraEnv"][0] in container["env"]
            assert extra["extraVolumeMounts"][0] in container["volumeMounts"]
            assert extra["extraVolumes"][0] in pod.spec["volumes"]


@pytest.mark.target("D-21")
def test_images_are_named_by_registry_tag_and_digest():
    digest = "sha256:" + "0" * 64
    image = {
        "registry": "mirror.example:5000/all",
        "tag": "1.2.3",
        "digests": {"patients": digest},
        "pullSecrets": ["pull"],
    }
    found = documents(merged(values_of("demo"), {"image": image}))
    names = {each["image"] for pod in pods(found) for each in pod.containers}
    assert f"mirror.example:5000/all/infirmary/patients@{digest}" in names
    assert "mirror.example:5000/all/infirmary/identity:1.2.3" in names
    assert "mirror.example:5000/all/library/postgres:16.9" in names
    assert all(name.startswith("mirror.example:5000/all/") for name in names)
    assert all(pod.spec["imagePullSecrets"] == [{"name": "pull"}] for pod in pods(found))
    policies = {each["imagePullPolicy"] for pod in pods(found) for each in pod.containers}
    assert policies == {"IfNotPresent"}


@pytest.mark.target("D-28")
def test_the_chart_says_what_it_is_and_bundles_no_definitions():
    import yaml

    about = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    assert about["kubeVersion"].startswith(f">={OLDEST}")
    assert {"artifacthub.io/license", "artifacthub.io/changes"} <= set(about["annotations"])
    assert not (CHART / "crds").exists()
    assert texts(values_of("demo"))
