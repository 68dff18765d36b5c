"""Composition root of the history: settings, store, the way to the patients, controller."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

from pydantic import SecretStr

from services.chassis import config, mongo
from services.chassis.client import Client
from services.chassis.jobs import Job
from services.chassis.service import Service, new_id, now
from services.history.controller import HistoryController
from services.history.repository import HistoryStore, PatientsService

NAME = "history"
MIGRATIONS = Path(__file__).parent / "migrations"


class HistorySettings(config.ServiceSettings):
    """What the history needs to know beside what every service does.

    database_url: the MongoDB replica set. database_name: the database in it. patients_url: where patients are verified.
    """

    schemes: ClassVar = {**config.ServiceSettings.schemes, "database_url": config.MONGODB}

    database_url: SecretStr
    database_name: str = NAME
    patients_url: str


def service(environ: Mapping[str, str]) -> Service:
    """The history, ready to run; no connection is opened yet."""
    settings = config.load(HistorySettings, environ)
    client = mongo.client(settings.database_url.get_secret_value(), name=NAME, connections=settings.threads)
    documents = mongo.Documents(client, settings.database_name, service=NAME, clock=now, new_id=new_id)
    peers = Client(settings.openapi_dir, urls={"patients": settings.patients_url}, connections=settings.threads)
    patients = PatientsService(peers, monotonic=time.monotonic)
    return Service(
        name=NAME,
        settings=settings,
        controller=HistoryController(store=HistoryStore(documents), patients=patients, new_id=new_id),
        audit=documents.audit,
        readiness={"database": documents.ping, "schema": partial(mongo.at_head, documents.database, MIGRATIONS)},
        migrate=partial(mongo.migrate, documents.database, MIGRATIONS),
        start_checks=[partial(mongo.require_durable, client)],
        close=[peers.close, client.close],
        outbox=documents.outbox,
        stores=[mongo.look(documents, name=NAME)],
        jobs=[Job(name="history_tidy", every_s=3600, run=documents.tidy, alone=True)],
    )
