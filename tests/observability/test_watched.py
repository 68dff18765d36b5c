"""What boards, alerts, metrics and logs show of a house in which people work and things go wrong: all of it lives."""

from __future__ import annotations

import json
import math
import re
import subprocess
from collections import Counter
from collections.abc import Iterator

import pytest
import urllib3
import yaml
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as parsed

from observability import boards, registry
from observability.boards import AT
from observability.places import HERE, ROOT
from standalone import needs as needs_of
from tests import needs
from tests.features import NIGHTLY
from tests.observability import traced
from tests.observability.beside import NAME
from tests.observability.conftest import Watched
from tests.observability.faults import AT_NIGHT, UNSEEN
from tests.observability.oncall import BOOKS, books, commands, is_left_out
from tests.observability.scraping import Prometheus, targets
from tests.waiting import within

KNOWN = registry.registry()
OURS = re.compile(r"infirmary_|http_|db_")
# A board that is `elsewhere` has its reason in its file: what it shows is said by a cluster, and there is none.
SHOWN = {name: board for name, board in boards.boards().items() if "elsewhere" not in board}
PANELS = [(name, panel) for name, board in SHOWN.items() for panel in board["panels"]]
LIVING = [(name, panel) for name, panel in PANELS if "zero" not in panel]
ZERO = [(name, panel) for name, panel in PANELS if "zero" in panel]
SERVICES = sorted(path.stem for path in (ROOT / "openapi").glob("*.yaml") if path.stem in needs_of.services())
# Each alert that wakes somebody, and the fault that must make it do so.
PAGES = {
    "AnswersUnaudited": "a method that forgets its entry",
    "AuditTrailBroken": "an entry of the trail is changed by hand",
    "AuditTrailUnchecked": "the trail cannot be read",
    "BusStuck": "PostgreSQL is away",
    "ErrorBudgetBurnsFast": "a service that calls another which is away",
    "ErrorBudgetBurnsSteadily": "a service that calls another which is away",
    "EventsLost": "entries are removed from a stream by hand",
    "InvariantBroken": "a double booking written by hand",
    "RedisCannotAppend": "a disk that takes no more",
    "StoreDown": "MongoDB is away",
}
SOUGHT = 1000  # logs are bounded: what was said long ago may be gone
LINE = {"time", "level", "event", "service", "request_id", "trace_id", "span_id", "exception", "cause", "where"}


def titled(each: object) -> str:
    return each if isinstance(each, str) else each["title"]


def asked(query: str, *, job: str = ".+", instance: str = ".+") -> str:
    """A query as Grafana sends it, at a scrape every second or two: a machine may be slow."""
    chosen = AT.replace("$job", job).replace("$instance", instance)
    return query.replace("$at", chosen).replace("$__rate_interval", "10s").replace("$slo", ".+")


def living(watched: Watched, query: str, **chosen: str) -> bool:
    """Whether a series has ten points at least that are numbers, not all of them 0."""
    found = watched.prometheus.series(asked(query, **chosen), start=watched.start, end=watched.end)
    for values in found:
        numbers = [each for each in values if not math.isnan(each)]
        if len(numbers) >= 10 and any(numbers):
            return True
    return False


def spoken(watched: Watched) -> Iterator[tuple[str, dict[str, object]]]:
    """Every line that a process of ours or the gateway has written, and that was not put aside twice."""
    for log in sorted((watched.house.home / "logs").glob("*.log*")):
        name = log.name.partition(".")[0]
        if name.removesuffix("-worker") in {"gateway", *services(watched)}:
            for line in log.read_text(encoding="utf-8").splitlines():
                yield name, json.loads(line)


def services(watched: Watched) -> set[str]:
    return {each.job for each in targets(watched.house)}


@pytest.mark.target("E-01")
@pytest.mark.parametrize(("name", "panel"), LIVING, ids=titled)
def test_every_query_of_a_panel_returns_living_data(watched: Watched, name: str, panel: dict):
    assert [query["query"] for query in panel["queries"] if not living(watched, query["query"])] == []


@pytest.mark.target("E-01")
@pytest.mark.parametrize(("name", "panel"), ZERO, ids=titled)
def test_a_panel_that_must_show_nothing_shows_its_own_fault(watched: Watched, name: str, panel: dict):
    """One whose fault nobody can bring about shows nothing."""
    is_seen = [living(watched, query["query"]) for query in panel["queries"]]
    assert any(is_seen) or panel["zero"] not in watched.faults
    assert not (any(is_seen) and panel["zero"] in UNSEEN)


def test_every_fault_is_brought_about_or_it_is_said_why_not(watched: Watched):
    named = {panel["zero"] for _, panel in ZERO}
    assert named - watched.faults.keys() == set(UNSEEN) | (set() if NIGHTLY else AT_NIGHT)
    assert watched.failed == {}


