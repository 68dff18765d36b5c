"""What comes from others: every file is named with its hash, and the text of its licence lies beside it."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path

import pytest

VENDOR = Path(__file__).resolve().parents[3] / "frontend" / "static" / "vendor"
PACKAGES = json.loads((VENDOR / "vendor.json").read_text(encoding="utf-8"))
# A sentence of each licence that no other has.
SAYS = {
    "0BSD": "Permission to use, copy, modify, and/or distribute this software for",
    "MIT": "The above copyright notice and this permission notice shall be included in",
    "OFL-1.1": "This Font Software is licensed under the SIL Open Font License, Version 1.1",
}


def test_every_folder_is_named_once():
    assert sorted(each["folder"] for each in PACKAGES) == sorted(
        each.name for each in VENDOR.iterdir() if each.is_dir()
    )


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each["folder"])
def test_the_files_are_those_that_are_named(package):
    folder = VENDOR / package["folder"]
    found = {each.name: hashlib.sha256(each.read_bytes()).hexdigest() for each in folder.iterdir()}
    assert found == package["files"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", package["version"])


@pytest.mark.parametrize("package", PACKAGES, ids=lambda each: each["folder"])
def test_the_licence_lies_beside_what_it_is_for(package):
    texts = [each.read_text(encoding="utf-8") for each in (VENDOR / package["folder"]).glob("LICENSE*")]
    assert len(texts) == 1
    assert SAYS[package["licence"]] in " ".join(texts[0].split())


def test_a_face_is_asked_for_by_its_version():
    """Browsers keep files for a year: an address without the version would show the old one."""
    sheet = (VENDOR.parent / "infirmary.css").read_text(encoding="utf-8")
    versions = {each["folder"]: each["version"] for each in PACKAGES}
    asked = re.findall(r'url\("vendor/([a-z]+)/([\w-]+\.woff2)\?v=([\d.]+)"\)', sheet)
    assert {(folder, name) for folder, name, _ in asked} == {
        (each["folder"], name) for each in PACKAGES for name in each["files"] if name.endswith(".woff2")
    }
    assert {folder: version for folder, _, version in asked} == {folder: versions[folder] for folder, _, _ in asked}
