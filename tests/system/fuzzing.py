"""Generated requests to one operation: right and wrong ones in equal parts; half of the right ones name things that
exist. Before them the operation succeeds once, with an example of its contract.
"""

from __future__ import annotations

import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
)

from services.chassis.spec import Operation
from tests.contract.contracts import CONTRACTS
from tests.system.house import AT_GATEWAY, Person, RunningHouse
from tests.system.visit import Visit

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
FULL, SHORT = 1000, 20  # requests per operation
OF_A_PROVIDER = {"start_external_sign_in", "complete_external_sign_in"}
SHARED_COUNTERS = {"source", "house"}
PAUSE_S = 0.2  # makes room at the gateway for ten requests of an account, or for one change of strangers
LONGEST_ADDRESS = 15_000  # letters; the gateway takes 16 KiB of headers, with the address among them
ENDS_ITSELF = {"sign_out", "end_own_session"}  # after the first success there is no session any more


def fuzz(
    operation: Operation, *, house: RunningHouse, visit: Callable[[], Visit], tokens: Iterator[str], examples: int
) -> Counter[int | str]:
    """How often each status was answered; every answer is one that the contract names."""
    journey, real = succeeded(visit, operation)
    own = journey.actor(operation).get("token")
    statuses: Counter[int | str] = Counter()

    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(operation, real), is_keyed=st.booleans())
    def send(case: schemathesis.Case, is_keyed: bool) -> None:
        headers = {} if operation.is_public else {"Authorization": f"Bearer {own or next(tokens)}"}
        if is_keyed and operation.takes_key:
            headers["Idempotency-Key"] = str(uuid.uuid4())
        if is_keyed and operation.takes_version:
            thing = next(reversed(real.values()), None)  # what has no id of its own is there once, from version 1
            headers["If-Match"] = f'"{journey.versions.get(thing, 1)}"'
        statuses[checked(case, house.url, headers)] += 1

    send()
    return statuses


def cases(operation: Operation, real: dict[str, str]) -> st.SearchStrategy[schemathesis.Case]:
    """Right and wrong requests. real: what exists of that which the path names."""
    api = _schema(operation.service)[operation.path][operation.method]
    return st.one_of(
        api.as_strategy(generation_mode=mode, path_parameters=given)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
        for given in ((None, real) if real else (None,))  # each that is not needed costs the time to build it
    )


@lru_cache
def _schema(service: str) -> Any:
    """A published contract, as the gateway serves it to developers."""
    return schemathesis.openapi.from_dict(CONTRACTS[service].document)


@contextmanager
def waits_end(admin: Person) -> Iterator[None]:
    """Generated sign-ins are mostly wrong: whoever comes from here next would wait for what they have cost."""
    try:
        yield
    finally:
        for each in admin.get("/api/v1/sign-in-counters").expect(200).json["items"]:
            if each["kind"] in SHARED_COUNTERS:
                admin.send("DELETE", f"/api/v1/sign-in-counters/{each['id']}").expect(204)


def checked(case: schemathesis.Case, url: str, headers: dict[str, str]) -> int | str:
    """Send a request and check the answer; its status, or `door` when the token was refused and `limit` when the
    gateway had had too many: nothing was tried then.
    """
    response = case.call(base_url=url, headers=headers, timeout=20)
    is_limited = response.status_code == 429 and response.headers["retry-after"] == [AT_GATEWAY]
    if is_limited:
        time.sleep(PAUSE_S)  # what comes next would not be tried either
    if response.status_code == 431 and len(response.request.path_url) > LONGEST_ADDRESS:
        return 431  # a list without end: the gateway's answer to a request line that no service is shown
    case.validate_response(response, checks=CHECKS)
    # A wrong code of an activation is answered 401 too, and has been looked at.
    at_door = response.status_code == 401 and response.json()["code"] == "not_signed_in"
    return "door" if at_door else "limit" if is_limited else response.status_code


def succeeded(visit: Callable[[], Visit], operation: Operation) -> tuple[Visit, dict[str, str]]:
    """The operation with an example of its contract, so that none is only ever refused; then whose journey that was,
    and what exists of that which the path names.
    """
    journey, names = visit(), [each["name"] for each in operation.parameters if each["in"] == "path"]
    got = journey.perform(operation.operation_id)
    if operation.operation_id in OF_A_PROVIDER:
        assert (got.status, got.body["code"]) == (409, "no_provider")  # this house has none
    else:
        assert 200 <= got.status < 300, (got.status, got.body)
    if operation.operation_id not in ENDS_ITSELF and operation.method != "DELETE":
        return journey, {name: journey.sent[name] for name in names}
    journey = visit()  # what that was about is gone
    journey.prepare(operation.operation_id)
    return journey, {name: journey.need(name) for name in names}
