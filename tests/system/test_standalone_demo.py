"""A house of its own with HTTPS, two of one service and the demo: what somebody finds after the first two commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pymongo
import pytest

from standalone import demo, state
from standalone.visitor import Visitor
from tests import needs
from tests.places import free_port
from tests.system.house import ROOT
from tests.system.standalone import standalone
from tests.waiting import wait_for


class DemoHouse:
    """The house and what its first start said."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.port = free_port()
        self.chosen = {
            "INFIRMARY_PORT": str(self.port),
            "INFIRMARY_PORT_INBOX": str(free_port()),
            "SCALE": "patients=2",
            "TLS": "1",
        }
        self.said = ""

    def run(self, verb: str) -> subprocess.CompletedProcess[str]:
        return standalone(self.home, verb, **self.chosen)

    def up(self) -> str:
        done = self.run("up")
        assert done.returncode == 0, done.stderr
        return done.stdout

    def visitor(self, role: str, *, password: str) -> Visitor:
        found = Visitor(host="localhost", port=self.port, authority=self.home / "secrets" / "tls" / "ca.pem")
        found.sign_in(f"demo.{role}", password)
        return found

    @property
    def password(self) -> str:
        found = re.search(r"^ +password +(\S+)$", self.said, re.MULTILINE)
        assert found
        return found[1]


@pytest.fixture(scope="module")
def demo_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DemoHouse]:
    running = DemoHouse(tmp_path_factory.mktemp("demo") / "house")
    try:
        running.said = running.up()
        yield running
    finally:
        running.run("down")


def people_and_accounts(house: DemoHouse) -> list[int]:
    """How many rows there are of what the demo makes, asked in the stores themselves."""
    counts = []
    for service, table in (("patients", "patients"), ("identity", "accounts"), ("identity", "departments")):
        url = (house.home / "environ" / service / "DATABASE_URL").read_text().strip()
        with psycopg.connect(url) as connection:
            counts.append(connection.execute(f"SELECT count(*) FROM {table}".encode()).fetchone()[0])
    url = (house.home / "environ" / "history" / "DATABASE_URL").read_text().strip()
    with pymongo.MongoClient(url) as client:
        database = client.get_default_database()
        counts += [database[name].count_documents({}) for name in ("allergies", "problems")]
    return counts


@pytest.mark.timeout(300)
def test_up_shows_what_it_does_and_ends_with_addresses_and_sign_ins(demo_house: DemoHouse):
    steps = [line for line in demo_house.said.splitlines() if re.match(r" *\d+\.\d s  ", line)]
    assert len(steps) > 20
    for word in (f"https://localhost:{demo_house.port}/docs", "inbox  http://127.0.0.1:", "demo.nurse", "ca.pem"):
        assert word in demo_house.said


@pytest.mark.row("WFL-08")
@pytest.mark.timeout(300)
def test_after_one_command_every_role_of_people_can_sign_in_and_the_desk_has_work(demo_house: DemoHouse):
    progress = json.loads((demo_house.home / "demo.json").read_text())
    assert set(progress["roles"]) >= {"admin", "receptionist", "nurse", "doctor", "pharmacist", "auditor", "patient"}
    for role in progress["roles"]:
        visitor = demo_house.visitor(role.replace("_", "-"), password=demo_house.password)
        assert visitor.get("/api/v1/account")["roles"] == [role]
        visitor.close()
    desk = demo_house.visitor("receptionist", password=demo_house.password)
    (facility,) = desk.get("/api/v1/facilities")["items"]
    today = datetime.now(UTC).date()
    days = f"since={today}T00:00:00Z&until={today + timedelta(days=14)}T00:00:00Z"
    booked = desk.get(f"/api/v1/facilities/{facility['id']}/appointments?{days}")["items"]
    assert {each["doctor_id"] for each in booked} <= {each["id"] for each in desk.get("/api/v1/doctors")["items"]}
    assert desk.get(f"/api/v1/patients/{booked[0]['patient_id']}")["mrn"]
    desk.close()


