"""Tokens: what counts, and the many kinds of forgery that do not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import given, settings
from hypothesis import strategies as some
from joserfc import jwe
from joserfc.jwk import RSAKey

from services.chassis.auth import LARGEST_TOKEN, LEEWAY_S, REFUSED, TokenCheck
from services.kernel.access import Actor
from services.kernel.errors import NotSignedIn, Unavailable

NOW = 1_770_000_000
OURS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
THEIRS = rsa.generate_private_key(public_exponent=65537, key_size=2048)
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)
CURVE = ec.generate_private_key(ec.SECP256R1())
EDWARDS = ed25519.Ed25519PrivateKey.generate()
PEM = OURS.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
DER = OURS.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
PUBLIC = RSAKey.import_key(PEM)
JWK = json.dumps(PUBLIC.as_dict(private=False)).encode()
THEIR_JWK = RSAKey.import_key(
    THEIRS.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
).as_dict(private=False)
HEADER = {"alg": "RS256", "typ": "at+jwt", "kid": "k1"}
CLAIMS = {
    "iss": "infirmary",
    "aud": "infirmary",
    "sub": "u-1",
    "sid": "s-1",
    "jti": "t-1",
    "roles": ["nurse"],
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 600,
}


class Keys:
    """A fixed set of keys."""

    def __init__(self, keys: Mapping[str, RSAKey] | None) -> None:
        self.keys = keys

    def key(self, kid: str) -> RSAKey | None:
        if self.keys is None:
            raise Unavailable("identity")
        return self.keys.get(kid)


class Everybody:
    """A policy that knows the roles of the token, and no permissions."""

    def __init__(self) -> None:
        self.ended: set[str] = set()

    def actor(self, claims: Mapping[str, Any]) -> Actor:
        if claims["sid"] in self.ended:
            raise NotSignedIn
        return Actor(subject=claims["sub"], session=claims["sid"], roles=frozenset(claims["roles"]))


def b64(raw: bytes | str) -> str:
    return base64.urlsafe_b64encode(raw.encode() if isinstance(raw, str) else raw).rstrip(b"=").decode()


def rs256(signed: bytes, key: rsa.RSAPrivateKey = OURS) -> bytes:
    return key.sign(signed, padding.PKCS1v15(), hashes.SHA256())


def token(header: object = None, claims: object = None, *, sign: Any = rs256) -> str:
    """A token of any header and claims (dicts, or texts as they are), signed by any function."""
    parts = [each if isinstance(each, str) else json.dumps(each) for each in (header or HEADER, claims or CLAIMS)]
    signed = ".".join(b64(part) for part in parts)
    return f"{signed}.{b64(sign(signed.encode()))}"


def changed(document: Mapping[str, Any], **changes: Any) -> dict[str, Any]:
    """A document with some members changed; `...` takes one away."""
    return {name: value for name, value in {**document, **changes}.items() if value is not ...}


def hs256(secret: bytes) -> Any:
    return lambda signed: hmac.new(secret, signed, hashlib.sha256).digest()


def nothing(_: bytes) -> bytes:
    return b""


def refused() -> float:
    """Tokens that did not count until now, whatever the rule."""
    samples = (sample for metric in REFUSED.collect() for sample in metric.samples)
    return sum(sample.value for sample in samples if sample.name.endswith("_total"))


@pytest.fixture
def check() -> TokenCheck:
    return TokenCheck(keys=Keys({"k1": PUBLIC}), policy=Everybody(), clock=lambda: NOW + 10)


def test_a_right_token_says_who_acts(check: TokenCheck) -> None:
    actor, claims = check.actor(token())
    assert (actor.subject, actor.session, actor.roles) == ("u-1", "s-1", frozenset({"nurse"}))
    assert claims["jti"] == "t-1"


def test_it_says_so_again_from_memory(check: TokenCheck) -> None:
    right = token()
    assert check.actor(right) == check.actor(right)


GOOD = token()
HEAD, BODY, SIGNATURE = GOOD.split(".")
PATHS = ["../../etc/passwd", "k1' OR '1'='1", "http://evil.example/keys", "k1\x00", "", "K1", "k" * 129, "k1\n"]
FORGED: dict[str, str] = {
    **{f"alg {alg}": token(changed(HEADER, alg=alg), sign=nothing) + "" for alg in ("none", "None", "NONE", "nOnE")},
    "alg none with a signature": token(changed(HEADER, alg="none")),
    "alg missing": token(changed(HEADER, alg=...)),
    "alg a list": token(changed(HEADER, alg=["RS256"])),
    "HS256 with the public PEM": token(changed(HEADER, alg="HS256"), sign=hs256(PEM)),
    "HS256 with the public PEM without its line end": token(changed(HEADER, alg="HS256"), sign=hs256(PEM.strip())),
    "HS256 with the public DER": token(changed(HEADER, alg="HS256"), sign=hs256(DER)),
    "HS256 with the public JWK": token(changed(HEADER, alg="HS256"), sign=hs256(JWK)),
    "HS256 with an empty secret": token(changed(HEADER, alg="HS256"), sign=hs256(b"")),
    "HS256 signature under an RS256 header": token(sign=hs256(PEM)),
    "RS384 by the right key": token(
        changed(HEADER, alg="RS384"), sign=lambda s: OURS.sign(s, padding.PKCS1v15(), hashes.SHA384())
    ),
    "RS512 by the right key": token(
        changed(HEADER, alg="RS512"), sign=lambda s: OURS.sign(s, padding.PKCS1v15(), hashes.SHA512())
    ),
    "PS256 by the right key": token(
        changed(HEADER, alg="PS256"),
        sign=lambda s: OURS.sign(s, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256()),
    ),
    "a PSS signature under an RS256 header": token(
        sign=lambda s: OURS.sign(s, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    ),
    "a SHA-1 signature": token(sign=lambda s: OURS.sign(s, padding.PKCS1v15(), hashes.SHA1())),
    "ES256": token(changed(HEADER, alg="ES256"), sign=lambda s: CURVE.sign(s, ec.ECDSA(hashes.SHA256()))),
    "an EC signature under an RS256 header": token(sign=lambda s: CURVE.sign(s, ec.ECDSA(hashes.SHA256()))),
    "EdDSA": token(changed(HEADER, alg="EdDSA"), sign=EDWARDS.sign),
    "an Ed25519 signature under an RS256 header": token(sign=EDWARDS.sign),
    "no signature": token(sign=nothing),
    "no signature part": f"{HEAD}.{BODY}",
    "a short signature": token(sign=lambda s: rs256(s)[:-1]),
    "a signature of zeros": token(sign=lambda _: bytes(256)),
    "a signature with one bit changed": token(sign=lambda s: bytes([rs256(s)[0] ^ 1, *rs256(s)[1:]])),
    "a long signature": token(sign=lambda s: rs256(s) + b"\x00"),
    "the signature of another token": f"{HEAD}.{b64(json.dumps(changed(CLAIMS, sub='u-2')))}.{SIGNATURE}",
    "a signature with padding": GOOD + "==",
    "a fourth part": GOOD + "." + SIGNATURE,
    "spaces around": f" {GOOD} ",
    "a line end": GOOD + "\n",
    "the key of another house": token(sign=lambda s: rs256(s, THEIRS)),
    "a weak key of 1024 bits": token(sign=lambda s: rs256(s, WEAK)),
    **{f"kid {kid[:20]!r}": token(changed(HEADER, kid=kid)) for kid in PATHS},
    "kid missing": token(changed(HEADER, kid=...)),
    "kid null": token(changed(HEADER, kid=None)),
    "kid a list": token(changed(HEADER, kid=["k1"])),
    "kid unknown": token(changed(HEADER, kid="k2")),
    "jku": token(changed(HEADER, jku="http://evil.example/jwks.json"), sign=lambda s: rs256(s, THEIRS)),
    "jku by the right key": token(changed(HEADER, jku="http://evil.example/jwks.json")),
    "x5u": token(changed(HEADER, x5u="http://evil.example/cert.pem"), sign=lambda s: rs256(s, THEIRS)),
    "x5c": token(changed(HEADER, x5c=["AAAA"]), sign=lambda s: rs256(s, THEIRS)),
    "jwk with the key in the token": token(changed(HEADER, jwk=THEIR_JWK), sign=lambda s: rs256(s, THEIRS)),
    "crit unknown": token(changed(HEADER, crit=["x-house"], **{"x-house": 1})),
    "crit empty": token(changed(HEADER, crit=[])),
    "crit b64": token(changed(HEADER, crit=["b64"], b64=False)),
    "an unknown header": token(changed(HEADER, zip="DEF")),
    "typ JWT": token(changed(HEADER, typ="JWT")),
    "typ missing": token(changed(HEADER, typ=...)),
    "an id token": token(changed(HEADER, typ="id+jwt")),
    "typ in capitals": token(changed(HEADER, typ="AT+JWT")),
    "a header that says alg twice": token('{"alg":"none","alg":"RS256","typ":"at+jwt","kid":"k1"}'),
    "claims that say sub twice": token(claims=json.dumps(CLAIMS)[:-1] + ',"sub":"admin"}'),
    "claims that say exp twice": token(claims=json.dumps(CLAIMS)[:-1] + f',"exp":{NOW + 599}}}'),
    "claims that are a list": token(claims="[]"),
    "claims that are no JSON": token(claims="{"),
    "claims with NaN": token(claims=json.dumps(changed(CLAIMS, exp=float("nan")))),
    "claims that are deep": token(claims="[" * 900 + "]" * 900),
    "iss other": token(claims=changed(CLAIMS, iss="elsewhere")),
    "iss missing": token(claims=changed(CLAIMS, iss=...)),
    "iss a list": token(claims=changed(CLAIMS, iss=["infirmary"])),
    "aud other": token(claims=changed(CLAIMS, aud="elsewhere")),
    "aud missing": token(claims=changed(CLAIMS, aud=...)),
    "aud several": token(claims=changed(CLAIMS, aud=["infirmary", "elsewhere"])),
    "aud empty": token(claims=changed(CLAIMS, aud=[])),
    "sub missing": token(claims=changed(CLAIMS, sub=...)),
    "sub empty": token(claims=changed(CLAIMS, sub="")),
    "sub a number": token(claims=changed(CLAIMS, sub=1)),
    "sub with a line end": token(claims=changed(CLAIMS, sub="u\n1")),
    "sid missing": token(claims=changed(CLAIMS, sid=...)),
    "jti missing": token(claims=changed(CLAIMS, jti=...)),
    "roles missing": token(claims=changed(CLAIMS, roles=...)),
    "roles a text": token(claims=changed(CLAIMS, roles="super_admin")),
    "roles with a number": token(claims=changed(CLAIMS, roles=["nurse", 1])),
    "roles without end": token(claims=changed(CLAIMS, roles=["r"] * 65)),
    "amr a text": token(claims=changed(CLAIMS, amr="otp")),
    "amr with a number": token(claims=changed(CLAIMS, amr=["pwd", 1])),
    "amr without end": token(claims=changed(CLAIMS, amr=["pwd"] * 9)),
    "auth_time a text": token(claims=changed(CLAIMS, amr=["otp"], auth_time="now")),
    "auth_time true": token(claims=changed(CLAIMS, amr=["otp"], auth_time=True)),
    "areas a list": token(claims=changed(CLAIMS, areas=["nurse"])),
    "an area of nowhere": token(claims=changed(CLAIMS, areas={"nurse": {"facilities": [], "departments": []}})),
    "an area without departments": token(claims=changed(CLAIMS, areas={"nurse": {"facilities": ["f"]}})),
    "links a text": token(claims=changed(CLAIMS, links="everybody")),
    "a link of another kind": token(claims=changed(CLAIMS, links=[["r-1", "any", None]])),
    "a link that ends as a text": token(claims=changed(CLAIMS, links=[["r-1", "own", "never"]])),
    "links without end": token(claims=changed(CLAIMS, links=[["r-1", "own", None]] * 65)),
    "exp missing": token(claims=changed(CLAIMS, exp=...)),
    "exp a text": token(claims=changed(CLAIMS, exp=str(NOW + 600))),
    "exp true": token(claims=changed(CLAIMS, exp=True)),
    "exp a fraction": token(claims=changed(CLAIMS, exp=NOW + 600.5)),
    "exp huge": token(claims=json.dumps(CLAIMS).replace(str(NOW + 600), "9" * 400)),
    "exp null": token(claims=changed(CLAIMS, exp=None)),
    "a life over ten minutes": token(claims=changed(CLAIMS, exp=NOW + 601)),
    "a life of none": token(claims=changed(CLAIMS, exp=NOW)),
    "nbf missing": token(claims=changed(CLAIMS, nbf=...)),
    "nbf later": token(claims=changed(CLAIMS, nbf=NOW + 10 + LEEWAY_S + 1)),
    "iat missing": token(claims=changed(CLAIMS, iat=...)),
    "iat later": token(claims=changed(CLAIMS, iat=NOW + 10 + LEEWAY_S + 1, exp=NOW + 600)),
    "empty": "",
    "dots": "..",
    "64 KB": token(claims=changed(CLAIMS, pad="x" * 65536)),
    "just over the limit": "a" * (LARGEST_TOKEN + 1),
    "a nested JWE": jwe.encrypt_compact({"alg": "RSA-OAEP", "enc": "A256GCM", "cty": "JWT"}, GOOD, PUBLIC),
    "not ASCII": GOOD[:-2] + "é" + GOOD[-1],
    "lone surrogate": GOOD[:-2] + "\ud800",
    "base64 that is not canonical": f"{HEAD}.{BODY}.{SIGNATURE[:-1]}{chr(ord(SIGNATURE[-1]) + 1)}",
    "standard base64": f"{HEAD}.{BODY}.{SIGNATURE.replace('-', '+').replace('_', '/')}+",
}


@pytest.mark.target("C-07")
def test_there_are_thirty_kinds_of_forgery_at_least() -> None:
    assert len(set(FORGED.values())) == len(FORGED) >= 30


@pytest.mark.target("C-07")
@pytest.mark.parametrize("forgery", FORGED)
def test_no_forgery_is_accepted_and_each_is_counted(check: TokenCheck, forgery: str) -> None:
    before = refused()
    with pytest.raises(NotSignedIn):
        check.actor(FORGED[forgery])
    check.actor(GOOD)
    with pytest.raises(NotSignedIn):  # nor after a right one has been seen
        check.actor(FORGED[forgery])
    assert refused() == before + 2


@given(some.text(alphabet='abcXYZ019._-+/= {}"', max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_text_at_all_breaks_the_check(text: str) -> None:
    with pytest.raises(NotSignedIn):
        TokenCheck(keys=Keys({"k1": PUBLIC}), policy=Everybody(), clock=lambda: NOW).actor(text)


@given(some.integers(0, len(GOOD) - 1), some.sampled_from("AZaz09-_."))
@settings(max_examples=200, deadline=None)
def test_one_changed_character_anywhere_spoils_a_token(place: int, other: str) -> None:
    spoiled = GOOD[:place] + other + GOOD[place + 1 :]
    if spoiled != GOOD:
        with pytest.raises(NotSignedIn):
            TokenCheck(keys=Keys({"k1": PUBLIC}), policy=Everybody(), clock=lambda: NOW).actor(spoiled)


@pytest.mark.parametrize(
    ("now", "counts"),
    [
        (NOW - LEEWAY_S - 1, False),
        (NOW - LEEWAY_S, True),
        (NOW + 600, True),
        (NOW + 600 + LEEWAY_S - 1, True),
        (NOW + 600 + LEEWAY_S, False),
    ],
)
@pytest.mark.target("C-07")
def test_clocks_may_differ_by_a_minute_and_not_more(now: int, counts: bool) -> None:
    check = TokenCheck(keys=Keys({"k1": PUBLIC}), policy=Everybody(), clock=lambda: now)
    if counts:
        check.actor(GOOD)
    else:
        with pytest.raises(NotSignedIn):
            check.actor(GOOD)


@pytest.mark.target("C-08")
def test_a_remembered_token_ends_with_its_time() -> None:
    now = [float(NOW)]
    check = TokenCheck(keys=Keys({"k1": PUBLIC}), policy=Everybody(), clock=lambda: now[0])
    check.actor(GOOD)
    now[0] += 600 + LEEWAY_S
    with pytest.raises(NotSignedIn):
        check.actor(GOOD)


@pytest.mark.target("C-08")
def test_a_remembered_token_ends_with_its_session() -> None:
    policy = Everybody()
    check = TokenCheck(keys=Keys({"k1": PUBLIC}), policy=policy, clock=lambda: NOW)
    check.actor(GOOD)
    policy.ended.add("s-1")
    with pytest.raises(NotSignedIn):
        check.actor(GOOD)


@pytest.mark.target("C-08")
@pytest.mark.parametrize("now_known", [{}, {"k1": RSAKey.import_key(THEIR_JWK)}])
def test_a_remembered_token_ends_with_its_key(now_known: Mapping[str, RSAKey]) -> None:
    """A withdrawn key, and another key under the same id."""
    keys = Keys({"k1": PUBLIC})
    check = TokenCheck(keys=keys, policy=Everybody(), clock=lambda: NOW)
    check.actor(GOOD)
    keys.keys = now_known
    with pytest.raises(NotSignedIn):
        check.actor(GOOD)


def test_without_any_keys_it_is_unavailable_and_not_signed_out() -> None:
    check = TokenCheck(keys=Keys(None), policy=Everybody(), clock=lambda: NOW)
    with pytest.raises(Unavailable) as away:
        check.actor(GOOD)
    assert away.value.what == "identity"


def test_its_memory_is_bounded_and_forgetting_does_no_harm() -> None:
    check = TokenCheck(keys=Keys({"k1": PUBLIC}), policy=Everybody(), clock=lambda: NOW, remember=3)
    tokens = [token(claims=changed(CLAIMS, sub=f"u-{index}")) for index in range(8)]
    for _ in range(2):
        assert [check.actor(each)[0].subject for each in tokens] == [f"u-{index}" for index in range(8)]
    assert len(check._verified) == 3
