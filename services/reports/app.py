"""Composition root of the reports: settings, reading model, owners, controller, consumers, jobs, commands."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from services.chassis import bus, config, outbox, redis, sql
from services.chassis.asking import Existence
from services.chassis.bus import BatchSubscription, Subscription
from services.chassis.call import Call, by_hand
from services.chassis.client import Client
from services.chassis.jobs import Job
from services.chassis.service import Command, Service, new_id, now
from services.chassis.service_token import ServiceToken
from services.reports import consumers, jobs
from services.reports.controller import ReportsController
from services.reports.repository import Owners, Rebuilding, ReportsStore
from services.reports.repository.peers import PATIENT

NAME = "reports"
MIGRATIONS = Path(__file__).parent / "migrations"
LOOK_S, FACILITY_KEPT_S = 5, 60.0
# A report may take longer than a booking, and so many at once leave the rest of the service its connections.
REPORT_S, REPORTS_AT_ONCE, REPORT_WAIT_S = 8.0, 4, 2.0
# Filling and comparing all of it has no client who waits.
BY_HAND_S = 600.0
_STREAMS = (outbox.stream_of("appointments"), outbox.stream_of("doctors"))


class ReportsSettings(config.ServiceSettings):
    """What the reports need to know beside what every service does.

    database_url: PostgreSQL. appointments_url, doctors_url: who owns what is counted.
    """

    database_url: SecretStr
    appointments_url: str
    doctors_url: str


def service(environ: Mapping[str, str]) -> Service:
    """The reports, ready to run; no connection is opened yet."""
    settings = config.load(ReportsSettings, environ)
    url = settings.database_url.get_secret_value()
    engine = sql.engine(url, name=NAME, pool=settings.threads)
    reading = sql.engine(
        url, name=f"{NAME}-figures", pool=REPORTS_AT_ONCE, pool_wait_s=REPORT_WAIT_S, statement_s=REPORT_S
    )
    by_hand_engine = sql.engine(
        url, name=f"{NAME}-by-hand", pool=3, statement_s=BY_HAND_S, lock_s=30.0, idle_in_transaction_s=BY_HAND_S
    )
    database = sql.Database(engine, service=NAME, clock=now, new_id=new_id)
    store = ReportsStore(database, reading=sql.Database(reading, service=NAME, clock=now, new_id=new_id))
    rebuilding = Rebuilding(sql.Database(by_hand_engine, service=NAME, clock=now, new_id=new_id))
    peers, looking = _peers(settings), redis.client(settings.bus_url.get_secret_value(), timeout_s=5.0)
    token = ServiceToken(peers, client_id=NAME, secret=settings.service_secret.get_secret_value())
    return Service(
        name=NAME,
        settings=settings,
        controller=ReportsController(store=store, facilities=_facilities(peers)),
        audit=database.audit,
        readiness={"database": database.ping, "schema": partial(sql.at_head, engine, MIGRATIONS)},
        migrate=partial(sql.migrate, url, MIGRATIONS),
        start_checks=[partial(sql.require_durable, engine)],
        close=[peers.close, looking.close, engine.dispose, reading.dispose, by_hand_engine.dispose],
        outbox=database.outbox,
        stores=[sql.look(database, name=NAME)],
        subscriptions=_listening(store, Owners(peers, token=token)),
        jobs=_jobs(database, store, looking),
        commands=_commands(rebuilding, Owners(peers, token=token, pauses_s=PATIENT)),
    )


def _facilities(peers: Client) -> Existence:
    where = {"of": "identity", "named": "facility_id"}
    return Existence(peers, "get_facility", **where, kept_s=FACILITY_KEPT_S, monotonic=time.monotonic)


def _peers(settings: ReportsSettings) -> Client:
    urls = {
        "identity": settings.identity_url,
        "appointments": settings.appointments_url,
        "doctors": settings.doctors_url,
    }
    return Client(settings.openapi_dir, urls=urls, connections=settings.threads)


def _listening(store: ReportsStore, owners: Owners) -> list[Subscription | BatchSubscription]:
    appointments = partial(consumers.keep_appointments, store=store, owners=owners)
    doctor = partial(consumers.keep_doctor, store=store, owners=owners)
    specialization = partial(consumers.keep_specialization, store=store, owners=owners)
    of_doctors = dict.fromkeys(consumers.OF_DOCTORS, doctor)
    of_specializations = dict.fromkeys(consumers.OF_SPECIALIZATIONS, specialization)
    return [
        BatchSubscription(stream=_STREAMS[0], types=consumers.OF_APPOINTMENTS, handler=appointments),
        Subscription(stream=_STREAMS[1], handlers=of_doctors | of_specializations),
    ]


def _jobs(database: sql.Database, store: ReportsStore, looking: redis.Client) -> list[Job]:
    def standing(stream: str) -> bus.Standing:
        return bus.standing(looking, stream=stream, group=NAME)

    look = partial(jobs.look, store=store, standing=standing, streams=_STREAMS)
    return [
        Job(name="reports_look", every_s=LOOK_S, run=look, alone=True),
        Job(name="reports_tidy", every_s=3600, run=database.tidy, alone=True),
    ]


def _commands(rebuilding: Rebuilding, owners: Owners) -> dict[str, Command]:
    def make(operation: str) -> Call:
        return by_hand(operation, id=new_id(), at=now())

    rebuild = partial(jobs.rebuild, rebuilding=rebuilding, owners=owners, make=make, say=_say)
    digest = partial(jobs.digest, rebuilding=rebuilding, say=_say)
    return {
        "rebuild": Command(help="read everything again from its owners, while the figures are read", run=rebuild),
        "digest": Command(help="one number for all that figures are made of", run=digest),
    }


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
