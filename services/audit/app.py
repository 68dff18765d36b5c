"""Composition root of the audit: settings, store, second place, controller, consumer, job and command."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr

from services.audit import consumers, jobs
from services.audit.controller import AuditController
from services.audit.repository import AuditStore, CheckpointFile, StaffNames
from services.chassis import config, outbox, sql
from services.chassis.bus import BatchSubscription
from services.chassis.client import Client
from services.chassis.jobs import Job
from services.chassis.service import Command, Service, new_id, now
from services.chassis.service_token import ServiceToken

NAME = "audit"
MIGRATIONS = Path(__file__).parent / "migrations"
CHECKPOINT_S = 5
CHECK_S = 900


class AuditSettings(config.ServiceSettings):
    """What the audit needs to know beside what every service does.

    database_url: PostgreSQL. checkpoint_key: signs the checkpoints; whoever has it and the database can write the trail
    anew, so it is kept where the database is not. checkpoint_file: the second place, on another disk than the database.
    names_staff: whether people see the names of those who opened their record, or only their roles.
    """

    database_url: SecretStr
    checkpoint_key: SecretStr = Field(min_length=32)
    checkpoint_file: Path | None = None
    names_staff: bool = False


def service(environ: Mapping[str, str]) -> Service:
    """The audit, ready to run; no connection is opened yet."""
    settings = config.load(AuditSettings, environ)
    url, key = settings.database_url.get_secret_value(), settings.checkpoint_key.get_secret_value().encode()
    engine = sql.engine(url, name=NAME, pool=settings.threads)
    database = sql.Database(engine, service=NAME, clock=now, new_id=new_id)
    second_place = None if settings.checkpoint_file is None else CheckpointFile(settings.checkpoint_file)
    store = AuditStore(database, second_place=second_place)
    peers = Client(settings.openapi_dir, urls={"identity": settings.identity_url}, connections=settings.threads)
    token = ServiceToken(peers, client_id=NAME, secret=settings.service_secret.get_secret_value())
    names = StaffNames(peers, token=token, is_shown=settings.names_staff)
    return Service(
        name=NAME,
        settings=settings,
        controller=AuditController(store=store, names=names, checkpoint_key=key),
        audit=database.audit,
        readiness={"database": database.ping, "schema": partial(sql.at_head, engine, MIGRATIONS)},
        migrate=partial(sql.migrate, url, MIGRATIONS),
        start_checks=[partial(sql.require_durable, engine)],
        close=[peers.close, engine.dispose],
        outbox=database.outbox,
        stores=[sql.look(database, name=NAME)],
        subscriptions=[
            BatchSubscription(
                stream=outbox.AUDIT_STREAM,
                types=[outbox.AUDIT_TYPE],
                handler=partial(consumers.record_entries, store=store),
            )
        ],
        jobs=_jobs(database, store=store, key=key),
        commands={
            "verify": Command(help="Check the whole trail; exit code 1 when it is broken.", run=_verify(store, key))
        },
    )


def _jobs(database: sql.Database, *, store: AuditStore, key: bytes) -> list[Job]:
    note = partial(jobs.make_checkpoint, store=store, key=key)
    return [
        Job(name="audit_checkpoint", every_s=CHECKPOINT_S, run=note, alone=True),
        # In every worker: an age that only one of them knows would look old in the others.
        Job(name="audit_check", every_s=CHECK_S, run=partial(jobs.check_newest, store=store, key=key)),
        Job(name="audit_tidy", every_s=3600, run=database.tidy, alone=True),
    ]


def _verify(store: AuditStore, key: bytes) -> Callable[[Sequence[str]], int]:
    def run(_arguments: Sequence[str]) -> int:
        whole = jobs.verify_trail(store=store, key=key, monotonic=time.monotonic, say=print)
        return 0 if whole else 1

    return run
