"""Settings: all that is missing is named at once, and no value is ever shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import SecretStr

from services.chassis.config import ProcessSettings, ServiceSettings, SettingsError, load

GOOD = {"BUS_URL": "redis://:Canary@127.0.0.1", "IDENTITY_URL": "http://127.0.0.1", "SERVICE_SECRET": "Canary"}


class Settings(ServiceSettings):
    """Settings with one secret more."""

    database_url: SecretStr


def test_every_missing_and_every_wrong_name_is_listed_and_no_value() -> None:
    with pytest.raises(SettingsError) as raised:
        load(Settings, {"PORT": "Canary", "BUS_URL": "", "SERVICE_SECRET_FILE": "/nowhere/Canary"})
    text = str(raised.value)
    for name in ("BUS_URL", "DATABASE_URL", "IDENTITY_URL", "PORT", "SERVICE_SECRET"):
        assert name in text
    assert "Canary" not in text
    assert raised.value.__cause__ is None


def test_a_secret_is_read_from_its_file_and_not_shown(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://Canary\n", encoding="utf-8")
    settings = load(Settings, {**GOOD, "DATABASE_URL_FILE": str(tmp_path / "url"), "UNKNOWN": "1"})
    assert settings.database_url.get_secret_value() == "postgresql://Canary"
    assert "Canary" not in repr(settings) + str(settings)


def test_the_process_environment_does_not_leak_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://elsewhere")
    with pytest.raises(SettingsError, match="DATABASE_URL is missing"):
        load(Settings, GOOD)


@pytest.mark.parametrize(
    ("name", "wrong", "like"),
    [
        ("BUS_URL", "Canary", "redis"),
        ("BUS_URL", "postgresql://Canary", "redis"),
        ("DATABASE_URL", "mysql://Canary/db", "postgresql"),
        ("DATABASE_URL", "postgresql://", "postgresql"),
        ("DATABASE_URL", "postgresql://Canary:70000/db", "postgresql"),
        ("DATABASE_URL", "postgresql://[Canary/db", "postgresql"),
        ("IDENTITY_URL", "Canary:8080", "http"),
    ],
)
def test_what_is_no_address_is_named_with_what_one_looks_like(name: str, wrong: str, like: str) -> None:
    with pytest.raises(SettingsError) as raised:
        load(Settings, {**GOOD, "DATABASE_URL": "postgresql://h/db", name: wrong})
    assert str(raised.value) == f"{name} is no address like {like}://…"
    assert "Canary" not in str(raised.value)


@pytest.mark.parametrize("right", ["postgresql://h/db", "postgresql:///db?host=/run", "postgres://a:b@h:5432/db"])
def test_an_address_of_any_usual_form_is_taken(right: str) -> None:
    assert load(Settings, {**GOOD, "DATABASE_URL": right}).database_url.get_secret_value() == right


def test_a_program_that_is_no_service_needs_neither_keys_nor_an_account_of_its_own() -> None:
    settings = load(ProcessSettings, {"BUS_URL": GOOD["BUS_URL"]})
    assert (settings.port, settings.threads) == (8080, 16)
    assert not {"identity_url", "service_secret", "worker_port"} & set(ProcessSettings.model_fields)
