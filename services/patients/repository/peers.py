"""What other services say: of facilities to whoever registers, and of doctors to this service itself."""

from __future__ import annotations

from uuid import UUID

from services.chassis.asking import understood
from services.chassis.client import Client
from services.chassis.service_token import ServiceToken
from services.kernel.errors import NotSignedIn, Unavailable
from services.patients import model


class DoctorsService:
    """What `doctors` says, asked with the account of this service."""

    def __init__(self, client: Client, *, token: ServiceToken) -> None:
        self._client, self._token = client, token

    def account(self, doctor_id: UUID) -> model.DoctorAccount:
        """How a doctor signs in now.

        Raises:  Unavailable: nothing is said. NotFound, Forbidden: as `doctors` says.
        """
        reply = self._client.call("get_doctor", path={"doctor_id": doctor_id}, token=self._token())
        try:
            body = understood(reply, of="doctors")
        except NotSignedIn:
            self._token.forget()  # refused before its time; the next try has another
            raise Unavailable("doctors") from None
        account = None if body["user_id"] is None else UUID(body["user_id"])
        return model.DoctorAccount(doctor_id=doctor_id, account=account, version=body["version"])
