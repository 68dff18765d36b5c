"""argon2id with its settings and its cap, and tokens while the store is away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.chassis.stores import StoreAway
from services.identity.app.hashing import Argon2Passwords
from services.identity.app.mint import Mint
from services.identity.app.vault import SealedKeys, Vault
from services.identity.model import keys
from services.identity.model.passwords import HashingBusy

START = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
MASTER_KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.mark.target("C-09")
def test_a_hash_is_argon2id_with_the_settings_of_rfc_9106():
    hasher = Argon2Passwords(at_once=1)
    made = hasher.hash("seven tall herons")
    assert made.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hasher.check("seven tall herons", against=made).fits
    assert not hasher.check("seven tall heron", against=made).fits


@pytest.mark.target("C-09")
def test_a_weaker_hash_fits_and_is_outdated():
    weak, strong = Argon2Passwords(at_once=1, memory_kib=8192), Argon2Passwords(at_once=1, memory_kib=16384)
    made = weak.hash("seven tall herons")
    assert (strong.check("seven tall herons", against=made).fits, weak.check("x", against=made).fits) == (True, False)
    assert strong.check("seven tall herons", against=made).is_outdated
    assert not weak.check("seven tall herons", against=made).is_outdated


def test_nobody_has_no_password_and_a_broken_hash_fits_none():
    hasher = Argon2Passwords(at_once=1, memory_kib=8192)
    hasher.warm_up()
    for password in ("the password of nobody", "\ud83d", ""):
        assert not hasher.check(password, against=None).fits
        assert not hasher.check(password, against="no hash at all").fits


def test_more_at_once_than_memory_allows_are_refused():
    hasher = Argon2Passwords(at_once=1, memory_kib=8192, wait_s=0.01)
    made = hasher.hash("seven tall herons")
    hasher._places.acquire()
    for attempt in (lambda: hasher.hash("x"), lambda: hasher.check("seven tall herons", against=made)):
        with pytest.raises(HashingBusy):
            attempt()
    hasher._places.release()
    assert hasher.check("seven tall herons", against=made).fits


class Source:
    """Keys that can be away, and a clock that is turned by hand."""

    def __init__(self):
        kid, public, sealed = SealedKeys(Vault(MASTER_KEY)).make()
        self.keys = [keys.SigningKey(kid=kid, created_at=START, signs_from=START, public_jwk=public, sealed=sealed)]
        self.is_away, self.reads, self.now = False, 0, 0.0

    def read(self):
        """The keys."""
        if self.is_away:
            raise StoreAway("postgresql", "connection_lost")
        self.reads += 1
        return self.keys


def test_the_key_set_goes_on_for_a_day_without_the_store():
    source = Source()
    mint = Mint(source.read, vault=Vault(MASTER_KEY), monotonic=lambda: source.now)
    shown = mint.published(at=START)
    source.is_away, source.now = True, 3600.0
    assert mint.published(at=START + timedelta(hours=1)) == shown
    with pytest.raises(StoreAway):
        mint.sign({}, at=START)
    source.now = 25 * 3600.0
    with pytest.raises(StoreAway):
        mint.published(at=START)


def test_keys_are_read_again_after_two_seconds():
    source = Source()
    mint = Mint(source.read, vault=Vault(MASTER_KEY), monotonic=lambda: source.now)
    for source.now in (0.0, 1.0, 1.9, 2.1, 3.0):
        mint.sign({"sub": "x"}, at=START)
    assert source.reads == 2


def test_a_change_that_is_told_is_read_at_once_and_goes_on_without_the_store():
    source = Source()
    mint = Mint(source.read, vault=Vault(MASTER_KEY), monotonic=lambda: source.now)
    for source.now in (0.0, 0.1):
        mint.published(at=START)
        mint.forget()
    shown = mint.published(at=START)
    assert source.reads == 2
    source.is_away, source.now = True, 0.2
    mint.forget()
    assert mint.published(at=START) == shown
    with pytest.raises(StoreAway):
        mint.sign({}, at=START)


def test_what_changed_while_it_was_being_read_is_read_again():
    """A withdrawal in the middle of reading must not leave the key before it for two seconds more."""
    source = Source()

    def read():
        found = source.read()
        source.now += 0.01
        if source.reads == 1:
            mint.forget()
        return found

    mint = Mint(read, vault=Vault(MASTER_KEY), monotonic=lambda: source.now)
    for _ in range(3):
        mint.published(at=START)
    assert source.reads == 2


def test_without_the_store_at_the_start_there_is_no_key_set():
    source = Source()
    source.is_away = True
    with pytest.raises(StoreAway):
        Mint(source.read, vault=Vault(MASTER_KEY), monotonic=lambda: source.now).published(at=START)
