"""What comes back by SMS: whether it is from the gateway, from which number, and whether more is wanted."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from services.kernel.errors import Forbidden

_SIGNED = re.compile(r"t=([0-9]{1,12}),v1=([0-9a-f]{64})\Z")
_FRESH: Final = timedelta(minutes=5)
_STOP: Final = frozenset(
    {
        "stop", "stopp", "stopall", "unsubscribe", "abmelden", "arret", "desabonner", "baja", "parar", "dur", "durdur",
        "iptal", "توقف", "ايقاف", "الغاء",
    }
)  # fmt: skip
_START: Final = frozenset(
    {"start", "unstop", "anmelden", "weiter", "reprendre", "alta", "iniciar", "basla", "baslat", "ابدا", "اشتراك"}
)


class Meaning(StrEnum):
    """What a reply is taken for."""

    STOP = "stop"
    START = "start"
    OTHER = "other"


def meaning(text: str) -> Meaning:
    """What a reply means. One word among others is enough to stop, to start again it must stand alone.

    Source:  D-54.
    """
    words = _plain(text)
    if words and words[0] in _STOP:
        return Meaning.STOP
    return Meaning.START if len(words) == 1 and words[0] in _START else Meaning.OTHER


def number_key(number: str, *, secret: bytes) -> bytes:
    """By what a number is known that wants no more messages; without the secret it says nothing about the number.

    Source:  FIPS 198-1 (HMAC); D-54.
    """
    return hmac.digest(secret, f"sms\0{number}".encode(), hashlib.sha256)


def signed_at(signature: str, body: bytes, *, secret: bytes, at: datetime) -> datetime:
    """When a reply was signed, if by the gateway and in the last minutes.

    Raises:  Forbidden: it was not.
    Source:  FIPS 198-1 (HMAC); D-54.
    """
    found = _SIGNED.match(signature)
    if found is None:
        raise Forbidden
    right = hmac.new(secret, f"{found[1]}.".encode() + body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(right, found[2]):
        raise Forbidden
    signed = datetime.fromtimestamp(int(found[1]), UTC)
    if abs(at - signed) > _FRESH:
        raise Forbidden
    return signed


def _plain(text: str) -> list[str]:
    """The words without case, accents and punctuation."""
    dotted = text.replace("\u0130", "i").replace("\u0131", "i")  # the two letters of Turkish that have no other form
    folded = unicodedata.normalize("NFKD", dotted).casefold()
    bare = "".join(each for each in folded if not unicodedata.combining(each))
    return re.findall(r"\w+", bare)
