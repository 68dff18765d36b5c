"""What nobody should send: refused at the door with the field's name, nothing written, nothing of it told anywhere."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import psycopg
import pytest
import redis
from joserfc import jwt
from joserfc.jwk import RSAKey

from services.identity.app.vault import Vault
from tests.system.house import (
    Client,
    Person,
    Reply,
    RunningHouse,
    new_allergy,
    new_key,
    new_password,
    new_patient,
    sign_in,
    word,
)
from tests.waiting import wait_for

UNKNOWN = "01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20"
TEN_MB = 10 * 1024 * 1024
# Where patients' data belongs, and what is no text of ours: everything else in the house's folder is searched.
STORES = (
    "data/postgresql/data/base",
    "data/postgresql/data/pg_wal",
    "data/mongodb/data",
    "data/redis-records",
    "secrets",
)
SPOKEN = ("gateway", "patients", "history", "identity", "audit", "postgresql", "mongodb", "redis-bus", "redis-records")
WORKERS = ("patients-worker", "history-worker", "identity-worker", "audit-worker")


# ---- bodies ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        ({"family_name": 7}, "/family_name"),
        ({"family_name": None}, "/family_name"),
        ({"family_name": "{name}\u0000"}, "/family_name"),
        ({"family_name": "{name}\u202e"}, "/family_name"),
        ({"family_name": "{name}" + "a" * 200}, "/family_name"),
        ({"family_name": "  "}, "/family_name"),
        ({"birth_date": "1984-02-30"}, "/birth_date"),
        ({"birth_date": "2999-01-01"}, "/birth_date"),
        ({"phones": [{"number": "{name}"}]}, "/phones/0/number"),
        ({"phones": {"number": "+49 30 5550101"}}, "/phones"),
        ({"administrative_gender": "{name}"}, "/administrative_gender"),
        ({"nickname": "{name}"}, ""),
        ({"id": UNKNOWN}, ""),
    ],
    ids=lambda given: json.dumps(given)[:40] if isinstance(given, dict) else given,
)
def test_a_field_that_is_wrong_is_named_and_nothing_is_written(receptionist: Person, wrong: dict, pointer: str):
    name = word()
    body = {**new_patient(given_name=name), **json.loads(json.dumps(wrong).replace("{name}", name))}
    refused = receptionist.post("/api/v1/patients", body).expect(422)
    assert refused.broken == {pointer}, refused.said
    assert name not in refused.said
    _not_there(receptionist, name)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"family_name": "{name}"',
        b'{"family_name": "{name}", "family_name": "x"}',
        b'{"a": NaN}',
        b"\xff\xfe{name}",
        b"",
    ],
    ids=["cut off", "a name twice", "NaN", "not UTF-8", "empty"],
)
def test_a_body_that_is_no_json_is_refused(receptionist: Person, raw: bytes):
    name = word()
    sent = raw.replace(b"{name}", name.encode())
    refused = receptionist.send("POST", "/api/v1/patients", raw=sent, key=new_key()).expect(400)
    assert name not in refused.said
    _not_there(receptionist, name)


def test_a_body_of_another_kind_is_refused(receptionist: Person):
    sent = json.dumps(new_patient()).encode()
    given = {"content-type": "text/plain"}
    receptionist.send("POST", "/api/v1/patients", raw=sent, key=new_key(), headers=given).expect(415)


def test_a_body_of_ten_megabytes_is_refused(receptionist: Person):
    name = word()
    body = json.dumps(new_patient(given_name=name, prefix="a" * TEN_MB)).encode()
    receptionist.send("POST", "/api/v1/patients", raw=body, key=new_key()).expect(413)
    _not_there(receptionist, name)


def test_unknown_ids_are_not_found_and_what_is_no_id_is_refused(receptionist: Person, nurse: Person, admin: Person):
    receptionist.get(f"/api/v1/patients/{UNKNOWN}").expect(404)
    receptionist.send("PATCH", f"/api/v1/patients/{UNKNOWN}", {"language": "de"}, if_match='"1"').expect(404)
    nurse.get(f"/api/v1/patients/{UNKNOWN}/allergies/{UNKNOWN}").expect(404)
    admin.get(f"/api/v1/users/{UNKNOWN}").expect(404)
    admin.get(f"/api/v1/facilities/{UNKNOWN}").expect(404)
    assert receptionist.get("/api/v1/patients/7").status in {404, 422}
    receptionist.get("/api/v1/nothing").expect(404)
    assert receptionist.get(f"/api/v1/patients/{UNKNOWN}?colour=red").expect(400).json["code"] == "malformed_request"


# ---- tokens ----------------------------------------------------------------------------------------------------------


def test_an_expired_token_counts_nowhere(house: RunningHouse, nurse: Person, signing_key: RSAKey):
    paths = {"patients": f"/api/v1/patients/{UNKNOWN}", "history": f"/api/v1/patients/{UNKNOWN}/allergies"}
    now = int(time.time())
    claims = _claims(nurse.token)
    good = _token(signing_key, {**claims, "iat": now, "nbf": now, "exp": now + 300})
    late = _token(signing_key, {**claims, "iat": now - 700, "nbf": now - 700, "exp": now - 100})
    for service, path in paths.items():
        for asked in (nurse.client, Client(f"http://127.0.0.1:{house.port(service)}")):
            assert asked.send("GET", path, token=good).status == 404
            assert asked.send("GET", path, token=late).expect(401).json["code"] == "not_signed_in"


def test_a_forged_token_counts_nowhere(house: RunningHouse, nurse: Person, signing_key: RSAKey):
    head, claims, signature = nurse.token.split(".")
    kid = json.loads(_plain(head))["kid"]
    raised = _sealed({**_claims(nurse.token), "roles": ["super_admin"]})
    forged = {
        "another key": _token(RSAKey.generate_key(2048, {"kid": kid}), _claims(nurse.token)),
        "no signature": f"{_sealed({'alg': 'none', 'kid': kid, 'typ': 'at+jwt'})}.{claims}.",
        "other claims": f"{head}.{raised}.{signature}",
        "the public key as secret": _signed_with(signing_key.as_pem(private=False), kid, claims),
        "another audience": _token(signing_key, {**_claims(nurse.token), "aud": "elsewhere"}),
        "no token": "nothing",
    }
    path = f"/api/v1/patients/{UNKNOWN}"
    for asked in (nurse.client, Client(f"http://127.0.0.1:{house.port('patients')}")):
        assert asked.send("GET", path, token=nurse.token).status == 404
        for how, token in forged.items():
            refused = asked.send("GET", path, token=token)
            assert refused.status == 401, f"{how}: {refused.said}"


# ---- silence ---------------------------------------------------------------------------------------------------------


@pytest.mark.row("OPS-06")
def test_no_log_no_metric_and_no_stream_tells_anything_of_a_patient(
    house: RunningHouse, receptionist: Person, nurse: Person, doctor: Person, admin: Person, auditor: Person
):
    family, given, substance, note, digits = word(), word(), word(), word(), str(time.time_ns())[-9:]
    phone, secret = f"+49 30 {digits}", new_password()
    made = receptionist.post("/api/v1/patients", _canary(family, given=given, phone=phone)).expect(201)
    replies = [
        *_whispered(receptionist, made, family=family, given=given, phone=phone),
        *_recorded(nurse, doctor, made.headers["location"], substance=substance, note=note),
        *_refused(receptionist, nurse, admin, made.headers["location"], name=family, secret=secret),
    ]
    hidden = [
        family,
        given,
        substance,
        note,
        phone,
        f"4930{digits}",
        digits,
        secret,
        receptionist.token,
        nurse.password,
    ]
    _arrived(auditor, house, replies)
    told = dict(_told(house))
    for canary in hidden:
        found = sorted(where for where, text in told.items() if canary.casefold().encode() in text)
        assert not found, f"a value of a patient stands in {found}"
    _speaks(told, made)


def _speaks(told: Mapping[str, bytes], made: Reply) -> None:
    """What was searched is what the house says: every process, this very request, and the events of it."""
    said = {where for where, text in told.items() if text}
    assert {f"logs/{name}.log" for name in (*SPOKEN, *WORKERS)} <= said
    assert {f"metrics of {name}" for name in ("gateway-metrics", *SPOKEN[1:5], *WORKERS)} <= said
    for name in ("gateway", *SPOKEN[1:5], *WORKERS):
        for line in told[f"logs/{name}.log"].splitlines():
            assert isinstance(json.loads(line), dict), f"logs/{name}.log has a line that is not JSON"
    lines = [json.loads(line) for line in told["logs/gateway.log"].splitlines()]
    assert [each["http.request.method"] for each in lines if each.get("request_id") == made.request_id] == ["post"]
    record = made.json["id"].encode()
    assert record in told["data/redis-bus/appendonly.aof"]
    assert any(record in text for where, text in told.items() if where.startswith("stream "))


def _canary(family: str, *, given: str, phone: str) -> dict:
    return new_patient(
        family_name=family,
        given_name=given,
        phones=[{"number": phone, "use": "mobile"}],
        emails=[{"address": f"{family}@example.org".lower(), "use": "home"}],
        identifiers=[{"type": "insurance", "value": family, "issuer": given}],
    )


def _whispered(receptionist: Person, made: Reply, *, family: str, given: str, phone: str) -> list[Reply]:
    """Everything that reception does with a name and a number."""
    path, search = made.headers["location"], "/api/v1/patients/search"
    return [
        receptionist.get(path).expect(200),
        receptionist.send("PATCH", path, {"middle_name": f"{family} {given}"}, if_match='"1"').expect(200),
        receptionist.send("PATCH", path, {"middle_name": f"{given} {family}"}, if_match='"1"').expect(412),
        receptionist.post(search, {"text": f"{given} {family}"}, key=None).expect(200),
        receptionist.post(search, {"phone": phone}, key=None).expect(200),
        receptionist.post("/api/v1/patients", _canary(family, given=given, phone=phone)).expect(200),
    ]


def _recorded(nurse: Person, doctor: Person, patient: str, *, substance: str, note: str) -> list[Reply]:
    """What is written into the history, and taken back with a reason."""
    added = nurse.post(f"{patient}/allergies", {**new_allergy(substance), "note": note}).expect(201)
    again = nurse.post(f"{patient}/allergies", new_allergy(substance)).expect(409)
    problem = nurse.post(f"{patient}/problems", {"condition": {"display": note}, "certainty": "confirmed"}).expect(201)
    mark = f"{patient}/allergies/{added.json['id']}/entered-in-error"
    marked = doctor.post(mark, {"reason": f"{note} {substance}"}, if_match=added.etag).expect(200)
    return [added, again, problem, marked, nurse.get(f"{patient}/allergies?include_errors=true").expect(200)]


def _refused(
    receptionist: Person, nurse: Person, admin: Person, patient: str, *, name: str, secret: str
) -> list[Reply]:
    """The same values where they do not belong: broken bodies, addresses, names of fields, sign-ins, taken names."""
    facility = {"name": name, "zone": "Europe/Berlin"}
    admin.post("/api/v1/facilities", facility).expect(201)
    refused = [
        admin.post("/api/v1/facilities", facility).expect(409),
        receptionist.send("POST", "/api/v1/patients", raw=f'{{"family_name": "{name}"'.encode(), key=new_key()),
        receptionist.post("/api/v1/patients", {name: name, "family_name": 7}),
        receptionist.post("/api/v1/patients", new_patient(family_name=f"{name}\u0000")),
        receptionist.post("/api/v1/patients", new_patient(birth_date=name)),
        receptionist.get(f"{patient}?{name}={name}"),
        receptionist.get(f"/api/v1/patients/{name}"),
        receptionist.send("PATCH", patient, {"language": "de"}, if_match=f'"{name}"'),
        nurse.post(f"{patient}/allergies", {**new_allergy(name), "category": name}),
        sign_in(nurse.client, name, password=secret),
        nurse.client.send("GET", patient, token=f"{name}.{name}.{name}"),
    ]
    for reply in refused:
        assert 400 <= reply.status < 500, reply.said
        assert name not in reply.said
    return refused


def _arrived(auditor: Person, house: RunningHouse, replies: list[Reply]) -> None:
    """Until the workers have carried the last of it to the trail, and the gateway has written the last of its lines."""
    audited = next(each.request_id for each in reversed(replies) if each.status == 200)
    log = house.home / "logs" / "gateway.log"

    def is_there() -> bool:
        found = auditor.post("/api/v1/audit-entries/search?limit=200", {}, key=None).expect(200).json["items"]
        return audited in [each["request_id"] for each in found] and replies[-1].request_id in log.read_text()

    wait_for(is_there, within_s=30, what="the last entry is in the trail, the last line in the log", step_s=0.5)


def _told(house: RunningHouse) -> Iterator[tuple[str, bytes]]:
    """All that the house says, in small letters: its files beside the stores, its metrics, the streams of its bus."""
    for path in sorted(house.home.rglob("*")):
        where = path.relative_to(house.home).as_posix()
        if path.is_file() and not where.startswith(STORES):
            yield where, _read(path)
    for name, port in house.ports().items():
        if name in {*SPOKEN[1:5], *WORKERS, "gateway-metrics"} or name == "gateway-admin":
            address = "/stats" if name == "gateway-admin" else "/metrics"
            told = Client(f"http://127.0.0.1:{port}")
            yield f"metrics of {name}", told.send("GET", address).expect(200).body.lower()
            told.close()
    url = f"redis://:{house.secret('redis-bus')}@127.0.0.1:{house.port('redis-bus')}/0"
    with redis.Redis.from_url(url) as bus:
        for key in bus.scan_iter(count=1000):
            kind = bus.type(key)
            content = bus.xrange(key) if kind == b"stream" else bus.get(key) if kind == b"string" else key
            yield f"{kind.decode()} {key.decode()}", repr(content).encode().lower()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes().lower()
    except FileNotFoundError:
        return b""  # a temporary file of a server that was there a moment ago


# ---- what the tests share --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def signing_key(house: RunningHouse) -> RSAKey:
    """The very key of the house, opened as identity opens it: an expired token must fail for its age alone."""
    folder = house.home / "environ" / "identity"
    vault = Vault((folder / "MASTER_KEY").read_text().strip())
    with psycopg.connect((folder / "DATABASE_URL").read_text().strip().replace("+psycopg", "")) as database:
        kid, sealed = database.execute(
            "SELECT kid, sealed FROM signing_keys WHERE sealed IS NOT NULL ORDER BY signs_from LIMIT 1"
        ).fetchone()
    return RSAKey.import_key(json.loads(vault.open(bytes(sealed), of=kid)))


def _token(key: RSAKey, claims: dict) -> str:
    return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "at+jwt"}, claims, key, algorithms=["RS256"])


def _signed_with(secret: bytes, kid: str, claims: str) -> str:
    """By hand, because libraries refuse to take a public key for a secret."""
    signed = f"{_sealed({'alg': 'HS256', 'kid': kid, 'typ': 'at+jwt'})}.{claims}"
    digest = hmac.new(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def _claims(token: str) -> dict:
    return json.loads(_plain(token.split(".")[1]))


def _plain(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def _sealed(content: dict) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _not_there(receptionist: Person, name: str) -> None:
    found = receptionist.post("/api/v1/patients/search", {"name": name}, key=None).expect(200)
    assert found.json["items"] == []
