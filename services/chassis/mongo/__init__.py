"""MongoDB: clients that give up in time, units of work, the technical collections, and migrations."""

from __future__ import annotations

from services.chassis.mongo.client import client, require_durable, translated
from services.chassis.mongo.collections import create_technical_collections_v1
from services.chassis.mongo.documents import Documents, Unit
from services.chassis.mongo.gauges import look
from services.chassis.mongo.migrations import at_head, migrate
from services.chassis.mongo.outbox import MongoOutbox

__all__ = [
    "Documents",
    "MongoOutbox",
    "Unit",
    "at_head",
    "client",
    "create_technical_collections_v1",
    "look",
    "migrate",
    "require_durable",
    "translated",
]
