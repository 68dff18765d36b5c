"""Requests that wait for an answer: yes, no, and another time where the one that was asked for is gone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser import deeds
from tests.browser.tabs import DESKTOP, PHONE, Tab
from tests.system.clinic import Clinic, registered


@dataclass(frozen=True)
class Asked:
    """What somebody wants, and how it stands by now."""

    clinic: Clinic
    body: dict[str, Any]

    @property
    def status(self) -> str:
        path = f"{self.clinic.path}/appointments/{self.body['id']}"
        return str(self.clinic.admin.get(path).expect(200).json["status"])

    def on(self, desk: Tab) -> Locator:
        """Where it stands on the page."""
        return desk.page.locator(f"#request-{self.body['id']}")


@pytest.fixture
def ask(clinic: Clinic) -> Callable[[str], Asked]:
    """Somebody asks for a time of one doctor."""
    doctor = clinic.doctor()

    def asked(clock: str) -> Asked:
        (patient,) = registered(clinic.admin, 1)
        wanted = clinic.wanted(doctor, clinic.at(clock), patient)
        return Asked(clinic, clinic.admin.post(f"{clinic.path}/appointment-requests", wanted).expect(201).json)

    return asked


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_request_comes_to_the_list_by_itself_and_is_approved_or_declined_with_a_reason(tab, ask, size):
    desk = tab("receptionist", size=size)
    desk.goto("/requests")
    yes, no = ask("09:00"), ask("10:00")
    for each in (yes, no):
        expect(each.on(desk)).to_be_visible()
    assert not desk.overflows()
    yes.on(desk).get_by_role("button", name="Approve").click()
    expect(desk.page.get_by_text(deeds.BOOKED)).to_be_visible()
    expect(yes.on(desk)).to_have_count(0)
    no.on(desk).locator("summary", has_text="Decline").click()
    no.on(desk).get_by_label("Reason, which the patient reads").fill("The doctor is away that day")
    no.on(desk).get_by_role("button", name="Decline").click()
    expect(desk.page.get_by_text("The request is declined.")).to_be_visible()
    expect(no.on(desk)).to_have_count(0)
    assert (yes.status, no.status) == ("booked", "declined")


def test_a_request_whose_time_is_gone_is_answered_with_another_one(tab, ask):
    desk = tab("receptionist")
    first, late = ask("11:00"), ask("11:00")
    desk.goto("/requests")
    first.on(desk).get_by_role("button", name="Approve").click()
    expect(desk.page.get_by_text(deeds.BOOKED)).to_be_visible()
    late.on(desk).get_by_role("button", name="Approve").click()
    expect(late.on(desk)).to_contain_text("taken")
    offered = late.on(desk).locator("button[name=place]")
    expect(offered).to_have_count(3)
    assert not desk.overflows()
    offered.first.click()
    expect(desk.page.get_by_text(deeds.BOOKED)).to_be_visible()
    expect(late.on(desk)).to_have_count(0)
    assert (first.status, late.status) == ("booked", "declined")
    path = f"/api/v1/patients/{late.body['patient_id']}/appointments"
    found = first.clinic.admin.get(path).expect(200).json["items"]
    assert sorted(each["status"] for each in found) == ["booked", "declined"]