@pytest.mark.target("E-01")
@pytest.mark.parametrize("name", SHOWN)
def test_every_value_of_the_variables_of_a_board_has_data(watched: Watched, name: str):
    """Each job and each address that the board offers has a panel that lives; and no query fails for it."""
    board = SHOWN[name]
    found = watched.prometheus.ask("series", **{"match[]": board["jobs"], "start": watched.start, "end": watched.end})
    values = {(each["job"], each["instance"]) for each in found if each["job"] != NAME}  # which has parts of a service
    assert values
    empty = []
    for job, instance in sorted(values):
        queries = [query["query"] for panel in board["panels"] for query in panel["queries"]]
        if not any(living(watched, query, job=job, instance=instance) for query in queries):
            empty.append((job, instance))
    assert empty == []


def scrape(port: int, *, accept: str = "text/plain") -> str:
    got = urllib3.request("GET", f"http://127.0.0.1:{port}/metrics", headers={"accept": accept}, retries=False)
    assert got.status == 200
    return got.data.decode()


@pytest.mark.target("E-02")
def test_a_scrape_has_what_the_registry_says_and_nothing_else(watched: Watched):
    """In both directions, with labels."""
    seen: dict[str, set[str]] = {}
    for target in targets(watched.house):
        if target.job == "gateway":
            continue
        for family in parsed(scrape(target.port)):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            if OURS.match(name) and not name.endswith("_created"):
                labels = {label for sample in family.samples for label in sample.labels} - {"le"}
                seen.setdefault(name, set()).update(labels)
    said = {name: set(each["labels"]) for name, each in KNOWN["metrics"].items()}
    assert set(seen) == set(said)
    assert {name: labels for name, labels in seen.items() if labels - said[name]} == {}


@pytest.mark.target("E-03")
def test_promtool_finds_nothing_to_say_about_a_scrape(watched: Watched):
    for target in targets(watched.house):
        if target.job != "gateway":
            lines = scrape(target.port).splitlines(keepends=True)
            ours = "".join(each for each in lines if OURS.match(each.removeprefix("# HELP ").removeprefix("# TYPE ")))
            done = subprocess.run(
                [needs.find("promtool"), "check", "metrics"], input=ours, capture_output=True, text=True
            )
            said = [each for each in (done.stdout + done.stderr).splitlines() if "_created" not in each and each]
            assert said == [], target


def test_no_process_has_too_many_series(watched: Watched, figure):
    counts = {}
    for target in targets(watched.house):
        counts[target] = sum(len(family.samples) for family in parsed(scrape(target.port)))
    figure("series of the largest process", max(counts.values()), "series")
    assert max(counts.values()) < 5000


@pytest.mark.target("E-05")
@pytest.mark.parametrize("alert", PAGES)
def test_every_alert_that_wakes_somebody_fires_in_its_fault(watched: Watched, alert: str, figure):
    """From the beginning of the fault; what must be so for a while must be so for a sixtieth of it."""
    began = watched.faults[PAGES[alert]]
    fired = watched.prometheus.firing(alert, start=began, end=watched.end)
    assert fired
    figure(f"{alert} after the beginning of its fault, with short waits", fired[0] - began, "s")


def test_the_pages_are_those_of_the_rules():
    rules = [yaml.safe_load(path.read_text(encoding="utf-8")) for path in (HERE / "rules").glob("*.yaml")]
    alerts = [rule for file in rules for group in file["groups"] for rule in group["rules"] if "alert" in rule]
    assert {each["alert"] for each in alerts if each["labels"]["severity"] == "page"} == set(PAGES)


@pytest.mark.parametrize("alert", ["RefreshTokensReused", "DeadLetters", "Watchdog"])
def test_a_fault_opens_a_ticket(watched: Watched, alert: str):
    assert alert in watched.prometheus.fired()


@pytest.mark.parametrize("book", BOOKS)
def test_the_first_commands_of_a_runbook_tell_something(watched: Watched, book: str):
    """Run while its alert fired, where that was brought about here; else now."""
    ran = watched.on_call.seen.get(book) or watched.on_call.follow(book)
    assert len(ran) + sum(map(is_left_out, commands(BOOKS[book]))) >= 5
    assert [each for each in ran if not each.is_well] == []


def test_runbooks_were_followed_while_their_alert_fired(watched: Watched, figure):
    """Those of all pages at least."""
    known = books()
    assert {known[alert] for alert in PAGES} <= watched.on_call.seen.keys()
    figure(f"runbooks followed while an alert of theirs fired, of {len(BOOKS)}", len(watched.on_call.seen), "runbooks")


