"""Settings from the environment: all that is missing or wrong is named at once, and never with its value.

Every name can be given as a file too: `DATABASE_URL_FILE=/run/secrets/database-url` reads the value from there, as
mounted secrets want it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import ClassVar, Final, TypeVar
from urllib.parse import urlsplit

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings.sources import InitSettingsSource, PydanticBaseSettingsSource

# What addresses of stores begin with; the first is what a wrong one is told.
REDIS: Final = ("redis", "rediss", "unix")
POSTGRESQL: Final = ("postgresql", "postgres", "postgresql+psycopg")
MONGODB: Final = ("mongodb", "mongodb+srv")
_WEB: Final = ("http", "https")
_FILE = "_FILE"
S = TypeVar("S", bound="ProcessSettings")


class SettingsError(Exception):
    """Settings are missing or wrong; the text names each one, and no value."""


class ProcessSettings(BaseSettings):
    """What every process needs to know.

    bus_url: Redis `bus`. threads: requests in work at once in one process, and the size of each store's pool.
    otel_exporter_otlp_endpoint: collector for traces; without it none are made. schemes: what addresses of stores
    begin with.
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", case_sensitive=False, hide_input_in_errors=True)

    schemes: ClassVar[Mapping[str, tuple[str, ...]]] = {"bus_url": REDIS, "database_url": POSTGRESQL}

    bus_url: SecretStr
    host: str = "127.0.0.1"
    port: int = 8080
    threads: int = 16
    log_level: str = "info"
    openapi_dir: Path = Path(__file__).resolve().parents[2] / "openapi"
    otel_exporter_otlp_endpoint: str | None = None

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the names are those of the hook
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` was given counts: a setting has one source, and tests need no process environment."""
        return (InitSettingsSource(settings_cls, init_settings.init_kwargs),)  # type: ignore[attr-defined]


class ServiceSettings(ProcessSettings):
    """What every service needs to know.

    bus_url is for events and the policy. identity_url: where the keys come from. service_secret: the secret of this
    service's own account.
    """

    identity_url: str
    service_secret: SecretStr
    worker_port: int = 8081


def load(settings: type[S], environ: Mapping[str, str]) -> S:
    """Settings from an environment; an empty value counts as not given.

    Raises:  SettingsError: names every setting that is missing, unreadable, not of its type or no address.
    """
    values, unreadable = _values(settings, environ)
    wrong = dict.fromkeys(unreadable, "in a file that cannot be read")
    try:
        loaded = settings.model_validate(values)
    except ValidationError as error:
        for each in error.errors(include_input=False, include_context=False, include_url=False):
            name = str(each["loc"][0]).upper() if each["loc"] else "settings"
            wrong.setdefault(name, "missing" if each["type"] == "missing" else f"not valid ({each['type']})")
    for name, value in values.items():
        schemes = settings.schemes.get(name)
        if name.endswith("_url") and not _is_address(value, schemes=schemes):
            wrong.setdefault(name.upper(), f"no address like {(schemes or _WEB)[0]}://…")
    if wrong:
        raise SettingsError("; ".join(f"{name} is {what}" for name, what in sorted(wrong.items()))) from None
    return loaded


def _is_address(value: str, *, schemes: tuple[str, ...] | None) -> bool:
    """Whether it has the form of one; what answers there is found out by those who go there."""
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError:
        return False
    is_somewhere = bool(parts.hostname or parts.path or parts.query) and port != 0
    return is_somewhere and "://" in value and (parts.scheme in schemes if schemes else bool(parts.scheme))


def _values(settings: type[S], environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    values: dict[str, str] = {}
    unreadable: list[str] = []
    for field in settings.model_fields:
        name = field.upper()
        if environ.get(name):
            values[field] = environ[name]
        elif environ.get(name + _FILE):
            try:
                values[field] = Path(environ[name + _FILE]).read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError):
                unreadable.append(name)
    return values, unreadable
