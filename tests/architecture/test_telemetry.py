"""What observability/ promises is what the code makes: every metric and event, every rule, board, runbook and route."""

from __future__ import annotations

import ast
import importlib
import json
import re

import pytest
import yaml
from prometheus_client.metrics import MetricWrapperBase

from observability import boards, registry, slos
from observability.__main__ import made
from observability.places import HERE
from tests.architecture import tree
from tests.architecture.test_docs import metrics

KNOWN = registry.registry()
RULES = {
    path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in sorted((HERE / "rules").glob("*.yaml"))
}
ALERTS = {rule["alert"]: rule for file in RULES.values() for group in file["groups"] for rule in group["rules"]
          if "alert" in rule}  # fmt: skip
DASHBOARDS = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in (HERE / "dashboards").glob("*.json")}
PANELS = [(name, panel) for name, board in DASHBOARDS.items() for panel in board["panels"]]
BOOKS = [path for path in tree.files("docs/runbooks", suffix=".md") if path.stem != "index"]
# What is not ours: of Envoy, of Python and the process, of Prometheus, of a cluster (test_kubernetes_metrics.py).
OTHERS = re.compile(
    r"(envoy|process|python|prometheus|scrape|slo|namespace|kube|kubelet|container)[_:][\w:]+|up|ALERTS"
)
FUNCTIONS = {"histogram_quantile", "last_over_time", "max_over_time", "predict_linear"}
PARTS = re.compile(r"_(bucket|sum|count)\Z")
UNITS = {"seconds": "_seconds", "bytes": "_bytes", "count": "_total"}


def asked() -> set[str]:
    """The names of all metrics that a rule, a panel or an objective asks for."""
    queries = [rule["expr"] for file in RULES.values() for group in file["groups"] for rule in group["rules"]]
    queries += [target["expr"] for _, panel in PANELS for target in panel["targets"]]
    return {name for query in queries for name in names(query)}


def names(query: str) -> set[str]:
    """The metrics in a query."""
    bare = re.sub(
        r"\{[^}]*\}|\[[^]]*\]|\"[^\"]*\"", " ", query.replace("{patient_id}", "").replace("{facility_id}", "")
    )
    bare = re.sub(r"\b(by|ignoring|on|without|group_left)\s*\([^)]*\)", " ", bare)
    found = set(re.findall(r"[a-zA-Z_][\w:]*", bare))
    return {each for each in found if "_" in each or ":" in each or each in {"up", "ALERTS"}} - FUNCTIONS


def whole(name: str) -> str:
    """The metric that a series belongs to."""
    return name if name in KNOWN["metrics"] else PARTS.sub("", name)


def owner(file: str) -> str:
    """The part that a file belongs to: of those under services/, the folder there."""
    top, _, rest = file.partition("/")
    return rest.partition("/")[0] if top == "services" else top


# ---- the registry ----------------------------------------------------------------------------------------------------


def test_the_registry_names_every_metric_of_the_code_and_no_other():
    found = [(name, kind, text, file) for name, kind, text, file in metrics()]
    said = [(name, each["type"], each["says"], each["made_in"]) for name, each in KNOWN["metrics"].items()]
    assert said == sorted(found)


def test_labels_and_units_are_those_of_the_code():
    wrong = []
    for name, each in KNOWN["metrics"].items():
        module = importlib.import_module(
            each["made_in"].removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        )
        own = [metric for metric in vars(module).values() if isinstance(metric, MetricWrapperBase)]
        labels = next(list(metric._labelnames) for metric in own if name.removesuffix("_total") == metric._name)
        suffix = UNITS.get(each["unit"], "")
        if labels != each["labels"] or suffix not in name or each["owner"] != owner(each["made_in"]):
            wrong.append(name)
    assert wrong == []


