"""Text messages to the inbox in both shapes, and to providers that fail in their own ways."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from uuid import uuid4

import pytest

from services.notifications.model.channels import ChannelAway, Deferred, OptedOut, OutcomeUnknown, Refused
from services.notifications.repository.channels.sms import JsonGateway, SmsChannel, Twilio
from standalone import certificates
from tests.inbox import ACCOUNT, SECRET, TOKEN
from tests.scripted import read_request, scripted
from tests.unit.notifications.making_messages import message

NUMBER, TEXT = "+12025550100", "Ihr Termin: morgen, 10:00 Uhr. 您好 & موعد"
SHORT_S = 0.6


@contextmanager
def channel(provider, **given):
    made = SmsChannel(provider, **given)
    try:
        yield made
    finally:
        made.close()


def gateway(url, *, token=TOKEN):
    return JsonGateway(url, token=token, sender="House")


def twilio(url, *, secret=SECRET):
    return Twilio(account=ACCOUNT, secret=secret, sender="+12025550199", url=url)


def text(**given):
    return message(**{"to": NUMBER, "text": TEXT, "delivery_id": uuid4(), **given})


def at(inbox, shape):
    return gateway(f"{inbox.url}/sms") if shape == "gateway" else twilio(inbox.url)


@pytest.mark.parametrize("shape", ["gateway", "twilio"])
def test_a_text_arrives_with_its_number_and_the_sender(inbox, shape):
    with channel(at(inbox, shape)) as sms:
        accepted = sms.send(text())
    [found] = inbox.items()
    assert (found["kind"], found["to"], found["text"], found["provider"]) == ("sms", [NUMBER], TEXT, shape)
    assert found["from"] == ("House" if shape == "gateway" else "+12025550199")
    assert accepted.reference == found["provider_id"]


def test_a_repeat_is_recognised_by_the_gateway(inbox):
    repeated = text()
    with channel(at(inbox, "gateway")) as sms:
        for each in (repeated, repeated, text()):
            sms.send(each)
    counts = inbox.counts("sms")
    assert (counts["received"], counts["distinct"]) == (3, 2)
    assert {each["reference"] for each in inbox.items()} >= {str(repeated.delivery_id)}


@pytest.mark.parametrize("provider", [gateway, twilio])
def test_wrong_credentials_are_a_channel_that_is_away(inbox, provider):
    wrong = gateway(f"{inbox.url}/sms", token="x") if provider is gateway else twilio(inbox.url, secret="x")
    with channel(wrong) as sms, pytest.raises(ChannelAway) as told:
        sms.send(text())
    assert told.value.code == "sms_401"
    assert inbox.items() == []


@pytest.mark.parametrize(
    ("number", "kind", "code"),
    [
        ("+15005550001", Refused, "21211"),
        ("+15005550009", Refused, "21614"),
        ("+15005550003", Refused, "21408"),
        ("+15005550004", OptedOut, "21610"),
    ],
)
def test_numbers_that_cannot_be_reached_are_told_apart_from_readers_who_have_opted_out(inbox, number, kind, code):
    with channel(at(inbox, "twilio")) as sms, pytest.raises(kind) as told:
        sms.send(text(to=number))
    assert told.value.code == f"twilio_{code}"
    with channel(at(inbox, "gateway")) as sms, pytest.raises(kind):
        sms.send(text(to=number))
    assert inbox.items() == []


@pytest.mark.parametrize("shape", ["gateway", "twilio"])
def test_every_third_is_refused_as_it_was_asked_for_and_comes_through_later(inbox, shape):
    inbox.faults(sms={"refuse_every": 3, "code": 429})
    waiting = [text() for _ in range(9)]
    with channel(at(inbox, shape)) as sms:
        later = [each for each in waiting if not taken(sms, each)]
        assert len(later) == 3
        inbox.faults()
        assert all(taken(sms, each) for each in later)
    assert inbox.counts("sms")["received"] == 9


def taken(sms, each):
    try:
        sms.send(each)
    except Deferred:
        return False
    return True


def test_a_text_that_was_taken_without_an_answer_has_an_unknown_outcome(inbox):
    inbox.faults(sms={"lose_every": 2})
    with channel(at(inbox, "gateway")) as sms:
        sms.send(text())
        lost = text()
        with pytest.raises(OutcomeUnknown, match="sms_no_answer"):
            sms.send(lost)
        sms.send(lost)
    counts = inbox.counts("sms")
    assert (counts["received"], counts["distinct"], counts["unanswered"]) == (3, 2, 1)


def test_messages_go_over_one_connection():
    def one(line):
        while True:
            read_request(line)
            line.file.write(b'HTTP/1.1 201 Created\r\nContent-Length: 10\r\n\r\n{"id":"x"}')
            line.file.flush()

    with scripted(one) as server, channel(gateway(f"http://127.0.0.1:{server.port}/")) as sms:
        assert [sms.send(text()).reference for _ in range(5)] == ["x"] * 5
        assert server.connections == 1


def test_where_nobody_listens_the_channel_is_away(unused_port):
    with channel(gateway(f"http://127.0.0.1:{unused_port}/")) as sms, pytest.raises(ChannelAway, match="sms_away"):
        sms.send(text())


def test_a_redirect_is_not_followed_and_nothing_is_told_to_whom_it_names(inbox):
    def elsewhere(line):
        read_request(line)
        line.say(f"HTTP/1.1 307 Elsewhere\r\nLocation: {inbox.url}/sms\r\nContent-Length: 0\r\n")

    with (
        scripted(elsewhere) as server,
        channel(gateway(f"http://127.0.0.1:{server.port}/")) as sms,
        pytest.raises(ChannelAway, match="sms_307"),
    ):
        sms.send(text())
    assert inbox.items() == []


def test_a_certificate_that_nobody_knows_gets_nothing(tmp_path):
    certificates.ensure(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "house.pem", tmp_path / "house.key")
    with (
        scripted(read_request, tls=tls) as server,
        channel(gateway(f"https://localhost:{server.port}/")) as sms,
        pytest.raises(ChannelAway, match="sms_away"),
    ):
        sms.send(text())
    assert (server.connections, server.asked) == (1, [])


@pytest.mark.parametrize(
    "answer",
    [
        lambda line: line.rest(),
        lambda line: line.trickle("HTTP/1.1 200 " + "slow" * 500),
        lambda line: line.trickle("HTTP/1.1 201 Created\r\nContent-Length: 4000\r\n\r\n" + "slow" * 1000, every_s=0.01),
        read_request,
    ],
)
@pytest.mark.timeout(10)
def test_a_provider_that_takes_a_text_and_does_not_answer_in_time_leaves_the_outcome_unknown(answer):
    def script(line):
        read_request(line)
        answer(line)

    with (
        scripted(script) as server,
        channel(gateway(f"http://127.0.0.1:{server.port}/"), whole_s=SHORT_S) as sms,
        pytest.raises(OutcomeUnknown),
    ):
        sms.send(text())
