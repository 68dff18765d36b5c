"""Secrets: where each comes from, that those that were made stay, and that none is anywhere else."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any

import helm_python
import pytest
import yaml

from services.chassis import config
from services.chassis.cli import build
from standalone.servers.redis import SERVICE_RIGHTS
from tests.architecture import tree
from tests.cluster.cluster_answers import ACCOUNT, answering
from tests.cluster.rendering import (
    CHART,
    GENERATED,
    Pod,
    Wrong,
    chart,
    documents,
    merged,
    of_kind,
    pods,
    rendered,
    texts,
    values_of,
)


def generated(found: Any) -> dict[str, str]:
    """What the Secret of the chart holds."""
    (secret,) = of_kind(list(found), "Secret")
    assert secret["metadata"]["name"] == GENERATED
    assert secret["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    return {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}


def places(pod: Pod) -> dict[str, tuple[str, str]]:
    """Secret and key of each file that a pod mounts."""
    found = {}
    for volume in pod.spec["volumes"]:
        for source in volume.get("projected", {}).get("sources", []):
            for item in source["secret"]["items"]:
                found[item["path"]] = (source["secret"]["name"], item["key"])
    return found


def ours(found: Any) -> list[Pod]:
    return [pod for pod in pods(list(found)) if "infirmary/service" in pod.labels]


@pytest.mark.target("D-12")
@pytest.mark.parametrize("profile", ["demo", "production"])
def test_a_service_starts_with_exactly_what_its_pod_is_given(profile, tmp_path):
    """Settings are read by the service itself, from files like those that are mounted."""
    manifests = rendered(profile)
    made = generated(manifests) if of_kind(manifests, "Secret") else {}
    for pod in ours(manifests):
        if pod.component not in tree.programs():
            continue  # the worker and the migration are given the same: see below
        (container,) = pod.spec["containers"]
        environ = {each["name"]: each["value"] for each in container["env"]}
        for setting, (name, key) in places(pod).items():
            file = tmp_path / f"{pod.owner['metadata']['name']}-{setting}"
            file.write_text(made[key] if name == GENERATED else invented(setting, pod.labels["infirmary/service"]))
            assert environ[f"{setting}_FILE"] == f"/run/secrets/infirmary/{setting}"
            environ[f"{setting}_FILE"] = str(file)
        built = build(pod.labels["infirmary/service"], environ)
        for close in built.close:
            close()


def test_all_processes_of_a_service_are_given_the_same(manifests):
    given: dict[str, list[Any]] = {}
    for pod in ours(manifests):
        for container in pod.containers:
            if "env" in container and container["name"] != "provide":
                given.setdefault(pod.labels["infirmary/service"], []).append((container["env"], places(pod)))
    assert all(each == found[0] for found in given.values() for each in found)


def invented(setting: str, service: str) -> str:
    """Something of the right kind, as an operator would give it."""
    if setting == "DATABASE_URL":
        return "mongodb://a:b@store/history" if service == "history" else "postgresql://a:b@store/db"
    if setting.endswith("_URL"):
        return "redis://a:b@store:6379/0"
    if setting == "MASTER_KEY":
        return base64.b64encode(bytes(range(32))).decode()
    if setting == "SERVICE_ACCOUNTS":
        return json.dumps({name: name.ljust(40, "x") for name in tree.services()})
    return setting.lower().ljust(40, "x")


def test_a_service_says_which_of_its_secrets_is_missing(tmp_path):
    """As the pod says it, once, when an operator's Secret lacks a key."""
    peers = {f"{name.upper()}_URL": f"http://{name}:8080" for name in ("doctors", "identity")}
    environ = {"DATABASE_URL_FILE": str(tmp_path / "DATABASE_URL"), **peers}
    with pytest.raises(config.SettingsError) as said:
        build("patients", environ)
    wanted = "BUS_URL is missing; DATABASE_URL is in a file that cannot be read; SERVICE_SECRET is missing"
    assert str(said.value) == wanted


