"""Images as they are shipped: built by the Dockerfile, started against real stores, told to stop."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from standalone.servers.ports import free
from tests.architecture import tree
from tests.images.containers import base
from tests.waiting import wait_for

SERVICES = ("identity", "appointments", "notifications")
ABOVE_THE_BASE_MIB = 200
SECRET = "made for this test, and long enough"
PEERS = ("appointments", "doctors", "patients")

pytestmark = pytest.mark.timeout(1200)  # whichever comes first builds


@pytest.fixture
def environ(new_postgres: Callable[[], str], redis_url: str) -> Callable[[str], dict[str, str]]:
    """What a service is given, with a database of its own and an address for everybody whom it may call."""

    def of(service: str) -> dict[str, str]:
        port, worker = free(), free()
        found = {
            "DATABASE_URL": new_postgres(),
            "BUS_URL": redis_url,
            "RECORDS_URL": redis_url,
            "SERVICE_SECRET": SECRET,
            "HOST": "127.0.0.1",
            "PORT": str(port),
            "WORKER_PORT": str(worker),
            "IDENTITY_URL": f"http://127.0.0.1:{port}",
            **{f"{peer.upper()}_URL": "http://127.0.0.1:9" for peer in PEERS},
        }
        own = {
            "identity": {
                "MASTER_KEY": base64.b64encode(bytes(range(32))).decode(),
                "SUPER_ADMIN_PASSWORD": "Velodi Maruna Kepatu",
                "SERVICE_ACCOUNTS": json.dumps({service: SECRET}),
            },
            "notifications": {"CONTACT_KEY": SECRET, "SMS_REPLY_SECRET": SECRET},
        }
        return found | own.get(service, {})

    return of


@pytest.fixture
def identity(machine, image, environ, tmp_path):
    """A running identity: others take the keys for tokens from it."""
    given = environ("identity")
    done = machine.run(image("identity"), "migrate", "identity", **given)
    assert done.returncode == 0, done.stderr
    with machine.running(
        image("identity"), "serve", "identity", log=tmp_path / "identity.log", environ=given
    ) as running:
        running.answers(f"{given['IDENTITY_URL']}/readyz")
        yield running, given


@pytest.mark.target("D-27")
@pytest.mark.parametrize("service", SERVICES)
def test_an_image_holds_one_service_and_nothing_that_builds(machine, image, service, figure):
    about = machine.about(image(service))
    assert about["Config"]["User"] == "10001:10001"
    assert about["Config"]["Entrypoint"] == ["python", "-m", "services.chassis"]
    assert "Healthcheck" not in about["Config"]
    assert about["Config"]["Labels"]["org.opencontainers.image.version"] == "7.7.7"
    look = "import os, shutil; print(sorted(os.listdir('/app/services')), sorted(os.listdir('/app')));"
    look += "print([n for n in ('gcc', 'cc', 'make', 'git') if shutil.which(n)], os.path.exists('/opt/venv/bin/pip'))"
    said = machine.run(image(service), "-c", look, entrypoint="python").stdout.splitlines()
    packages = sorted(["__init__.py", "__pycache__", "chassis", "kernel", service])
    assert said == [f"{packages} ['openapi', 'services']", "[] False"]
    above = machine.size_mib(image(service)) - machine.size_mib(base())
    figure(f"image of {service} above its base", above, "MiB")
    assert above < ABOVE_THE_BASE_MIB


@pytest.mark.target("D-01")
def test_nobody_in_an_image_is_root_or_can_write_to_it(machine, image):
    look = "import os; print(os.getuid(), os.getgid())\nfor place in ('/app/x', '/opt/venv/x', '/x', '/tmp/x'):\n"
    look += " try: open(place, 'w'); print(place)\n except OSError as error: print(type(error).__name__)"
    said = machine.run(image("identity"), "-c", look, entrypoint="python").stdout.split()
    assert said == ["10001", "10001", "OSError", "OSError", "OSError", "/tmp/x"]


def test_an_image_says_all_that_it_was_not_given(machine, image):
    said = machine.run(image("notifications"), "serve", "notifications")
    assert said.returncode == 2
    for setting in ("BUS_URL", "DATABASE_URL", "CONTACT_KEY", "PATIENTS_URL"):
        assert f"{setting} is missing" in said.stderr


@pytest.mark.target("D-05")
def test_identity_serves_and_leaves_in_order(identity):
    running, given = identity
    running.answers(f"{given['IDENTITY_URL']}/api/v1/.well-known/jwks.json")
    assert running.inside("python", "-c", "import os; print(os.getuid())").strip() == "10001"
    assert running.stop() == 0


@pytest.mark.parametrize("service", ["appointments", "notifications"])
def test_web_process_worker_and_migration_are_one_image(machine, image, environ, identity, service, tmp_path):
    """Started as the chart does: it waits until the store has its schema, then it serves, works and leaves in order."""
    _, its = identity
    given = environ(service) | {"IDENTITY_URL": its["IDENTITY_URL"]}
    name = image(service)
    log = tmp_path / "wait.log"
    with machine.running(name, "wait", service, log=log, environ=given) as waiting:
        said(log, f"{service} waits for schema")
        done = machine.run(name, "migrate", service, **given)
        assert done.returncode == 0, done.stderr
        assert waiting.ends() == 0
    for verb, port in (("serve", given["PORT"]), ("work", given["WORKER_PORT"])):
        with machine.running(name, verb, service, log=tmp_path / f"{verb}.log", environ=given) as running:
            for path in ("healthz", "readyz", "metrics"):
                running.answers(f"http://127.0.0.1:{port}/{path}")
            assert running.stop() == 0
        assert '"version":"7.7.7"' in (tmp_path / f"{verb}.log").read_text(encoding="utf-8").replace(": ", ":")


@pytest.mark.target("D-05")
def test_a_process_that_waits_says_for_what_and_leaves_when_told(machine, image, environ, tmp_path):
    given = environ("notifications") | {"DATABASE_URL": f"postgresql://nobody:nothing@127.0.0.1:{free()}/nothing"}
    log = tmp_path / "wait.log"
    with machine.running(image("notifications"), "wait", "notifications", log=log, environ=given) as waiting:
        said(log, "notifications waits for database (StoreAway), schema (StoreAway)")
        assert waiting.stop() == 143
    assert log.read_text(encoding="utf-8").count("waits for") == 1


def said(log: Path, text: str) -> None:
    """Wait until a process has said something."""
    wait_for(lambda: text in log.read_text(encoding="utf-8"), within_s=60, what=f"{log.name} has: {text}")


def test_the_gateway_image_makes_a_configuration_for_the_names_of_a_release(machine, image):
    words = [word for name in tree.programs() for word in ("--endpoint", f"{name}=house-{name}:8080")]
    look = "import subprocess, sys\ncommand = [sys.executable, '-m', 'gateway', '--out', '/tmp/envoy', *sys.argv[1:]]\n"
    look += "subprocess.run(command, check=True)\nprint(open('/tmp/envoy/envoy.yaml').read().count('house-'))"
    done = machine.run(image("gateway"), "-c", look, *words, entrypoint="python")
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) >= len(tree.programs())
