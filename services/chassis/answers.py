"""Stored answers of keyed requests: how an answer is kept, and what a request with a known key gets."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import orjson

from services.chassis.call import Answer, Call, IdempotencyKey
from services.chassis.stores import KeyReused, Replayed

_ABOUT, _RECORD = "Stored-About", "Stored-Record"  # kept among the headers of a stored answer, and never sent


def packed(body: object) -> bytes:
    """A body as it is stored."""
    return orjson.dumps(body, default=_plain, option=orjson.OPT_UTC_Z)


def to_store(call: Call) -> Answer:
    """The answer to keep with the effect of a keyed call, and what its audit entry is about.

    Raises:  RuntimeError: the method has not said its answer inside the unit of work, so a replay could not repeat it.
    """
    if call.answered is None:
        raise RuntimeError(f"{call.operation} takes an Idempotency-Key and must say call.answer() in its unit of work")
    about = {} if call.entry is None else {_ABOUT: call.entry.patient_id, _RECORD: call.entry.record_id}
    headers = {**call.answered.headers, **{name: value for name, value in about.items() if value is not None}}
    return Answer(call.answered.body, call.answered.status, headers)


def answer_again(
    key: IdempotencyKey, *, fingerprint: bytes, status: int, body: bytes, headers: Mapping[str, str]
) -> None:
    """End a call whose key is known: always raises.

    Raises:  Replayed: the same request, with the stored answer. KeyReused: another request.
    """
    if fingerprint != key.fingerprint:
        raise KeyReused
    sent = {name: value for name, value in headers.items() if name not in (_ABOUT, _RECORD)}
    answer = Answer(orjson.loads(body), status, sent)
    raise Replayed(answer, about=headers.get(_ABOUT), record=headers.get(_RECORD))


def lock_number(*parts: str) -> int:
    """A signed 64-bit number for some words, for locks that are named by numbers."""
    digest = hashlib.blake2b("\0".join(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def _plain(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(type(value).__name__)
