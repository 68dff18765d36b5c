"""Texts that would be scripts: kept and shown as they are, and nothing of them runs."""

from __future__ import annotations

import secrets

import pytest

CORPUS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "'-alert(1)-'",
    "javascript:alert(1)",
    "{{7*7}}${7*7}<%= 7*7 %>",
    "<svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "%3Cscript%3Ealert(1)%3C/script%3E",
]


@pytest.mark.parametrize("hostile", CORPUS)
def test_a_name_that_is_a_script_is_a_name(tab, hostile):
    """Where the API takes it at all; the tab itself fails on a dialog, an error or a refused part."""
    desk, mark = tab("receptionist"), secrets.token_hex(3)
    page = desk.page
    desk.goto("/patients/new")
    page.get_by_label("Family name").fill(f"{mark}{hostile}")
    page.get_by_label("Given name").fill(hostile)
    page.locator("#f-administrative_gender").select_option("other")
    page.locator("#f-birth_date").fill("1990-01-02")
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_load_state()
    if page.locator(".patient-name").count():
        assert f"{mark}{hostile}" in page.locator(".patient-name").inner_text()
    else:
        assert page.get_by_label("Family name").input_value() == f"{mark}{hostile}"
    desk.goto("/patients")
    page.locator("#f-text").fill(mark)
    page.wait_for_timeout(600)
    page.keyboard.press("Control+k")
    page.locator("#command-text").fill(mark)
    page.wait_for_timeout(600)