def test_the_registry_names_every_event_of_a_log_and_no_other():
    found: dict[str, set[str]] = {}
    for path in tree.files(*tree.PRODUCT):
        for node in ast.walk(tree.parsed(path)):
            if isinstance(node, ast.Call) and (
                "logger()" in ast.unparse(node.func) or ast.unparse(node.func) == "line"
            ):
                said = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
                for name in said[:1]:
                    found.setdefault(name, set()).add(tree.named(path))
    gateway = (tree.ROOT / "gateway" / "telemetry.py").read_text(encoding="utf-8")
    for name in re.findall(r'"event": "([\w.]+)"', gateway):
        found.setdefault(name, set()).add("gateway/telemetry.py")
    assert {name: set(each["made_in"]) for name, each in KNOWN["events"].items()} == found


def test_what_rules_and_boards_ask_for_exists():
    assert sorted(name for name in asked() if whole(name) not in KNOWN["metrics"] and not OTHERS.fullmatch(name)) == []


def test_every_metric_is_used_or_named_as_raw():
    used = {whole(name) for name in asked()}
    unused = {name for name in KNOWN["metrics"] if name not in used}
    assert unused == {name for name, each in KNOWN["metrics"].items() if each.get("raw")}


def test_what_is_made_is_what_lies_there():
    files = made()
    assert {path.name for path in files if path.suffix == ".json"} == {f"{name}.json" for name in DASHBOARDS}
    assert [path.name for path, text in files.items() if path.read_text(encoding="utf-8") != text] == []


# ---- rules and runbooks ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_says_how_bad_whose_and_where_to_go_on(name):
    alert = ALERTS[name]
    assert alert["labels"]["severity"] in {"page", "ticket", "none"}
    assert "service" in alert["labels"] or "slo:" in alert["expr"]
    said = alert["annotations"]
    assert set(said) == {"summary", "description", "runbook_url", "dashboard_url"}
    assert said["dashboard_url"].removeprefix("/d/infirmary-") in DASHBOARDS
    book = (tree.ROOT / said["runbook_url"]).read_text(encoding="utf-8")
    assert f"`{name}`" in book.split("\n## ")[0]


@pytest.mark.parametrize("name", ALERTS)
def test_an_alert_has_a_case_before_in_and_after_its_fault(name):
    cases = [
        bool(case["exp_alerts"])
        for path in (HERE / "rules" / "tests").glob("*.yaml")
        for test in yaml.safe_load(path.read_text(encoding="utf-8"))["tests"]
        for case in test.get("alert_rule_test", [])
        if case["alertname"] == name
    ]
    assert len(cases) >= 3
    assert any(cases)
    assert name == "Watchdog" or cases.count(False) >= 2


@pytest.mark.parametrize("objective", slos.objectives(), ids=lambda each: each["name"])
def test_the_limit_of_an_objective_is_a_bucket(objective):
    """Between two buckets nothing can be counted, only guessed."""
    limit = re.search(r'(\w+)_bucket\{.*le="([\d.]+)"', objective["good"])
    if limit:
        made_in = KNOWN["metrics"][limit[1]]["made_in"].removesuffix(".py").replace("/", ".")
        own = vars(importlib.import_module(made_in)).values()
        (metric,) = [each for each in own if isinstance(each, MetricWrapperBase) and each._name == limit[1]]
        assert float(limit[2]) in metric._upper_bounds


@pytest.mark.parametrize("book", BOOKS, ids=lambda path: path.stem)
def test_a_runbook_has_all_its_parts_and_names_alerts_that_exist(book):
    text = book.read_text(encoding="utf-8")
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
        "Meaning",
        "Impact",
        "First commands",
        "Mitigation",
        "Escalation",
    ]
    named, linked = (set(re.findall(pattern, text.split("\n## ")[0])) for pattern in (r"`(\w+)`", r"`(/d/[\w-]+)`"))
    assert named <= set(ALERTS)
    assert linked == {ALERTS[each]["annotations"]["dashboard_url"] for each in named}
    commands = text.partition("```sh\n")[2].partition("```")[0].splitlines()
    assert len(commands) >= 5
    queried = {
        name for line in commands for query in re.findall(r"\$PROMETHEUS '(.+)'$", line) for name in names(query)
    }
    assert sorted(name for name in queried if whole(name) not in KNOWN["metrics"] and not OTHERS.fullmatch(name)) == []


