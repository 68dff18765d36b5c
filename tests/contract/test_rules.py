"""The rules that every contract follows: naming, security, audit, keys, versions and the standard set of answers."""

from __future__ import annotations

import re

import pytest
import yaml

from services.chassis import spec
from tests.contract.contracts import CONTRACTS, OPENAPI, OPERATIONS, examples, named, schema_of, subschemas

SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
KEBAB = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
AUDITED = {"create", "read", "update", "delete", "search", "sign_in", "sign_out", "verify", "export"}

# Operations that may be called without a token, and why there is none. At most sixteen.
PUBLIC = {
    "sign_in": "it is how a person gets a token",
    "refresh_session": "the refresh token is the proof",
    "issue_service_token": "the client secret is the proof",
    "get_jwks": "public keys are public",
    "receive_sms_reply": "the signature of the SMS gateway is the proof",
    "finish_sign_in": "the challenge of the first step is the proof",
    "activate_account": "a code from the reception is the proof",
    "request_password_reset": "who has forgotten the password has no token",
    "complete_password_reset": "the link that came by mail is the proof",
    "start_external_sign_in": "it is how a person gets a token from an outside provider",
    "complete_external_sign_in": "what the provider signed is the proof",
}
MOST_PUBLIC = 16

# POST operations without an Idempotency-Key, and why repeating them is harmless or must not be answered from a store.
WITHOUT_KEY = {
    "search_patients": "it changes nothing",
    "find_patient_summaries": "it changes nothing",
    "find_patient_contacts": "it changes nothing",
    "find_patient_standings": "it changes nothing",
    "search_audit_entries": "it changes nothing",
    "export_audit_entries": "it changes nothing",
    "verify_audit_trail": "it changes nothing",
    "sign_in": "an answer that holds tokens is never stored",
    "refresh_session": "a refresh token works once; an answer that holds tokens is never stored",
    "issue_service_token": "an answer that holds tokens is never stored",
    "change_own_password": "what was asked holds secrets, of which not even a digest is kept",
    "preview_notification_template": "it changes nothing",
    "receive_sms_reply": "the last word of a number counts, however often it comes",
    "send_test_message": "who tries a channel once more wants one more message",
    "check_birth_date": "it changes nothing but the count of wrong answers",
    "finish_sign_in": "an answer that holds tokens is never stored",
    "show_second_factor": "an answer that holds tokens is never stored",
    "start_second_factor": "an answer that holds a secret is never stored",
    "confirm_second_factor": "an answer that holds secrets is never stored",
    "renew_backup_codes": "an answer that holds secrets is never stored",
    "remove_second_factor": "what was asked holds secrets, of which not even a digest is kept",
    "activate_account": "what was asked holds secrets; the code works once",
    "request_password_reset": "a second link does no harm, and nobody is known who could have a key",
    "complete_password_reset": "what was asked holds secrets; the link works once",
    "add_own_link": "what was asked holds a secret; the code works once",
    "start_external_sign_in": "an answer that holds a secret is never stored",
    "complete_external_sign_in": "an answer that holds tokens is never stored; the state works once",
}

# Operations that change something without If-Match, and why there is no version to start from.
WITHOUT_VERSION = {
    "declare_no_known_allergies": "whom nobody asked has no version yet, and saying it again says the same",
    "disable_user": "an account can be closed at once, whatever else was changed",
    "enable_user": "it opens the account with what it has, whatever that is now",
    "reset_password": "it replaces what nobody can read",
    "change_own_password": "the current password is what it starts from",
    "start_second_factor": "it counts only once it was confirmed",
    "request_password_reset": "it changes nothing yet",
    "complete_password_reset": "the link is what it starts from",
    "confirm_second_factor": "the code is what it starts from",
    "renew_backup_codes": "it replaces what nobody can read",
    "remove_second_factor": "password and code are what it starts from",
    "reset_second_factor": "a second factor is there or not",
    "clear_sign_in_counter": "a counter is lifted, whatever it counts",
    "end_record_link": "a link is made once and never changed",
    "revoke_service_key": "a key is made once and never changed",
    "withdraw_signing_key": "a key can be withdrawn at once, whatever else was changed",
    "set_doctor_photo": "a photo replaces the one before as a whole",
    "remove_doctor_photo": "there is one photo at most",
    "set_type_minutes": "it says all that there is to say",
    "remove_type_minutes": "it says all that there is to say",
    "release_hold": "a hold is made once and never changed",
    "apply_plan": "a plan has its version in the body, and a later one wins",
    "mark_own_message_read": "a message is read once, and stays read",
    "remove_own_push_subscription": "a subscription is made once and never changed",
    "remove_patient_push_subscription": "a subscription is made once and never changed",
    "receive_sms_reply": "a person at a telephone knows no version",
}

