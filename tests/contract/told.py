"""What the services of one house have told: every envelope that left their outboxes, by service and by request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from services.chassis.outbox import AUDIT_TYPE, Outgoing
from services.chassis.testing import Got, House


class Told:
    """The outboxes of all services, emptied when somebody looks; what was in them stays known."""

    def __init__(self, houses: Mapping[str, House]) -> None:
        self._houses = houses
        self._sent: dict[str, list[Outgoing]] = {name: [] for name in houses}
        self._entries: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def by(self, service: str) -> list[Outgoing]:
        """All that a service has told until now."""
        house = self._houses[service]
        while house.service.outbox is not None and house.service.outbox.send(lambda batch: self._take(service, batch)):
            pass
        return self._sent[service]

    def entries(self, service: str, got: Got, *, operation: str) -> list[dict[str, Any]]:
        """The audit entries of one operation in one request, which its answer names."""
        self.by(service)
        found = self._entries.get((service, got.headers["x-request-id"]), [])
        return [each for each in found if each["operation"] == operation]

    def _take(self, service: str, batch: Any) -> None:
        self._sent[service].extend(batch)
        for each in batch:
            if each.type == AUDIT_TYPE:
                data = json.loads(each.event)["data"]
                self._entries.setdefault((service, data["request_id"]), []).append(data)
