"""For those who deploy without Helm: the base is what the chart makes, and every overlay fits on it."""

from __future__ import annotations

import copy
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import needs
from tests.architecture import tree
from tests.cluster.edges import GRAPH
from tests.cluster.rendering import ROOT, Document, named, of_kind, pods
from tests.cluster.test_secrets import places
from tests.cluster.test_valid import validator

K8S = ROOT / "k8s"
OVERLAYS = sorted(path.name for path in (K8S / "overlays").iterdir())
OURS = {*tree.programs(), "gateway"}


def read(path: Path) -> list[Document]:
    return [each for each in yaml.load_all(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader) if each]


def built(folder: Path) -> list[Document]:
    """What kustomize makes of a folder, as far as ours use it: resources, patches by JSON 6902, images, namespace.

    Anything else in a kustomization is refused, and so is a patch that finds nothing.
    """
    (kinds,) = read(folder / "kustomization.yaml")
    assert set(kinds) <= {"apiVersion", "kind", "namespace", "resources", "patches", "images"}, folder
    found: list[Document] = []
    for name in kinds["resources"]:
        path = folder / name
        found += built(path) if path.is_dir() else copy.deepcopy(read(path))
    for patch in kinds.get("patches", []):
        target = patch["target"]
        hit = [
            each
            for each in found
            if each["kind"] == target["kind"] and re.fullmatch(target.get("name", ".*"), each["metadata"]["name"])
        ]
        assert hit, f"{folder}: nothing is {target}"
        for each in hit:
            for step in yaml.safe_load(patch["patch"]):
                apply(each, **step)
    for image in kinds.get("images", []):
        rename(found, image)
    for each in found:
        if "namespace" in kinds:
            each["metadata"]["namespace" if each["kind"] != "Namespace" else "name"] = kinds["namespace"]
    return found


def apply(document: Document, *, op: str, path: str, value: Any) -> None:
    """One step of JSON 6902; to replace what is not there is an error, as kustomize has it."""
    *way, last = [part.replace("~1", "/").replace("~0", "~") for part in path.strip("/").split("/")]
    place: Any = document
    for part in way:
        place = place[int(part)] if isinstance(place, list) else place[part]
    if isinstance(place, list):
        place.insert(len(place) if last == "-" else int(last), value)
        return
    assert op == "add" or last in place, f"{named(document)} has no {path}"
    place[last] = value


def rename(found: list[Document], image: dict[str, str]) -> None:
    used = [each for pod in pods(found) for each in pod.containers if each["image"].rpartition(":")[0] == image["name"]]
    assert used, f"no container has the image {image['name']}"
    for container in used:
        container["image"] = f"{image['newName']}:{container['image'].rpartition(':')[2]}"  # type: ignore[index]