# Lists that are given whole, because they are as long as a table of the system, one person's own, or what was asked.
UNPAGED = {
    "list_roles", "list_user_names", "list_permissions", "list_signing_keys", "list_own_sessions",
    "list_notification_templates", "list_own_push_subscriptions", "list_patient_push_subscriptions",
    "list_record_links", "list_sign_in_counters", "list_service_keys",
    "find_patient_summaries", "find_patient_contacts", "find_patient_standings",
}  # fmt: skip


def operations(*methods: str) -> list[spec.Operation]:
    """All operations, or those with one of the methods."""
    return [each for each in OPERATIONS if not methods or each.method in methods]


def declares_header(operation: spec.Operation, name: str) -> bool:
    """Whether an operation takes a header."""
    return any(each["in"] == "header" and each["name"] == name for each in operation.parameters)


# ---- form -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", sorted(OPENAPI.glob("*.yaml")), ids=lambda path: path.stem)
def test_a_contract_is_written_in_openapi_3_0_3(file):
    """connexion refuses 3.1, and a version that drifts breaks generators."""
    document = yaml.safe_load(file.read_text(encoding="utf-8"))
    assert file.stem == "permissions" or document["openapi"] == "3.0.3"


@pytest.mark.parametrize("service", CONTRACTS)
def test_a_contract_says_who_it_is_and_holds_no_python(service):
    document = CONTRACTS[service].document
    assert document["info"]["title"]
    assert len(document["info"]["description"]) > 40
    assert document["servers"] == [{"url": "/"}]
    text = (OPENAPI / f"{service}.yaml").read_text(encoding="utf-8")
    assert not re.search(r"x-openapi-router|x-swagger-router|x-\w+Func|services\.[a-z]+\.", text)


def test_operation_ids_are_unique_over_the_system():
    names = [operation.operation_id for operation in OPERATIONS]
    assert sorted(names) == sorted(set(names))


def test_paths_are_unique_over_the_system():
    """Two services behind one gateway cannot answer the same method and path."""
    places = [(each.method, re.sub(r"\{[^}]*\}", "{}", each.path)) for each in OPERATIONS]
    assert sorted(places) == sorted(set(places))


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_an_operation_is_named_verb_noun_and_described(operation):
    assert SNAKE.fullmatch(operation.operation_id)
    assert "_" in operation.operation_id
    assert operation.document["summary"]
    assert operation.document["tags"]
    assert not operation.document["summary"].endswith(".")


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_paths_are_versioned_kebab_case_with_snake_case_parameters(operation):
    assert operation.path.startswith("/api/v1/")
    assert not operation.path.endswith("/")
    for part in operation.path.removeprefix("/api/v1/").split("/"):
        if part.startswith("{"):
            assert SNAKE.fullmatch(part.strip("{}"))
        else:
            assert KEBAB.fullmatch(part.removeprefix(".").removesuffix(".json"))


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_parameters_are_declared_typed_and_described(operation):
    in_path = {each["name"] for each in operation.parameters if each["in"] == "path"}
    assert in_path == set(re.findall(r"\{([^}]+)\}", operation.path))
    for each in operation.parameters:
        assert each["in"] == "header" or SNAKE.fullmatch(each["name"])
        assert each.get("schema")
        assert each["in"] == "path" or each.get("description"), each["name"]
        assert each["in"] != "path" or each["required"] is True


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_ids_in_paths_are_opaque(operation):
    """No name or number of a person stands in an address: a path parameter is an id, or a word of the system."""
    contract = CONTRACTS[operation.service]
    for each in operation.parameters:
        if each["in"] == "path":
            schema = contract.resolve(each["schema"])
            assert schema.get("format") == "uuid" or schema.get("enum") or schema.get("pattern"), each["name"]
    personal = {"name", "mrn", "phone", "email", "birth_date", "family_name", "given_name", "identifier", "text", "q"}
    assert not personal & {each["name"] for each in operation.parameters if each["in"] in {"path", "query"}}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_properties_are_snake_case(operation):
    for schema in bodies(operation):
        for path, node in subschemas(schema, service=operation.service):
            assert all(SNAKE.fullmatch(name) for name in node.get("properties", {})), path


