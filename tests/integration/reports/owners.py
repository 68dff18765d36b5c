"""Identity, doctors and appointments over real sockets: what a test lets them own, page by page, as contracted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.integration.chassis.peer import Connection, Peer

_ID = r"([0-9a-f-]{36})"
_LISTS = {
    re.compile(r"/api/v1/facilities"): "facilities",
    re.compile(r"/api/v1/doctors"): "doctors",
    re.compile(r"/api/v1/specializations"): "specializations",
    re.compile(rf"/api/v1/facilities/{_ID}/appointment-states"): "appointments",
}
_ONES = {
    re.compile(rf"/api/v1/facilities/{_ID}"): "facilities",
    re.compile(rf"/api/v1/doctors/{_ID}"): "doctors",
    re.compile(rf"/api/v1/specializations/{_ID}"): "specializations",
    re.compile(rf"/api/v1/facilities/{_ID}/appointments/{_ID}"): "appointments",
}


@dataclass
class Owners:
    """What the three say; `before_page` happens before each page of a list, `away` makes some of them say nothing."""

    facilities: dict[str, dict[str, Any]] = field(default_factory=dict)
    doctors: dict[str, dict[str, Any]] = field(default_factory=dict)
    specializations: dict[str, dict[str, Any]] = field(default_factory=dict)
    appointments: dict[str, dict[str, Any]] = field(default_factory=dict)
    before_page: Callable[[str], None] = lambda _: None
    away: set[str] = field(default_factory=set)
    largest_page: int = 200

    def __post_init__(self) -> None:
        self.peer = Peer(self._answer)
        self.url = self.peer.url

    def empty(self) -> None:
        """Forget everything."""
        for each in (self.facilities, self.doctors, self.specializations, self.appointments, self.away):
            each.clear()
        self.before_page, self.largest_page = lambda _: None, 200
        self.peer.requests.clear()

    @property
    def tokens(self) -> set[str | None]:
        """With which tokens they were asked, the token itself apart."""
        return {each.headers.get("authorization") for each in self.peer.requests if each.target != "/api/v1/tokens"}

    def _answer(self, connection: Connection) -> None:
        parts = urlsplit(connection.request.target)
        if parts.path == "/api/v1/tokens":
            connection.answer(200, {"access_token": "service@reports", "token_type": "Bearer", "expires_in": 600})
            return
        for pattern, kind in _LISTS.items():
            if found := pattern.fullmatch(parts.path):
                self._page(connection, kind, found, parse_qs(parts.query))
                return
        for pattern, kind in _ONES.items():
            if found := pattern.fullmatch(parts.path):
                known = getattr(self, kind).get(found[found.re.groups])
                is_away = kind in self.away
                connection.answer(503 if is_away else 404 if known is None else 200, {} if is_away else known)
                return
        connection.answer(404, {})

    def _page(self, connection: Connection, kind: str, found: re.Match[str], query: dict[str, list[str]]) -> None:
        self.before_page(kind)
        if kind in self.away:
            connection.answer(503, {}, headers={"retry-after": "1"})
            return
        after, limit = query.get("cursor", [""])[0], min(int(query["limit"][0]), self.largest_page)
        known = getattr(self, kind)
        wanted = sorted(known if kind != "appointments" else self._of(found[1]))
        ids = [each for each in wanted if each > after][: limit + 1]
        items = [known[each] for each in ids[:limit]]
        connection.answer(200, {"items": items, "next_cursor": ids[limit - 1] if len(ids) > limit else None})

    def _of(self, facility_id: str) -> list[str]:
        return [id_ for id_, each in self.appointments.items() if each["facility_id"] == facility_id]
