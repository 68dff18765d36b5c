"""Any operation on the running house, through its gateway, with whatever it acts on made first."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import requests

from services.chassis.spec import Contract, Operation
from services.chassis.testing import Got
from tests.contract.journey import Journey
from tests.mailbox import Links
from tests.system.house import AT_GATEWAY, Client, new_password
from tests.waiting import wait_for


@dataclass
class Service:
    """One service behind the gateway, called as `House` is in this process."""

    client: Client
    contract: Contract
    tokens: Iterator[str]

    def call(
        self, operation_id: str, *, body=None, query=None, version=None, token=None, raw=None, headers=None, **path
    ) -> Got:
        """Call an operation by its id."""
        operation = self.contract.operations[operation_id]
        address = requests.Request("GET", operation.path.format(**path), params=query)
        address.url = f"http://gateway{address.url}"
        send = partial(
            self.client.send,
            operation.method,
            address.prepare().path_url,
            body,
            token=None if operation.is_public else token or next(self.tokens),
            key=str(uuid.uuid4()) if operation.takes_key else None,
            if_match=None if version is None else f'"{version}"',
            raw=raw,
            headers=headers,
        )
        # What others have sent just now from here counts too; the gateway says when there is room again.
        if (found := send()).status == 429 and found.headers["retry-after"] == AT_GATEWAY:
            time.sleep(int(AT_GATEWAY))
            found = send()
        is_json = "json" in found.headers.get("content-type", "")
        return Got(found.status, found.headers, found.json if found.body and is_json else None, found.body)


class Visit(Journey):
    """A journey through the gateway, made by one of the people with every right."""

    def __init__(self, houses: Mapping[str, Service], *, links: Links, **known: str) -> None:
        super().__init__(houses, links=links, **known)
        self._token = next(next(iter(houses.values())).tokens)

    @property
    def account(self) -> dict[str, Any]:
        """A person who has changed the one-time password, so that the roles hold."""
        is_new, account = not self._account, super().account
        if is_new and "access_token" in account:
            service, fresh = self._houses["identity"], new_password()
            body, token = {"current_password": account["password"], "new_password": fresh}, account["access_token"]
            assert service.call("change_own_password", body=body, token=token).status == 204
            account["password"] = fresh
            wait_for(
                lambda: service.call("list_own_sessions", token=token).status == 200, within_s=5, what="the roles hold"
            )
        return account

    def actor(self, operation: Operation) -> dict[str, str]:
        """The person with the account uses the token that the house gave."""
        own = (operation.permission or "").startswith("account.")
        return {"token": self.account["access_token"] if own else self._token}