def bodies(operation: spec.Operation) -> list[dict]:
    """The schemas of the request body and of all JSON answers."""
    contents = [operation.document["responses"][code].get("content", {}) for code in operation.document["responses"]]
    found = [content["application/json"]["schema"] for content in contents if "application/json" in content]
    return found + ([schema_of(operation)] if schema_of(operation) else [])


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if schema_of(each)], ids=named)
def test_what_is_written_is_closed_and_bounded(operation):
    """An unknown field is refused, and no text, list or number is without an end."""
    for path, node in subschemas(schema_of(operation), service=operation.service):
        if node.get("type") == "object":
            assert node.get("additionalProperties") is False or "allOf" in node, f"{path} is open"
        if node.get("type") == "array":
            assert "maxItems" in node, f"{path} has no maxItems"
        if node.get("type") == "string" and "enum" not in node and node.get("format") not in {"date", "date-time"}:
            assert "maxLength" in node, f"{path} has no maxLength"
        if node.get("type") in {"integer", "number"}:
            assert {"minimum", "maximum"} <= set(node) or "enum" in node or node.get("minimum") == 1, f"{path} is open"


# ---- security and audit ---------------------------------------------------------------------------------------------


@pytest.mark.target("C-01")
@pytest.mark.parametrize("service", CONTRACTS)
def test_a_contract_asks_for_a_token_unless_an_operation_says_otherwise(service):
    assert CONTRACTS[service].document["security"] == [{"bearer": []}]


@pytest.mark.parametrize("service", CONTRACTS)
def test_a_published_contract_says_what_kind_of_token_it_asks_for(service):
    """A page of operations offers to take a token only if the scheme is in the document itself."""
    published = CONTRACTS[service].document["components"]["securitySchemes"]["bearer"]
    assert (published["type"], published["scheme"]) == ("http", "bearer")


@pytest.mark.target("C-01")
def test_the_public_operations_are_those_on_the_list():
    public = {each.operation_id for each in OPERATIONS if each.is_public or each.document.get("security") == []}
    assert public == set(PUBLIC)
    assert len(public) <= MOST_PUBLIC


@pytest.mark.target("C-01")
@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_public_and_open_are_said_together(operation):
    """`x-permission: none` and `security: []`: one without the other is a slip, and so is a token that is optional."""
    assert (operation.document["x-permission"] == "none") == (operation.document.get("security") == [])
    assert operation.document.get("security") in (None, [])


@pytest.mark.target("C-01")
@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_a_permission_is_one_that_is_known(operation):
    known = spec.permissions(OPENAPI)["permissions"]
    assert operation.permission is None or operation.permission in known


def test_every_permission_is_wanted_by_an_operation():
    """A permission that opens nothing misleads whoever makes a role."""
    wanted = {operation.permission for operation in OPERATIONS}
    wanted |= {right for operation in OPERATIONS for right in field_permissions(operation).values()}
    wanted |= {operation.document.get("x-wider-permission") for operation in OPERATIONS}
    assert set(spec.permissions(OPENAPI)["permissions"]) <= wanted


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_what_single_fields_need_is_said_of_fields_that_exist(operation):
    """`x-field-permissions`: to give such a field needs one right more than the operation."""
    known = spec.permissions(OPENAPI)["permissions"]
    schema = CONTRACTS[operation.service].resolve(schema_of(operation) or {})
    for field, right in field_permissions(operation).items():
        assert field in schema["properties"]
        assert right in known


@pytest.mark.parametrize("operation", [each for each in OPERATIONS if "x-wider-permission" in each.document], ids=named)
def test_what_shows_more_than_the_own_is_a_permission_that_is_known(operation):
    """`x-wider-permission`: whoever holds it too sees what belongs to others."""
    wider = operation.document["x-wider-permission"]
    assert wider in spec.permissions(OPENAPI)["permissions"]
    assert wider != operation.permission


