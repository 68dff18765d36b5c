"""What a search of the trail asks, from what stands in its form."""

from __future__ import annotations

import pytest

from frontend.controllers.trail import conditions
from frontend.forms import Wrong

RECORD = "01939c3e-0000-7000-8000-000000000001"


def test_times_are_those_of_the_clocks_of_the_house() -> None:
    asked = conditions({"from": "2026-07-01T08:00", "until": "2026-12-01T08:00"}, zone="Europe/Berlin")
    assert asked == {"from": "2026-07-01T06:00:00Z", "until": "2026-12-01T07:00:00Z"}


def test_an_empty_field_asks_for_nothing() -> None:
    assert conditions({"actor": None, "action": "", "from": None}, zone="UTC") == {}


@pytest.mark.parametrize("given", [RECORD, RECORD.upper(), f"https://house.example/patients/{RECORD}/changes?x=1"])
def test_a_record_is_known_by_any_address_of_it(given: str) -> None:
    assert conditions({"patient_id": given}, zone="UTC") == {"patient_id": RECORD}


def test_a_record_that_is_no_address_is_marked() -> None:
    with pytest.raises(Wrong) as wrong:
        conditions({"patient_id": "Ada Example"}, zone="UTC")
    assert wrong.value.fields == {"patient_id": "format"}


def test_a_time_that_cannot_be_read_is_marked() -> None:
    with pytest.raises(Wrong) as wrong:
        conditions({"until": "tomorrow"}, zone="UTC")
    assert wrong.value.fields == {"until": "format"}


def test_what_is_no_condition_is_not_sent() -> None:
    assert conditions({"actor_text": "ada", "actor": RECORD}, zone="UTC") == {"actor": RECORD}
