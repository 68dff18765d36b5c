"""The chassis and the kernel know no hospital word: a shared library that learns them becomes the product."""

from __future__ import annotations

import re

from tests.architecture import tree

HOSPITAL = frozenset(
    re.findall(
        r"\w+",
        """
    patient patients doctor doctors nurse nurses physician clinician surgeon pharmacist pharmacy receptionist
    ward wards bed beds clinic appointment appointments booking bookings encounter encounters visit visits
    allergy allergies diagnosis diagnoses disease symptom vital vitals immunisation immunisations vaccine
    prescription prescriptions medication medications medicine medicines drug drugs dose doses dispense
    dispensing mrn
    """,
    )
)

# Where a word may stand, and why.
NAMED = {
    # Every audit entry says whose record was touched; privacy officers search by it, under this name.
    ("services/chassis/adapter.py", "patient"),
    ("services/chassis/answers.py", "patient"),
    ("services/chassis/call.py", "patient"),
    ("services/chassis/outbox.py", "patient"),
}


def words(path) -> set[str]:
    """The words of a file: of its names, texts, comments and docstrings, taken apart at underscores and capitals.

    A whole name in backticks is an example of what a service hands in (`orders.placed.v1`), and does not count.
    """
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", re.sub(r"`[^`\n]*`", " ", path.read_text(encoding="utf-8")))
    return {word.lower() for word in re.findall(r"[A-Za-z]+", text.replace("_", " "))}


def test_chassis_and_kernel_hold_no_hospital_word():
    shared = tree.files("services/chassis", "services/kernel")
    found = {(tree.named(path), word) for path in shared for word in words(path) & HOSPITAL}
    assert found == NAMED


def test_the_shared_packages_name_no_service():
    """`if service == …` in shared code is a feature of that service in the wrong place."""
    # Names of services that are words of the platform as well; the chassis writes audit entries and follows the policy.
    platform = {"audit", "identity"}
    found = {
        (tree.named(path), name)
        for path in tree.files("services/chassis", "services/kernel")
        for name in set(tree.programs()) - platform
        if re.search(rf"services\.{name}\b|[\"']{name}[\"']", path.read_text(encoding="utf-8"))
    }
    assert not found
