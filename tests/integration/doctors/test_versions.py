"""What the tables of doctors hold against anybody who reaches around the service."""

from __future__ import annotations

import psycopg
import pytest

from tests.integration.doctors import making


def test_versions_of_records_cannot_be_changed(house, postgres_url):
    making.doctor(house)
    with psycopg.connect(postgres_url) as admin, pytest.raises(psycopg.errors.RestrictViolation):
        admin.execute("UPDATE record_versions SET by = 'nobody'")
