"""An administrator: who works here, doctors with their hours and absences, and the lists that all is chosen from."""

from __future__ import annotations

import secrets

from playwright.sync_api import expect

from tests.browser import deeds
from tests.system.clinic import registered
from tests.system.house import word


def test_a_user_is_made_and_gets_another_role(tab):
    admin, username = tab("admin"), f"new.{secrets.token_hex(4)}"
    page = admin.page
    admin.goto("/people/new")
    deeds.fits(admin)
    once = deeds.new_user(admin, username, "nurse")
    deeds.fits(admin)
    page.get_by_role("link", name="Done").click()
    page.locator(".head-actions").get_by_role("link", name="Roles").click()
    page.locator("[name=roles][value=nurse]").uncheck()
    page.locator("[name=roles][value=receptionist]").check()
    deeds.send_named(admin, "Give these roles")
    expect(page.locator(".sheet", has_text="Roles").get_by_text("Receptionist").first).to_be_visible()
    deeds.fits(admin)

    other = tab()
    other.sign_in(username, once)
    deeds.own_password(other, once)
    expect(other.page.locator("nav.side a", has_text="Book")).to_be_visible()


def test_a_doctor_is_added_with_a_specialization_hours_and_leave_that_clashes(tab, clinic):
    admin, name = tab("admin"), word()
    page = admin.page
    admin.goto("/doctors/new")
    page.locator("#f-title").fill("Dr.")
    page.locator("#f-given_name").fill("Noor")
    page.locator("#f-family_name").fill(name)
    page.locator("[name='licence.number']").fill(secrets.token_hex(5))
    page.locator("[name='licence.authority']").fill("Medical Chamber")
    page.get_by_label("Cardiology").check()
    deeds.fits(admin)
    deeds.send(admin)
    expect(page.locator(".person")).to_contain_text("Cardiology")
    doctor = page.url.rstrip("/").rsplit("/", 1)[1]

    page.locator("nav.tabs").get_by_role("link", name="Hours").click()
    page.get_by_role("link", name="Add hours").first.click()
    day = clinic.day()
    for field, value in {"starts": "08:00", "ends": "12:00", "slot_minutes": "30", "capacity": "1"}.items():
        page.locator(f"#f-{field}").fill(value)
    page.locator("#f-weekday").select_option(str(day.isoweekday()))
    page.locator("#f-location_id").select_option(clinic.location)
    page.locator("#f-valid_from").fill("2020-01-01")
    deeds.fits(admin)
    deeds.send(admin)
    expect(page.locator(".session-time")).to_have_text("08:00 – 12:00")
    deeds.fits(admin)

    (patient,) = registered(clinic.admin, 1)
    clinic.booked(clinic.admin, doctor, clinic.at("09:00"), patient)
    page.locator("nav.tabs").get_by_role("link", name="Leave").click()
    page.locator("#f-starts_local").fill(f"{day}T00:00")
    page.locator("#f-ends_local").fill(f"{day}T23:00")
    page.locator("#f-reason").fill("A congress")
    deeds.send_named(admin, "Add the leave")
    against = page.locator(".sheet", has_text="Appointments in this time")
    expect(against).to_contain_text("09:00")
    expect(page.locator("#f-reason")).to_have_value("A congress")
    deeds.fits(admin)
    deeds.send_named(admin, "Add it and keep these appointments for now")
    expect(page.locator(".row-item", has_text="A congress")).to_be_visible()


def test_a_specialization_and_a_kind_of_appointment_are_added_and_renamed(tab):
    admin, field, kind = tab("admin"), word(), word()
    page = admin.page
    admin.goto("/lists/specializations")
    page.locator("#f-name").fill(field)
    deeds.send_named(admin, "Add")
    expect(page.locator(".row-item", has_text=field)).to_be_visible()
    deeds.fits(admin)
    page.locator("nav.tabs").get_by_role("link", name="Kinds of appointment").click()
    page.locator("#f-name").fill(kind)
    page.locator("#f-minutes").fill("20")
    page.locator("#f-audience").select_option("staff")
    deeds.send_named(admin, "Add")
    page.locator(".row-item", has_text=kind).get_by_role("link").click()
    page.locator("#f-name").fill(f"{kind} again")
    deeds.fits(admin)
    deeds.send_named(admin, "Save")
    expect(page.locator(".row-item", has_text=f"{kind} again")).to_be_visible()
    admin.goto("/lists/specializations")
    page.locator(".row-item", has_text=field).get_by_role("link").click()
    page.get_by_role("button", name="Take out of use").click()
    expect(page.locator(".row-item", has_text=field)).to_contain_text("out of use")
