"""Every check of the cluster's suite is made for every profile."""

from __future__ import annotations

import pytest

from tests.cluster import rendering


@pytest.fixture(params=sorted(rendering.PROFILES))
def profile(request: pytest.FixtureRequest) -> str:
    """The name of a profile."""
    return str(request.param)


@pytest.fixture
def manifests(profile: str) -> tuple[rendering.Document, ...]:
    """What the chart makes of the profile."""
    return rendering.rendered(profile)
