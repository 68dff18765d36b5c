"""What an operation is for, and which ones ask their caller to prove again who it is."""

from __future__ import annotations

import pytest
import yaml

from services.chassis import spec
from services.kernel.purposes import CODES, Purpose
from tests.contract.contracts import CONTRACTS, OPENAPI, OPERATIONS, examples, named

GIVES_RIGHTS = {"users.manage", "roles.assign", "roles.manage", "service_accounts.manage", "keys.rotate"}
DANGEROUS = [
    each for each in OPERATIONS if each.audit == "export" or (each.permission in GIVES_RIGHTS and each.method != "GET")
]

# What is dangerous and does not ask for the second factor anew, and why.
WITHOUT_STEP_UP = {
    "disable_user": "closing an account must never wait",
    "end_user_sessions": "ending sessions must never wait",
    "revoke_service_key": "taking a key back must never wait",
    "rotate_signing_key": "one more key opens nothing",
}
# What is dangerous and is done without a live policy, and why.
WITHOUT_LIVE_POLICY = {
    "disable_user": "closing an account must never wait",
    "end_user_sessions": "ending sessions must never wait",
    "revoke_service_key": "taking a key back must never wait",
    "withdraw_signing_key": "a key that is known to somebody must never wait",
    "update_user": "it gives no right; it is a name and an address",
}


@pytest.mark.parametrize("service", CONTRACTS)
def test_a_contract_says_what_its_operations_are_for(service):
    assert CONTRACTS[service].document["x-purpose"] in set(Purpose)


def test_an_operation_that_is_audited_and_has_no_purpose_stops_the_start(tmp_path):
    for name in ("common", "history"):
        document = yaml.safe_load((OPENAPI / f"{name}.yaml").read_text(encoding="utf-8"))
        document.pop("x-purpose", None)
        (tmp_path / f"{name}.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
    with pytest.raises(spec.ContractError, match="purpose"):
        spec.load(tmp_path, "history")


def test_purposes_are_the_same_words_wherever_they_stand():
    words = [each.value for each in Purpose]
    assert spec.events(OPENAPI)["audit.recorded.v1"]["properties"]["purpose"]["enum"] == words
    published = CONTRACTS["audit"].document["components"]["schemas"]["Purpose"]
    assert published["enum"] == words
    assert [code for code in CODES.values() if f"({code})" not in published["description"]] == []


@pytest.mark.target("C-11")
@pytest.mark.parametrize("operation", DANGEROUS, ids=named)
def test_what_takes_data_out_or_gives_rights_asks_for_the_second_factor_anew_and_for_a_live_policy(operation):
    assert operation.needs_step_up != (operation.operation_id in WITHOUT_STEP_UP)
    assert operation.needs_live_policy != (operation.operation_id in WITHOUT_LIVE_POLICY)


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if each.needs_step_up], ids=named)
def test_what_asks_for_the_second_factor_anew_says_so_among_its_answers(operation):
    media = operation.document["responses"]["403"]["content"]["application/problem+json"]
    assert "step_up_required" in {each["code"] for _, each in examples(media)}


def test_the_lists_of_what_is_dangerous_name_operations_that_are():
    assert {*WITHOUT_STEP_UP, *WITHOUT_LIVE_POLICY} <= {each.operation_id for each in DANGEROUS}
