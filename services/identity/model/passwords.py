"""Passwords: which are accepted, how a one-time password looks, and what hashing must offer."""

from __future__ import annotations

import unicodedata
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol

from services.kernel.errors import FieldError, Invalid

SHORTEST = 15
SHORTEST_WITH_FACTOR = 8
LONGEST = 256
# 32 signs without 0 O 1 I: read aloud and copied by hand without mistakes.
_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_GROUPS, _GROUP = 5, 4
_FEWEST_SIGNS = 6
_REST = 5

# Words that make a password guessable however often they are repeated or decorated. Made here, from what people type
# when they are asked for a long password in a hospital: the words themselves, the rows of a keyboard, the calendar.
_TEXT = """
abcdef abcdefghijklmnopqrstuvwxyz access admin administrator and april asdf asdfghjkl august autumn azerty
azertyuiop baseball batman battery best bienvenue care change changeme changethis charlie clinic computer correct
december default demo doctor dragon eight example fall february five football for four friday geheim good goodbye
guest health hello horse hospital ilove iloveyou infirmary internet is january jordan july june letmein login logon
love march master may medical medicine michael monday monkey my new nine november now nurse october office old one
our passphrase password passwort patient pharmacy please princess private public qwerty qwertyuiop qwertz qwertzuiop
reception root sample saturday secret september server seven shadow signin signon six soccer spring staple starwars
summer sunday sunshine super superadmin superman surgery system temp temporary ten test testing thank that the this
three thursday today trustno tuesday two user username very ward wednesday welcome willkommen windows winter wxcvbn
you your yxcvbnm zero zxcvbnm
"""
_LEET = str.maketrans({"0": "o", "1": "l", "3": "e", "4": "a", "5": "s", "7": "t", "@": "a", "$": "s", "!": "i"})
_ROWS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "qwertzuiop", "azertyuiop", "asdfghjkl", "yxcvbnm")
_WORDS = frozenset(_TEXT.split())
_LONGEST_FIRST = tuple(sorted(_WORDS, key=lambda word: (-len(word), word)))


class PasswordRefused(Invalid):
    """The new password is too short, too long or too easy to guess."""

    code = "password_refused"
    title = "Choose another password"


class HashingBusy(Exception):
    """As many passwords are being checked as memory allows; nothing was checked."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found: whether the password fits, and whether its hash should be made anew with today's settings."""

    fits: bool
    is_outdated: bool = False


class PasswordHasher(Protocol):
    """Slow, memory-hard hashing."""

    def hash(self, password: str) -> str:
        """A salted hash of a prepared password.

        Raises:  HashingBusy.
        Source:  RFC 9106, section 4.
        """

    def check(self, password: str, *, against: str | None) -> Verdict:
        """Whether a prepared password fits the hash; without a hash it works as long, and never fits.

        Raises:  HashingBusy.
        Source:  OWASP Authentication Cheat Sheet, user enumeration by timing.
        """


def prepared(password: str) -> str:
    """The password in the one form in which it is hashed, so that each keyboard's way of writing it counts the same.

    Source:  NIST SP 800-63B-4, section 3.1.1.2 (normalisation NFKC).
    """
    return unicodedata.normalize("NFKC", password)


def comparable(password: str) -> str:
    """The form in which passwords are looked for on a list of common ones: large and small letters are alike.

    Source:  NIST SP 800-63B-4, section 3.1.1.2 (the whole password is compared with the blocklist).
    """
    return prepared(prepared(password).casefold())


def accepted(
    password: str, *, about: Sequence[str], common: Container[str], pointer: str, shortest: int = SHORTEST
) -> str:
    """The prepared form of a new password, or a refusal that names the rule.

    about: words about the account (user name, name) which may not make up the password. common: passwords that
    everybody tries first. shortest: 15, or 8 where a second factor is wanted at every sign-in.

    Raises:  PasswordRefused: too short, longer than 256 characters, common, or made of guessable parts.
    Source:  NIST SP 800-63B-4, section 3.1.1.2: length, no composition rules, blocklist.
    """
    ready = prepared(password)
    rule = _broken_rule(ready, about, common, shortest)
    if rule:
        raise PasswordRefused(errors=[FieldError(rule, pointer=pointer)])
    return ready


def one_time(randomness: bytes) -> str:
    """A password that is given out once, from 20 random bytes: 100 bits in five groups of four signs.

    Raises:  ValueError: other than 20 bytes.
    Source:  NIST SP 800-63B-4, section 3.1.2 (look-up secrets have at least 20 bits; this has 100).
    """
    if len(randomness) != _GROUPS * _GROUP:
        raise ValueError("20 bytes of randomness are needed")
    signs = [_ALPHABET[byte % len(_ALPHABET)] for byte in randomness]  # 256 is a multiple of 32: no sign is likelier
    return "-".join("".join(signs[start : start + _GROUP]) for start in range(0, len(signs), _GROUP))


def _broken_rule(ready: str, about: Sequence[str], common: Container[str], shortest: int) -> str | None:
    if any(unicodedata.category(sign) in {"Cc", "Cs"} for sign in ready):
        return "control_characters"
    if len(ready) < shortest:
        return "min_length"
    if len(ready) > LONGEST:
        return "max_length"
    return "too_common" if ready in common or _is_guessable(ready.casefold(), about) else None


def _is_guessable(text: str, about: Sequence[str]) -> bool:
    own = [word for each in about for word in _letters(prepared(each).casefold(), keep=" ").split() if len(word) > 2]
    return len(set(text)) < _FEWEST_SIGNS or _walks(text) or _is_made_of(text, own)


def _walks(text: str) -> bool:
    """Whether most steps go to a neighbour in the alphabet, the digits or a row of keys, or stay where they are."""
    steps = list(pairwise(text))
    easy = sum(1 for a, b in steps if a == b or any(a + b in row or b + a in row for row in _ROWS))
    return easy * 5 >= len(steps) * 4


def _is_made_of(text: str, own: Iterable[str]) -> bool:
    """Whether less than five letters or digits are left when guessable words, years and decoration are taken out."""
    words = (*sorted(own, key=lambda word: (-len(word), word)), *_LONGEST_FIRST)
    return any(_rest(_letters(form), words) < _REST for form in (text, text.translate(_LEET)))


def _rest(left: str, words: Iterable[str]) -> int:
    for word in words:
        left = left.replace(word, " ")
    digits = sum(1 for sign in left if sign.isdigit())
    return sum(1 for sign in left if not sign.isspace() and not sign.isdigit()) + max(0, digits - 8)


def _letters(text: str, *, keep: str = "") -> str:
    """The text without ASCII punctuation and blanks: decoration adds nothing, any other sign of any script does."""
    return "".join(sign if sign.isalnum() or not sign.isascii() else keep for sign in text)
