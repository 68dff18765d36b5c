"""docs/stores.md: its values are values of the chart and do what it says, and its numbers are those of the code."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from services.chassis import redis as chassis_redis
from services.chassis.sql.engine import STATEMENT_S
from standalone import needs
from tests.architecture import tree
from tests.cluster.edges import GRAPH, policies
from tests.cluster.rendering import ROOT, Pod, documents, merged, pods, values_of
from tests.cluster.test_secrets import places

PAGE = (ROOT / "docs" / "stores.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
HEAD = re.compile(r"# Values, after profiles/(\w+)\.yaml\n")
VALUES = [(found[1], yaml.safe_load(text)) for text in BLOCKS if (found := HEAD.match(text))]
OTHERS = [each for text in BLOCKS if not HEAD.match(text) for each in yaml.safe_load_all(text)]


def made(profile: str, values: dict[str, Any]) -> list[Pod]:
    """The processes of the services with the values of a block."""
    found = documents(merged(values_of(profile), values))
    return [pod for pod in pods(found) if "infirmary/service" in pod.labels]


def test_there_are_blocks_for_every_store():
    named = {name for _, values in VALUES for name in values.get("stores", {})}
    assert named == {"postgresql", "mongodb", "records", "bus"}
    kinds = {each["kind"] for each in OTHERS}
    assert {"Cluster", "ObjectStore", "ScheduledBackup", "PerconaServerMongoDB", "PerconaServerMongoDBRestore"} <= kinds


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_values_of_the_page_are_taken_and_reach_their_pods(number: int):
    profile, values = VALUES[number]
    running = made(profile, values)
    asked = 0
    for pod in running:
        own = values.get("services", {}).get(pod.labels["infirmary/service"], {})
        for setting, place in [*values.get("secrets", {}).get("refs", {}).items(), *own.get("secretRefs", {}).items()]:
            assert places(pod)[setting] == (place["name"], place["key"]), pod.name
            asked += 1
        environ = {each["name"]: each.get("value") for each in pod.spec["containers"][0]["env"]}
        for setting, value in own.get("settings", {}).items():
            assert environ[setting] == str(value), pod.name
            asked += 1
    assert asked


@pytest.mark.parametrize("number", range(len(VALUES)))
def test_services_are_let_to_their_stores_where_the_page_says(number: int):
    profile, values = VALUES[number]
    found = documents(merged(values_of(profile), values))
    for name, store in values.get("stores", {}).items():
        for pod in pods(found):
            service = pod.labels.get("infirmary/service")
            if service and name in GRAPH["services"][service]["stores"]:
                rules = [rule for each in policies(found, pod) for rule in each["egress"]]
                there = [rule for rule in rules if rule.get("to") == store["peers"]]
                ports = {port["port"] for rule in there for port in rule["ports"]}
                assert store.get("port", GRAPH["stores"][name]["port"]) in ports, pod.name


def test_settings_of_the_page_are_settings_of_their_service():
    for _, values in VALUES:
        for service, own in values.get("services", {}).items():
            known = {need.name.upper() for need in needs.of(service).settings}
            assert set(own.get("settings", {})) <= known


def test_every_database_of_a_service_has_its_address_on_the_page():
    given = {
        service
        for _, values in VALUES
        for service, own in values.get("services", {}).items()
        if "DATABASE_URL" in own.get("secretRefs", {})
    }
    assert given == set(tree.services())


def test_what_redis_must_be_set_to_is_what_is_asked_of_it():
    table = {
        cells[0].strip(" `"): [cell.strip(" `") for cell in cells[1:]]
        for cells in (line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("| `"))
        if len(cells) == 4
    }
    for setting, value in chassis_redis._DURABLE.items():
        assert table[setting][:2] == [value, value]


def test_what_a_pooler_drops_is_given_to_the_role():
    assert f"SET statement_timeout = '{STATEMENT_S:g}s'" in PAGE
    assert all(f"`{name}`" in PAGE for name in ("lock_timeout", "idle_in_transaction_session_timeout"))


def test_mongodb_of_a_demo_and_of_the_page_give_up_a_transaction_alike():
    (example,) = [each for each in OTHERS if each["kind"] == "PerconaServerMongoDB"]
    (members,) = example["spec"]["replsets"]
    limit = yaml.safe_load(members["configuration"])["setParameter"]["transactionLifetimeLimitSeconds"]
    (store,) = [pod for pod in pods(documents(values_of("demo"))) if pod.component == "mongodb"]
    assert f"--setParameter transactionLifetimeLimitSeconds={limit}" in store.spec["containers"][0]["command"][-1]


def test_commands_of_the_page_are_commands_of_the_house():
    assert "python -m services.chassis" in PAGE
    words = set(re.findall(r"infirmary (\w+) (\w+) (\w+)", PAGE))
    assert {(first, verb) for first, verb, _ in words} >= {("audit", "audit"), ("patients", "bus")}
    for first, verb, command in words:
        assert first in tree.services()
        if verb != "bus":
            assert verb == first
            operations = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
            assert f"`infirmary {verb} {command}`" in operations
