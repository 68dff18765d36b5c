"""Redis in its three roles: `records` and `bus` lose nothing, `cache` may lose everything."""

from __future__ import annotations

import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import quote

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from standalone.servers.finding import Program
from standalone.servers.ports import HOST
from standalone.servers.process import bare_environ

# Every acknowledged write is on the disk before its answer; nothing is ever evicted.
DURABLE = {
    "appendonly": "yes",
    "appendfsync": "always",
    "no-appendfsync-on-rewrite": "no",
    "aof-load-truncated": "yes",
    "save": "3600 1 300 100",
    "stop-writes-on-bgsave-error": "yes",
    "maxmemory": "512mb",
    "maxmemory-policy": "noeviction",
}
DISPOSABLE = {"appendonly": "no", "save": '""', "maxmemory": "128mb", "maxmemory-policy": "allkeys-lru"}
ROLES: Mapping[str, Mapping[str, str]] = {"records": DURABLE, "bus": DURABLE, "cache": DISPOSABLE}

# What a service may do: everything with data and scripts, and see the settings it checks; nothing that empties,
# stops or reconfigures the server, and no look at all keys.
SERVICE_RIGHTS = "~* &* +@all -@dangerous -@admin +info +config|get +role"


class Redis:
    """One Redis server in one role, in a folder of its own."""

    stop_signal = signal.SIGTERM

    def __init__(
        self,
        program: Program,
        *,
        home: Path,
        port: int,
        role: str,
        users: Mapping[str, str] | None = None,
        admin_password: str | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        """`users` maps names to passwords; without an administrator anyone on this machine may enter."""
        self.program = program
        self.home = home.resolve()
        self.port = port
        self.role = role
        self._users = dict(users or {})
        self._admin_password = admin_password
        self._settings = {**ROLES[role], **(settings or {})}

    @property
    def name(self) -> str:
        """`redis-` and its role."""
        return f"redis-{self.role}"

    def prepare(self) -> None:
        """Write the configuration, with the accounts in a file that only we can read."""
        self.home.mkdir(parents=True, exist_ok=True)
        lines = [
            f"bind {HOST}",
            f"port {self.port}",
            "protected-mode yes",
            f'dir "{self.home}"',
            "databases 1" if self._users else "databases 16",
            "tcp-keepalive 60",
            *(f"{name} {value}" for name, value in self._settings.items()),
        ]
        if self._admin_password is not None:
            accounts = [f"user default on >{self._admin_password} ~* &* +@all"]
            accounts += [f"user {name} on >{secret} {SERVICE_RIGHTS}" for name, secret in self._users.items()]
            self._write("users.acl", "\n".join(accounts) + "\n")
            lines.append(f'aclfile "{self.home / "users.acl"}"')
        self._write("redis.conf", "\n".join(lines) + "\n")

    def command(self) -> Sequence[str]:
        """Run in the foreground with the file that `prepare` wrote."""
        return [str(self.program.path), str(self.home / "redis.conf")]

    def environ(self) -> Mapping[str, str]:
        """Nothing but where programs and libraries are."""
        return bare_environ()

    def url(self, *, user: str | None = None) -> str:
        """Where a client finds this server, as one of its users or as its administrator."""
        if user is not None:
            return f"redis://{quote(user, safe='')}:{quote(self._users[user], safe='')}@{HOST}:{self.port}/0"
        if self._admin_password is not None:
            return f"redis://:{quote(self._admin_password, safe='')}@{HOST}:{self.port}/0"
        return f"redis://{HOST}:{self.port}/0"

    def is_ready(self) -> bool:
        """Whether it has loaded its file and answers."""
        return answers(self.url())

    def settle(self) -> None:
        """Nothing remains to be done."""

    def _write(self, name: str, text: str) -> None:
        path = self.home / name
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")


def answers(url: str) -> bool:
    """Whether the server at this address answers a ping (while it loads its file it does not)."""
    client = redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2, retry=Retry(NoBackoff(), 0))
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
