"""Which passwords are accepted, and how a one-time password looks."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.identity.app import blocklist
from services.identity.model import passwords

ABOUT = ("ada.example", "Ada Example")
COMMON = blocklist.load()


def rule(password, about=ABOUT):
    """The rule that a password breaks, or None."""
    refused = None
    try:
        passwords.accepted(password, about=about, common=COMMON, pointer="/new_password")
    except passwords.PasswordRefused as error:
        refused = error
    return refused and refused.errors[0].rule


def test_a_refusal_names_the_place_and_never_the_password():
    with pytest.raises(passwords.PasswordRefused) as refused:
        passwords.accepted("Welcome-Welcome-2026", about=(), common=(), pointer="/new_password")
    assert refused.value.errors[0].pointer == "/new_password"
    assert "Welcome" not in repr(refused.value.errors) + str(refused.value)


@pytest.mark.parametrize(
    "password",
    [
        "seven tall herons under a tin roof",
        "correcthorsebatterystaplegravel",
        "xk92 vvQp lm0- zzTr",
        "Τρία μικρά καράβια στο ποτάμι",
        "雨が降る前に窓を閉めてくださいね。",
        "🦔🌧🎻🪁🧭🥨🪵🦉🍋🧶🪴🛶🔭🎈🧊",
        "8273 6450 9182 7364 5091 8264",
        "mixed harbour 7! " * 14,
        "       a b c q x z w       ",
    ],
)
def test_long_passwords_of_any_kind_are_accepted(password):
    assert rule(password) is None


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("fourteen signs", "min_length"),
        ("", "min_length"),
        ("x7" * 129, "max_length"),
        ("with a tab\tin the middle of it", "control_characters"),
        ("with half \ud83d a character", "control_characters"),
        ("aaaaaaaaaaaaaaaa", "too_common"),
        ("abababababababab", "too_common"),
        ("qwertyuiopasdfgh", "too_common"),
        ("123456789012345678", "too_common"),
        ("abcdefghijklmnopq", "too_common"),
        ("zyxwvutsrqponmlk", "too_common"),
        ("password12345678", "too_common"),
        ("P@ssw0rdP@ssw0rd", "too_common"),
        ("Welcome-Welcome-2026", "too_common"),
        ("Infirmary!Hospital!", "too_common"),
        ("CorrectHorseBatteryStaple", "too_common"),
        ("letmein letmein 1", "too_common"),
        ("ada.example.2026", "too_common"),
        ("ExampleAda!!!!!!", "too_common"),
        ("ＰＡＳＳＷＯＲＤpassword", "too_common"),
        ("summer2025winter", "too_common"),
    ],
)
def test_what_is_short_long_or_guessable_is_refused_by_rule(password, broken):
    assert rule(password) == broken


@given(st.text(min_size=0, max_size=300))
def test_no_text_is_a_fault_and_what_is_accepted_is_within_the_bounds(password):
    if rule(password) is None:
        assert passwords.SHORTEST <= len(passwords.prepared(password)) <= passwords.LONGEST


@given(st.text(min_size=1, max_size=60))
def test_every_writing_of_one_password_is_the_same(password):
    decomposed = unicodedata.normalize("NFKD", password)
    assert passwords.prepared(decomposed) == passwords.prepared(password)


@given(st.binary(min_size=20, max_size=20))
def test_a_one_time_password_has_five_groups_of_clear_signs(randomness):
    password = passwords.one_time(randomness)
    groups = password.split("-")
    assert [len(group) for group in groups] == [4] * 5
    assert not set("".join(groups)) & set("0O1I")


def test_every_sign_of_a_one_time_password_is_equally_likely():
    signs = "".join(passwords.one_time(bytes([n] * 20))[0] for n in range(256))
    assert {signs.count(sign) for sign in set(signs)} == {8}


def test_a_one_time_password_needs_all_its_randomness():
    with pytest.raises(ValueError, match="20 bytes"):
        passwords.one_time(b"short")


@pytest.mark.target("C-09")
def test_the_list_of_common_passwords_is_long_and_known_in_every_way_of_writing():
    assert COMMON.entries >= 100_000
    for common in ("password", "Football1", "ILOVEMYDOG", "yashikxyashikyashikxyashik", "\uff50\uff41ssword"):
        assert common in COMMON, common
    refused = sum(f"{number:x} quiet lanterns over {number} canals" in COMMON for number in range(20_000))
    assert refused <= 20, "one in ten thousand, and chance"


def test_a_list_is_made_of_the_first_half_and_of_what_is_long(tmp_path):
    made = blocklist.CommonPasswords(blocklist.made_from(["short", "Password", "correcthorsebattery\n"]))
    assert made.entries == 2
    assert "PASSWORD" in made
    assert "correcthorsebattery" in made
    assert "something else" not in made


def test_eight_characters_are_enough_when_the_caller_says_so_and_the_list_counts_all_the_same():
    short = {"about": (), "common": COMMON, "pointer": "/p", "shortest": passwords.SHORTEST_WITH_FACTOR}
    assert passwords.accepted("kdvQ wnx", **short) == "kdvQ wnx"
    for refused in ("kdvQwnx", "football1"):
        with pytest.raises(passwords.PasswordRefused):
            passwords.accepted(refused, **short)
