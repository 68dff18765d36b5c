"""Composition root of identity: settings, store, keys, hashing, controller, jobs."""

from __future__ import annotations

import json
import re
import secrets
import time
import zoneinfo
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path

import sqlalchemy as sa
from pydantic import Field, SecretStr

from services.chassis import config, redis, spec, sql
from services.chassis.client import Client
from services.chassis.jobs import Job
from services.chassis.policy_stream import PolicyPublisher
from services.chassis.service import Command, Service, new_id, now
from services.identity import jobs
from services.identity.app import blocklist, provider
from services.identity.app.devices import Devices
from services.identity.app.hashing import Argon2Passwords
from services.identity.app.mail import Mailer, post
from services.identity.app.mint import Mint
from services.identity.app.own_token import OwnToken
from services.identity.app.provider import OidcProvider
from services.identity.app.records import PatientRecords
from services.identity.app.totp import Totp
from services.identity.app.vault import SealedKeys, Vault, WrongMasterKey
from services.identity.app.voice import Voice
from services.identity.controller import Desk, IdentityController
from services.identity.model import keys, roles
from services.identity.model.passwords import LONGEST, SHORTEST
from services.identity.model.sessions import Limits
from services.identity.model.throttle import Rule
from services.identity.repository import IdentityStore
from services.identity.repository.upkeep import OldRows, PolicyRows

NAME = "identity"
MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"
_MOST_IN_A_ROW = 100
_NO_ZONES = frozenset({"Factory", "localtime", "posixrules"})


class IdentitySettings(config.ServiceSettings):
    """What identity needs to know beside what every service does.

    database_url: PostgreSQL. master_key: 32 random bytes in base64; seals the private signing keys at rest.
    super_admin_password: the first password of the account `admin`, to be changed at its first sign-in; looked at only
    when there is no such account. service_accounts: JSON, the secret of each service by its name.
    hash_memory_mib: what checking one password takes; hashes made with less are made anew at the next sign-in.
    hashes_at_once: passwords that one process checks at the same time. account_free_failures,
    source_free_failures: wrong passwords in a row before waits begin; house_failures_per_minute: of all together.
    session_idle_minutes, session_hours: life of a session without use, and at all. patients_url: where records are
    verified that accounts are linked to. oidc_*: the outside provider that people may sign in by; without an issuer
    there is none. oidc_groups_claim: the claim of its id token that names groups. smtp_url, mail_from, public_url: the
    mail server for links to new passwords, who writes, and where the links lead; without a server there are none.
    """

    database_url: SecretStr
    master_key: SecretStr
    super_admin_password: SecretStr = Field(min_length=SHORTEST, max_length=LONGEST)
    service_accounts: SecretStr
    hash_memory_mib: int = Field(default=64, ge=19, le=1024)
    hashes_at_once: int = Field(default=2, ge=1, le=64)
    account_free_failures: int = Field(default=10, ge=3, le=50)
    source_free_failures: int = Field(default=50, ge=3, le=10_000)
    house_failures_per_minute: int = Field(default=300, ge=10, le=100_000)
    session_idle_minutes: int = Field(default=60, ge=5, le=720)
    session_hours: int = Field(default=12, ge=1, le=24)
    patients_url: str
    oidc_issuer: str | None = None
    oidc_client_id: str | None = None
    oidc_client_secret: SecretStr | None = None
    oidc_redirect_url: str | None = None
    oidc_groups_claim: str = "groups"
    smtp_url: SecretStr | None = None
    mail_from: str | None = None
    public_url: str | None = None


