"""Push messages to the push service of the inbox, which opens them as a browser would; and to nobody else."""

from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from services.notifications.model.channels import ChannelAway, Deferred, OptedOut, OutcomeUnknown, Refused
from services.notifications.repository.channels.push import LARGEST_PAYLOAD, PushChannel, PushHosts
from services.notifications.repository.channels.webpush import Signer
from tests.scripted import read_request, scripted
from tests.unit.notifications.making_messages import DELIVERY, message

KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
OTHER_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"


@contextmanager
def channel(*hosts, key=KEY, clock=lambda: datetime.now(UTC), **given):
    signer = Signer(key, subject="mailto:ops@clinic.example", clock=clock)
    made = PushChannel(signer, hosts=PushHosts(", ".join(hosts)), **given)
    try:
        yield made
    finally:
        made.close()


def to(subscription, **given):
    return message(
        **{"to": json.dumps(subscription), "subject": "موعدك", "text": "Grüße 您好", "language": "ar", **given}
    )


def moved(subscription, endpoint):
    return {**subscription, "endpoint": endpoint}


def test_a_push_message_is_opened_by_the_browser_that_it_is_for(inbox):
    with channel(inbox.url) as push:
        subscription = inbox.subscription(applicationServerKey=push.public_key)
        push.send(to(subscription))
    [found] = inbox.items()
    assert (found["subject"], found["text"], found["language"]) == ("موعدك", "Grüße 您好", "ar")
    assert found["reference"] == str(DELIVERY)
    assert found["to"] == [subscription["endpoint"].rpartition("/")[2]]
    assert (found["urgency"], found["ttl_s"] > 0, len(found["topic"]) <= 32) == ("normal", True, True)


def test_a_long_push_message_fits(inbox):
    with channel(inbox.url) as push:
        push.send(to(inbox.subscription(), text="Wörter und " * 1000, subject="您好" * 300))
    [found] = inbox.items()
    assert len(found["text"]) > LARGEST_PAYLOAD // 2
    assert found["text"].endswith("…")


def test_a_repeat_is_recognised_by_its_tag(inbox):
    with channel(inbox.url) as push:
        subscription = inbox.subscription()
        for each in (DELIVERY, DELIVERY, uuid4()):
            push.send(to(subscription, delivery_id=each))
    counts = inbox.counts("push")
    assert (counts["received"], counts["distinct"]) == (3, 2)


def test_a_subscription_that_was_ended_is_an_opt_out(inbox):
    subscription = inbox.subscription()
    assert inbox.ask("DELETE", "/push/" + subscription["endpoint"].rpartition("/")[2]).status == 204
    with channel(inbox.url) as push:
        with pytest.raises(OptedOut, match="push_410"):
            push.send(to(subscription))
        with pytest.raises(OptedOut, match="push_404"):
            push.send(to(moved(subscription, f"{inbox.url}/push/never")))
    assert inbox.items() == []


def test_a_subscription_under_another_key_does_not_hear_us(inbox):
    with channel(inbox.url) as push, channel(inbox.url, key=OTHER_KEY) as other:
        subscription = inbox.subscription(applicationServerKey=push.public_key)
        with pytest.raises(Deferred, match="push_403"):
            other.send(to(subscription))


@pytest.mark.parametrize("off", [timedelta(days=-1), timedelta(days=1)])
def test_a_token_that_is_over_or_lasts_too_long_is_not_taken(inbox, off):
    with (
        channel(inbox.url, clock=lambda: datetime.now(UTC) + off) as push,
        pytest.raises(Deferred, match="push_403"),
    ):
        push.send(to(inbox.subscription()))


def test_a_message_without_a_sender_or_a_lifetime_is_not_taken(inbox):
    path = "/push/" + inbox.subscription()["endpoint"].rpartition("/")[2]
    assert inbox.ask("POST", path, b"x", TTL="60").status == 401
    assert inbox.ask("POST", path, b"x", TTL="60", Authorization="vapid t=a.b.c, k=AAAA").status == 403
    assert inbox.ask("POST", path, b"x").status == 400
    assert inbox.items() == []


@pytest.mark.parametrize(
    ("code", "kind"), [(429, Deferred), (503, Deferred), (413, Refused), (400, Refused), (410, OptedOut)]
)
def test_an_answer_of_the_push_service_means(inbox, code, kind):
    inbox.faults(push={"refuse_every": 1, "code": code})
    with channel(inbox.url) as push, pytest.raises(kind) as told:
        push.send(to(inbox.subscription()))
    assert told.value.code == f"push_{code}"


def test_no_answer_leaves_the_outcome_unknown(inbox):
    inbox.faults(push={"lose_every": 1})
    with channel(inbox.url) as push, pytest.raises(OutcomeUnknown, match="push_no_answer"):
        push.send(to(inbox.subscription()))


@pytest.mark.parametrize(
    "subscription",
    ["", "[]", "{}", '{"endpoint": "https://push.example/x"}', '{"endpoint": 7, "keys": {"p256dh": "ä", "auth": ""}}'],
)
def test_what_is_no_subscription_is_refused(inbox, subscription):
    with channel(inbox.url) as push, pytest.raises(Refused, match="push_subscription"):
        push.send(message(to=subscription))


def test_keys_that_are_none_are_refused(inbox):
    broken = inbox.subscription() | {"keys": {"p256dh": "AAAA", "auth": "AAAA"}}
    with channel(inbox.url) as push, pytest.raises(Refused, match="push_subscription"):
        push.send(to(broken))


def test_a_host_that_is_not_listed_is_not_spoken_to(inbox):
    with scripted(read_request) as server, channel(inbox.url) as push:
        with pytest.raises(Refused, match="push_host"):
            push.send(to(moved(inbox.subscription(), f"http://127.0.0.1:{server.port}/push/x")))
        assert server.connections == 0


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "169.254.169.254"])
def test_a_listed_host_that_leads_into_our_own_network_is_not_spoken_to(inbox, host):
    with channel(host) as push, pytest.raises(Refused, match="push_private_address"):
        push.send(to(moved(inbox.subscription(), f"https://{host}/x")))


def test_a_listed_name_that_does_not_exist_is_a_channel_that_is_away(inbox):
    with channel("push.invalid") as push, pytest.raises(ChannelAway, match="push_away"):
        push.send(to(moved(inbox.subscription(), "https://push.invalid/x")))


def test_a_redirect_is_not_followed(inbox):
    subscription = inbox.subscription()

    def elsewhere(line):
        read_request(line)
        line.say(f"HTTP/1.1 307 Elsewhere\r\nLocation: {subscription['endpoint']}\r\nContent-Length: 0\r\n")

    with scripted(elsewhere) as server:
        origin = f"http://127.0.0.1:{server.port}"
        with channel(origin, inbox.url) as push, pytest.raises(Refused, match="push_307"):
            push.send(to(moved(subscription, f"{origin}/push/x")))
    assert inbox.items() == []


def test_where_nobody_listens_the_channel_is_away(inbox, unused_port):
    origin = f"http://127.0.0.1:{unused_port}"
    with channel(origin) as push, pytest.raises(ChannelAway, match="push_away"):
        push.send(to(moved(inbox.subscription(), f"{origin}/push/x")))