@pytest.mark.timeout(300)
def test_the_patient_of_the_demo_has_a_record_with_all_that_pages_show(demo_house: DemoHouse):
    """Linked by a code from the desk, as everybody is; what was booked at home is told in the house."""
    patient = demo_house.visitor("patient", password=demo_house.password)
    (link,) = patient.get("/api/v1/account")["links"]
    own = f"/api/v1/patients/{link['patient_id']}"
    assert (link["relation"], patient.get(own)["id"]) == ("self", link["patient_id"])
    for kind in ("allergies", "problems"):
        assert patient.get(f"{own}/{kind}")["items"]
    stands = {each["status"] for each in patient.get(f"{own}/appointments")["items"]}
    assert stands >= {"booked", "pending"}
    wait_for(lambda: patient.get(f"{own}/messages")["items"], within_s=60, what="a message about it")
    assert patient.get(f"{own}/accesses")["items"]
    desk = demo_house.visitor("receptionist", password=demo_house.password)
    (facility,) = desk.get("/api/v1/facilities")["items"]
    (asked,) = desk.get(f"/api/v1/facilities/{facility['id']}/appointment-requests")["items"]
    assert asked["patient_id"] == link["patient_id"]
    patient.close()
    desk.close()


@pytest.mark.timeout(300)
def test_two_processes_of_one_service_stand_behind_the_gateway(demo_house: DemoHouse):
    known = state.read(demo_house.home / "run" / "state.json")
    assert {each.name for each in known.processes} >= {"patients", "patients-2"}
    config = (demo_house.home / "gateway" / "envoy.yaml").read_text()
    for each in known.processes:
        if each.kind == "web":
            assert f"port_value: {each.port}" in config


@pytest.mark.timeout(400)
def test_a_later_start_is_quicker_and_adds_nothing(demo_house: DemoHouse, figure):
    """The same people, no more of them, with the same passwords, and without asking for anything again.

    Ready means that every process is; the demo is loaded after it.
    """
    before = people_and_accounts(demo_house)
    assert before[0] >= demo.PATIENTS  # other tests of this house may have registered more
    assert all(before)
    assert demo_house.run("down").returncode == 0
    said = demo_house.up()
    figure("first start, ready after", ready_after_s(demo_house.said), "s")
    figure("later start, ready after", ready_after_s(said), "s")
    assert "demo:" not in said
    assert people_and_accounts(demo_house) == before
    file = demo_house.home / "demo.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "complete": False}))
    assert f"{demo.PATIENTS} of {demo.PATIENTS}" in demo_house.up()  # as after a start that was cut off
    assert people_and_accounts(demo_house) == before
    assert json.loads(file.read_text())["complete"] is True


def ready_after_s(said: str) -> float:
    found = re.search(r"^ *(\d+\.\d) s  ready$", said, re.MULTILINE)
    assert found, said
    return float(found[1])


def test_the_quickstart_of_the_readme_does_what_it_says(demo_house):
    """Word for word, but for the address of this house and its folder."""
    needs.find("curl")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    script = re.search(r"## Quickstart.*?```sh\n(.*?)```", readme, re.DOTALL)[1]
    address, folder = f"https://localhost:{demo_house.port}/", f"{demo_house.home}/secrets"
    script = script.replace("http://127.0.0.1:8080/", address).replace("house/secrets", folder)
    environ = {**os.environ, "CURL_CA_BUNDLE": str(demo_house.home / "secrets" / "tls" / "ca.pem")}
    done = subprocess.run(["bash", "-eu", "-c", script], env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    noted, read, refused = [json.loads(each) for each in done.stdout.replace("}{", "}\n{").splitlines()]
    assert noted["substance"]["display"] == "Penicillin"
    assert [each["id"] for each in read["items"]] == [noted["id"]]
    assert (refused["status"], refused["code"]) == (403, "not_allowed")
