"""Every operation as every subject, against the page that says who may: nobody is let in or kept out beside it."""

from __future__ import annotations

import copy
import dataclasses
import random
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from services.chassis import spec
from services.chassis.testing import Got, House
from tests.access.matrix import MAY
from tests.contract import requests
from tests.contract.contracts import CONTRACTS, OPENAPI, OPERATIONS, named
from tests.contract.subjects import ANONYMOUS, BESIDE_ROLES, SessionTokens, subjects, token

PERMISSIONS = spec.permissions(OPENAPI)
SUBJECTS = subjects(PERMISSIONS)
# The record that is asked about; the patient's own, and the one that the guardian is linked to. It is nobody's.
RECORD = "01939c3e-0000-7000-8000-0000000000ef"
LINKS = {"patient": [[RECORD, "own", None]], "guardian": [[RECORD, "linked", None]]}
ACCOUNTS = {name: f"00000000-0000-7000-8000-0000000c{index:04x}" for index, name in enumerate(SUBJECTS)}
MUTATED = 20


def authorization(subject: str) -> dict[str, str]:
    """The header by which a subject says who it is."""
    if subject == ANONYMOUS:
        return {}
    role = BESIDE_ROLES.get(subject) or subject
    return {"authorization": f"Bearer {token(role, subject=ACCOUNTS[subject], links=LINKS.get(subject))}"}


def knock(house: House, operation: spec.Operation, subject: str) -> Got:
    """Ask for what no operation knows: whoever is let in gets 400 for that, and nothing happens."""
    path = requests.path_of(operation, id_=RECORD)
    headers = authorization(subject)
    return house.call(operation.operation_id, role=None, headers=headers, query={"not_a_parameter": "1"}, **path)


def ask(house: House, operation: spec.Operation, subject: str) -> Got:
    """A right request, on things that there are not.

    Where a person asks about the own account, or proves something else than a token, the door is all that is tried:
    the answer to the wrong account or proof is 401 as well.
    """
    if operation.is_public or operation.permission.startswith("account."):
        return knock(house, operation, subject)
    sent = {"body": requests.first_body(operation), "query": requests.query_of(operation)}
    sent |= requests.path_of(operation, id_=RECORD) | ({"version": 1} if operation.takes_version else {})
    return house.call(operation.operation_id, role=None, headers=authorization(subject), **sent)


def is_let_in(got: Got) -> bool:
    """Whether an answer is another one than the refusal of who asks."""
    assert got.status < 500, got.body
    return not (got.status == 401 or (got.status == 403 and got.body["code"] == "not_allowed"))


def let_in(send: Any, house: House, operation: spec.Operation, *, of: Iterable[str] = SUBJECTS) -> set[str]:
    """The subjects that an operation lets in."""
    return {subject for subject in of if is_let_in(send(house, operation, subject))}


def test_the_page_has_a_row_for_every_operation_and_names_every_subject():
    assert set(MAY) == {operation.operation_id for operation in OPERATIONS}
    assert {subject for row in MAY.values() for subject in row} == set(SUBJECTS)
    assert len(SUBJECTS) * len(MAY) >= 1_400
    assert [name for name, row in MAY.items() if len(row) != len(set(row))] == []


@pytest.mark.row("SEC-05")
@pytest.mark.target("C-02")
@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_an_operation_lets_in_whom_the_page_says_and_nobody_else(houses, operation):
    assert let_in(ask, houses[operation.service], operation) == set(MAY[operation.operation_id])


# ---- the page notices ------------------------------------------------------------------------------------------------


@pytest.fixture
def chance() -> random.Random:
    """Another choice in each run, which says by what it can be made again."""
    seed = random.randrange(1 << 32)
    print(f"chosen by the seed {seed}")
    return random.Random(seed)


def remade(house: House, *, openapi: Path, permissions: Mapping[str, Any]) -> House:
    """The same service under other contracts, or with roles that hold something else."""
    settings = house.service.settings.model_copy(update={"openapi_dir": openapi})
    return House(dataclasses.replace(house.service, settings=settings, close=()), tokens=SessionTokens(permissions))


def under(houses: Mapping[str, House], services: set[str], **changes: Any) -> Iterator[tuple[str, House]]:
    """Each of some services, remade for as long as it is looked at."""
    for name in sorted(services):
        house = remade(houses[name], **changes)
        yield name, house
        house.close()


def opened(folder: Path, operations: list[spec.Operation]) -> Path:
    """Contracts in which these operations want no permission."""
    openapi = Path(shutil.copytree(OPENAPI, folder / "openapi"))
    for operation in operations:
        file = openapi / f"{operation.service}.yaml"
        wanted = re.compile(rf"(operationId: {operation.operation_id}\n(?:.*\n)*?\s+x-permission: )\S+")
        text, count = wanted.subn(r"\1none", file.read_text(encoding="utf-8"), count=1)
        assert count == 1, operation.operation_id
        file.write_text(text, encoding="utf-8")
    return openapi


@pytest.mark.target("C-02")
def test_an_operation_that_lost_its_permission_is_noticed(houses, chance, tmp_path):
    lost = chance.sample([operation for operation in OPERATIONS if not operation.is_public], MUTATED)
    openapi = opened(tmp_path, lost)
    noticed = [
        operation.operation_id
        for name, house in under(houses, {each.service for each in lost}, openapi=openapi, permissions=PERMISSIONS)
        for operation in lost
        if operation.service == name and let_in(knock, house, operation) != set(MAY[operation.operation_id])
    ]
    assert sorted(noticed) == sorted(operation.operation_id for operation in lost)


@pytest.mark.target("C-02")
def test_a_role_that_holds_one_permission_too_many_or_too_few_is_noticed(houses, chance):
    roles, document = PERMISSIONS["roles"], copy.deepcopy(PERMISSIONS)
    gained, lost = chance.sample([name for name in roles if name not in {"super_admin", "first_sign_in"}], 2)
    changed = {gained, lost}
    wanted = {each.permission for each in OPERATIONS} - {None}
    document["roles"][gained]["permissions"].append(chance.choice(sorted(wanted - set(roles[gained]["permissions"]))))
    document["roles"][lost]["permissions"].remove(chance.choice(sorted(wanted & set(roles[lost]["permissions"]))))
    differing = {
        subject
        for name, house in under(houses, set(CONTRACTS), openapi=OPENAPI, permissions=document)
        for operation in CONTRACTS[name].operations.values()
        for subject in let_in(knock, house, operation, of=changed) ^ (set(MAY[operation.operation_id]) & changed)
    }
    assert differing == changed
