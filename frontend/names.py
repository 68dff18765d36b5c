"""What ids are called: facilities, locations, doctors, types, specializations, accounts, asked for once in a short
while; and what is only counted.

What an account may see of them can differ, so each account has its own; a process keeps them for seconds.
"""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from frontend.api import Api, Refused
from services.kernel.errors import Unavailable

_KEPT_S: Final = 20.0
_MOST: Final = 20_000
_AT_ONCE: Final = 100
ID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
"""What names a thing. An account has one; who is not signed in is written down as a word."""
NOTHING: Final = "\N{EN DASH}"
"""Stands where nothing stands."""
Things = Mapping[str, Mapping[str, Any]]
T = TypeVar("T")


class Known:
    """What the process remembers, for all accounts."""

    def __init__(self, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic, self._lock = monotonic, threading.Lock()
        self._things: OrderedDict[tuple[str, str], tuple[float, Any]] = OrderedDict()

    def get(self, account: str, operation: str, ask: Callable[[], T]) -> T:
        """What is remembered, else what is answered now."""
        known: T = self.several(account, [operation], lambda _: {operation: ask()})[operation]
        return known

    def several(self, account: str, whats: Sequence[str], ask: Callable[[list[str]], Mapping[str, T]]) -> dict[str, T]:
        """What is remembered of each, and what is answered now of those that are not; nothing of the unanswered."""
        now = self._monotonic()
        with self._lock:
            held = {what: self._things.get((account, what)) for what in whats}
        found = {what: each[1] for what, each in held.items() if each and not self._is_over(each, now)}
        unknown = [what for what in whats if what not in found]
        answered = ask(unknown) if unknown else {}
        with self._lock:
            for what, each in answered.items():
                self._things[account, what] = (now, each)
                self._things.move_to_end((account, what))
            while self._things and (len(self._things) > _MOST or self._is_over(next(iter(self._things.values())), now)):
                self._things.popitem(last=False)
        return {**found, **answered}

    @staticmethod
    def _is_over(held: tuple[float, Any], now: float) -> bool:
        return now - held[0] >= _KEPT_S

    def forget(self, account: str) -> None:
        """This account has changed something."""
        with self._lock:
            for key in [each for each in self._things if each[0] == account]:
                del self._things[key]


class Names:
    """What one account knows."""

    def __init__(self, known: Known, api: Api, *, account: str) -> None:
        self._known, self._api, self._account = known, api, account
        self._now: dict[str, Things] = {}  # a list asks in each of its rows

    def facilities(self) -> Things:
        """By id."""
        return self._all("list_facilities")

    def locations(self) -> Things:
        """By id."""
        return self._all("list_locations")

    def departments(self) -> Things:
        """By id."""
        return self._all("list_departments")

    def doctors(self) -> Things:
        """By id, those who left too: old appointments name them."""
        return self._all("list_doctors")

    def types(self) -> Things:
        """Appointment types by id."""
        return self._all("list_appointment_types")

    def specializations(self) -> Things:
        """By id."""
        return self._all("list_specializations")

    def accounts(self) -> Things:
        """Accounts by id, for whoever may see them."""
        return self._all("list_users")

    def resources(self) -> Things:
        """Rooms and devices by id."""
        return self._all("list_resources")

    def plans(self, facility_id: str) -> Things:
        """What doctors have in their plans at a facility, by doctor."""

        def ask() -> Things:
            return {each["doctor_id"]: each for each in self._api.every("list_doctor_plans", facility_id=facility_id)}

        return self._known.get(self._account, f"list_doctor_plans {facility_id}", ask)

    def doctor(self, doctor_id: str) -> str:
        """What a doctor is called."""
        found = self.doctors().get(doctor_id)
        return person_name(found) if found else NOTHING

    def called(self, things: Things, key: str | None) -> str:
        """What a thing is called."""
        return str(things.get(key or "", {}).get("name", NOTHING))

    def zone(self, location_id: str | None) -> str | None:
        """The time zone of a location."""
        zone = self.locations().get(location_id or "", {}).get("zone")
        return str(zone) if zone else None

    def patients(self, ids: Iterable[str]) -> Things:
        """Records by id, for lists; one that may not be seen is left out, and all the rest while nobody answers."""
        wanted = list(dict.fromkeys(ids))
        found: dict[str, Any] = {}
        for first in range(0, len(wanted), _AT_ONCE):
            body = {"patient_ids": wanted[first : first + _AT_ONCE]}
            try:
                shown = self._api.call("find_patient_summaries", body=body).body["items"]
            except (Refused, Unavailable):
                break
            found |= {each["id"]: each for each in shown}
        return found

    def users(self, ids: Iterable[str | None]) -> Mapping[str, str | None]:
        """What accounts are called, None for one of a patient; nothing where nobody may ask or nobody answers."""

        def ask(wanted: list[str]) -> Mapping[str, str | None]:
            found: list[Mapping[str, Any]] = []
            for first in range(0, len(wanted), _AT_ONCE):
                try:
                    query = {"user_id": wanted[first : first + _AT_ONCE]}
                    found += self._api.call("list_user_names", query=query).body["items"]
                except (Refused, Unavailable):
                    break
            return {each["id"]: each["display_name"] for each in found}

        wanted = sorted({each for each in ids if each and ID.fullmatch(each)})
        return self._known.several(self._account, wanted, ask)

    def counted(self, what: str, count: Callable[[], int]) -> int:
        """A number that may be some seconds old; of people it says nothing."""
        return self._known.get(self._account, f"count {what}", count)

    def forget(self) -> None:
        """Ask anew: something was changed."""
        self._now.clear()
        self._known.forget(self._account)

    def _all(self, operation: str) -> Things:
        def ask() -> Things:
            try:
                return {each["id"]: each for each in self._api.every(operation)}
            except Refused:
                return {}

        if operation not in self._now:
            self._now[operation] = self._known.get(self._account, operation, ask)
        return self._now[operation]


def active(things: Things) -> Things:
    """Those that are in use."""
    return {key: each for key, each in things.items() if each.get("active", True)}


def person_name(thing: Mapping[str, Any]) -> str:
    """Title, given and family name, as far as they are there."""
    parts = (thing.get("title") or thing.get("prefix"), thing.get("given_name"), thing.get("family_name"))
    return " ".join(str(each) for each in parts if each)
