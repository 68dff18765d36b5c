"""Programs that a test wants and a machine may lack: under CI it must be there, elsewhere the test is skipped."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from typing import NoReturn

import pytest

# What to look for on PATH, in order, and the variable that names another.
PROGRAMS = {
    "faketime": ("INFIRMARY_FAKETIME", ("faketime",)),
    "buildah": ("INFIRMARY_BUILDAH", ("buildah",)),
    "podman": ("INFIRMARY_PODMAN", ("podman",)),
    "runc": ("INFIRMARY_RUNC", ("runc",)),
    "curl": ("INFIRMARY_CURL", ("curl",)),
    "prometheus": ("INFIRMARY_PROMETHEUS", ("prometheus",)),
    "promtool": ("INFIRMARY_PROMTOOL", ("promtool",)),
    "alertmanager": ("INFIRMARY_ALERTMANAGER", ("alertmanager", "prometheus-alertmanager")),
    "amtool": ("INFIRMARY_AMTOOL", ("amtool",)),
    "chromium": ("INFIRMARY_CHROMIUM", ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")),
    "kubectl": ("INFIRMARY_KUBECTL", ("kubectl",)),
}
# Programs that CI may lack too, with the reason: there the test is skipped by name.
NOT_HAD_EVERYWHERE = {"kubectl": "Debian 12 has one from 2021, older than what the chart is for"}


def find(name: str, *, environ: Mapping[str, str] = os.environ) -> str:
    """The path of a program; without it the test fails under CI and is skipped elsewhere."""
    variable, candidates = PROGRAMS[name]
    given = environ.get(variable)
    found = shutil.which(given, path=environ.get("PATH")) if given else None
    found = found or next(filter(None, (shutil.which(each, path=environ.get("PATH")) for each in candidates)), None)
    if found:
        return found
    message = f"needs {name}: none of {', '.join(candidates)} is on PATH, and {variable} names none"
    if reason := NOT_HAD_EVERYWHERE.get(name):
        return missing(f"{message} ({reason})", environ={})
    return missing(message, environ=environ)


def missing(message: str, *, environ: Mapping[str, str] = os.environ) -> NoReturn:
    """Something that a test needs is not here: a failure under CI, a skipped test elsewhere."""
    if environ.get("CI"):
        pytest.fail(message, pytrace=False)
    pytest.skip(message)
