"""Signing keys: made at the first start, sealed at rest, turned without a token that is refused in between."""

from __future__ import annotations

from datetime import timedelta

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from services.chassis import auth
from services.chassis.service import now
from services.identity.app.vault import SealedKeys, Vault, WrongMasterKey
from services.identity.model import keys
from tests.integration.identity import making


def jwks(house):
    """The published keys."""
    got = house.call("get_jwks", role=None)
    assert got.status == 200
    return got.body["keys"]


def test_the_published_keys_are_public_halves_that_check_a_real_token(house):
    _, tokens = house.signed_in("nurse")
    published = jwks(house)
    assert {frozenset(each) for each in published} == {frozenset({"kty", "use", "alg", "kid", "n", "e"})}
    decoded = jwt.decode(tokens["access_token"], KeySet.import_key_set({"keys": published}), algorithms=["RS256"])
    assert decoded.header.keys() == {"alg", "kid", "typ"}
    assert decoded.header["typ"] == "at+jwt"
    claims = decoded.claims
    assert set(claims) == {"iss", "aud", "sub", "sid", "roles", "amr", "auth_time", "iat", "nbf", "exp", "jti"}
    assert claims["exp"] - claims["iat"] == 600 == tokens["expires_in"]
    assert claims["roles"] == ["nurse"]
    key = RSAKey.import_key(next(each for each in published if each["kid"] == decoded.header["kid"]))
    assert key.public_key.key_size >= 2048


def test_a_turned_key_is_shown_before_it_signs_and_the_old_one_after(house):
    _, before = house.signed_in("nurse")
    old = auth.open_token(before["access_token"]).header["kid"]
    made = house.with_token("rotate_signing_key", house.admin())
    assert (made.status, made.body["stage"]) == (201, "waiting")
    again = house.with_token("rotate_signing_key", house.admin())
    assert (again.status, again.body["code"]) == (409, "rotation_running")
    mint = house.service.controller._desk.mint
    mint.forget()  # as if two seconds later
    assert {each["kid"] for each in jwks(house)} >= {old, made.body["id"]}
    fresh = house.refresh(before["refresh_token"]).body
    assert auth.open_token(fresh["access_token"]).header["kid"] == old, "the old one signs until all know the new one"
    later = now() + keys.SHOWN_BEFORE + timedelta(seconds=1)
    token = mint.sign({"sub": "x"}, at=later)
    assert jwt.decode(token, KeySet.import_key_set({"keys": jwks(house)})).header["kid"] == made.body["id"]
    assert old in {each["kid"] for each in mint.published(at=later + timedelta(seconds=690))}
    assert old not in {each["kid"] for each in mint.published(at=later + timedelta(seconds=730))}
    stages = {each["id"]: each["stage"] for each in house.with_token("list_signing_keys", house.admin()).body["items"]}
    assert stages == {old: "signing", made.body["id"]: "waiting"}


def test_a_private_key_opens_with_its_master_key_and_in_its_own_row_only():
    vault = Vault(making.MASTER_KEY)
    kid, _, sealed = SealedKeys(vault).make()
    assert b'"d"' in vault.open(sealed, of=kid)
    other = Vault("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
    for opener, text, name in (
        (other, sealed, kid),
        (vault, sealed, "another-row"),
        (vault, sealed[:-1] + bytes([sealed[-1] ^ 1]), kid),
        (vault, b"", kid),
    ):
        with pytest.raises(WrongMasterKey):
            opener.open(text, of=name)
