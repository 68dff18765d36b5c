"""The page under `/docs`: there without any service and without the internet, and good for a try in a browser."""

from __future__ import annotations

import contextlib
import gzip
import json
import re

import pytest

from gateway import routes
from tests import needs
from tests.architecture import tree
from tests.system import edge

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
CONTRACTS = {contract.service: contract for contract in routes.contracts(tree.ROOT / "openapi")}
SIZES = {"desktop": {"width": 1280, "height": 900}, "phone": {"width": 390, "height": 844}}


def publishing(upstreams):
    """Every instance gives out the document of its contract, as a service does."""
    for name, (upstream,) in upstreams.items():

        def answer(request, *, contract=CONTRACTS[name], usual=upstream.usual):
            if request.path == "/openapi.json":
                if request.headers["if-none-match"] == contract.etag:
                    return 304, {"etag": contract.etag}, b""
                return 200, {"content-type": "application/json", "etag": contract.etag}, contract.published
            return usual(request)

        upstream.answer = answer


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    contracts = tuple(CONTRACTS.values())
    with edge.running(tmp_path_factory.mktemp("gateway"), contracts=contracts, prepare=publishing) as running:
        yield running


@pytest.fixture(scope="module")
def browser():
    program = needs.find("chromium")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(params=sorted(SIZES))
def page(browser, gateway, request):
    """The page, opened. When it is closed, nothing was asked elsewhere, failed, or was refused by the policy."""
    home = f"http://127.0.0.1:{gateway.port}/"
    opened = browser.new_page(viewport=SIZES[request.param])
    trouble = []
    opened.on("pageerror", lambda error: trouble.append(str(error)))
    opened.on("console", lambda said: trouble.append(said.text) if said.type in {"error", "warning"} else None)
    opened.on("request", lambda asked: None if asked.url.startswith((home, "data:")) else trouble.append(asked.url))
    opened.goto(home)
    opened.wait_for_selector(".opblock")
    yield opened
    assert opened.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), "it scrolls sideways"
    opened.close()
    assert trouble == []


def test_the_root_leads_to_the_page(gateway):
    for path in ("/", "/docs"):
        answer = gateway.send("GET", path)
        assert (answer.status, answer.headers["location"]) == (302, "/docs/")


def test_the_page_has_no_script_of_its_own_in_it_and_asks_nobody_else(gateway):
    answer = gateway.send("GET", "/docs/")
    text = gzip.decompress(answer.body).decode()
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert not re.search(r"<script(?![^>]*\bsrc=)|\son\w+=|style=|https?://", text)
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy


def test_its_files_are_kept_by_browsers_and_change_their_names(gateway):
    text = gzip.decompress(gateway.send("GET", "/docs/").body).decode()
    files = re.findall(r'(?:src|href)="(/docs/assets/[^"]+)"', text)
    assert len(files) == 5
    for path in files:
        for method in ("GET", "HEAD"):
            answer = gateway.send(method, path)
            assert (answer.status, answer.headers["content-encoding"]) == (200, "gzip")
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert gateway.send("POST", path, body=b"{}").status == 405


def test_the_licence_of_swagger_ui_comes_with_it(gateway):
    text = gzip.decompress(gateway.send("GET", "/docs/").body).decode()
    folder = re.search(r"/docs/assets/[0-9a-f]+/", text)[0]
    assert b"Apache License" in gzip.decompress(gateway.send("GET", f"{folder}LICENSE").body)


@pytest.mark.parametrize("service", sorted(CONTRACTS))
def test_every_contract_is_published_by_its_service(gateway, service):
    answer = gateway.send("GET", f"/docs/openapi/{service}.json")
    assert answer.json == json.loads(CONTRACTS[service].published)
    assert answer.headers["cache-control"] == "no-cache"
    again = gateway.send("GET", f"/docs/openapi/{service}.json", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


def test_the_page_lists_every_contract(page):
    titles = [option.inner_text() for option in page.query_selector_all("#contract option")]
    assert titles == [CONTRACTS[name].document["info"]["title"] for name in sorted(CONTRACTS)]


@pytest.mark.parametrize("service", sorted(CONTRACTS))
def test_a_contract_is_shown_with_all_its_operations(gateway, browser, service):
    opened = browser.new_page()
    with contextlib.closing(opened):
        opened.goto(f"http://127.0.0.1:{gateway.port}/docs/?contract={service}")
        opened.wait_for_selector(".opblock")
        assert len(opened.query_selector_all(".opblock")) == len(CONTRACTS[service].operations)
        assert not opened.query_selector_all(".errors-wrapper")


def test_an_operation_can_be_tried_with_a_token_that_counts_for_every_contract(page, gateway):
    page.click(".btn.authorize")
    page.fill(".modal-ux input", edge.token("somebody"))
    page.click(".modal-ux .btn.authorize")
    page.click(".modal-ux .btn-done")
    page.select_option("#contract", value="/docs/openapi/patients.json")
    page.click("[id$=get_patient] .opblock-summary-control")
    page.click("[id$=get_patient] .try-out__btn")
    page.fill("[data-param-name=patient_id] input", edge.PATIENT.rpartition("/")[2])
    page.click(".execute")
    page.wait_for_selector(".live-responses-table .microlight")
    assert '"service": "patients"' in page.inner_text(".live-responses-table")
    got = gateway.only("patients").asked()[-1]
    assert (got.path, got.headers["authorization"][:7]) == (edge.PATIENT, "Bearer ")


def test_the_page_is_there_when_no_service_is(tmp_path):
    def gone(upstreams):
        for (upstream,) in upstreams.values():
            upstream.answer = lambda _: (0, {}, b"")
            upstream.ready = False

    with edge.running(tmp_path, prepare=gone) as gateway:
        assert gateway.send("GET", "/docs/").status == 200
        answer = gateway.send("GET", "/docs/openapi/patients.json")
        assert (answer.status, answer.json["code"], answer.headers["retry-after"]) == (503, "unavailable", "1")
