"""Whose record it is: those with the permission pass, everybody else learns nothing."""

from __future__ import annotations

import pytest

from services.kernel.errors import NotFound
from services.patients import model
from tests.unit.patients.making import BLIND, CLERK, patient


def test_staff_with_the_permission_reads_and_changes_every_record():
    record = patient()
    assert model.readable(record, actor=CLERK) is record
    assert model.changeable(record, actor=CLERK, permission="patients.update") is record


def test_for_everybody_else_there_is_no_record():
    with pytest.raises(NotFound):
        model.readable(patient(), actor=BLIND)
    with pytest.raises(NotFound):
        model.reachable(patient(), actor=CLERK)
    with pytest.raises(NotFound):
        model.changeable(patient(), actor=BLIND, permission="patients.update")