# ---- boards: the rules of the dashboard linter -----------------------------------------------------------------------


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_board_has_its_variables_and_cannot_be_edited(name):
    board = DASHBOARDS[name]
    variables = {each["name"]: each for each in board["templating"]["list"]}
    assert list(variables)[:3] == ["datasource", "job", "instance"]
    assert (variables["datasource"]["type"], variables["datasource"]["label"]) == ("datasource", "Data source")
    for each in list(variables.values())[1:]:
        assert each["datasource"]["uid"] == "${datasource}"
        assert (each["multi"], each["allValue"], each["refresh"]) == (True, ".+", 2)
        assert re.fullmatch(r"label_values\(.+, \w+\)", each["query"]["query"])
    assert (board["editable"], board["uid"]) == (False, f"infirmary-{name}")
    assert 8 <= len(board["panels"]) <= 20
    assert {link["title"] for link in board["links"]} == {"Runbooks", "Traces", "Boards"}


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=lambda each: each if isinstance(each, str) else each["title"])
def test_a_panel_says_what_it_shows_and_asks_rightly(name, panel):
    assert panel["title"]
    assert panel["description"]
    assert panel["targets"]
    assert panel["fieldConfig"]["defaults"]["unit"]
    assert panel["fieldConfig"]["defaults"]["noValue"]
    assert panel["datasource"]["uid"] == "${datasource}"
    for target in panel["targets"]:
        query = target["expr"]
        assert target["datasource"]["uid"] == "${datasource}"
        assert set(re.findall(r"\[(.+?)\]", query)) <= {"$__rate_interval"}
        for selector in re.findall(r"[a-z]\w*\{([^}]*)\}", query):
            assert "slo" in selector or 'job=~"$job", instance=~"$instance"' in selector, query
        for counter in re.findall(r"(\w+_total)\b", query):
            assert re.search(rf"(rate|increase)\({counter}\{{", query), query


def test_no_two_boards_share_an_id_and_no_two_panels_of_one_a_title():
    assert len({board["uid"] for board in DASHBOARDS.values()}) == len(DASHBOARDS) >= 10
    for board in DASHBOARDS.values():
        assert len({panel["title"] for panel in board["panels"]}) == len(board["panels"])


def test_what_must_show_nothing_says_in_which_fault_it_does_not():
    marked = [panel for board in boards.boards().values() for panel in board["panels"] if "zero" in panel]
    assert marked
    assert [panel["title"] for panel in marked if not panel["zero"]] == []


# ---- the collector and Alertmanager ----------------------------------------------------------------------------------


def test_every_part_of_the_collector_is_there_and_used():
    said = yaml.safe_load((HERE / "collector.yaml").read_text(encoding="utf-8"))
    (pipeline,) = said["service"]["pipelines"].values()
    for kind in ("receivers", "processors", "exporters"):
        assert set(pipeline[kind]) == set(said[kind])
    assert set(said["service"]["extensions"]) == set(said["extensions"])


def test_bookings_are_kept_under_the_routes_that_they_have():
    said = yaml.safe_load((HERE / "collector.yaml").read_text(encoding="utf-8"))
    policies = {each["name"]: each for each in said["processors"]["tail_sampling"]["policies"]}
    assert set(policies) == {"errors", "slow", "bookings", "some"}
    assert set(policies["bookings"]["string_attribute"]["values"]) <= set(tree.contract("appointments")["paths"])


def test_alertmanager_names_alerts_that_exist_and_silences_no_page_without_another():
    said = yaml.safe_load((HERE / "alertmanager.yaml").read_text(encoding="utf-8"))
    for rule in said["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            pattern = re.search(r'alertname (?:=~ "(.+)"|= (\w+))', matcher)
            assert [name for name in ALERTS if re.fullmatch(pattern[1] or pattern[2], name)], matcher
