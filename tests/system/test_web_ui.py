"""The web UI as it stands in a house: reached at its address, with tokens that stay inside, and alive while open."""

from __future__ import annotations

import json
import os
import re
import signal
import threading
from collections.abc import Callable, Iterator

import pytest
import redis

from standalone import state
from tests.system import clinic as clinics
from tests.system.browsing import Browser, browsers
from tests.system.house import Person, RunningHouse, hire
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def receptionist(beginning) -> Person:
    return hire(beginning.admin, "receptionist")


@pytest.fixture
def browser(house: RunningHouse) -> Iterator[Callable[[], Browser]]:
    with browsers(house.url) as opened:
        yield opened


def titled(browser: Browser) -> str:
    return re.search(r"<title>([^<]*)", browser.page.body.decode())[1]


def test_who_is_not_signed_in_is_led_to_the_door_and_back_to_the_page(browser, receptionist):
    person = browser()
    assert person.get("/patients").status == 200
    assert "Sign in" in titled(person)
    back = re.search(r'name="back" value="([^"]*)"', person.page.body.decode())[1]
    fields = {"username": receptionist.username, "password": receptionist.password, "back": back}
    assert person.post("/sign-in", fields).status == 200
    assert b'id="f-text"' in person.page.body, "the page for finding patients"


def test_a_token_is_neither_in_the_browser_nor_readable_on_the_bus(house, browser, receptionist):
    person = browser()
    person.sign_in(receptionist.username, receptionist.password)
    assert person.get("/").status == 200
    held = json.dumps(person.cookies) + person.page.body.decode()
    url = (house.home / "environ" / "frontend" / "BUS_URL").read_text(encoding="utf-8").strip()
    with redis.Redis.from_url(url) as bus:
        kept = {name: bus.get(name) for name in bus.scan_iter("web.session.*", count=1000)}
    assert kept
    everything = held + "".join(f"{name!r}{value!r}" for name, value in kept.items())
    assert "eyJ" not in everything, "the beginning of every token"
    assert receptionist.username not in "".join(repr(value) for value in kept.values())
    assert not [name for name in kept for cookie in person.cookies.values() if cookie.encode() in name]


@pytest.mark.parametrize(
    "more", [{"origin": "https://elsewhere.example"}, {"origin": "null"}, {"x-forwarded-host": "elsewhere.example"}]
)
def test_a_form_from_elsewhere_is_refused_and_one_from_here_passes(browser, receptionist, more):
    person = browser()
    person.get("/sign-in")
    fields = {"username": receptionist.username, "password": receptionist.password}
    is_here = "origin" not in more
    assert (person.post("/sign-in", fields, **more).status == 200) == is_here


def test_wrong_passwords_are_counted_by_the_address_of_the_browser(house, beginning):
    """Not by that of the web UI, which everybody would share, nor by one that a browser makes up."""
    someone, person = hire(beginning.admin, "receptionist"), Browser(house.url, source="127.0.0.2")
    person.get("/sign-in")
    fields = {"username": someone.username, "password": "wrong"}
    assert person.post("/sign-in", fields, **{"x-forwarded-for": "203.0.113.9"}).status == 401
    person.close()
    counted = beginning.admin.get("/api/v1/sign-in-counters").expect(200).json["items"]
    sources = {each["source"] for each in counted}
    assert "127.0.0.2" in sources
    assert "203.0.113.9" not in sources


def test_an_open_page_hears_of_a_booking_of_somebody_else(house, beginning, browser, receptionist):
    clinic = clinics.opened(beginning.admin)
    doctor = clinic.doctor()
    (patient,) = clinics.registered(receptionist, 1)
    person, heard = browser(), []
    person.sign_in(receptionist.username, receptionist.password)

    threading.Thread(target=lambda: heard.extend(person.listen(60)), daemon=True).start()
    wait_for(lambda: heard, what="it listens")
    made = clinic.booked(receptionist, doctor, clinic.at("09:00"), patient)
    wait_for(lambda: any(made["id"] in line for line in heard), what="it hears of the booking")
    assert not [line for line in heard if patient in line]


def test_when_it_was_killed_sessions_go_on(house, browser, receptionist):
    person = browser()
    person.sign_in(receptionist.username, receptionist.password)
    known = state.read(house.home / "run" / "state.json")
    (before,) = [each for each in known.processes if each.name == "frontend"]
    os.kill(before.pid, signal.SIGKILL)
    wait_for(lambda: person.get("/").status == 200, within_s=60, what="it is back")
    assert "Sign in" not in titled(person)
