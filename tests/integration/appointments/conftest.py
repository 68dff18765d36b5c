"""The booking desk on a real Redis and a real PostgreSQL, called through its whole web application."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.integration.appointments import making


@pytest.fixture
def desk(postgres_url: str, redis_url: str) -> Iterator[making.Booking]:
    """A booking desk with a facility of its own."""
    with making.opened(postgres_url, redis_url) as opened:
        yield opened


@pytest.fixture
def crowded(postgres_url: str, redis_url: str) -> Iterator[making.Booking]:
    """A booking desk with threads for three hundred at once: one with the usual sixteen sheds what is over 128."""
    with making.opened(postgres_url, redis_url, THREADS="40") as opened:
        yield opened
