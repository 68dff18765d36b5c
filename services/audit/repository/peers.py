"""What `identity` says of accounts, asked with the account of this service."""

from __future__ import annotations

from collections.abc import Collection

from services.chassis.client import Client
from services.chassis.service_token import ServiceToken
from services.kernel.errors import Unavailable


class StaffNames:
    """What accounts are called, where this house shows it."""

    def __init__(self, client: Client, *, token: ServiceToken, is_shown: bool) -> None:
        self._client, self._token, self._is_shown = client, token, is_shown

    def of(self, accounts: Collection[str]) -> dict[str, str]:
        """The names that are known now; a list without names says more than none, so nothing waits for them."""
        if not self._is_shown or not accounts:
            return {}
        try:
            reply = self._client.call("list_user_names", query={"user_id": sorted(accounts)}, token=self._token())
        except Unavailable:
            return {}
        if reply.status == 401:
            self._token.forget()
        found = reply.body["items"] if reply.is_success else []
        return {each["id"]: each["display_name"] for each in found if each["display_name"] is not None}
