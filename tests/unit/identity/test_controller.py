"""What the controller decides around its store: counts before it looks, commits a refusal, shows a password once."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from services.identity.model import passwords
from services.identity.model.accounts import Kind, LastSuperAdmin, SuperAdminOnly, UnknownAccount
from services.identity.model.sessions import (
    RefreshRefused,
    SecretRefused,
    SignInRefused,
    UnknownSession,
    WrongCurrentPassword,
)
from services.identity.model.sessions import digest as secret_digest
from services.kernel.access import Actor
from services.kernel.errors import NotSignedIn, Stale, TooMany, Unavailable
from tests.unit.identity.fake_store import House

GOOD = "seven tall herons"


@pytest.fixture
def house():
    """A controller on fakes."""
    return House()


def sign_in(house, account, password=GOOD):
    """Sign in, and the answer's body."""
    return house.controller.sign_in({"username": account.username, "password": password}, house.call()).body


def actor_of(account, session, *permissions):
    """The account as it acts with its tokens."""
    held = frozenset(permissions)
    return Actor(subject=str(account.id), session=str(session), roles=frozenset(account.roles), permissions=held)


def test_a_right_password_opens_a_session_and_forgets_the_failures(house):
    ada = house.person()
    with pytest.raises(SignInRefused):
        sign_in(house, ada, "wrong")
    body = sign_in(house, ada)
    assert body["access_token"] == f"token of {ada.id} as nurse"
    assert UUID(body["session_id"]) in house.store.rows.sessions
    assert [entry.outcome for entry in house.store.entries] == ["failed", "success"]
    assert house.store.entries[1].actor == str(ada.id)
    assert {counter.failures for counter in house.store.rows.counters.values()} == {0, 1}


def test_a_try_counts_before_it_is_looked_at(house):
    ada = house.person()
    for _ in range(3):
        with pytest.raises(SignInRefused):
            sign_in(house, ada, "wrong")
    with pytest.raises(TooMany):
        sign_in(house, ada)
    assert len(house.store.entries) == 3


def test_a_try_that_was_not_looked_at_does_not_count(house):
    ada = house.person()
    house.hasher.is_busy = True
    for _ in range(5):
        with pytest.raises(Unavailable):
            sign_in(house, ada)
    house.hasher.is_busy = False
    assert sign_in(house, ada)["token_type"] == "Bearer"


def test_an_old_hash_is_made_anew_at_the_next_sign_in(house):
    ada = house.person()
    house.store.rows.accounts[ada.id] = replace(ada, password_hash=f"old hash of {GOOD}")
    sign_in(house, ada)
    kept = house.store.rows.accounts[ada.id]
    assert (kept.password_hash, kept.version) == (f"hash of {GOOD}", 1)


def test_an_unknown_name_is_refused_with_a_trace(house):
    with pytest.raises(SignInRefused):
        house.controller.sign_in({"username": "nobody", "password": GOOD}, house.call())
    assert [(entry.outcome, entry.record_id) for entry in house.store.entries] == [("failed", None)]


def test_the_second_use_of_a_refresh_token_is_committed_before_it_is_refused(house):
    first = sign_in(house, house.person())
    body = {"refresh_token": first["refresh_token"]}
    assert house.controller.refresh_session(body, house.call()).body["refresh_token"] != first["refresh_token"]
    with pytest.raises(RefreshRefused):
        house.controller.refresh_session(body, house.call())
    assert house.store.rows.sessions[UUID(first["session_id"])].ended_why == "reuse"
    assert house.store.entries[-1].outcome == "denied"
    with pytest.raises(RefreshRefused):
        house.controller.refresh_session({"refresh_token": "unknown"}, house.call())


def test_a_closed_account_is_not_refreshed(house):
    ada = house.person()
    first = sign_in(house, ada)
    house.store.rows.accounts[ada.id] = replace(ada, is_active=False)
    with pytest.raises(RefreshRefused):
        house.controller.refresh_session({"refresh_token": first["refresh_token"]}, house.call())


