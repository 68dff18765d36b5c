"""What `patients` answers about a record: to whoever asks, and of birth dates to this service."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from services.chassis import logs
from services.chassis.asking import understood
from services.chassis.call import Call
from services.chassis.client import Client, Reply
from services.identity.app.own_token import OwnToken
from services.kernel.errors import NotFound, TooMany, Unavailable

_WAIT_S = 60


class PatientRecords:
    """How a record stands, and whether somebody knows its birth date.

    token: an access token of this service's own account.
    """

    def __init__(self, client: Client, *, token: OwnToken) -> None:
        self._client, self._token = client, token

    def standing(self, patient_id: UUID, *, call: Call) -> str | None:
        """How the record stands for whoever asks; None when there is none, or none in reach.

        Raises:  Unavailable, Forbidden, NotSignedIn.
        """
        reply = self._client.call(
            "get_patient_standing",
            path={"patient_id": patient_id},
            query={"permission": call.permission},
            token=call.token,
            request_id=call.request_id,
        )
        try:
            return str(understood(reply, of="patients")["standing"])
        except NotFound:
            return None

    def is_born_on(self, patient_id: UUID, *, birth_date: date) -> bool:
        """Whether this is the birth date of the record.

        Raises:  Unavailable, TooMany.
        """
        reply = self._ask("check_birth_date", patient_id, body={"birth_date": birth_date.isoformat()})
        if reply.status == 404:
            return False
        if reply.status == 429:
            raise TooMany(retry_after_s=_WAIT_S)
        return bool(_understood(reply)["matches"])

    def _ask(self, operation: str, patient_id: UUID, *, body: object = None) -> Reply:
        path = {"patient_id": patient_id}
        reply = self._client.call(operation, path=path, body=body, token=self._token())
        if reply.status == 401:  # the key of the token was withdrawn
            self._token.forget()
            reply = self._client.call(operation, path=path, body=body, token=self._token())
        return reply


def _understood(reply: Reply) -> dict[str, object]:
    if reply.is_success and isinstance(reply.body, dict):
        return reply.body
    logs.logger().error("records.not_answered", status=reply.status)
    raise Unavailable("patients")
