"""Service accounts: scopes, several keys with an end, and keys that are taken back."""

from __future__ import annotations

import itertools

import pytest

from services.chassis import auth
from tests.integration.identity import making

_numbers = itertools.count(1)


def client(house, *permissions):
    """A service account whose own role holds these permissions."""
    number = next(_numbers)
    role = {"name": f"scope_{number}", "title": "Scope", "description": "A scope.", "permissions": list(permissions)}
    assert house.with_token("create_role", house.admin(), body=role).status == 201
    body = {"client_id": f"feed-{number}", "display_name": "Feed", "roles": [role["name"]]}
    got = house.with_token("create_service_account", house.admin(), body=body)
    assert got.status == 201, got.raw
    return got.body


def key(house, account, **more):
    """A new key of a service account."""
    body = {"label": "Night run", "days": 90, **more}
    got = house.with_token("add_service_key", house.admin(), service_account_id=account["id"], body=body)
    assert got.status == 201, got.raw
    return got.body


def token(house, account, secret):
    """Ask for a token with a key."""
    body = {"client_id": account["username"], "client_secret": secret}
    return house.call("issue_service_token", role=None, body=body)


@pytest.mark.row("SEC-19")
def test_a_key_opens_its_scope_until_its_end_and_no_more_when_it_is_taken_back(house):
    account = client(house, "users.read")
    first, second = key(house, account), key(house, account)
    old, new = (token(house, account, each["secret"]).body["access_token"] for each in (first, second))
    assert house.with_token("list_users", old).status == 200
    assert house.with_token("list_facilities", old).status == 403, "a key without the scope"
    revoked = house.with_token(
        "revoke_service_key", house.admin(), service_account_id=account["id"], key_id=first["id"]
    )
    assert revoked.status == 204
    assert house.with_token("list_users", old).status == 401, "what it gave counts no more"
    assert token(house, account, first["secret"]).status == 401
    assert house.with_token("list_users", new).status == 200, "the other key goes on"
    making.rows(house, "UPDATE service_keys SET expires_at = now() WHERE id = %s", second["id"])
    got = token(house, account, second["secret"])
    assert (got.status, got.body["code"]) == (401, "secret_refused"), "an expired key"


def test_a_token_never_outlives_its_key(house):
    account = client(house, "users.read")
    made = key(house, account)
    making.rows(house, "UPDATE service_keys SET expires_at = now() + interval '90 seconds' WHERE id = %s", made["id"])
    got = token(house, account, made["secret"]).body
    claims = auth.open_token(got["access_token"]).claims
    assert got["expires_in"] <= 90
    assert claims["exp"] - claims["iat"] <= 90
    assert claims["sid"] == made["id"]


def test_the_secret_of_a_key_is_shown_once_and_kept_as_a_digest(house):
    account = client(house, "users.read")
    body, name = {"label": "Once", "days": 1}, "key-shown-once"
    more = {"service_account_id": account["id"], "body": body, "key": name}
    first = house.with_token("add_service_key", house.admin(), **more)
    again = house.with_token("add_service_key", house.admin(), **more)
    assert again.body == first.body | {"secret": None}
    listed = house.with_token("list_service_keys", house.admin(), service_account_id=account["id"]).body["items"]
    assert [set(each) & {"secret", "digest"} for each in listed] == [set()]
    kept = "".join(row["line"] for row in making.rows(house, "SELECT t::text AS line FROM service_keys AS t"))
    assert first.body["secret"] not in kept
    assert first.body["secret"].encode().hex() not in kept


def test_nobody_makes_a_service_account_that_may_more_than_himself(house):
    _, tokens = house.signed_in("admin")
    body = {"client_id": "too-much", "display_name": "X", "roles": ["auditor"]}
    got = house.with_token("create_service_account", tokens["access_token"], body=body)
    assert (got.status, got.body["code"]) == (403, "permission_not_held")
    boss = {**body, "roles": ["super_admin"]}
    assert house.with_token("create_service_account", tokens["access_token"], body=boss).status == 403


def test_people_and_services_of_the_house_get_no_keys_here(house):
    user = house.user("nurse")
    built_in = next(
        each
        for each in house.with_token("list_users", house.admin(), query={"role": "service"}).body["items"]
        if each["username"] == "history"
    )
    for each in (user, built_in):
        body = {"label": "Back door", "days": 1}
        got = house.with_token("add_service_key", house.admin(), service_account_id=each["id"], body=body)
        assert (got.status, got.body["code"]) == (409, "not_a_service_account")


def test_a_disabled_service_account_is_out_and_a_secret_of_another_opens_nothing(house):
    one, two = client(house, "users.read"), client(house, "users.read")
    made = key(house, one)
    assert token(house, two, made["secret"]).status == 401
    living = token(house, one, made["secret"]).body["access_token"]
    assert house.with_token("disable_user", house.admin(), user_id=one["id"]).status == 200
    assert house.with_token("list_users", living).status == 401
    assert token(house, one, made["secret"]).status == 401


def test_living_keys_have_a_number_and_dead_ones_do_not_count(house):
    account = client(house, "users.read")
    keys = [key(house, account) for _ in range(8)]
    body = {"label": "One more", "days": 1}
    more = {"service_account_id": account["id"], "body": body}
    got = house.with_token("add_service_key", house.admin(), **more)
    assert (got.status, got.body["code"]) == (409, "too_many_keys")
    ended = {"service_account_id": account["id"], "key_id": keys[0]["id"]}
    assert house.with_token("revoke_service_key", house.admin(), **ended).status == 204
    assert house.with_token("add_service_key", house.admin(), **more).status == 201


def test_a_name_of_a_service_of_the_house_cannot_be_taken(house):
    body = {"client_id": "reports", "display_name": "X", "roles": ["nurse"]}
    assert house.with_token("create_service_account", house.admin(), body=body).status == 422
