"""What stands on every page that it belongs to: whom it is about, and by which clock a time is meant."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser import deeds
from tests.system.clinic import registered
from tests.system.house import new_allergy

# Clocks with no name of their zone in a part of the page that they stand in, nor in the head above it.
_UNNAMED = r"""() => {
  const head = document.querySelector("main .head")?.textContent || "";
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  const wrong = [];
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    if (!/\b\d{1,2}:\d\d\b/.test(text.data) || !text.parentElement.checkVisibility()) continue;
    let said = `${head} ${text.data}`;
    for (let part = text.parentElement; part.localName !== "main"; part = part.parentElement)
      if (part.matches("section, article, .alert, .sheet")) said += part.textContent;
    if (!said.includes("Berlin")) wrong.push(text.data.trim());
  }
  return wrong;
}"""


def test_whose_record_it_is_and_by_which_clock_stand_on_every_page_of_a_patient(tab, clinic):
    doctor = clinic.doctor()
    (patient,) = registered(clinic.admin, 1)
    clinic.admin.post(f"/api/v1/patients/{patient}/allergies", new_allergy("Penicillin")).expect(201)
    record = clinic.admin.get(f"/api/v1/patients/{patient}").expect(200).json
    booked = clinic.booked(clinic.admin, doctor, clinic.at("10:00"), patient)["id"]
    desk = tab("super_admin")
    banner = desk.page.locator("main .patient")
    for path in (
        f"/patients/{patient}",
        f"/patients/{patient}/edit",
        f"/patients/{patient}/changes",
        f"/patients/{patient}/history",
        f"/patients/{patient}/history/allergies/new",
        f"/patients/{patient}/messages",
        f"/links/{patient}",
        f"/audit/records/{patient}",
        f"/booking?patient_id={patient}",
        f"/booking/{booked}",
        f"/booking/{booked}/slip",
    ):
        got = desk.goto(path)
        assert got is not None
        assert got.status == 200, path
        for part in (record["family_name"], f"{record['age_years']} years", record["mrn"], "Allergies: Penicillin"):
            expect(banner).to_contain_text(part)
        assert desk.page.evaluate(_UNNAMED) == [], path


def test_a_time_has_the_name_of_its_clock_beside_it_wherever_there_are_many(tab):
    desk = tab("super_admin")
    for path in (
        "/",
        "/requests",
        "/requests/unresolved",
        "/calendar/day",
        "/messages",
        "/audit",
        "/closures",
        "/account",
    ):
        desk.goto(path)
        desk.page.wait_for_load_state("networkidle")
        assert desk.page.evaluate(_UNNAMED) == [], path
    deeds.signed_out(desk)