def service(environ: Mapping[str, str]) -> Service:
    """identity, ready to run; no connection is opened yet."""
    settings = config.load(IdentitySettings, environ)
    url, vault = settings.database_url.get_secret_value(), Vault(settings.master_key.get_secret_value())
    engine = sql.engine(url, name=NAME, pool=settings.threads)
    database = sql.Database(engine, service=NAME, clock=now, new_id=new_id)
    bus = redis.client(settings.bus_url.get_secret_value())
    publisher = PolicyPublisher(bus)
    voice = Voice(publisher)
    store = IdentityStore(database, tell=voice.at_once)
    hasher = Argon2Passwords(at_once=settings.hashes_at_once, memory_kib=settings.hash_memory_mib * 1024)
    maker, outside = SealedKeys(vault), _provider(settings, vault)
    read_keys = partial(_read_keys, store)
    first = jobs.FirstStart(store=store, hasher=hasher, maker=maker, new_id=new_id, clock=now)
    mint = Mint(read_keys, vault=vault, monotonic=time.monotonic)
    peers = Client(settings.openapi_dir, urls={"patients": settings.patients_url}, connections=4)
    mailer = _mailer(settings, vault)
    tools = _Tools(vault=vault, hasher=hasher, mint=mint, maker=maker, peers=peers, provider=outside, mail=mailer)
    desk = _desk(settings, store=store, tools=tools)
    return Service(
        name=NAME,
        settings=settings,
        controller=IdentityController(desk),
        audit=database.audit,
        readiness={"database": database.ping, "schema": partial(sql.at_head, engine, MIGRATIONS)},
        migrate=_migration(settings, url=url, first=first),
        start_checks=[
            partial(sql.require_durable, engine),
            partial(_require_master_key, read_keys, vault=vault),
            hasher.warm_up,
        ],
        close=[engine.dispose, bus.close, peers.close, *([] if outside is None else [outside.close])],
        outbox=database.outbox,
        stores=[sql.look(database, name=NAME)],
        jobs=[*_jobs(database, store=store, voice=voice, publisher=publisher, maker=maker), *_mails(store, mailer)],
        gives_keys=mint.forget,
        commands=_commands(store, hasher),
    )


def _commands(store: IdentityStore, hasher: Argon2Passwords) -> dict[str, Command]:
    rescue = jobs.Rescue(
        store=store, hasher=hasher, randomness=secrets.token_bytes, new_id=new_id, clock=now, say=print
    )
    help_ = "NAME: open an account again, with a one-time password and without a second factor"
    return {"rescue": Command(help=help_, run=rescue.run)}


@dataclass(frozen=True, kw_only=True)
class _Tools:
    """What a desk is made of beside its store."""

    vault: Vault
    hasher: Argon2Passwords
    mint: Mint
    maker: SealedKeys
    peers: Client
    provider: OidcProvider | None
    mail: Mailer | None


def _mailer(settings: IdentitySettings, vault: Vault) -> Mailer | None:
    """The way out for mails, where there is one.

    Raises:  SettingsError.
    """
    if settings.smtp_url is None:
        return None
    address = settings.smtp_url.get_secret_value()
    return Mailer(post(smtp_url=address, sender=settings.mail_from, public_url=settings.public_url), vault=vault)


def _mails(store: IdentityStore, mailer: Mailer | None) -> list[Job]:
    if mailer is None:
        return []
    return [Job(name="identity_mail", every_s=1, run=partial(jobs.send_mails, store=store, mail=mailer), alone=True)]


def _provider(settings: IdentitySettings, vault: Vault) -> OidcProvider | None:
    """The outside provider, where one is set up.

    Raises:  SettingsError.
    """
    if settings.oidc_issuer is None:
        return None
    secret = settings.oidc_client_secret
    registration = provider.registration(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id,
        client_secret=None if secret is None else secret.get_secret_value(),
        redirect_url=settings.oidc_redirect_url,
        groups_claim=settings.oidc_groups_claim,
    )
    return OidcProvider(registration, vault=vault, monotonic=time.monotonic)


def _read_keys(store: IdentityStore) -> list[keys.SigningKey]:
    with store.read() as tx:
        return tx.keys()


