"""Text messages: how providers are asked, and what each of their answers means."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs

import pytest

from services.chassis.http import Received
from services.notifications.model.channels import ChannelAway, Deferred, OptedOut, Refused
from services.notifications.repository.channels.sms import JsonGateway, Twilio
from tests.unit.notifications.making_messages import DELIVERY, message

GATEWAY = JsonGateway("https://sms.example/messages", token="t0ken", sender="House")
TWILIO = Twilio(account="AC1", secret="s3cret", sender="+12025550199")
TEXT = message(to="+12025550100", text="Grüße & 您好 = 10:00")


def answer(status, body=b""):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received(status, {"content-type": "application/json"}, raw)


def outcome(provider, received):
    """What is accepted as its reference, what is not as its kind and code."""
    try:
        return provider.meaning(received).reference
    except (ChannelAway, Deferred, OptedOut, Refused) as refusal:
        return type(refusal).__name__, refusal.code


def test_the_gateway_is_asked_with_the_delivery_as_key_and_reference():
    asked = GATEWAY.request(TEXT)
    wanted = {"to": "+12025550100", "text": "Grüße & 您好 = 10:00", "reference": str(DELIVERY), "from": "House"}
    assert (asked.url, json.loads(asked.raw)) == ("https://sms.example/messages", wanted)
    assert asked.headers["authorization"] == "Bearer t0ken"
    assert asked.headers["idempotency-key"] == str(DELIVERY)


def test_twilio_is_asked_as_its_documents_say():
    asked = TWILIO.request(TEXT)
    assert asked.url == "https://api.twilio.com/2010-04-01/Accounts/AC1/Messages.json"
    assert parse_qs(asked.raw.decode()) == {
        "To": ["+12025550100"], "From": ["+12025550199"], "Body": ["Grüße & 您好 = 10:00"],
    }  # fmt: skip
    assert base64.b64decode(asked.headers["authorization"].removeprefix("Basic ")) == b"AC1:s3cret"


def test_a_messaging_service_of_twilio_is_named_as_one():
    asked = Twilio(account="AC1", secret="s", sender="MG123").request(TEXT)
    assert parse_qs(asked.raw.decode())["MessagingServiceSid"] == ["MG123"]
    assert b"From=" not in asked.raw


def test_no_number_and_no_text_stands_in_an_address():
    for provider in (GATEWAY, TWILIO):
        asked = provider.request(TEXT)
        assert not any(part in asked.url for part in ("555", "Gr", "10:00"))


@pytest.mark.parametrize(
    ("received", "wanted"),
    [
        (answer(201, {"id": "m-1"}), "m-1"),
        (answer(200, b"not JSON"), None),
        (answer(202, {"id": 7}), None),
        (answer(202, {"id": "x" * 999}), None),
        (answer(400), ("Refused", "sms_400")),
        (answer(422, {"title": "+12025550100 is no number"}), ("Refused", "sms_422")),
        (answer(409), ("OptedOut", "sms_409")),
        (answer(410), ("OptedOut", "sms_410")),
        (answer(401), ("ChannelAway", "sms_401")),
        (answer(403), ("ChannelAway", "sms_403")),
        (answer(404), ("ChannelAway", "sms_404")),
        (answer(302), ("ChannelAway", "sms_302")),
        (answer(429), ("Deferred", "sms_429")),
        (answer(500), ("Deferred", "sms_500")),
        (answer(503), ("Deferred", "sms_503")),
    ],
)
def test_answers_of_the_gateway_mean(received, wanted):
    assert outcome(GATEWAY, received) == wanted


@pytest.mark.parametrize(
    ("received", "wanted"),
    [
        (answer(201, {"sid": "SM1", "status": "queued"}), "SM1"),
        (answer(400, {"code": 21610, "message": "+12025550100 unsubscribed"}), ("OptedOut", "twilio_21610")),
        (answer(400, {"code": 21211}), ("Refused", "twilio_21211")),
        (answer(400, {"code": 21614}), ("Refused", "twilio_21614")),
        (answer(400, {"code": 21408}), ("Refused", "twilio_21408")),
        (answer(400, {"code": 21611}), ("Deferred", "twilio_21611")),
        (answer(400, {"code": 21606}), ("Deferred", "twilio_21606")),
        (answer(400, {"code": 99999}), ("Deferred", "twilio_99999")),
        (answer(400, {"code": True}), ("Refused", "sms_400")),
        (answer(400, b"<html>"), ("Refused", "sms_400")),
        (answer(401, {"code": 20003}), ("ChannelAway", "sms_401")),
        (answer(404, {"code": 20404}), ("ChannelAway", "sms_404")),
        (answer(429, {"code": 20429}), ("Deferred", "twilio_20429")),
        (answer(503), ("Deferred", "sms_503")),
    ],
)
def test_answers_of_twilio_mean(received, wanted):
    assert outcome(TWILIO, received) == wanted