def test_the_base_is_what_the_chart_makes():
    said = subprocess.run([sys.executable, K8S / "render", "--check"], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr


def test_the_base_is_free_of_helm():
    for document in built(K8S / "base"):
        assert not [name for name in document["metadata"].get("annotations", {}) if name.startswith("helm.sh/hook")]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_an_overlay_fits_and_kubernetes_knows_every_field_of_it(overlay):
    found = built(K8S / "overlays" / overlay)
    names = [named(each) for each in found]
    assert len(set(names)) == len(names)
    for document in found:
        errors = list(validator("1.29", document["kind"], document["apiVersion"]).iter_errors(document))
        assert not errors, f"{named(document)}: {errors[0].message}"


@pytest.mark.target("D-01")
@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_namespace_enforces_the_restricted_standard_and_holds_everything(overlay):
    found = built(K8S / "overlays" / overlay)
    (namespace,) = of_kind(found, "Namespace")
    for mode in ("enforce", "warn", "audit"):
        assert namespace["metadata"]["labels"][f"pod-security.kubernetes.io/{mode}"] == "restricted"
    inside = {each["metadata"]["namespace"] for each in found if each["kind"] != "Namespace"}
    assert inside == {namespace["metadata"]["name"]}


@pytest.mark.parametrize(
    ("overlay", "address"),
    [
        ("dev", "http://127.0.0.1:8080"),
        ("production", "https://infirmary.example.org"),
        ("staging", "https://staging.infirmary.example.org"),
    ],
)
def test_the_web_ui_is_told_where_people_find_it(overlay, address):
    found = pods(built(K8S / "overlays" / overlay))
    (container,) = [pod.spec["containers"][0] for pod in found if pod.component == "frontend"]
    assert [each["value"] for each in container["env"] if each["name"] == "PUBLIC_URL"] == [address]


def test_without_internet_every_image_comes_from_the_mirror():
    for pod in pods(built(K8S / "overlays" / "air-gapped")):
        assert pod.spec["imagePullSecrets"] == [{"name": "mirror"}]
        for container in pod.containers:
            assert container["image"].startswith("registry.cellar.example/"), pod.name


def test_the_secrets_that_are_made_are_those_that_are_mounted():
    addresses = {store: f"{store}://SERVICE@here" for store in ("bus", "mongodb", "postgresql", "records")}
    options = [word for store, address in addresses.items() for word in (f"--{store}", address)]
    said = subprocess.run([sys.executable, K8S / "secrets", *options], capture_output=True, text=True, check=True)
    made = {each["metadata"]["name"]: each["stringData"] for each in yaml.safe_load_all(said.stdout)}
    assert len(made) == len(GRAPH["services"])
    for pod in pods(built(K8S / "overlays" / "dev")):
        if "infirmary/service" in pod.labels:
            for setting, (name, key) in places(pod).items():
                assert made[name][key], f"{pod.name}: {setting}"
    assert made["infirmary-patients"]["DATABASE_URL"] == "postgresql://patients@here"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubectl_makes_the_same_where_it_is(overlay):
    kubectl = needs.find("kubectl")  # without it, what ours uses of kustomize is followed in this file
    folder = K8S / "overlays" / overlay
    said = subprocess.run([kubectl, "kustomize", folder], capture_output=True, text=True, check=True)
    theirs = {named(each): each for each in yaml.safe_load_all(said.stdout)}
    assert theirs == {named(each): each for each in built(folder)}


# ---- skaffold -------------------------------------------------------------------------------------------------------
# Its program and its schema are in no package that the tests could install: words and references are held against what
# it documents and what is there.

# What ours uses of skaffold.yaml, v4beta11: where, and which words.
# Source: skaffold.dev/docs/references/yaml, version v4beta11.
WORDS: dict[str, set[str]] = {
    "": {"apiVersion", "kind", "metadata", "build", "deploy"},
    "metadata": {"name"},
    "build": {"tagPolicy", "local", "artifacts"},
    "build.tagPolicy": {"inputDigest"},
    "build.tagPolicy.inputDigest": set(),
    "build.local": {"push", "concurrency"},
    "build.artifacts": {"image", "docker", "sync"},
    "build.artifacts.docker": {"dockerfile", "buildArgs"},
    "build.artifacts.docker.buildArgs": {"SERVICE"},
    "build.artifacts.sync": {"manual", "hooks"},
    "build.artifacts.sync.manual": {"src", "dest"},
    "build.artifacts.sync.hooks": {"after"},
    "build.artifacts.sync.hooks.after": {"container"},
    "build.artifacts.sync.hooks.after.container": {"command"},
    "deploy": {"helm"},
    "deploy.helm": {"releases"},
    "deploy.helm.releases": {
        *("name", "namespace", "createNamespace", "chartPath", "valuesFiles", "wait", "setValueTemplates")
    },
    "deploy.helm.releases.setValueTemplates": {f"image.references.{name}" for name in OURS},
}


def test_skaffold_is_told_in_words_that_it_knows():
    def look(place: str, value: object) -> None:
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict):
                assert set(each) <= WORDS[place], place
                for name, inner in each.items():
                    if place != "deploy.helm.releases.setValueTemplates":
                        look(f"{place}.{name}".lstrip("."), inner)

    look("", skaffold())
    assert (skaffold()["apiVersion"], skaffold()["kind"]) == ("skaffold/v4beta11", "Config")


def skaffold() -> Document:
    (found,) = read(ROOT / "skaffold.yaml")
    return found


def test_skaffold_builds_one_image_a_service_from_the_one_dockerfile():
    for artifact in skaffold()["build"]["artifacts"]:
        name = artifact["image"].removeprefix("infirmary/")
        assert artifact["docker"] == {"dockerfile": "Dockerfile", "buildArgs": {"SERVICE": name}}
        for rule in artifact.get("sync", {}).get("manual", []):
            assert any(ROOT.glob(rule["src"])), rule["src"]
            assert rule["dest"] == "/app"


def test_skaffold_gives_each_image_to_the_chart_under_its_name():
    (release,) = skaffold()["deploy"]["helm"]["releases"]
    given = release["setValueTemplates"]
    assert given == {f"image.references.{n}": "{{.IMAGE_FULLY_QUALIFIED_infirmary_" + n + "}}" for n in OURS}
    assert all((ROOT / path).exists() for path in [release["chartPath"], *release["valuesFiles"]])
