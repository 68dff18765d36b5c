"""What checking a password takes, as a house passes it on: to `identity` alone, and only where it was chosen."""

from __future__ import annotations

from pathlib import Path

import pytest

from standalone import settings
from standalone.house import House
from standalone.layout import Layout


@pytest.mark.parametrize(("environ", "told"), [({}, None), ({"HASH_MEMORY_MIB": "19"}, "19")])
def test_who_checks_passwords_is_told_what_was_chosen(tmp_path: Path, environ: dict[str, str], told: str | None):
    layout = Layout(tmp_path)
    layout.make()
    made = House(settings.read({"INFIRMARY_HOME": str(tmp_path), **environ}), layout=layout)
    assert made.values("identity").get("HASH_MEMORY_MIB") == told
    assert "HASH_MEMORY_MIB" not in made.values("patients")
