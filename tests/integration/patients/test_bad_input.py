"""Bad input: the right refusal, the field by name, nothing written, nothing of it in an answer or a log."""

from __future__ import annotations

import pytest

from tests.integration.patients import making

CANARY = "Canarybird"
NAMES = [
    "",
    "   ",
    "\x00",
    f"{CANARY}\x00",
    f"{CANARY}\u202e",
    f"{CANARY}\u2066",
    "a" * 121,
    "\u200b",
    "\u3164",
    7,
    None,
    [],
    {},
]


@pytest.mark.parametrize("field", ["family_name", "given_name", "middle_name", "prefix"])
@pytest.mark.parametrize("value", NAMES, ids=repr)
def test_a_bad_name_is_refused_by_its_pointer(house, capfd, field, value):
    if value is None and field in {"middle_name", "prefix"}:
        value = 0
    got = house.call("register_patient", body={**making.body(), field: value})
    assert got.status == 422
    assert {each["pointer"] for each in got.body["errors"]} == {f"/{field}"}
    assert not any(making.written(house).values())
    said = capfd.readouterr()
    assert CANARY not in got.raw.decode() + said.out + said.err


@pytest.mark.parametrize(
    "name",
    [
        "Ångström",
        "Nguyễn Thị",
        "Иванов",
        "محمد",
        "עברית",
        "山田太郎",
        "สมชาย",
        "नरेन्द्र",
        "می\u200cرود",
        "D'Arcy-O’Neill",
        "𠮷野",
        "a" * 120,
    ],
)
def test_a_name_in_any_script_is_kept_and_found(house, name):
    record = making.registered(house, family_name=name)
    assert record["family_name"] == name
    assert record["id"] in making.found(house, name=name)


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("birth_date", "2026-13-01", "/birth_date"),
        ("birth_date", "9999-01-01", "/birth_date"),
        ("birth_date", "0001-01-01", "/birth_date"),
        ("birth_date", 19841105, "/birth_date"),
        ("estimated_age", -1, "/estimated_age"),
        ("estimated_age", 40.5, "/estimated_age"),
        ("administrative_gender", "M", "/administrative_gender"),
        ("phones", [{"number": "call me"}], "/phones/0/number"),
        ("phones", [{"number": "+999 1234567"}], "/phones/0/number"),
        ("phones", "5550101234", "/phones"),
        ("emails", [{"address": "nobody"}], "/emails/0/address"),
        ("emails", [{"address": "a\u0000@b.example"}], "/emails/0/address"),
        ("addresses", [{"lines": ["x\u0000"], "country": "DE"}], "/addresses/0/lines/0"),
        ("addresses", [{"lines": ["x"], "country": "ZZ"}], "/addresses/0/country"),
        ("zone", "Europe/Atlantis", "/zone"),
        ("zone", "../../etc/passwd", "/zone"),
        ("language", "x", "/language"),
        ("identifiers", [{"type": "passport", "value": "'; DROP TABLE patients"}], "/identifiers/0/value"),
        ("identifiers", [{"type": "loyalty", "value": "1"}], "/identifiers/0/type"),
        ("confirm_duplicate", "yes", "/confirm_duplicate"),
        ("mrn", "10000012", "/*"),
        ("id", making.NOBODY, "/*"),
        ("version", 7, "/*"),
        ("standing", "active", "/*"),
    ],
)
def test_a_bad_field_is_refused_by_its_pointer(house, field, value, pointer):
    body = making.body(**({"birth_date": None} if field == "estimated_age" else {}))
    got = house.call("register_patient", body=body | {field: value})
    assert got.status == 422
    pointers = {each.get("pointer") for each in got.body["errors"]}
    assert pointer in pointers or pointers <= {"", "/*", f"/{field}"}
    assert not any(making.written(house).values())


@pytest.mark.parametrize(
    "raw", [b"{", b"[]", b"null", b'{"family_name":"\\ud800"}', b'{"a":NaN}', b"\xff", b"[" * 5000]
)
def test_what_is_no_json_object_is_refused(house, raw):
    assert house.call("register_patient", raw=raw).status in {400, 422}
    assert not any(making.written(house).values())


def test_a_huge_body_is_refused(house):
    assert house.call("register_patient", raw=b'{"family_name":"' + b"a" * 10_000_000 + b'"}').status == 413


@pytest.mark.parametrize("patient_id", ["1", "not-a-uuid", "01939C3E-0000-7000-8000-0000000000FF", "%00"])
def test_an_id_that_is_none_is_refused(house, patient_id):
    assert house.call("get_patient", patient_id=patient_id).status in {400, 404, 422}


@pytest.mark.parametrize(
    "body",
    [
        {"text": "\x00"},
        {"text": "a" * 201},
        {"text": 7},
        {"phone": "call me"},
        {"mrn": "x"},
        {"birth_date": "yesterday"},
        {"text": "a", "limit": 20},
        {"text": "a", "order_by": "name"},
    ],
)
def test_a_bad_search_is_refused(house, body):
    assert house.call("search_patients", body=body).status == 422


@pytest.mark.parametrize(
    "text", ["%", "_", "' OR 1=1 --", "a" * 200, "\u202e", "𠮷", "{}", "1" * 200, "+" * 100, "((((((5"]
)
def test_an_odd_search_finds_nobody_and_harms_nothing(house, text):
    making.registered(house)
    assert house.call("search_patients", body={"text": text}).status in {200, 422}


@pytest.mark.parametrize("body", [{}, {"confirm_duplicate": True}, {"family_name": None}, {"id": making.NOBODY}, []])
def test_a_bad_change_is_refused(house, body):
    record = making.registered(house)
    assert house.call("update_patient", patient_id=record["id"], version=1, body=body).status in {400, 422}
    assert house.call("get_patient", patient_id=record["id"]).body == record


@pytest.mark.parametrize(
    ("operation", "roles"),
    [
        ("register_patient", {"super_admin", "receptionist", "records_clerk"}),
        (
            "search_patients",
            {"super_admin", "receptionist", "records_clerk", "nurse", "doctor", "pharmacist", "patient"},
        ),
    ],
)
def test_only_some_roles_may(house, operation, roles):
    everybody = [
        "super_admin",
        "admin",
        "receptionist",
        "nurse",
        "doctor",
        "pharmacist",
        "records_clerk",
        "auditor",
        "patient",
        "service",
    ]
    allowed = {
        role
        for role in everybody
        if house.call(operation, role=role, body=making.body() if "reg" in operation else {"text": "x"}).status < 400
    }
    assert allowed == roles
    assert house.call(operation, role=None, body={"text": "x"}).status == 401