@pytest.mark.target("E-14")
def test_the_figures_are_those_that_the_clients_have_counted(watched: Watched):
    """What was not answered is decided or not; nobody knows, so the count lies between."""
    said = watched.prometheus.value('sum(infirmary_booking_attempts_total{result="booked"})')
    booked = watched.load.booked["201"]
    assert booked <= said <= booked + watched.load.unanswered
    conflicts = watched.prometheus.value('sum(infirmary_booking_attempts_total{result="conflict"})')
    assert watched.load.booked["409"] <= conflicts <= watched.load.booked["409"] + watched.load.unanswered


@pytest.mark.target("E-09")
def test_every_refused_request_is_found_in_the_logs_under_one_trace(watched: Watched):
    """By its id in the line of the gateway and in that of the service, which share the trace."""
    counted = [each.request_id for each in watched.load.refused if each.status not in {401, 429}]
    wanted = set(counted[-SOUGHT:])
    assert len(wanted) >= 100
    traces: dict[str, set[str]] = {}
    by: Counter[str] = Counter()
    for place, line in spoken(watched):
        if line.get("request_id") in wanted and line["event"] in {"gateway.request", "request.refused"}:
            traces.setdefault(str(line["request_id"]), set()).add(str(line["trace_id"]))
            by[place] += 1
    assert set(traces) == wanted
    assert {name: found for name, found in traces.items() if len(found) != 1} == {}
    assert by["gateway"] == len(wanted)
    assert sum(by.values()) > len(wanted)


def test_every_line_of_a_log_is_an_event_of_the_registry(watched: Watched):
    strange: Counter[str] = Counter()
    for place, line in spoken(watched):
        event = KNOWN["events"].get(str(line["event"]))
        if event is None:
            strange[f"{place}: {line['event']}"] += 1
        elif event["fields"] != "*":
            more = set(line) - LINE - set(event["fields"])
            strange.update(f"{place}: {line['event']} has {field}" for field in more)
    assert strange == {}


def test_exemplars_lead_to_traces_that_the_collector_has(watched: Watched):
    found = set()
    for target in targets(watched.house):
        if target.process == "web":
            families = openmetrics(scrape(target.port, accept="application/openmetrics-text"))
            found |= {
                sample.exemplar.labels["trace_id"]
                for family in families
                for sample in family.samples
                if sample.exemplar
            }
    assert len(found) >= 10
    # A span is sent within a second of its end.
    assert within(10, lambda: found <= {span.trace_id.hex() for span in list(watched.spans)})


@pytest.mark.target("E-08")
@pytest.mark.parametrize("service", SERVICES)
def test_the_exemplars_of_the_slowest_requests_lead_to_their_traces(watched: Watched, service: str):
    """As Prometheus has them, for the percentile that a board shows; everything is kept here, nothing is sampled."""
    buckets = f'rate(http_server_request_duration_seconds_bucket{{job="{service}"}}[1m])'
    query = f"histogram_quantile(0.99, sum by (le) ({buckets}))"
    found = watched.prometheus.ask("query_exemplars", query=query, start=watched.start, end=watched.end)
    named = {exemplar["labels"]["trace_id"] for series in found for exemplar in series["exemplars"]}
    assert named
    assert within(10, lambda: named <= {span.trace_id.hex() for span in list(watched.spans)})


@pytest.mark.target("E-07")
def test_every_booking_is_one_trace_from_the_gateway_to_the_message(watched: Watched):
    """With the script that has decided it, and everybody who heard of it."""
    wanted = watched.bookings
    assert len(wanted) == traced.BOOKINGS

    lost = watched.prometheus.value('sum(infirmary_spans_exported_total{outcome="lost"})')
    assert traced.lacking(watched.told, wanted) == {}, f"{lost} spans could not be given to the collector"
    found = traced.traces(watched.told)
    assert [each for each in wanted if traced.MESSAGE in found[each].names]


@pytest.mark.target("E-07")
def test_names_of_spans_are_few(watched: Watched, figure):
    names = {span.name for span in watched.spans}
    figure("names of spans", len(names), "names")
    assert len(names) <= 300


def test_the_house_has_its_own_prometheus_with_every_process_and_every_rule(watched: Watched):
    own = Prometheus(f"http://127.0.0.1:{watched.house.port('prometheus')}")
    active = own.ask("targets", state="active")["activeTargets"]
    assert {each["labels"]["job"] for each in active} == services(watched) | {"prometheus", "alertmanager"}
    assert [each["scrapeUrl"] for each in active if each["health"] != "up"] == []
    rules = [rule for group in own.ask("rules")["groups"] for rule in group["rules"]]
    assert len(rules) > 100
    assert [rule["name"] for rule in rules if rule["health"] == "err"] == []
    told = urllib3.request("GET", f"http://127.0.0.1:{watched.house.port('alertmanager')}/api/v2/alerts").json()
    assert "Watchdog" in {each["labels"]["alertname"] for each in told}
