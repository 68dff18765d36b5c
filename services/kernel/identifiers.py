"""Identifiers: time-ordered ids and check digits."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID


def uuid7(at: datetime, randomness: bytes) -> UUID:
    """A time-ordered id: milliseconds of `at` (aware, after 1970), then 74 bits of `randomness` (10 bytes).

    Raises:  ValueError: `at` has no zone, or `randomness` is not 10 bytes.
    Source:  RFC 9562, section 5.7.
    """
    if at.tzinfo is None:
        raise ValueError("at has no zone")
    if len(randomness) != 10:
        raise ValueError("randomness is not 10 bytes")
    milliseconds = int(at.timestamp() * 1000) & ((1 << 48) - 1)
    head, tail = int.from_bytes(randomness[:2], "big") & 0x0FFF, int.from_bytes(randomness[2:], "big") & ((1 << 62) - 1)
    return UUID(int=(milliseconds << 80) | (0x7 << 76) | (head << 64) | (0b10 << 62) | tail)


_DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)


def check_digit(digits: str) -> str:
    """The digit that makes every single wrong digit and every swap of neighbours show.

    Raises:  ValueError: something else than ASCII digits.
    Source:  H. M. Damm, Total anti-symmetrische Quasigruppen, Marburg 2004; the table of order 10.
    """
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("not digits")
    row = 0
    for digit in digits:
        row = _DAMM[row][int(digit)]
    return str(row)


def is_checked(number: str) -> bool:
    """Whether a number ends in its own check digit.

    Source:  as check_digit.
    """
    return len(number) > 1 and number.isascii() and number.isdigit() and check_digit(number[:-1]) == number[-1]