@pytest.mark.target("D-12")
def test_what_stands_beside_the_services_has_one_process_and_no_account_of_theirs():
    found = rendered("demo")
    (pod,) = [each for each in ours(found) if each.labels["infirmary/service"] == "frontend"]
    assert (pod.owner["kind"], set(places(pod))) == ("Deployment", {"BUS_URL", "SESSION_SECRET"})
    assert len(generated(found)["frontend.SESSION_SECRET"]) >= 32
    assert not [each for each in generated(found) if each.startswith(("frontend.SERVICE", "postgresql.frontend"))]


@pytest.mark.parametrize(
    ("profile", "more", "address"),
    [
        ("demo", {}, "http://127.0.0.1:8080"),
        ("demo", {"gateway": {"tlsSecret": "front"}}, "https://127.0.0.1:8080"),
        ("production", {}, "https://infirmary.example.org"),
        (
            "demo",
            {"services": {"frontend": {"settings": {"PUBLIC_URL": "https://desk.example"}}}},
            "https://desk.example",
        ),
    ],
)
def test_people_find_the_web_ui_where_the_route_leads(profile, more, address):
    """The web UI takes a change from a page of this address only."""
    found = documents(merged(values_of(profile), more))
    (pod,) = [each for each in ours(found) if each.component == "frontend"]
    assert {"name": "PUBLIC_URL", "value": address} in pod.spec["containers"][0]["env"]


@pytest.mark.target("D-12")
def test_no_pod_mounts_what_belongs_to_another():
    for pod in ours(rendered("demo")):
        keys = {key for _, key in places(pod).values()}
        assert all(key.startswith(f"{pod.labels['infirmary/service']}.") for key in keys), pod.name


@pytest.mark.target("D-12")
def test_every_account_of_a_store_is_one_that_the_store_knows():
    made = generated(rendered("demo"))
    for role in ("bus", "records"):
        accounts = made[f"{role}.acl"].splitlines()
        assert accounts[0] == f"user default on >{made[f'{role}.password']} ~* &* +@all"
        for line in accounts[1:]:
            service = line.split()[1]
            assert line == f"user {service} on >{made[f'{role}.{service}']} {SERVICE_RIGHTS}"
    known = json.loads(made["identity.SERVICE_ACCOUNTS"])
    assert known == {service: made[f"{service}.SERVICE_SECRET"] for service in tree.services()}


@pytest.mark.target("D-12")
def test_what_was_made_stays_when_the_release_is_upgraded():
    first = texts(values_of("demo"))["infirmary/templates/secrets.yaml"]
    secret = yaml.safe_load(first)
    before = {name: base64.b64decode(value).decode() for name, value in secret["data"].items()}
    del secret["data"]["reports.SERVICE_SECRET"]  # a service that is new in this upgrade
    with (
        answering(secret) as kubeconfig,
        helm_python.Config(kubeconfig_content=kubeconfig, namespace="care") as cluster,
    ):
        second = cluster.render(chart(), values_of("demo"), name="house", namespace="care", is_upgrade=True, revision=2)
    found = yaml.safe_load(second["infirmary/templates/secrets.yaml"])["data"]
    after = {name: base64.b64decode(value).decode() for name, value in found.items()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"reports.SERVICE_SECRET", "identity.SERVICE_ACCOUNTS"}
    assert json.loads(after["identity.SERVICE_ACCOUNTS"])["reports"] == after["reports.SERVICE_SECRET"]


@pytest.mark.target("D-12")
def test_no_secret_is_anywhere_but_in_its_secret():
    found = rendered("demo")
    made = {value for value in generated(found).values() if len(value) >= 16}
    rest = yaml.safe_dump_all([each for each in found if each["kind"] != "Secret"])
    notes = texts(values_of("demo"))["infirmary/templates/NOTES.txt"]
    assert not [value for value in made if value in rest or value in notes]


@pytest.mark.target("D-12")
def test_the_profiles_for_keeping_data_make_no_secret_and_hold_none(profile, manifests):
    if profile in {"production", "ha", "openshift", "gitops"}:
        assert not of_kind(manifests, "Secret")
    held = re.compile(r"(?i)(password|secret|token|key):\s*[A-Za-z0-9+/_-]{16,}")
    for path in (CHART / "profiles").glob("*.yaml"):
        assert not held.search(re.sub(r"existingSecret:\s*\S+|tlsSecret:\s*\S+", "", path.read_text(encoding="utf-8")))