def _require_master_key(read: Callable[[], list[keys.SigningKey]], *, vault: Vault) -> None:
    """Refuse to start with a master key that does not open what is sealed: every sign-in would be a fault.

    Raises:  SettingsError.
    """
    try:
        known = read()
    except sa.exc.ProgrammingError:
        return  # there are no tables yet; readiness says so until they are made
    try:
        for key in known:
            if key.sealed is not None:
                vault.open(key.sealed, of=key.kid)
    except WrongMasterKey:
        raise config.SettingsError("MASTER_KEY is not the one that the signing keys are sealed with") from None


def _desk(settings: IdentitySettings, *, store: IdentityStore, tools: _Tools) -> Desk:
    own_token = OwnToken(store, mint=tools.mint, name=NAME, new_id=new_id, clock=now)
    return Desk(
        store=store,
        passwords=tools.hasher,
        mint=tools.mint,
        key_maker=tools.maker,
        catalogue=roles.catalogue(spec.permissions(settings.openapi_dir)),
        zones=frozenset(zoneinfo.available_timezones()) - _NO_ZONES,
        limits=Limits(
            idle=timedelta(minutes=settings.session_idle_minutes), whole=timedelta(hours=settings.session_hours)
        ),
        throttles=_throttles(settings),
        new_id=new_id,
        secret=partial(secrets.token_urlsafe, 32),
        randomness=secrets.token_bytes,
        digest=tools.vault.digest,
        common=blocklist.load(),
        devices=Devices(tools.vault),
        authenticator=Totp(tools.vault),
        records=PatientRecords(tools.peers, token=own_token),
        provider=tools.provider,
        mail=tools.mail,
    )


def _throttles(settings: IdentitySettings) -> dict[str, Rule]:
    day, quarter, minute = timedelta(days=1), timedelta(minutes=15), timedelta(minutes=1)
    of_account = Rule(free=settings.account_free_failures, forgets_after=day, most=_MOST_IN_A_ROW)
    return {
        "account": of_account,
        "device": of_account,
        "reset": Rule(free=3, first=5 * minute, forgets_after=60 * minute),
        "factor": Rule(free=5, forgets_after=day, most=_MOST_IN_A_ROW),
        "source": Rule(free=settings.source_free_failures, longest=quarter, forgets_after=quarter),
        "house": Rule(free=settings.house_failures_per_minute, window=minute),
    }


def _jobs(
    database: sql.Database, *, store: IdentityStore, voice: Voice, publisher: PolicyPublisher, maker: SealedKeys
) -> list[Job]:
    rows, old = PolicyRows(database), OldRows(database)
    send = partial(jobs.send_policy, rows=rows, tell=voice.surely, publisher=publisher)
    return [
        Job(name="identity_policy", every_s=0.5, run=send),
        Job(name="identity_heartbeat", every_s=2, run=partial(jobs.beat, rows=rows, publisher=publisher)),
        Job(name="identity_keys", every_s=600, run=partial(jobs.turn_keys, store=store, maker=maker), alone=True),
        Job(name="identity_forget", every_s=3600, run=lambda call: old.forget(at=call.at), alone=True),
        Job(name="identity_tidy", every_s=3600, run=database.tidy, alone=True),
    ]


def _migration(settings: IdentitySettings, *, url: str, first: jobs.FirstStart) -> Callable[[], None]:
    services = _service_accounts(settings.service_accounts.get_secret_value())

    def migrate() -> None:
        sql.migrate(url, MIGRATIONS)
        first.run(super_admin_password=settings.super_admin_password.get_secret_value(), services=services)

    return migrate


def _service_accounts(text: str) -> dict[str, str]:
    """The secrets by service.

    Raises:  SettingsError: it is not of the form; a secret is never part of the message.
    """
    wrong = config.SettingsError("SERVICE_ACCOUNTS is not valid (JSON object: name of a service to its secret)")
    try:
        found = json.loads(text)
    except ValueError:
        raise wrong from None
    if not isinstance(found, dict):
        raise wrong
    for name, secret in found.items():
        if not re.fullmatch(r"[a-z][a-z0-9_-]{1,63}", name) or not isinstance(secret, str) or len(secret) < 32:
            raise wrong
    return found
