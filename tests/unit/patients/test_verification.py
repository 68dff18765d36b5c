"""Whether somebody knows a birth date: yes or no, ten wrong ones a day."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest

from services.kernel.errors import TooMany
from services.patients import model
from services.patients.model.verification import MOST_WRONG, WITHIN
from tests.unit.patients import making
from tests.unit.patients.making import AT

RIGHT, WRONG = date(1984, 11, 5), date(1984, 11, 6)


def test_the_right_date_is_a_yes_and_counts_nothing():
    assert model.checked(making.patient(), given=RIGHT, before=None, at=AT) == (True, None)


def test_ten_wrong_dates_end_the_answers_for_a_day_and_the_right_one_is_not_looked_at():
    checks = None
    for _ in range(MOST_WRONG):
        matches, checks = model.checked(making.patient(), given=WRONG, before=checks, at=AT)
        assert not matches
    with pytest.raises(TooMany):
        model.checked(making.patient(), given=RIGHT, before=checks, at=AT + WITHIN - timedelta(seconds=1))
    assert model.checked(making.patient(), given=RIGHT, before=checks, at=AT + WITHIN)[0]
    _, fresh = model.checked(making.patient(), given=WRONG, before=checks, at=AT + WITHIN)
    assert fresh is not None
    assert fresh.wrong == 1


@pytest.mark.parametrize(
    "record",
    [
        replace(making.patient(), deactivation_reason="moved_away"),
        replace(making.patient(), deceased_on=making.TODAY),
        replace(making.patient(), merged_into=making.patient_id(2)),
        making.patient(birth_date=None, estimated_age=41),
    ],
)
def test_a_record_out_of_use_or_without_a_birth_date_has_none_that_is_right(record):
    assert not model.checked(record, given=RIGHT, before=None, at=AT)[0]
