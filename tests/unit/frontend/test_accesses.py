"""Who opened a record, as a patient is told it."""

from __future__ import annotations

from typing import Any

import pytest

from frontend.accesses import told
from frontend.words import Words

ENGLISH = Words("en", zone="Europe/Berlin")
DOCTOR = {"kind": "staff", "roles": ["doctor"], "name": None}


def access(at: str, **values: Any) -> dict[str, Any]:
    usual = {"operation": "get_patient", "action": "read", "purpose": "treatment", "by": DOCTOR}
    return {"id": at, "at": at, "service": "patients", **usual, **values}


def test_what_one_person_did_in_one_minute_is_told_once_in_its_order() -> None:
    newest_first = [
        access("2026-03-02T08:15:40Z", operation="list_allergies"),
        access("2026-03-02T08:15:20Z", operation="get_patient"),
        access("2026-03-02T08:15:10Z", operation="get_patient"),
    ]

    [(day, [line])] = told(newest_first, ENGLISH)

    assert day == "2026-03-02"
    assert (line.who, line.why) == ("Doctor", "for your treatment")
    assert line.what == ["opened the personal data", "looked at allergies"]


def test_another_purpose_or_minute_is_told_apart() -> None:
    [(_, lines)] = told(
        [
            access("2026-03-02T08:16:00Z"),
            access("2026-03-02T08:15:59Z"),
            access("2026-03-02T08:15:30Z", purpose="administration"),
        ],
        ENGLISH,
    )

    assert [line.why for line in lines] == ["for your treatment", "for your treatment", "for appointments and papers"]


def test_days_are_those_of_the_clinic() -> None:
    days = told([access("2026-03-02T23:30:00Z"), access("2026-03-02T22:30:00Z")], ENGLISH)

    assert [day for day, _ in days] == ["2026-03-03", "2026-03-02"]


@pytest.mark.parametrize(
    ("by", "name"),
    [
        (DOCTOR, "Doctor"),
        ({"kind": "staff", "roles": ["doctor"], "name": "Ada Example"}, "Ada Example (Doctor)"),
        ({"kind": "staff", "roles": ["night_watch"], "name": None}, "night_watch"),
        ({"kind": "staff", "roles": [], "name": None}, "Somebody who works here"),
        ({"kind": "house", "roles": ["service"], "name": None}, "The house by itself"),
        ({"kind": "person", "roles": ["patient"], "name": None}, "You, or somebody who acts for you"),
    ],
)
def test_who_it_was_is_said_in_plain_words(by: dict[str, Any], name: str) -> None:
    [(_, [line])] = told([access("2026-03-02T08:15:00Z", by=by)], ENGLISH)

    assert line.who == name


def test_an_operation_that_has_no_words_of_its_own_is_told_by_its_action() -> None:
    [(_, [line])] = told([access("2026-03-02T08:15:00Z", operation="print_wristband", action="export")], ENGLISH)

    assert line.what == ["took a copy of the record"]
