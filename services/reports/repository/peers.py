"""The services that own what is counted, asked with the account of this service."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any
from uuid import UUID

from services.chassis.asking import understood
from services.chassis.client import Client
from services.chassis.service_token import ServiceToken
from services.kernel.errors import NotFound, NotSignedIn, Unavailable
from services.reports import model

_PAGE = 200
PATIENT = (0.5, 1.0, 2.0, 4.0, 8.0)
"""Pauses of somebody who walks through everything, and would begin again otherwise."""


class Owners:
    """What `appointments`, `doctors` and `identity` say, one thing or all of them.

    pauses_s: before each further try when one of them is away; none where somebody else tries again.
    """

    def __init__(
        self,
        client: Client,
        *,
        token: ServiceToken,
        pauses_s: Sequence[float] = (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client, self._token, self._pauses_s, self._sleep = client, token, tuple(pauses_s), sleep

    def appointment(self, facility_id: UUID, appointment_id: UUID) -> model.Appointment:
        """How an appointment stands now."""
        path = {"facility_id": facility_id, "appointment_id": appointment_id}
        return model.stated(self._ask("get_appointment", of="appointments", path=path))

    def doctor(self, doctor_id: UUID) -> model.Doctor:
        """A doctor now."""
        return model.doctor(self._ask("get_doctor", of="doctors", path={"doctor_id": doctor_id}))

    def specialization(self, specialization_id: UUID) -> model.Specialization | None:
        """A specialization now; None when there is none."""
        try:
            body = self._ask("get_specialization", of="doctors", path={"specialization_id": specialization_id})
        except NotFound:
            return None
        return model.specialization(body)

    def doctors(self) -> Iterator[model.Doctor]:
        """All doctors."""
        return map(model.doctor, self._all("list_doctors", of="doctors"))

    def specializations(self) -> Iterator[model.Specialization]:
        """All specializations."""
        return map(model.specialization, self._all("list_specializations", of="doctors"))

    def facilities(self) -> Iterator[UUID]:
        """All facilities."""
        return (UUID(each["id"]) for each in self._all("list_facilities", of="identity"))

    def appointments(self, facility_id: UUID) -> Iterator[model.Appointment]:
        """How all appointments of a facility stand."""
        path = {"facility_id": facility_id}
        return map(model.stated, self._all("list_appointment_states", of="appointments", path=path))

    def _all(self, operation: str, *, of: str, path: Mapping[str, object] | None = None) -> Iterator[dict[str, Any]]:
        query: dict[str, object] = {"limit": _PAGE}
        while True:
            page = self._ask(operation, of=of, path=path, query=query)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]

    def _ask(
        self,
        operation: str,
        *,
        of: str,
        path: Mapping[str, object] | None = None,
        query: Mapping[str, object] | None = None,
    ) -> Any:
        for pause_s in (*self._pauses_s, None):
            try:
                return self._asked_once(operation, of=of, path=path, query=query)
            except Unavailable:
                if pause_s is None:
                    raise
                self._sleep(pause_s)
        raise Unavailable(of)

    def _asked_once(
        self, operation: str, *, of: str, path: Mapping[str, object] | None, query: Mapping[str, object] | None
    ) -> Any:
        reply = self._client.call(operation, path=path, query=query, token=self._token())
        try:
            return understood(reply, of=of)
        except NotSignedIn:
            self._token.forget()  # refused before its time; the next try has another
            raise Unavailable(of) from None
