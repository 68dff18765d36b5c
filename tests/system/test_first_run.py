"""docs/first-run.md, word for word, in an empty house: at its end the house works, with people of every role in it."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator

import pytest

from tests import needs
from tests.system.effects import messages
from tests.system.house import COMES_UP_S, ROOT, Client, RunningHouse, standing

TAKES_S = 180
PAGE = ROOT / "docs" / "first-run.md"


@pytest.fixture(scope="module")
def empty_house() -> Iterator[RunningHouse]:
    """Nobody has been in it."""
    with standing() as running:
        yield running


def script(house: RunningHouse) -> str:
    """All that the page lets a shell do, for the address and the folder of this house."""
    parts = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return (
        "\n".join(parts).replace("http://127.0.0.1:8080", house.url).replace("house/secrets", f"{house.home}/secrets")
    )


@pytest.mark.timeout(COMES_UP_S + TAKES_S + 60)
def test_an_empty_house_works_after_the_first_run_as_the_page_tells_it(empty_house: RunningHouse):
    needs.find("curl")
    at_the_end = '\necho "$PASSWORD"; echo "$TOKEN"'
    command = ["bash", "-eu", "-o", "pipefail", "-c", script(empty_house) + at_the_end]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, timeout=TAKES_S, check=False)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    mail, *people, booked, patient, whole, password, token = done.stdout.splitlines()
    assert (mail, booked, patient, whole) == ("sent", "booked", "first.patient", "True")
    assert [each["to"] for each in messages(empty_house, "email")] == [["you@example.org"]]
    client = Client(empty_house.url)
    roles = client.send("GET", "/api/v1/roles", token=token).expect(200).json["items"]
    wanted = {each["name"] for each in roles if each["assignable"]} - {"super_admin", "patient"}
    given = dict(each.split() for each in people)
    assert {name.removeprefix("first.") for name in given} == wanted, "somebody of each role"
    del given["first.receptionist"]  # with another password by now
    for name, once in given.items():
        begun = client.send("POST", "/api/v1/sessions", {"username": name, "password": once}).expect(201).json
        assert begun["must_change_password"]
    again = client.send("POST", "/api/v1/sessions", {"username": "admin", "password": password}).expect(401).json
    assert again["code"] == "second_factor_required"
    client.close()
