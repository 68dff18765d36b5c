"""What a cluster says cannot be seen here: boards and rules ask for it by the names that its makers document."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import yaml

from observability import boards
from observability.places import HERE
from tests.architecture.test_telemetry import RULES, names

SAID = yaml.safe_load((HERE / "kubernetes.yaml").read_text(encoding="utf-8"))
KNOWN = {name: set(labels) for each in SAID for name, labels in each["metrics"].items()}
CLUSTER = re.compile(r"(kube|kubelet|container)_\w+")
BOARDS = boards.boards()


def asked() -> Iterator[tuple[str, str, str]]:
    """Every query with the board or the file of rules in which it stands."""
    for name, board in BOARDS.items():
        for panel in board["panels"]:
            yield from (("board", name, query["query"].replace("$at", "")) for query in panel["queries"])
        yield from (("board", name, each["query"]) for each in board.get("variables", {}).values())
    for name, file in RULES.items():
        yield from (("rules", name, rule["expr"]) for group in file["groups"] for rule in group["rules"])


OF_CLUSTER = [each for each in asked() if any(map(CLUSTER.fullmatch, names(each[2])))]


def test_every_name_that_is_asked_for_is_documented_and_the_list_has_no_other():
    assert {name for _, _, query in OF_CLUSTER for name in names(query) if CLUSTER.fullmatch(name)} == set(KNOWN)
    assert all(each["source"] and each["from"] for each in SAID)


@pytest.mark.parametrize("query", sorted({query for _, _, query in OF_CLUSTER}))
def test_labels_that_are_asked_for_are_labels_of_what_is_asked(query):
    mine = [KNOWN[name] for name in names(query) if name in KNOWN]
    for name, selector in re.findall(r"([a-z]\w+)\{([^}]*)\}", query):
        if name in KNOWN:
            assert set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector)) <= KNOWN[name], name
    for listed in re.findall(r"\bby \(([^)]*)\)", query):
        assert all(set(listed.replace(" ", "").split(",")) <= labels for labels in mine)


def test_boards_that_ask_a_cluster_say_that_they_show_nothing_elsewhere_and_no_others_do():
    marked = {name for name, board in BOARDS.items() if "elsewhere" in board}
    assert {name for kind, name, _ in OF_CLUSTER if kind == "board"} == marked
    assert all(len(BOARDS[name]["elsewhere"]) > 20 for name in marked)


def test_rules_that_ask_a_cluster_are_about_namespaces_of_a_house():
    rules = [(name, query) for kind, name, query in OF_CLUSTER if kind == "rules"]
    assert {name for name, _ in rules} == {"kubernetes"}
    assert all(query.endswith("and on (namespace) namespace:infirmary_store_up:seen") for _, query in rules)
