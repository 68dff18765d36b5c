"""Composition root of notifications: settings, store, other services, channels, controller, consumers, sending."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

from pydantic import Field, SecretStr, field_validator

from services.chassis import config, outbox, sql
from services.chassis.bus import BatchSubscription, Subscription
from services.chassis.client import Client
from services.chassis.jobs import Job
from services.chassis.service import Part, Service, new_id, now
from services.chassis.service_token import ServiceToken
from services.notifications import consumers, jobs
from services.notifications.controller import Desk, NotificationsController
from services.notifications.jobs.placing import Placing
from services.notifications.jobs.sending import Means, Sending
from services.notifications.model.channels import Channel
from services.notifications.model.deliveries import Retrying
from services.notifications.model.replies import number_key
from services.notifications.model.words import Way
from services.notifications.repository import AsCaller, AsService, InAppChannel, NotificationsStore, SqlPlaces, SqlTurns
from services.notifications.repository.channels import ChannelSettings, PushChannel, PushHosts, channels

NAME = "notifications"
MIGRATIONS = Path(__file__).parent / "migrations"
_MEASURE_S, _WIPE_S = 5, 3600

Channels = Callable[[ChannelSettings], Sequence[Channel]]


class NotificationsSettings(ChannelSettings):
    """What notifications need to know beside what every service does, and beside their channels.

    database_url: PostgreSQL. patients_url, doctors_url, appointments_url: where to ask. contact_key: keeps numbers that
    want no more SMS without the numbers. sms_reply_secret: what the SMS gateway signs replies with. retry_pauses_s:
    seconds between the attempts of a message, with commas; after one attempt more it is given up. lease_s: a message
    that was under way so long was left by somebody who died. retention_days: how long addresses and words are kept.
    """

    database_url: SecretStr
    patients_url: str
    doctors_url: str
    appointments_url: str
    contact_key: SecretStr = Field(min_length=32)
    sms_reply_secret: SecretStr = Field(min_length=32)
    retry_pauses_s: str = "60,300"
    lease_s: float = Field(default=60, ge=1, le=3600)
    retention_days: int = Field(default=90, ge=1, le=3650)

    @field_validator("retry_pauses_s")
    @classmethod
    def _are_seconds(cls, value: str) -> str:
        if not all(0 <= float(each) <= 86400 for each in value.split(",")):
            raise ValueError("not seconds")
        return value

    @property
    def retrying(self) -> Retrying:
        """How often a message is tried."""
        return Retrying(pauses=tuple(timedelta(seconds=float(each)) for each in self.retry_pauses_s.split(",")))


def service(environ: Mapping[str, str], *, ways_out: Channels = channels) -> Service:
    """Notifications, ready to run; no connection is opened yet. Other ways out than its own are for tests."""
    settings = config.load(NotificationsSettings, environ)
    url = settings.database_url.get_secret_value()
    engine = sql.engine(url, name=NAME, pool=settings.threads)
    database = sql.Database(engine, service=NAME, clock=now, new_id=new_id)
    peers = _peers(settings)
    # Web process and worker each send with channels of their own: what they keep open belongs to one of them.
    found = {Way(each.name): each for each in [InAppChannel(database), *ways_out(settings)]}
    means = _means(settings, database, peers)
    return Service(
        name=NAME,
        settings=settings,
        controller=NotificationsController(_desk(settings, database, peers, found)),
        audit=database.audit,
        readiness={"database": database.ping, "schema": partial(sql.at_head, engine, MIGRATIONS)},
        migrate=partial(sql.migrate, url, MIGRATIONS),
        start_checks=[partial(sql.require_durable, engine)],
        close=[*(each.close for each in found.values()), peers.close, engine.dispose],
        outbox=database.outbox,
        stores=[sql.look(database, name=NAME)],
        subscriptions=_listening(settings, database, means, frozenset(found)),
        jobs=_jobs(settings, database, means),
        parts=_parts(found, means),
    )


def _peers(settings: NotificationsSettings) -> Client:
    urls = {
        "identity": settings.identity_url,
        "patients": settings.patients_url,
        "doctors": settings.doctors_url,
        "appointments": settings.appointments_url,
    }
    return Client(settings.openapi_dir, urls=urls, connections=settings.threads)


def _means(settings: NotificationsSettings, database: sql.Database, peers: Client) -> Means:
    token = ServiceToken(peers, client_id=NAME, secret=settings.service_secret.get_secret_value())
    return Means(
        turns=SqlTurns(database),
        places=SqlPlaces(database),
        peers=AsService(peers, token=token, monotonic=time.monotonic),
        retrying=settings.retrying,
        lease=timedelta(seconds=settings.lease_s),
        clock=now,
        new_id=new_id,
        service=NAME,
    )


def _parts(found: Mapping[Way, Channel], means: Means) -> dict[str, Part]:
    """What sends: one message at a time where it leaves the house, many where it does not."""
    out = {way: Sending(channel, means).run for way, channel in found.items() if way is not Way.IN_APP}
    return {f"send {way.value}": run for way, run in [*out.items(), (Way.IN_APP, Placing(means).run)]}


def _desk(settings: NotificationsSettings, database: sql.Database, peers: Client, found: Mapping[Way, Channel]) -> Desk:
    push = found.get(Way.PUSH)
    return Desk(
        store=NotificationsStore(database),
        turns=SqlTurns(database),
        callers=AsCaller(peers),
        channels=found,
        hosts=PushHosts(settings.push_hosts),
        push_key=push.public_key if isinstance(push, PushChannel) else None,
        reply_secret=settings.sms_reply_secret.get_secret_value().encode(),
        key_of=_key_of(settings),
        retrying=settings.retrying,
        lease=timedelta(seconds=settings.lease_s),
        clock=now,
        new_id=new_id,
    )


def _key_of(settings: NotificationsSettings) -> Callable[[str], bytes]:
    return partial(number_key, secret=settings.contact_key.get_secret_value().encode())


def _listening(
    settings: NotificationsSettings, database: sql.Database, means: Means, ways: frozenset[Way]
) -> list[Subscription | BatchSubscription]:
    store = NotificationsStore(database)
    sender = consumers.Sender(ways=ways, organizer=settings.smtp_from, key_of=_key_of(settings), new_id=new_id)
    tell = partial(consumers.tell, store=store, peers=means.peers, sender=sender)
    silence = partial(consumers.silence, store=store)
    return [
        BatchSubscription(stream=outbox.stream_of("appointments"), types=consumers.TOLD, handler=tell),
        Subscription(stream=outbox.stream_of("patients"), handlers=dict.fromkeys(consumers.SILENT, silence)),
    ]


def _jobs(settings: NotificationsSettings, database: sql.Database, means: Means) -> list[Job]:
    measure = partial(jobs.measure, turns=means.turns)
    wipe = partial(jobs.wipe, turns=means.turns, kept=timedelta(days=settings.retention_days))
    return [
        Job(name="notifications_measure", every_s=_MEASURE_S, run=measure),
        Job(name="notifications_wipe", every_s=_WIPE_S, run=wipe, alone=True),
        Job(name="notifications_tidy", every_s=3600, run=database.tidy, alone=True),
    ]
