"""A trail in a database of its own, for each test anew, and the service over it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from services.audit import app
from services.chassis import testing
from tests.integration.audit import making


@pytest.fixture
def house(new_postgres, tmp_path) -> Iterator[making.House]:
    """An empty trail with its second place."""
    made = making.House(new_postgres(), second_place=tmp_path / "checkpoints")
    yield made
    made.close()


@pytest.fixture
def web(house, tmp_path) -> Iterator[testing.House]:
    """The application over the same trail and the same second place."""
    made = testing.House(app.service(making.environ(house.url, second_place=tmp_path / "checkpoints")))
    yield made
    made.close()
