"""An outside provider to sign in by, as a house passes it on."""

from __future__ import annotations

from pathlib import Path

from standalone import settings
from standalone.house import House
from standalone.layout import Layout

GIVEN = {
    "OIDC_ISSUER": "https://id.example.org",
    "OIDC_CLIENT_ID": "infirmary",
    "OIDC_CLIENT_SECRET": "between the two",
    "SIGN_IN_PROVIDER": "Ward Directory",
}


def house(folder: Path, environ: dict[str, str]) -> House:
    layout = Layout(folder)
    layout.make()
    return House(settings.read({"INFIRMARY_HOME": str(folder), "INFIRMARY_PORT": "18080", **environ}), layout=layout)


def test_who_needs_to_know_is_told_of_it(tmp_path: Path):
    made = house(tmp_path, GIVEN)
    identity, frontend = made.values("identity"), made.values("frontend")
    assert {name: identity[name] for name in GIVEN if name.startswith("OIDC_")} == {
        name: value for name, value in GIVEN.items() if name.startswith("OIDC_")
    }
    assert identity["OIDC_REDIRECT_URL"] == "http://127.0.0.1:18080/signed-in"
    assert frontend["SIGN_IN_PROVIDER"] == "Ward Directory"
    assert "OIDC_CLIENT_SECRET" not in frontend


def test_without_one_nobody_is_told_anything(tmp_path: Path):
    made = house(tmp_path, {"SIGN_IN_PROVIDER": "Ward Directory"})
    assert not [name for name in made.values("identity") if name.startswith("OIDC_")]
    assert "SIGN_IN_PROVIDER" not in made.values("frontend")
