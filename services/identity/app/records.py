"""What `patients` answers about a record, asked in the name of this service."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from services.chassis import logs
from services.chassis.client import Client, Reply
from services.identity.app.own_token import OwnToken
from services.kernel.errors import TooMany, Unavailable

_WAIT_S = 60


class PatientRecords:
    """Whether a record may be acted on, and whether somebody knows its birth date.

    token: an access token of this service's own account.
    """

    def __init__(self, client: Client, *, token: OwnToken) -> None:
        self._client, self._token = client, token

    def may_be_acted_on(self, patient_id: UUID) -> bool:
        """Whether the record exists and is in use.

        Raises:  Unavailable.
        """
        reply = self._ask("get_patient_standing", patient_id)
        if reply.status == 404:
            return False
        said = _understood(reply)
        return said["standing"] == "active"

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
