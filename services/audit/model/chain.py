"""The chain: each link holds an entry, its place, and a hash over both and the link before."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final, NamedTuple

from services.audit.model.entries import Entry, canonical, index_of

GENESIS: Final = bytes(32)
"""What the first link follows."""


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link: its position (0 when there is none) and its hash."""

    position: int
    hash: bytes


class Link(NamedTuple):
    """One entry in its place: the hash that it follows, its own, the text of the entry, and then what it is found by.

    Flat, as a row is, because a whole trail is made of them when it is checked.
    """

    position: int
    previous: bytes
    hash: bytes
    text: str
    id: str
    at: datetime
    actor: str
    operation: str
    action: str
    outcome: str
    about: list[str]


def link_hash(*, previous: bytes, position: int, text: str) -> bytes:
    """SHA-256 over the hash before, the position in eight bytes, and the entry as it is written down.

    Source:  FIPS 180-4; hash chains as in Schneier and Kelsey, Secure Audit Logs to Support Computer Forensics, 1999.
    """
    return sha256(previous + position.to_bytes(8, "big") + text.encode("utf-8")).digest()


def follow(head: Head, entry: Entry) -> Link:
    """The link that holds an entry and follows the newest one.

    Source:  none, plain arithmetic.
    """
    text, position = canonical(entry), head.position + 1
    own = link_hash(previous=head.hash, position=position, text=text)
    return Link(position, head.hash, own, text, *index_of(entry))


def follow_all(head: Head, entries: Iterable[Entry]) -> list[Link]:
    """The links that hold some entries in their order, the first of which follows the newest one.

    Source:  none, plain arithmetic.
    """
    links: list[Link] = []
    for entry in entries:
        links.append(follow(head, entry))
        head = Head(links[-1].position, links[-1].hash)
    return links
