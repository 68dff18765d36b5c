"""Composition root of the appointments: settings, records, journal, what the others say, controller, jobs."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import ClassVar, Literal

from pydantic import Field, SecretStr

from services.appointments import jobs, model
from services.appointments.controller import AppointmentsController, Desk
from services.appointments.repository import AppointmentsStore
from services.appointments.repository.auditing import Auditor
from services.appointments.repository.carrying import Carrier, Streams
from services.appointments.repository.journal import Journal
from services.appointments.repository.peers import Doctors, Patients, hears
from services.appointments.repository.records import Records
from services.appointments.repository.scripts import load
from services.chassis import config, redis, redis_gauges, sql
from services.chassis.asking import Existence
from services.chassis.call import Call, by_hand
from services.chassis.client import Client
from services.chassis.following import Follower
from services.chassis.jobs import Job
from services.chassis.scripts import Script
from services.chassis.service import Command, Service, new_id, now

NAME = "appointments"
MIGRATIONS = Path(__file__).parent / "migrations"
FACILITY_KEPT_S = 60.0
_CONNECTIONS = 32
_HEARS = ("events.patients", "events.doctors")


class AppointmentsSettings(config.ServiceSettings):
    """What the appointments need to know beside what every service does.

    records_url: Redis `records`. records_cluster: nodes of a Redis Cluster instead, `host:port,host:port`, with the
    account of records_url. records_durability: `checked` asks the server for its settings at the start; `attested` is
    the operator's word where a managed server does not tell. records_replicas: how many must have a write before it is
    answered. database_url: PostgreSQL, for the journal. patients_url, doctors_url: where to ask. hold_minutes,
    late_hours, window_days, horizon_days, open_per_patient, per_patient_day, holds_per_account: what the house has
    decided about booking; self_service_…: what holds for people who book for themselves.
    """

    schemes: ClassVar = {**config.ServiceSettings.schemes, "records_url": config.REDIS}

    records_url: SecretStr
    records_cluster: str | None = None
    records_durability: Literal["checked", "attested"] = "checked"
    records_replicas: int = Field(default=0, ge=0, le=5)
    database_url: SecretStr
    patients_url: str
    doctors_url: str
    hold_minutes: float = Field(default=5, gt=0, le=60)
    late_hours: int = Field(default=24, ge=0, le=168)
    window_days: int = Field(default=30, ge=1, le=400)
    horizon_days: int = Field(default=400, ge=1, le=800)
    open_per_patient: int = Field(default=10, ge=1, le=1000)
    per_patient_day: int = Field(default=5, ge=1, le=100)
    holds_per_account: int = Field(default=5, ge=1, le=1000)
    self_service_notice_hours: int = Field(default=24, ge=0, le=720)
    self_service_lead_hours: int = Field(default=2, ge=0, le=720)
    self_service_horizon_days: int = Field(default=90, ge=1, le=800)
    self_service_open: int = Field(default=3, ge=1, le=1000)
    self_service_patient_day: int = Field(default=2, ge=1, le=100)
    self_service_holds: int = Field(default=2, ge=1, le=1000)


def service(environ: Mapping[str, str], *, texts: Mapping[str, Script] | None = None) -> Service:
    """The appointments, ready to run; no connection is opened yet. Other scripts than its own are for tests."""
    settings = config.load(AppointmentsSettings, environ)
    url = settings.database_url.get_secret_value()
    engine = sql.engine(url, name=NAME, pool=settings.threads)
    database = sql.Database(engine, service=NAME, clock=now, new_id=new_id)
    connection = _connection(settings)
    journal, house = Journal(database), _house(settings)
    records = Records(
        connection,
        service=NAME,
        clock=now,
        new_id=new_id,
        is_new=journal.is_new,
        texts=texts or load(replicas=settings.records_replicas),
    )
    store = AppointmentsStore(records, journal, window=house.window, clock=now)
    peers = _peers(settings)
    patients, doctors = Patients(peers, monotonic=time.monotonic), Doctors(peers, monotonic=time.monotonic)
    desk = Desk(
        store=store, facilities=_facilities(peers), patients=patients, doctors=doctors, house=house, new_id=new_id
    )
    carrier = Carrier(records, journal, window=house.window, clock=now)
    auditor = Auditor(records, journal)
    return Service(
        name=NAME,
        settings=settings,
        controller=AppointmentsController(desk),
        audit=records.note,
        readiness={"records": records.ping},
        before_start={"journal": database.ping, "schema": partial(sql.at_head, engine, MIGRATIONS)},
        migrate=partial(sql.migrate, url, MIGRATIONS),
        start_checks=[_durable(settings, connection)],
        close=[peers.close, connection.close, engine.dispose],
        outbox=Streams(carrier, database.outbox, new_id=new_id, clock=now),
        stores=[redis_gauges.look(connection, name="records"), sql.look(database, name=NAME)],
        jobs=_jobs(database, carrier=carrier, auditor=auditor),
        commands=_commands(carrier, auditor),
        followers=[partial(_follower, settings, patients=patients, doctors=doctors)],
    )


def _facilities(peers: Client) -> Existence:
    where = {"of": "identity", "named": "facility_id"}
    return Existence(peers, "get_facility", **where, kept_s=FACILITY_KEPT_S, monotonic=time.monotonic)


def _peers(settings: AppointmentsSettings) -> Client:
    urls = {
        "identity": settings.identity_url,
        "patients": settings.patients_url,
        "doctors": settings.doctors_url,
    }
    return Client(settings.openapi_dir, urls=urls, connections=settings.threads)


def _connection(settings: AppointmentsSettings) -> redis.Client | redis.Cluster:
    url = settings.records_url.get_secret_value()
    if settings.records_cluster is None:
        return redis.client(url, connections=max(_CONNECTIONS, settings.threads))
    return redis.cluster(settings.records_cluster, url=url)


def _durable(settings: AppointmentsSettings, connection: redis.Client | redis.Cluster) -> partial[None]:
    attested = settings.records_durability == "attested"
    return partial(redis.require_durable_everywhere, connection, attested=attested)


def _house(settings: AppointmentsSettings) -> model.House:
    return model.House(
        horizon=timedelta(days=settings.horizon_days),
        hold=timedelta(minutes=settings.hold_minutes),
        late=timedelta(hours=settings.late_hours),
        window=timedelta(days=settings.window_days),
        open_per_patient=settings.open_per_patient,
        per_patient_day=settings.per_patient_day,
        holds=settings.holds_per_account,
        self_service=model.SelfService(
            notice=timedelta(hours=settings.self_service_notice_hours),
            lead=timedelta(hours=settings.self_service_lead_hours),
            horizon=timedelta(days=settings.self_service_horizon_days),
            open_per_patient=settings.self_service_open,
            per_patient_day=settings.self_service_patient_day,
            holds=settings.self_service_holds,
        ),
    )


def _jobs(database: sql.Database, *, carrier: Carrier, auditor: Auditor) -> list[Job]:
    return [
        Job(name="appointments_waiting", every_s=5, run=carrier.measure),
        Job(name="appointments_invariants", every_s=60, run=auditor.look_on, alone=True),
        Job(name="appointments_window", every_s=3600, run=carrier.tidy, alone=True),
        Job(name="appointments_tidy", every_s=3600, run=database.tidy, alone=True),
    ]


def _commands(carrier: Carrier, auditor: Auditor) -> dict[str, Command]:
    def make(operation: str) -> Call:
        return by_hand(operation, id=new_id(), at=now())

    return {
        "rebuild": Command(
            help="fill empty records from the journal",
            run=partial(jobs.rebuild, carrier=carrier, make=make, say=_say),
        ),
        "check": Command(help="look at the invariants", run=partial(jobs.look, auditor=auditor, make=make, say=_say)),
    }


def _follower(settings: AppointmentsSettings, *, patients: Patients, doctors: Doctors) -> Follower:
    def lost() -> None:
        patients.forget_all()
        doctors.forget_all()

    bus = redis.client(settings.bus_url.get_secret_value(), timeout_s=5.0)
    return Follower(bus, streams=_HEARS, heard=hears(patients, doctors), lost=lost)


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
