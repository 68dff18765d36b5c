"""Images that are built once, where buildah and podman are; under CI where buildah is, they must be built."""

from __future__ import annotations

import shutil

import pytest

from tests import needs
from tests.images.containers import Machine, base


@pytest.fixture(scope="session")
def machine() -> Machine:
    """Builds and runs; without the programs or a base image the tests are skipped, and fail where they must run."""
    if not shutil.which("buildah"):
        pytest.skip("needs buildah, which is not on PATH: on Debian and Ubuntu apt-get install buildah podman runc")
    found = Machine(needs.find("buildah"), needs.find("podman"))
    needs.find("runc")
    if not found.has(base()) and not found.pull(base()):
        needs.missing(f"needs the base image {base()}: no registry gives it; .ci/base-image makes a stand-in for it")
    return found


@pytest.fixture(scope="session")
def image(machine: Machine):
    """`image("identity")`: the image of a service, built once."""
    built: dict[str, str] = {}

    def of(service: str) -> str:
        if service not in built:
            built[service] = machine.build(service)
        return built[service]

    return of