def test_signing_out_twice_is_no_error(house):
    ada = house.person()
    actor = actor_of(ada, sign_in(house, ada)["session_id"])
    for _ in range(2):
        assert house.controller.sign_out(house.call("sign_out", actor=actor)).status == 204
    with pytest.raises(UnknownSession):
        house.controller.end_own_session(actor.session, house.call("end_own_session", actor=actor))


def test_a_token_of_elsewhere_has_no_account(house):
    with pytest.raises(NotSignedIn):
        house.controller.get_own_account(house.call(actor=Actor(subject="x", session="y")))
    ghost = Actor(subject=str(UUID(int=0)), session=str(UUID(int=0)))
    with pytest.raises(NotSignedIn):
        house.controller.get_own_account(house.call(actor=ghost))


def test_a_stolen_token_is_no_way_to_guess_the_password(house):
    ada = house.person()
    actor = actor_of(ada, sign_in(house, ada)["session_id"])
    body = {"current_password": "wrong", "new_password": "nine small boats on a green river"}
    for _ in range(3):
        with pytest.raises(WrongCurrentPassword):
            house.controller.change_own_password(body, house.call(actor=actor))
    with pytest.raises(TooMany):
        house.controller.change_own_password(body | {"current_password": GOOD}, house.call(actor=actor))


def test_a_refused_password_changes_nothing(house):
    ada = house.person()
    actor = actor_of(ada, sign_in(house, ada)["session_id"])
    with pytest.raises(passwords.PasswordRefused):
        house.controller.change_own_password(
            {"current_password": GOOD, "new_password": "passwordpassword"}, house.call(actor=actor)
        )
    assert house.store.rows.accounts[ada.id] == ada


def test_the_stored_answer_of_a_new_user_has_no_password(house):
    boss = house.person("super_admin")
    call = house.call("create_user", actor=actor_of(boss, UUID(int=0), "roles.assign"))
    answer = house.controller.create_user({"username": "new.one", "display_name": "N", "roles": ["nurse"]}, call)
    assert len(answer.body["one_time_password"]) == 24
    assert call.answered.body == answer.body | {"one_time_password": None}


def test_the_last_super_admin_is_kept_and_nobody_below_touches_one(house):
    boss = house.person("super_admin")
    admin = house.person("admin")
    with pytest.raises(LastSuperAdmin):
        house.controller.disable_user(str(boss.id), house.call(actor=actor_of(boss, UUID(int=0))))
    with pytest.raises(SuperAdminOnly):
        house.controller.reset_password(str(boss.id), house.call(actor=actor_of(admin, UUID(int=0))))
    with pytest.raises(UnknownAccount):
        house.controller.disable_user(str(UUID(int=0)), house.call(actor=actor_of(boss, UUID(int=0))))


def test_a_change_from_an_old_version_names_what_others_changed(house):
    boss, ada = house.person("super_admin"), house.person()
    actor = actor_of(boss, UUID(int=0))
    house.controller.update_user(str(ada.id), {"display_name": "B"}, house.call(actor=actor, version=1))
    with pytest.raises(Stale) as stale:
        house.controller.assign_roles(str(ada.id), {"roles": ["admin"]}, house.call(actor=actor, version=1))
    assert stale.value.fields == ("display_name",)


def test_a_service_shows_its_own_secret(house):
    made = house.person()
    kept = replace(
        made, kind=Kind.SERVICE, username="history", password_hash=None, secret_digest=secret_digest("right")
    )
    house.store.rows.accounts[made.id] = kept
    body = {"client_id": "history", "client_secret": "right"}
    assert house.controller.issue_service_token(body, house.call()).body["expires_in"] == 600
    for wrong in ({"client_secret": "wrong"}, {"client_id": "nobody"}):
        with pytest.raises(SecretRefused):
            house.controller.issue_service_token(body | wrong, house.call())
    house.store.rows.accounts[made.id] = replace(kept, is_active=False)
    with pytest.raises(SecretRefused):
        house.controller.issue_service_token(body, house.call())
