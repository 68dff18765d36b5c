"""What comes back by SMS: what it means, and whether it is from the gateway."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest

from services.kernel.errors import Forbidden
from services.notifications.model.replies import meaning, number_key, signed_at

SECRET, BODY = b"known to both sides", b'{"from": "+49305550101", "text": "STOP"}'
AT = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", " Stop. ", "STOPP", "Stopp!", "ARRÊT", "arret", "Arrêt svp", "BAJA", "baja por favor", "DUR",
     "İPTAL", "iptal", "توقف", "إيقاف", "Stop please", "STOP ALL", "UNSUBSCRIBE"],
)  # fmt: skip
def test_words_that_end_it(text):
    assert meaning(text).value == "stop"


@pytest.mark.parametrize("text", ["START", "start", "Anmelden", "ALTA", "BAŞLAT", "ابدأ"])
def test_words_that_begin_it_again(text):
    assert meaning(text).value == "start"


@pytest.mark.parametrize("text", ["Thank you!", "Don't stop", "Start of what?", "", "?!", "Cancel", "ja", "1"])
def test_words_that_mean_something_else(text):
    """Who answers `cancel` may mean the appointment."""
    assert meaning(text).value == "other"


def signature(at=AT, body=BODY, secret=SECRET):
    seconds = int(at.timestamp())
    return f"t={seconds},v1={hmac.new(secret, f'{seconds}.'.encode() + body, hashlib.sha256).hexdigest()}"


def test_what_the_gateway_has_signed_in_the_last_minutes_counts():
    assert signed_at(signature(), BODY, secret=SECRET, at=AT + timedelta(minutes=4)) == AT


@pytest.mark.parametrize(
    "sent",
    [
        {"signature": signature(secret=b"another")},
        {"signature": signature(body=BODY + b" ")},
        {"signature": signature(AT - timedelta(minutes=6))},
        {"signature": signature(AT + timedelta(minutes=6))},
        {"signature": signature().replace("v1=", "v0=")},
        {"signature": signature().replace("t=", "t=1")},
        {"signature": ""},
        {"signature": signature() + "\n"},
    ],
)
def test_everything_else_does_not(sent):
    with pytest.raises(Forbidden):
        signed_at(sent["signature"], BODY, secret=SECRET, at=AT)


def test_a_number_is_kept_as_what_only_the_house_can_tell():
    key = number_key("+49305550101", secret=SECRET)
    assert key == number_key("+49305550101", secret=SECRET)
    assert key not in {number_key("+49305550102", secret=SECRET), number_key("+49305550101", secret=b"another")}
    assert b"5550101" not in key
