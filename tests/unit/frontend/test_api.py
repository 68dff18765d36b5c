"""What the API answers, as controllers meet it."""

from __future__ import annotations

import time
from typing import Any, cast

import pytest

from frontend.api import Api, Refused
from frontend.session import Session, Sessions
from services.chassis.client import Client, Reply


class FakeClient:
    """Answers every call in the same way, and counts them."""

    def __init__(self, answer: Reply) -> None:
        self.answer, self.calls = answer, 0

    def call(self, _: str, **__: Any) -> Reply:
        self.calls += 1
        return self.answer


def test_a_code_that_is_refused_does_not_sign_anybody_out() -> None:
    client = FakeClient(Reply(401, {"code": "activation_refused", "status": 401}, {}))
    session = Session("cookie", {"access": "token", "access_until": time.time() + 600})
    api = Api(cast("Client", client), cast("Sessions", None), session, source="127.0.0.1")

    with pytest.raises(Refused) as refused:
        api.call("add_own_link", body={})

    assert refused.value.code == "activation_refused"
    assert client.calls == 1
    assert session.is_signed_in