def test_a_single_setting_comes_from_where_an_operator_put_it():
    refs = {"DATABASE_URL": {"name": "patients-app", "key": "uri"}}
    optional = {"OIDC_CLIENT_SECRET": {"name": "provider", "key": "secret"}}
    values = merged(
        values_of("production"), {"services": {"patients": {"secretRefs": refs}, "identity": {"secretRefs": optional}}}
    )
    found = {pod.component: places(pod) for pod in ours(documents(values))}
    assert found["patients"]["DATABASE_URL"] == ("patients-app", "uri")
    assert found["patients"]["BUS_URL"] == ("infirmary-patients", "BUS_URL")
    assert found["identity-worker"]["OIDC_CLIENT_SECRET"] == ("provider", "secret")


def test_all_settings_without_a_place_are_named_at_once():
    values = merged(values_of("production"), {"services": {"reports": {"existingSecret": ""}}})
    with pytest.raises(Wrong) as said:
        documents(values)
    for setting in ("BUS_URL", "DATABASE_URL", "SERVICE_SECRET"):
        assert f"{setting} of reports has no place" in str(said.value)


# ---- what is not there ----------------------------------------------------------------------------------------------


def secret_with(name: str, *keys: str) -> dict[str, Any]:
    """A Secret of somebody else's, as a cluster tells of it."""
    about = {"name": name, "namespace": "care"}
    return {"apiVersion": "v1", "kind": "Secret", "metadata": about, "data": dict.fromkeys(keys, "eA==")}


def complete(values: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """All Secrets that the pods of a render mount, and that of `helm test`, by name."""
    wanted: dict[str, set[str]] = {"infirmary-tests": {"username", "password"}}
    for pod in ours(documents(values)):
        for name, key in places(pod).values():
            wanted.setdefault(name, set()).add(key)
    return {name: secret_with(name, *keys) for name, keys in wanted.items()}


def asked(values: dict[str, Any], *there: Mapping[str, Any]) -> None:
    """Render as `helm install` does, in a cluster that has these."""
    with (
        answering(*there) as kubeconfig,
        helm_python.Config(kubeconfig_content=kubeconfig, namespace="care") as cluster,
    ):
        cluster.render(chart(), values, name="house", namespace="care")


def test_all_secrets_and_keys_that_a_cluster_lacks_are_named_at_once_and_nothing_is_made():
    values = values_of("production")
    found = complete(values)
    asked(values, ACCOUNT, *found.values())
    del found["infirmary-patients"], found["infirmary-audit"]["data"]["CHECKPOINT_KEY"]
    with pytest.raises(helm_python.HelmError) as said:
        asked(values, ACCOUNT, *found.values())
    lines = {line for line in str(said.value).splitlines() if line.startswith("- ")}
    lacking = ("BUS_URL", "DATABASE_URL", "SERVICE_SECRET")
    assert lines == {
        "- the Secret infirmary-audit has no CHECKPOINT_KEY, which is wanted for CHECKPOINT_KEY of audit",
        *(f"- there is no Secret infirmary-patients; its {key} is wanted for {key} of patients" for key in lacking),
    }


def test_certificates_and_first_passwords_that_are_given_are_looked_for_too():
    more = {"gateway": {"tlsSecret": "front"}, "monitoring": {"grafana": {"existingSecret": "boards"}}}
    values = merged(values_of("demo"), more)
    with pytest.raises(helm_python.HelmError) as said:
        asked(values, ACCOUNT, secret_with("front", "tls.crt"))
    assert "the Secret front has no tls.key, which is wanted for HTTPS of the gateway" in str(said.value)
    assert "there is no Secret boards; its password is wanted for Grafana" in str(said.value)


def test_who_makes_secrets_later_says_so_and_who_asks_no_cluster_is_not_asked():
    asked(merged(values_of("production"), {"secrets": {"check": False}}), ACCOUNT)
    asked(values_of("production"))
