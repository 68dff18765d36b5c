"""Composition root of the patients: settings, store, controller."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import SecretStr, field_validator

from services.chassis import config, sql
from services.chassis.jobs import Job
from services.chassis.service import Service, new_id, now
from services.patients.controller import PatientsController
from services.patients.model import House
from services.patients.repository import PatientsDatabase

NAME = "patients"
MIGRATIONS = Path(__file__).parent / "migrations"


class PatientsSettings(config.ServiceSettings):
    """What the patients need to know beside what every service does.

    database_url: PostgreSQL. home_country: ISO 3166-1 alpha-2, of phone numbers and national ids that name none.
    home_zone: the time zone in which "today" is meant.
    """

    database_url: SecretStr
    home_country: str = "US"
    home_zone: str = "UTC"

    @field_validator("home_zone")
    @classmethod
    def _is_zone(cls, value: str) -> str:
        ZoneInfo(value)
        return value


def service(environ: Mapping[str, str]) -> Service:
    """The patients, ready to run; no connection is opened yet."""
    settings = config.load(PatientsSettings, environ)
    url = settings.database_url.get_secret_value()
    engine = sql.engine(url, name=NAME, pool=settings.threads)
    database = sql.Database(engine, service=NAME, clock=now, new_id=new_id)
    house = House(country=settings.home_country, zone=ZoneInfo(settings.home_zone))
    store = PatientsDatabase(database, house=house)
    return Service(
        name=NAME,
        settings=settings,
        controller=PatientsController(store=store, house=house, new_id=new_id),
        audit=database.audit,
        readiness={"database": database.ping, "schema": partial(sql.at_head, engine, MIGRATIONS)},
        migrate=partial(sql.migrate, url, MIGRATIONS),
        start_checks=[partial(sql.require_durable, engine)],
        close=[engine.dispose],
        outbox=database.outbox,
        stores=[sql.look(database, name=NAME)],
        jobs=[Job(name="patients_tidy", every_s=3600, run=database.tidy, alone=True)],
    )
