"""Registering a patient, through the whole application and into PostgreSQL."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from services.kernel.identifiers import is_checked
from tests.integration.patients import making


@pytest.mark.row("PAT-01")
def test_registering_gives_a_unique_number_also_to_fifty_at_once_and_names_a_missing_field(house):
    bodies = [making.body() for _ in range(50)]
    barrier = threading.Barrier(50)

    def register(body):
        barrier.wait()
        return house.call("register_patient", body=body)

    first = house.call("register_patient", body=making.body())
    with ThreadPoolExecutor(50) as pool:
        got = list(pool.map(register, bodies))
    assert [each.status for each in [first, *got]] == [201] * 51
    numbers = {each.body["mrn"] for each in [first, *got]}
    assert len(numbers) == 51
    assert all(is_checked(number) for number in numbers)
    for field in ("family_name", "given_name", "administrative_gender", "birth_date"):
        refused = house.call("register_patient", body=making.body(**{field: None}))
        assert refused.status == 422
        assert {"pointer": f"/{field}", "rule": "required"} in refused.body["errors"]
    assert len(making.rows(house, "patients")) == 51
