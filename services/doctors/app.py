"""Composition root of the doctors: settings, store, other services, fence, controller, consumers, jobs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from pydantic import SecretStr

from services.chassis import config, outbox, sql
from services.chassis.bus import Subscription
from services.chassis.client import Client
from services.chassis.jobs import Job
from services.chassis.service import Service, new_id, now
from services.chassis.service_token import ServiceToken
from services.doctors import consumers, jobs
from services.doctors.controller import Desk, DoctorsController
from services.doctors.repository import AppointmentsService, DoctorsStore, IdentityService, PlanFence

NAME = "doctors"
MIGRATIONS = Path(__file__).parent / "migrations"
SETTLE_S = 2


class DoctorsSettings(config.ServiceSettings):
    """What the doctors need to know beside what every service does.

    database_url: PostgreSQL. appointments_url: where plans are agreed with what is booked.
    """

    database_url: SecretStr
    appointments_url: str


def service(environ: Mapping[str, str]) -> Service:
    """The doctors, ready to run; no connection is opened yet."""
    settings = config.load(DoctorsSettings, environ)
    url = settings.database_url.get_secret_value()
    engine = sql.engine(url, name=NAME, pool=settings.threads)
    database = sql.Database(engine, service=NAME, clock=now, new_id=new_id)
    peers = _peers(settings)
    store, fence = DoctorsStore(database), _fence(settings, peers, DoctorsStore(database))
    desk = Desk(store=store, identity=IdentityService(peers), fence=fence, new_id=new_id)
    return Service(
        name=NAME,
        settings=settings,
        controller=DoctorsController(desk),
        audit=database.audit,
        readiness={"database": database.ping, "schema": partial(sql.at_head, engine, MIGRATIONS)},
        migrate=partial(sql.migrate, url, MIGRATIONS),
        start_checks=[partial(sql.require_durable, engine)],
        close=[peers.close, engine.dispose],
        outbox=database.outbox,
        stores=[sql.look(database, name=NAME)],
        subscriptions=[_listening(store)],
        jobs=_jobs(database, store=store, fence=fence),
    )


def _peers(settings: DoctorsSettings) -> Client:
    urls = {"identity": settings.identity_url, "appointments": settings.appointments_url}
    return Client(settings.openapi_dir, urls=urls, connections=settings.threads)


def _fence(settings: DoctorsSettings, peers: Client, store: DoctorsStore) -> PlanFence:
    token = ServiceToken(peers, client_id=NAME, secret=settings.service_secret.get_secret_value())
    appointments = AppointmentsService(peers, token=token)
    return PlanFence(store, appointments=appointments, new_id=new_id, clock=now)


def _listening(store: DoctorsStore) -> Subscription:
    handle = partial(consumers.keep_place, store=store)
    return Subscription(stream=outbox.stream_of("identity"), handlers=dict.fromkeys(consumers.LISTENED, handle))


def _jobs(database: sql.Database, *, store: DoctorsStore, fence: PlanFence) -> list[Job]:
    follow = partial(jobs.follow_places, store=store, new_id=new_id)
    settle = partial(jobs.settle_changes, store=store, fence=fence)
    return [
        Job(name="doctors_places", every_s=SETTLE_S, run=follow, alone=True),
        Job(name="doctors_plans", every_s=SETTLE_S, run=settle, alone=True),
        Job(name="doctors_tidy", every_s=3600, run=database.tidy, alone=True),
    ]
