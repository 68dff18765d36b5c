"""A trail in a database of its own, for each test anew."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.audit import making


@pytest.fixture
def house(new_postgres, tmp_path) -> Iterator[making.House]:
    """An empty trail with its second place."""
    made = making.House(new_postgres(), second_place=tmp_path / "checkpoints")
    yield made
    made.close()
