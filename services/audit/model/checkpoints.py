"""Checkpoints: a signed word about how far the chain was and what its hash was, kept where the chain is not."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.audit.model.chain import Head

EVERY_ENTRIES = 1000
EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The hash at a position, when it was noted, and the signature over the three."""

    position: int
    hash: bytes
    at: datetime
    mac: bytes


UNREADABLE = Checkpoint(0, b"", datetime.min.replace(tzinfo=UTC), b"")
"""What stands where a checkpoint should be and cannot be read: never genuine."""


def is_due(head: Head, last: Checkpoint | None, *, at: datetime) -> bool:
    """Whether it is time for the next checkpoint: 1,000 entries or 60 seconds after the last, if anything is new.

    Source:  decision: what an intruder with every right over the database can change unseen is at most one minute old.
    """
    if last is None:
        return head.position > 0
    new = head.position - last.position
    return new >= EVERY_ENTRIES or (new > 0 and at - last.at >= EVERY)


def signed(head: Head, *, at: datetime, key: bytes) -> Checkpoint:
    """A checkpoint of the head, signed with the key of this house.

    Source:  RFC 2104 with SHA-256.
    """
    return Checkpoint(head.position, head.hash, at, _mac(head.position, head.hash, at, key))


def is_genuine(checkpoint: Checkpoint, *, key: bytes) -> bool:
    """Whether this house has signed it.

    Source:  RFC 2104 with SHA-256.
    """
    expected = _mac(checkpoint.position, checkpoint.hash, checkpoint.at, key)
    return hmac.compare_digest(expected, checkpoint.mac)


def _mac(position: int, hash_: bytes, at: datetime, key: bytes) -> bytes:
    moment = at.astimezone(UTC).isoformat(timespec="microseconds").encode()
    return hmac.digest(key, b"infirmary audit checkpoint" + position.to_bytes(8, "big") + hash_ + moment, "sha256")
