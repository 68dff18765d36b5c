"""The steps by which an appointment of the past is closed."""

from __future__ import annotations

import pytest

from frontend.controllers.requests import _further, _way

KEY = "0f2b7c1e-6d0a-4c39-8b1e-5a9d3f6e7c21"


@pytest.mark.parametrize(
    ("status", "to", "steps"),
    [
        ("booked", "completed", ["arrived", "in_progress", "completed"]),
        ("arrived", "completed", ["in_progress", "completed"]),
        ("booked", "no_show", ["no_show"]),
    ],
)
def test_an_appointment_goes_every_step_on_its_way(status: str, to: str, steps: list[str]) -> None:
    assert _way(status, to) == steps


def test_each_step_of_a_form_has_a_key_of_its_own_and_always_the_same() -> None:
    assert _further(KEY, "arrived") == _further(KEY, "arrived") != _further(KEY, "completed")
