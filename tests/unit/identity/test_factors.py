"""Second factors, activation codes, links by mail and keys of service accounts: what counts, how often and how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.model import accounts, activation, clients, factors, openings, resets
from services.identity.model.accounts import Kind
from services.identity.model.reach import Relation
from services.kernel.access import Actor

AT = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ID, OTHER = UUID(int=1), UUID(int=2)
PENDING = factors.SecondFactor(account_id=ID, sealed=b"s", made_at=AT)
CHALLENGE = factors.Challenge(digest=b"d", account_id=ID, methods=("pwd",), made_at=AT)
MINUTE = timedelta(minutes=1)


def account(**more):
    """An account of a person."""
    made = accounts.Account(
        id=ID,
        kind=Kind.PERSON,
        username="ada",
        display_name="Ada",
        roles=("nurse",),
        created_at=AT,
        changed_at=AT,
        email="ada@example.org",
        password_hash="h",
    )
    return replace(made, **more)


@given(st.lists(st.integers(min_value=1, max_value=50), max_size=60))
def test_each_step_counts_once_and_no_earlier_one_after_it(steps):
    factor, counted = PENDING, []
    for step in steps:
        accepted = factors.accepts(factor, step=step)
        if accepted is not None:
            factor, counted = accepted, [*counted, step]
    assert counted == sorted(set(counted))
    assert factors.accepts(factor, step=None) is None


@pytest.mark.parametrize(
    ("pending", "step", "after", "refused"),
    [
        (None, 7, MINUTE, factors.NoFactor),
        (PENDING, 7, 15 * MINUTE, factors.NoFactor),
        (replace(PENDING, confirmed_at=AT), 7, MINUTE, factors.FactorInUse),
        (PENDING, None, MINUTE, factors.WrongCode),
        (replace(PENDING, last_step=7), 7, MINUTE, factors.WrongCode),
    ],
)
def test_an_enrolment_is_finished_in_time_once_and_with_a_code_of_the_device(pending, step, after, refused):
    with pytest.raises(refused):
        factors.confirmed(pending, step=step, at=AT + after)


def test_a_right_password_is_told_where_the_second_step_is_open():
    told = factors.SecondFactorRequired("challenge")
    assert told.facts == {"challenge_id": "challenge", "expires_in": 300}


def test_a_device_that_has_shown_a_code_is_in_force_and_that_code_is_used_up():
    done = factors.confirmed(PENDING, step=7, at=AT + 14 * MINUTE)
    assert (done.confirmed_at, done.last_step) == (AT + 14 * MINUTE, 7)
    assert factors.accepts(done, step=7) is None


@pytest.mark.parametrize(
    ("change", "after", "is_open"),
    [
        ({}, timedelta(0), True),
        ({"tries": 4}, 4 * MINUTE, True),
        ({"tries": 5}, MINUTE, False),
        ({"used_at": AT}, MINUTE, False),
        ({}, 5 * MINUTE, False),
    ],
)
def test_a_challenge_takes_five_tries_in_five_minutes_and_one_success(change, after, is_open):
    assert factors.is_open(replace(CHALLENGE, **change), at=AT + after) is is_open


@given(st.binary(min_size=10, max_size=10))
def test_a_backup_code_is_read_however_it_is_typed(randomness):
    code = factors.backup_code(randomness)
    assert len(code) == 11
    assert not set(code) & set("0O1I")
    assert factors.comparable(code.lower().replace("-", " ")) == factors.comparable(code)


@given(st.binary(min_size=12, max_size=12))
def test_an_activation_code_has_three_groups_of_clear_signs(randomness):
    groups = activation.written(randomness).split("-")
    assert [len(each) for each in groups] == [4, 4, 4]
    assert not set("".join(groups)) & set("0O1I")


@pytest.mark.parametrize("make", [factors.backup_code, activation.written])
def test_a_code_needs_all_its_randomness(make):
    with pytest.raises(ValueError, match="randomness"):
        make(b"short")


def code(**more):
    """An activation code."""
    made = activation.new_code(
        code_id=ID, digest=b"d", patient_id=OTHER, relation=Relation.SELF, until=None, by="desk", at=AT
    )
    return replace(made, **more)


def test_an_activation_code_counts_once_for_seven_days_and_dies_of_three_tries():
    assert activation.is_open(code(tries=2), at=AT + timedelta(days=6, hours=23))
    for dead, at in ((code(tries=3), AT), (code(used_at=AT), AT), (code(), AT + timedelta(days=7))):
        assert not activation.is_open(dead, at=at)


def test_a_link_that_would_have_ended_gets_no_code():
    more = {"code_id": ID, "digest": b"d", "patient_id": OTHER, "relation": Relation.GUARDIAN, "by": "desk", "at": AT}
    with pytest.raises(activation.EndsInThePast) as refused:
        activation.new_code(until=AT, **more)
    assert refused.value.errors[0].pointer == "/until"
    assert activation.new_code(until=AT + MINUTE, **more).link_until == AT + MINUTE
    assert activation.UnknownPatient().errors[0].pointer == "/patient_id"


def key(number=1, **more):
    """A key of a service account."""
    made = clients.new_key(
        key_id=UUID(int=number), account_id=ID, digest=b"d", label=" Night ", days=90, by="boss", at=AT
    )
    return replace(made, **more)


def test_a_key_ends_with_its_time_or_when_it_is_taken_back_for_good():
    made = key()
    assert made.label == "Night"
    assert made.is_good(AT + timedelta(days=89))
    assert not made.is_good(AT + timedelta(days=90))
    gone = clients.revoked(made, at=AT)
    assert not gone.is_good(AT)
    assert clients.revoked(gone, at=AT + MINUTE) == gone
    longest = clients.new_key(key_id=ID, account_id=ID, digest=b"", label="x", days=9999, by="b", at=AT)
    assert longest.expires_at == AT + timedelta(days=730)


def test_only_living_keys_are_counted():
    clients.refuse_too_many([key(n) for n in range(7)] + [key(9, revoked_at=AT)], at=AT)
    with pytest.raises(clients.TooManyKeys):
        clients.refuse_too_many([key(n) for n in range(8)], at=AT)


def test_a_link_by_mail_counts_once_for_half_an_hour_and_for_people_who_have_a_password_here():
    reset = resets.Reset(digest=b"d", account_id=ID, made_at=AT, sealed=None)
    assert resets.is_open(reset, at=AT + 29 * MINUTE)
    assert not resets.is_open(reset, at=AT + 30 * MINUTE)
    assert not resets.is_open(replace(reset, used_at=AT), at=AT)
    assert resets.may_be_reset(account())
    for nobody in (
        None,
        account(kind=Kind.SERVICE),
        account(is_active=False),
        account(email=None),
        account(password_hash=None),
    ):
        assert not resets.may_be_reset(nobody)


def test_who_is_rescued_has_a_one_time_password_no_second_factor_and_an_open_account():
    lost = account(is_active=False, second_factor_since=AT)
    fresh = openings.rescued(lost, password_hash="g", at=AT)
    assert (fresh.is_active, fresh.must_change_password, fresh.second_factor_since) == (True, True, None)
    assert (fresh.version, fresh.one_time_until) == (2, AT + accounts.ONE_TIME_LIFE)
    service = openings.service_account(account_id=OTHER, client_id="history", digest=b"d", at=AT)
    with pytest.raises(accounts.NotAPerson):
        openings.rescued(service, password_hash="g", at=AT)


def test_only_a_super_admin_makes_a_program_that_is_one():
    boss, admin = (Actor(subject="x", roles=frozenset({role})) for role in ("super_admin", "admin"))
    more = {"account_id": ID, "client_id": "lab-feed", "display_name": " Feed ", "roles": ["super_admin"], "at": AT}
    assert openings.of_client(by=boss, **more).display_name == "Feed"
    with pytest.raises(accounts.SuperAdminOnly):
        openings.of_client(by=admin, **more)


def test_a_second_factor_changes_the_account_and_saying_it_again_does_not():
    with_one = accounts.with_second_factor(account(), since=AT, at=AT)
    assert (with_one.version, accounts.differing(account(), after=with_one)) == (2, ("second_factor",))
    assert accounts.with_second_factor(with_one, since=AT, at=AT) == with_one
