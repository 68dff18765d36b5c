"""The gateway of the running house: what the small ones show by themselves, with the services that it is made for."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from gateway import routes
from tests.architecture import tree
from tests.cluster import edges
from tests.cluster.rendering import rendered
from tests.system.house import Client, Person, Reply, RunningHouse, add_user, new_key, new_patient
from tests.waiting import wait_for

CONTRACTS = {contract.service: contract for contract in routes.contracts(tree.ROOT / "openapi")}
BURST = 400


def wrote(log: str, reply: Reply, house: RunningHouse) -> bool:
    """Whether a process has a line with the id of this request."""
    lines = (house.home / "logs" / f"{log}.log").read_text(encoding="utf-8", errors="replace").splitlines()
    return reply.request_id in {json.loads(line).get("request_id") for line in lines if line.startswith("{")}


def told(auditor: Person, wanted: dict[str, str]) -> set[str]:
    """The request ids of these entries of the trail."""
    found = auditor.post("/api/v1/audit-entries/search", wanted, key=None).expect(200)
    return {entry["request_id"] for entry in found.json["items"]}


def burst(person: Person) -> list[Reply]:
    """As many reads at once as a script that has lost its way would send."""
    with ThreadPoolExecutor(16) as threads:
        return list(threads.map(lambda _: person.get("/api/v1/account"), range(BURST)))


@pytest.mark.row("API-02")
def test_the_gateway_routes_authenticates_limits_and_names_each_request(
    house: RunningHouse, client: Client, admin: Person, receptionist: Person, nurse: Person, auditor: Person
):
    """Burst → 429 with Retry-After; one id in all logs; a forged account in a header is nobody."""
    forged = {"x-user-id": admin.id, "x-user-roles": "super_admin", "x-request-id": "forged-request-id"}
    client.send("POST", "/api/v1/users", {"username": "x"}, headers=forged).expect(401)
    receptionist.send("POST", "/api/v1/users", {"username": "x"}, headers=forged).expect(403)

    key = new_key()
    made = receptionist.send("POST", "/api/v1/patients", new_patient(), key=key, headers=forged).expect(201)
    trail = {"actor": receptionist.id, "patient_id": made.json["id"]}
    wait_for(lambda: made.request_id in told(auditor, trail), within_s=10, what="the entry in the trail")
    # history asks patients: one request of a client, and a line of each process that had to do with it.
    unknown = nurse.send("GET", f"/api/v1/patients/{new_key()}/allergies", headers=forged).expect(404)
    for log, reply in (("gateway", made), ("gateway", unknown), ("history", unknown), ("patients", unknown)):
        wait_for(partial(wrote, log, reply, house), within_s=10, what=f"the line of {log}")
    assert "forged-request-id" not in {made.request_id, unknown.request_id}

    _, busy = add_user(admin, "auditor")
    busy.sign_in().change_password().works()
    answers = burst(busy)
    assert {answer.status for answer in answers} == {200, 429}
    limited = [answer.expect(429) for answer in answers if answer.status == 429]
    assert all(int(answer.headers["retry-after"]) >= 1 for answer in limited)
    receptionist.get("/api/v1/account").expect(200)


@pytest.mark.parametrize("service", sorted(CONTRACTS))
def test_every_service_publishes_the_contract_that_it_was_started_with(client: Client, service: str):
    answer = client.send("GET", f"/docs/openapi/{service}.json").expect(200)
    assert answer.json == json.loads(CONTRACTS[service].published)
    unchanged = client.send("GET", f"/docs/openapi/{service}.json", headers={"if-none-match": answer.etag})
    assert (unchanged.status, unchanged.body) == (304, b"")


@pytest.mark.parametrize("path", ["/metrics", "/healthz", "/readyz", "/openapi.json"])
def test_what_services_have_beside_their_contract_is_not_reached(client: Client, path: str):
    client.send("GET", path).expect(404)


@pytest.mark.row("API-14")
@pytest.mark.target("C-27")
def test_there_is_no_way_round_the_gateway(house: RunningHouse):
    """Without a token a service answers 401 at its own port; in a cluster its port is open to those it must be only."""
    for service, contract in CONTRACTS.items():
        direct = Client(f"http://127.0.0.1:{house.port(service)}")
        guarded = next(each for each in contract.operations.values() if not each.is_public)
        path = guarded.path.replace("{", "").replace("}", "")
        assert direct.send(guarded.method, path, None if guarded.method == "GET" else {}).status == 401, service
        direct.close()
    assert not edges.wrong(rendered("demo"))


@pytest.mark.target("C-27")
@pytest.mark.parametrize("service", sorted(CONTRACTS))
def test_a_call_that_goes_round_the_gateway_without_a_token_is_refused(house: RunningHouse, service: str):
    """Every operation that is not on the public list, asked at the service's own port."""
    direct = Client(f"http://127.0.0.1:{house.port(service)}")
    forged = {"x-user-id": "somebody", "x-user-roles": "super_admin", "x-forwarded-for": "127.0.0.1"}
    try:
        for operation in CONTRACTS[service].operations.values():
            if not operation.is_public:
                path = operation.path.replace("{", "").replace("}", "")
                body = None if operation.method == "GET" else {}
                assert direct.send(operation.method, path, body, headers=forged).status == 401, operation.operation_id
    finally:
        direct.close()
