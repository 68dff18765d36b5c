"""The stores of a house: which of them run here, where each is, and a database and an account for every service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import quote, urlsplit, urlunsplit

from standalone.keys import Secrets
from standalone.layout import Layout
from standalone.needs import Needs
from standalone.places import Places
from standalone.servers import MongoDB, PostgreSQL, Redis, Server, finding, mongodb, postgresql
from standalone.servers import redis as redis_server
from standalone.settings import ADDRESSES
from standalone.trouble import Trouble

REDIS_ROLES = ("records", "bus", "cache")


class Stores:
    """PostgreSQL, MongoDB and Redis in its roles; each either a server of this house or an address that was given."""

    def __init__(
        self,
        services: Mapping[str, Needs],
        *,
        addresses: Mapping[str, str],
        layout: Layout,
        secrets: Secrets,
        places: Places,
    ) -> None:
        """Finds the programs of those that are to run here.

        Raises:  MissingServer: a program is nowhere.
        """
        self._services, self._addresses = services, addresses
        self._layout, self._secrets, self._places = layout, secrets, places
        self._postgresql = None if "postgresql" in addresses else self._make_postgresql()
        self._mongodb = None if "mongodb" in addresses else self._make_mongodb()
        self._redis = {role: self._make_redis(role) for role in REDIS_ROLES if f"redis-{role}" not in addresses}

    @property
    def servers(self) -> list[Server]:
        """Those that run here."""
        return [each for each in (self._postgresql, self._mongodb, *self._redis.values()) if each is not None]

    def url(self, service: str) -> str:
        """The address of the service's own database, with its own account."""
        store = self._services[service].store
        password = self._secrets.get(f"{store}-{service}")
        server = self._postgresql if store == "postgresql" else self._mongodb
        if server is not None:
            return server.url(database=service, user=service, password=password)
        return with_account(self._addresses[store], user=service, password=password, store=store)

    def redis_url(self, role: str, *, service: str) -> str:
        """The address of Redis in one role, with the service's own account where it runs here."""
        server = self._redis.get(role)
        return self._addresses[f"redis-{role}"] if server is None else server.url(user=service)

    def provide(self) -> None:
        """A database and an account for each service, in the stores that are ready by now."""
        makers = {"postgresql": postgresql.ensure_database, "mongodb": mongodb.ensure_user}
        for name, needed in self._services.items():
            if needed.store:
                password = self._secrets.get(f"{needed.store}-{name}")
                makers[needed.store](self._admin_url(needed.store), name=name, password=password)

    def require_answers(self) -> None:
        """Raises Trouble when a store that was given by its address does not answer."""
        asks: Mapping[str, Callable[[str], bool]] = {"postgresql": postgresql.answers, "mongodb": mongodb.answers}
        for name, address in self._addresses.items():
            if not asks.get(name, redis_server.answers)(address):
                raise Trouble(f"The {name} that {ADDRESSES[name]} names does not answer, or not to the account in it.")

    def _admin_url(self, store: str) -> str:
        server = self._postgresql if store == "postgresql" else self._mongodb
        return self._addresses[store] if server is None else server.url()

    def _make_postgresql(self) -> PostgreSQL:
        home = self._layout.data / "postgresql"
        program = finding.postgresql(major=postgresql.version_of(home / "data"))
        port = self._places.port("postgresql")
        return PostgreSQL(program, home=home, port=port, password=self._secrets.get("postgresql"))

    def _make_mongodb(self) -> MongoDB:
        return MongoDB(
            finding.mongodb(),
            home=self._layout.data / "mongodb",
            port=self._places.port("mongodb"),
            password=self._secrets.get("mongodb"),
            key=self._secrets.get("mongodb-members").replace("-", "+").replace("_", "/"),
        )

    def _make_redis(self, role: str) -> Redis:
        wanted = [name for name, needed in self._services.items() if role == "bus" or f"{role}_url" in needed]
        return Redis(
            finding.redis_server(),
            home=self._layout.data / f"redis-{role}",
            port=self._places.port(f"redis-{role}"),
            role=role,
            users={name: self._secrets.get(f"redis-{role}-{name}") for name in wanted},
            admin_password=self._secrets.get(f"redis-{role}"),
        )


def with_account(address: str, *, user: str, password: str, store: str) -> str:
    """The same server, seen by another account and in that account's own database."""
    parts = urlsplit(address)
    host = parts.netloc.rpartition("@")[2]
    query = "&".join(each for each in parts.query.split("&") if each and not each.startswith("authSource="))
    if store == "mongodb":
        query = f"{query}&authSource={user}".lstrip("&")
    netloc = f"{quote(user, safe='')}:{quote(password, safe='')}@{host}"
    return urlunsplit((parts.scheme, netloc, f"/{user}", query, ""))
