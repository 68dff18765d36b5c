"""The Dockerfile, and what the chart says twice because it cannot ask: it must be what the code says."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from subprocess import PIPE, STDOUT

import psycopg
import pytest

from gateway import listeners
from gateway.settings import Settings, read
from services.chassis import entrance
from standalone import servers
from standalone.servers import ports
from standalone.servers import redis as redis_server
from tests.architecture import tree
from tests.cluster.rendering import CHART, ROOT, deployments, documents, merged, rendered, values_of

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@pytest.mark.target("D-27")
def test_hadolint_finds_nothing_to_say():
    found = next(Path(tree.ROOT, ".venv", "bin").glob("hadolint*"), Path("hadolint"))
    said = subprocess.run(
        [found, "--failure-threshold", "style", ROOT / "Dockerfile"], stdout=PIPE, stderr=STDOUT, text=True
    )
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.target("D-27")
def test_an_image_has_stages_hashes_no_root_and_is_started_without_a_shell():
    assert len(re.findall(r"^FROM \$\{BASE\}", DOCKERFILE, re.MULTILINE)) == 2
    assert "--require-hashes" in DOCKERFILE
    assert re.search(r"^USER 1\d{4}:", DOCKERFILE, re.MULTILINE)
    assert re.search(r"^ENTRYPOINT \[", DOCKERFILE, re.MULTILINE)
    assert not re.search(r"^(CMD|HEALTHCHECK|ADD) ", DOCKERFILE, re.MULTILINE)


@pytest.mark.target("D-21")
def test_an_image_says_what_it_is():
    for label in ("title", "description", "version", "revision", "licenses"):
        assert f"org.opencontainers.image.{label}=" in DOCKERFILE


def test_what_goes_to_the_builder_is_the_product_alone():
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert lines[1] == "*"
    named = {line[1:].split("/")[0] for line in lines if line.startswith("!")}
    assert named == {"frontend", "gateway", "openapi", "requirements", "services"}


@pytest.mark.target("D-04")
def test_probes_ask_what_processes_answer():
    """A web process and a worker at their port, the gateway at its inner one; tests/images asks them for real."""
    routes = listeners.inner(Settings())["filter_chains"][0]["filters"][0]["typed_config"]["route_config"]
    gateway = {route["match"].get("path") for route in routes["virtual_hosts"][0]["routes"]} | {"/healthz"}
    for pod in deployments(rendered("demo")):
        served = gateway if pod.component == "gateway" else entrance._QUIET
        (container,) = pod.spec["containers"]
        asked = {container[f"{name}Probe"]["httpGet"]["path"] for name in ("startup", "liveness", "readiness")}
        assert asked <= served, pod.name


def test_the_gateway_is_given_settings_that_it_knows_and_all_services():
    values = merged(values_of("production"), {"gateway": {"settings": {"user_per_s": 7, "trusted_hops": 1}}})
    (pod,) = [each for each in deployments(documents(values)) if each.component == "gateway"]
    words = pod.spec["initContainers"][0]["args"]
    pairs = [words[number + 1] for number, word in enumerate(words) if word == "--set"]
    settings = read(pairs)
    assert (settings.user_per_s, settings.trusted_hops, settings.host) == (7, 1, "0.0.0.0")
    assert settings.otlp_endpoint == "http://collector.monitoring:4318"
    served = {words[number + 1].partition("=")[0] for number, word in enumerate(words) if word == "--endpoint"}
    assert sorted(served) == tree.programs()


@pytest.mark.parametrize(
    ("file", "settings"), [("durable", redis_server.DURABLE), ("disposable", redis_server.DISPOSABLE)]
)
def test_redis_of_a_demo_is_set_as_in_a_house_on_one_machine(file, settings):
    text = (CHART / "files" / f"redis-{file}.conf").read_text(encoding="utf-8")
    lines = dict(line.split(" ", 1) for line in text.splitlines() if not line.startswith("#"))
    assert {name: lines[name] for name in settings} == dict(settings)


def test_postgresql_of_a_demo_is_set_as_in_a_house_on_one_machine():
    """What loses nothing, and what keeps values out of its log."""
    (store,) = [
        p for p in rendered("demo") if p["kind"] == "StatefulSet" and p["metadata"]["name"].endswith("postgresql")
    ]
    arguments = store["spec"]["template"]["spec"]["containers"][0]["args"]
    given = dict(word.split("=", 1) for word in arguments if "=" in word)
    kept = {name: value for name, value in servers.postgresql.SETTINGS.items() if name in given}
    assert given == kept
    assert {name for name in servers.postgresql.SETTINGS if name.startswith("log_") or "sync" in name} <= set(given)


# ---- what makes a database in a demo --------------------------------------------------------------------------------


@contextmanager
def secrets_at(script: Path, folder: Path, **values: str) -> Iterator[Path]:
    """The script, with its secrets in a folder of this test."""
    for name, value in values.items():
        (folder / name).write_text(value, encoding="utf-8")
    copy = folder / script.name
    copy.write_text(script.read_text(encoding="utf-8").replace("/run/secrets/provide", str(folder)), encoding="utf-8")
    yield copy


def test_a_database_is_made_for_its_service_alone_as_often_as_asked(postgres_server, tmp_path):
    program = servers.finding.postgresql().path.parent / "psql"
    if not program.exists():
        pytest.skip("psql is not beside this PostgreSQL")
    address = psycopg.conninfo.conninfo_to_dict(postgres_server)
    environ = {"PATH": f"{program.parent}:/usr/bin:/bin", "NAME": "made_for_chart", "SERVER": str(address["host"])}
    environ["PGPORT"] = str(address["port"])
    odd = "a 'quoted' \"word\" \\ and more"
    try:
        for password in ("first", odd):
            with secrets_at(
                CHART / "files" / "postgresql.sh", tmp_path, administrator=str(address["password"]), service=password
            ) as script:
                done = subprocess.run(["bash", script], env=environ, capture_output=True, text=True, timeout=60)
            assert done.returncode == 0, done.stderr
            own = psycopg.connect(
                host=address["host"],
                port=address["port"],
                user="made_for_chart",
                password=password,
                dbname="made_for_chart",
            )
            own.execute("CREATE TABLE IF NOT EXISTS things (id int)")
            own.commit()
            own.close()
        with psycopg.connect(postgres_server) as admin:
            acl = admin.execute("SELECT datacl::text FROM pg_database WHERE datname = 'made_for_chart'").fetchone()
        assert acl is not None
        assert "=T" not in acl[0].replace("made_for_chart=", "")
    finally:
        with psycopg.connect(postgres_server, autocommit=True) as admin:
            admin.execute("DROP DATABASE IF EXISTS made_for_chart WITH (FORCE)")
            admin.execute("DROP ROLE IF EXISTS made_for_chart")


def test_a_store_that_does_not_answer_is_waited_for_and_named_once(tmp_path):
    program = servers.finding.postgresql().path.parent
    if not (program / "pg_isready").exists():
        pytest.skip("pg_isready is not beside this PostgreSQL")
    environ = {"PATH": f"{program}:/usr/bin:/bin", "NAME": "x", "SERVER": "127.0.0.1", "PGPORT": str(ports.free())}
    script = CHART / "files" / "postgresql.sh"
    with (
        secrets_at(script, tmp_path, administrator="x", service="y") as copy,
        pytest.raises(subprocess.TimeoutExpired) as over,
    ):
        subprocess.run(["bash", copy], env=environ, capture_output=True, timeout=4)
    assert (over.value.stdout or b"").decode().splitlines() == ["waiting for 127.0.0.1"]


def test_scripts_of_the_chart_are_bash():
    for path in (CHART / "files").glob("*.sh"):
        said = subprocess.run(["bash", "-n", path], capture_output=True, text=True)
        assert said.returncode == 0, said.stderr


# ---- rules and dashboards -------------------------------------------------------------------------------------------


@pytest.mark.target("D-17")
def test_every_rule_and_dashboard_of_the_house_is_shipped_where_it_is_wanted():
    values = merged(values_of("production"), {"capabilities": {"apiVersions": ["monitoring.coreos.com/v1"]}})
    found = documents(values)
    boards = {name for each in found if each["kind"] == "ConfigMap" for name in each["data"] if name.endswith(".json")}
    assert boards == {path.name for path in (ROOT / "observability" / "dashboards").glob("*.json")}
    rules = [each for each in found if each["kind"] == "PrometheusRule"]
    assert bool(rules) == any((ROOT / "observability" / "rules").glob("*.yaml"))
