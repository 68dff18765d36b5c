"""Composition root of the patients: settings, store, other services, controller, consumers."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import Field, SecretStr, field_validator

from services.chassis import config, outbox, sql
from services.chassis.asking import Existence
from services.chassis.bus import BatchSubscription, Subscription
from services.chassis.client import Client
from services.chassis.jobs import Job
from services.chassis.service import Service, new_id, now
from services.chassis.service_token import ServiceToken
from services.patients import consumers
from services.patients.controller import PatientsController
from services.patients.model import House
from services.patients.repository import DoctorsService, PatientsDatabase

NAME = "patients"
MIGRATIONS = Path(__file__).parent / "migrations"
FACILITY_KEPT_S = 60.0


class PatientsSettings(config.ServiceSettings):
    """What the patients need to know beside what every service does.

    database_url: PostgreSQL. home_country: ISO 3166-1 alpha-2, of phone numbers and national ids that name none.
    home_zone: the time zone in which "today" is meant. doctors_url: where it is asked how doctors sign in.
    patient_known_days: how long after an appointment a patient is known where it was. new_patient_open_hours: how long
    the history of a patient who was just registered is open to every doctor on duty there.
    """

    database_url: SecretStr
    home_country: str = "US"
    home_zone: str = "UTC"
    doctors_url: str
    patient_known_days: int = Field(default=730, ge=1, le=36500)
    new_patient_open_hours: int = Field(default=24, ge=0, le=720)

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
    house = _house(settings)
    store, peers = PatientsDatabase(database, house=house), _peers(settings)
    return Service(
        name=NAME,
        settings=settings,
        controller=PatientsController(store=store, facilities=_facilities(peers), house=house, new_id=new_id),
        audit=database.audit,
        readiness={"database": database.ping, "schema": partial(sql.at_head, engine, MIGRATIONS)},
        migrate=partial(sql.migrate, url, MIGRATIONS),
        start_checks=[partial(sql.require_durable, engine)],
        close=[peers.close, engine.dispose],
        outbox=database.outbox,
        subscriptions=_listening(settings, store, peers),
        stores=[sql.look(database, name=NAME)],
        jobs=[Job(name="patients_tidy", every_s=3600, run=database.tidy, alone=True)],
    )


def _house(settings: PatientsSettings) -> House:
    return House(
        country=settings.home_country,
        zone=ZoneInfo(settings.home_zone),
        known_for=timedelta(days=settings.patient_known_days),
        open_for=timedelta(hours=settings.new_patient_open_hours),
    )


def _peers(settings: PatientsSettings) -> Client:
    urls = {"identity": settings.identity_url, "doctors": settings.doctors_url}
    return Client(settings.openapi_dir, urls=urls, connections=settings.threads)


def _facilities(peers: Client) -> Existence:
    where = {"of": "identity", "named": "facility_id"}
    return Existence(peers, "get_facility", **where, kept_s=FACILITY_KEPT_S, monotonic=time.monotonic)


def _listening(
    settings: PatientsSettings, store: PatientsDatabase, peers: Client
) -> list[Subscription | BatchSubscription]:
    token = ServiceToken(peers, client_id=NAME, secret=settings.service_secret.get_secret_value())
    visits = partial(consumers.keep_visits, store=store)
    doctor = partial(consumers.keep_doctor, store=store, doctors=DoctorsService(peers, token=token))
    return [
        BatchSubscription(stream=outbox.stream_of("appointments"), types=consumers.OF_APPOINTMENTS, handler=visits),
        Subscription(stream=outbox.stream_of("doctors"), handlers=dict.fromkeys(consumers.OF_DOCTORS, doctor)),
    ]
