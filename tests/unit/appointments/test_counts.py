"""What the booking desk counts of a wish: one result each, and nothing of what has to be decided again."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
from prometheus_client import REGISTRY

from services.appointments import model
from services.appointments.controller import counts
from services.chassis.call import Answer
from services.chassis.stores import Replayed, StoreAway, StoreBusy
from services.kernel.errors import Invalid, Unavailable

RESULTS = ("booked", "replayed", "conflict", "invalid", "error")


def standing() -> dict[str, float]:
    name = "infirmary_booking_attempts_total"
    return {result: REGISTRY.get_sample_value(name, {"result": result}) or 0.0 for result in RESULTS}


@pytest.mark.parametrize(
    ("raised", "result"),
    [
        (None, "booked"),
        (Replayed(Answer()), "replayed"),
        (model.PlaceTaken(), "conflict"),
        (Invalid(), "invalid"),
        (Unavailable("patients"), "error"),
        (StoreAway("redis", "test"), "error"),
        (StoreBusy("redis", "test"), None),
    ],
)
def test_each_end_of_a_wish_is_counted_as_what_it_is(raised, result):
    before = standing()
    with nullcontext() if raised is None else pytest.raises(type(raised)), counts.attempt():
        decide(raised)
    grown = {name: count - before[name] for name, count in standing().items() if count != before[name]}
    assert grown == ({result: 1} if result else {})


def decide(raised: Exception | None) -> None:
    if raised is not None:
        raise raised


def test_a_refusal_is_counted_by_its_rule():
    labels = {"code": "place_taken"}
    before = REGISTRY.get_sample_value("infirmary_booking_refusals_total", labels) or 0.0
    with pytest.raises(model.PlaceTaken), counts.attempt():
        raise model.PlaceTaken
    assert REGISTRY.get_sample_value("infirmary_booking_refusals_total", labels) == before + 1
