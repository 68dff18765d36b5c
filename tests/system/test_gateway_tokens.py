"""Which tokens pass the gateway, and what it says when it cannot judge them."""

from __future__ import annotations

import base64
import hmac
import json
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from joserfc import jwe
from joserfc.jwk import RSAKey

from tests.system import edge
from tests.waiting import within

OTHER = RSAKey.generate_key(2048, {"kid": "edge-1", "alg": "RS256"})


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with edge.running(tmp_path_factory.mktemp("gateway")) as running:
        yield running


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_public_key() -> str:
    """Signed with HMAC under the public key: the old confusion of algorithms."""
    signed = f"{part({'alg': 'HS256', 'kid': 'edge-1'})}.{edge.token().split('.')[1]}"
    digest = hmac.digest(edge.KEY.as_pem(private=False), signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def unsigned(algorithm: str) -> str:
    return f"{part({'alg': algorithm, 'kid': 'edge-1'})}.{edge.token().split('.')[1]}."


def changed() -> str:
    head, _, signature = edge.token("a").split(".")
    return f"{head}.{edge.token('b').split('.')[1]}.{signature}"


def other_algorithm(name: str) -> str:
    key = RSAKey.import_key({**edge.KEY.as_dict(private=True), "alg": name})
    return edge.token(key=key, header={"alg": name})


def by_hmac(secret: bytes) -> str:
    """Signed with HMAC under some form of the public key."""
    signed = f"{part({'alg': 'HS256', 'kid': 'edge-1', 'typ': 'at+jwt'})}.{edge.token().split('.')[1]}"
    return f"{signed}.{base64.urlsafe_b64encode(hmac.digest(secret, signed.encode(), 'sha256')).rstrip(b'=').decode()}"


def signed_by(header: dict, sign) -> str:
    """A token of any header, signed by any function."""
    signed = f"{part({'typ': 'at+jwt', 'kid': 'edge-1', **header})}.{edge.token().split('.')[1]}"
    return f"{signed}.{base64.urlsafe_b64encode(sign(signed.encode())).rstrip(b'=').decode()}"


def by_curve(signed: bytes) -> bytes:
    return CURVE.sign(signed, ec.ECDSA(hashes.SHA256()))


def by_rsa(key: rsa.RSAPrivateKey):
    return lambda signed: key.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def carrying(**header: object) -> str:
    """By another key that the token brings along, or says where to find."""
    return signed_by({"alg": "RS256", **header}, by_rsa(OTHER.private_key))


CURVE, EDWARDS = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate()
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
DER = edge.KEY.as_der(private=False)
OPEN = RSAKey.import_key(edge.KEY.as_pem(private=False))
NOW = int(time.time())
BAD = {
    "expired": lambda: edge.token(exp=NOW - 3600, nbf=NOW - 7200, iat=NOW - 7200),
    "not yet valid": lambda: edge.token(nbf=NOW + 3600),
    "without an end": lambda: edge.token(exp=None),
    "of another issuer": lambda: edge.token(iss="elsewhere"),
    "for another audience": lambda: edge.token(aud="elsewhere"),
    "without an audience": lambda: edge.token(aud=None),
    "by another key": lambda: edge.token(key=OTHER),
    "with an unknown key id": lambda: edge.token(header={"kid": "edge-2"}),
    "by the public key": by_public_key,
    "with no algorithm": lambda: unsigned("none"),
    "with no algorithm, in capitals": lambda: unsigned("NONE"),
    "with claims changed": changed,
    "by RS512": lambda: other_algorithm("RS512"),
    "by PS256": lambda: other_algorithm("PS256"),
    "by the public key as DER": lambda: by_hmac(DER),
    "by the public key as JWK": lambda: by_hmac(json.dumps(edge.KEY.as_dict(private=False)).encode()),
    "by an empty secret": lambda: by_hmac(b""),
    "with no algorithm, as nOnE": lambda: unsigned("nOnE"),
    "with no algorithm, as None": lambda: unsigned("None"),
    "by ES256": lambda: signed_by({"alg": "ES256"}, by_curve),
    "by an EC key under RS256": lambda: signed_by({"alg": "RS256"}, by_curve),
    "by EdDSA": lambda: signed_by({"alg": "EdDSA"}, EDWARDS.sign),
    "by an Ed25519 key under RS256": lambda: signed_by({"alg": "RS256"}, EDWARDS.sign),
    "by a weak key": lambda: signed_by({"alg": "RS256"}, by_rsa(WEAK)),
    "with an empty signature": lambda: signed_by({"alg": "RS256"}, lambda _: b""),
    "with a signature of zeros": lambda: signed_by({"alg": "RS256"}, lambda _: bytes(256)),
    "with a key id that is a path": lambda: carrying(kid="../../etc/passwd"),
    "with a key id that is SQL": lambda: carrying(kid="edge-1' OR '1'='1"),
    "with a key id that is an address": lambda: carrying(kid="http://evil.example/keys"),
    "with jku": lambda: carrying(kid="edge-1", jku="http://evil.example/jwks.json"),
    "with x5u": lambda: carrying(kid="edge-1", x5u="http://evil.example/cert.pem"),
    "with its key in it": lambda: carrying(kid="edge-1", jwk=OTHER.as_dict(private=False)),
    "for several audiences, none of them ours": lambda: edge.token(aud=["elsewhere", "there"]),
    "with an end that is a text": lambda: edge.token(exp="tomorrow"),
    "encrypted": lambda: jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A256GCM"}, edge.token(), OPEN),
    "of ten KB": lambda: edge.token(key=OTHER, pad="x" * 7_500),
    "cut short": lambda: edge.token()[:-20],
    "of one part": lambda: "abc",
    "of nothing": lambda: "",
}


@pytest.mark.target("C-07")
def test_there_are_thirty_kinds_of_forgery_at_least():
    assert len(BAD) >= 30


@pytest.mark.target("C-07")
@pytest.mark.parametrize("kind", sorted(BAD))
def test_a_token_that_does_not_count_is_401(gateway, kind):
    before = len(gateway.only("patients").requests)
    answer = gateway.send("GET", edge.PATIENT, token=BAD[kind]())
    assert (answer.status, answer.json["code"]) == (401, "not_signed_in")
    assert answer.headers["www-authenticate"] == 'Bearer realm="infirmary"'
    assert len(gateway.only("patients").requests) == before


@pytest.mark.target("C-07")
def test_a_token_of_64_kb_goes_nowhere(gateway):
    before = len(gateway.only("patients").requests)
    answer = gateway.send("GET", edge.PATIENT, token=edge.token(pad="x" * 48_000))
    assert answer.status in {401, 431}
    assert len(gateway.only("patients").requests) == before


@pytest.mark.parametrize(
    "headers",
    [
        {}, {"authorization": ""}, {"authorization": "Basic YTpi"}, {"x-access-token": "TOKEN"},
        {"cookie": "access_token=TOKEN"}, {"authorization": "Token TOKEN"}, {"x-authorization": "Bearer TOKEN"},
    ],
)  # fmt: skip
def test_a_token_counts_in_one_place_only(gateway, headers):
    mine = edge.token()
    said = {name: value.replace("TOKEN", mine) for name, value in headers.items()}
    assert gateway.send("GET", edge.PATIENT, headers=said).status == 401
    assert gateway.send("GET", f"{edge.PATIENT}?access_token={mine}", headers=said).status == 401


def test_a_good_token_counts_again_and_again_and_not_after_its_end(gateway):
    """Verified tokens are kept; their end is looked at each time. 60 s of clock difference are allowed."""
    mine = edge.token(exp=int(time.time()) - 57)
    assert [gateway.send("GET", edge.PATIENT, token=mine).status for _ in range(3)] == [200] * 3
    time.sleep(4.5)
    assert gateway.send("GET", edge.PATIENT, token=mine).status == 401


def test_without_keys_the_house_is_at_fault_and_says_when_to_come_back(tmp_path):
    """Not 401: a client would throw a good token away. As soon as the keys are there, the same token counts."""

    def away(upstreams):
        upstreams["identity"][0].answer = lambda _: (500, {}, b"")

    with edge.running(tmp_path, prepare=away, keys_retry_s=0.2) as gateway:
        mine = edge.token()
        answer = gateway.send("GET", edge.PATIENT, token=mine)
        assert (answer.status, answer.json["code"]) == (503, "unavailable")
        assert int(answer.headers["retry-after"]) >= 1
        assert answer.headers["www-authenticate"] is None
        assert gateway.send("GET", edge.PATIENT).status == 401
        assert not gateway.only("patients").requests
        identity = gateway.only("identity")
        identity.answer = identity.usual
        assert within(10, lambda: gateway.send("GET", edge.PATIENT, token=mine).status == 200)


def test_keys_that_were_there_go_on_when_identity_goes_away(tmp_path):
    with edge.running(tmp_path, keys_cache_s=1, keys_retry_s=0.2) as gateway:
        assert gateway.send("GET", edge.PATIENT, token=edge.token()).status == 200
        identity = gateway.only("identity")
        identity.answer = lambda _: (503, {}, b"")
        asked = len(identity.requests)
        assert within(10, lambda: len(identity.requests) > asked + 2)
        assert gateway.send("GET", edge.PATIENT, token=edge.token()).status == 200


def test_a_new_key_counts_soon_and_a_withdrawn_one_no_longer(tmp_path):
    fresh = RSAKey.generate_key(2048, {"kid": "edge-2", "alg": "RS256", "use": "sig"})
    with edge.running(tmp_path, keys_cache_s=1, keys_retry_s=0.2) as gateway:
        old, new = edge.token(), edge.token(key=fresh, header={"kid": "edge-2"})
        assert gateway.send("GET", edge.PATIENT, token=new).status == 401
        keys = json.dumps({"keys": [fresh.as_dict(private=False)]}).encode()
        gateway.only("identity").answer = lambda _: (200, {}, keys)
        assert within(10, lambda: gateway.send("GET", edge.PATIENT, token=new).status == 200)
        assert within(10, lambda: gateway.send("GET", edge.PATIENT, token=old).status == 401)
