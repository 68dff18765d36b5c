"""The real servers that a house stands on: how each is found, configured, started and asked whether it is ready.

Nothing happens at import. A test fixture uses it like this:

    server = Redis(finding.redis_server(), home=folder, port=ports.free(), role="bus")
    with running(server, log=folder / "redis.log"):
        ...                                   # connect to server.url()
"""

from __future__ import annotations

from standalone.servers import finding, ports
from standalone.servers.envoy import Envoy
from standalone.servers.finding import Program
from standalone.servers.mongodb import MongoDB
from standalone.servers.postgresql import PostgreSQL
from standalone.servers.process import NotReady, Server, running, start, stop, wait_ready
from standalone.servers.redis import Redis
from standalone.trouble import MissingServer

__all__ = [
    "Envoy",
    "MissingServer",
    "MongoDB",
    "NotReady",
    "PostgreSQL",
    "Program",
    "Redis",
    "Server",
    "finding",
    "ports",
    "running",
    "start",
    "stop",
    "wait_ready",
]