def field_permissions(operation: spec.Operation) -> dict[str, str]:
    """The rights that single fields of the body need."""
    return dict(operation.document.get("x-field-permissions", {}))


def test_roles_hold_known_permissions():
    document = spec.permissions(OPENAPI)
    held = {name for role in document["roles"].values() for name in role["permissions"]} - {"*"}
    assert held <= set(document["permissions"])


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_audit_is_declared_and_fits_the_method(operation):
    assert operation.audit in AUDITED | {"none"}
    if operation.method in {"PUT", "PATCH", "DELETE"}:
        assert operation.audit != "none", "a change is audited"
    if operation.method == "GET":
        assert operation.audit in {"none", "read", "search", "export", "verify"}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_what_concerns_one_patient_is_audited(operation):
    """Reading a record is an event of its own; asking for its standing shows nothing of it."""
    if "{patient_id}" in operation.path and operation.operation_id != "get_patient_standing":
        assert operation.audit != "none"


# ---- keys, versions, answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", operations("POST"), ids=named)
def test_a_post_takes_an_idempotency_key_or_stands_on_the_list(operation):
    assert operation.takes_key != (operation.operation_id in WITHOUT_KEY)


@pytest.mark.parametrize("operation", operations("PUT", "PATCH", "POST", "DELETE"), ids=named)
def test_an_update_starts_from_a_version_or_stands_on_the_list(operation):
    if operation.audit in {"update", "delete"}:
        assert operation.takes_version != (operation.operation_id in WITHOUT_VERSION)


def test_the_lists_of_exceptions_name_operations_that_exist():
    known = {operation.operation_id for operation in OPERATIONS}
    assert {*PUBLIC, *WITHOUT_KEY, *WITHOUT_VERSION, *UNPAGED} <= known


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_the_standard_answers_are_declared(operation):
    declared = set(operation.document["responses"])
    wanted = {"400", "429", "500", "503", "504"}
    if operation.parameters or schema_of(operation) is not None:
        wanted.add("422")
    if not operation.is_public:
        wanted |= {"401", "403"}
    if "{" in operation.path:
        wanted.add("404")
    if schema_of(operation) is not None:
        wanted |= {"413", "415"}
    if operation.takes_key:
        wanted |= {"409", "428"}
    if operation.takes_version:
        wanted |= {"412", "428"}
    assert wanted - declared == set()
    assert not {code for code in declared if not re.fullmatch(r"[2-5]\d\d", code)}


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_every_error_is_a_problem_with_an_example(operation):
    for code, answer in operation.document["responses"].items():
        if code[0] in "45":
            content = answer["content"]
            assert set(content) == {"application/problem+json"}, code
            media = content["application/problem+json"]
            assert media["schema"]["$ref"].endswith("/Problem")
            shown = [value for _, value in examples(media)]
            assert shown, code
            assert {each["status"] for each in shown} == {int(code)}
            assert all(each["type"] == f"urn:infirmary:problem:{each['code']}" for each in shown)


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_busy_and_away_say_when_to_try_again(operation):
    for code in {"429", "503"} & set(operation.document["responses"]):
        assert "Retry-After" in operation.document["responses"][code]["headers"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=named)
def test_a_versioned_answer_carries_its_etag(operation):
    """What is changed under If-Match, and what is read to be changed, says its version in the header as well."""
    contract = CONTRACTS[operation.service]
    status, answer = operation.success
    if "application/json" in answer.get("content", {}) and status in {200, 201}:
        schema = contract.resolve(answer["content"]["application/json"]["schema"])
        if "version" in schema.get("properties", {}):
            assert operation.answers_with_header("ETag")


@pytest.mark.parametrize("operation", operations("GET", "POST"), ids=named)
def test_lists_page_alike(operation):
    """A list has items and next_cursor, and takes limit and cursor in the query, whatever is asked in a body."""
    contract = CONTRACTS[operation.service]
    _, answer = operation.success
    schema = contract.resolve(answer.get("content", {}).get("application/json", {}).get("schema", {}))
    if "items" in schema.get("properties", {}):
        assert {"items", "next_cursor"} <= set(schema["required"])
        given = {each["name"] for each in operation.parameters}
        assert ({"limit", "cursor"} <= given) != (operation.operation_id in UNPAGED)
