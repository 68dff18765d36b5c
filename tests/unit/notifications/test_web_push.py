"""Web Push: the examples of the standards, whom we speak to, and how long a message may be."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import ECKey

from services.notifications.repository.channels import push, webpush
from services.notifications.repository.channels.settings import PUSH_HOSTS
from standalone.inbox.push import opened
from tests.unit.notifications.making_messages import DELIVERY, message

# RFC 8291, appendix A.
TEXT = b"When I grow up, I want to be a watermelon"
SENDER_KEY = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SENDER_POINT = "BP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A8"
READER_KEY = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
READER_POINT = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
SECRET, SALT = "BTBZMqHH6r4Tts7J_aSIgg", "DGv6ra1nlYgDCS1FRnbzlw"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A"
    "_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
NOW = datetime(2030, 1, 1, tzinfo=UTC)


def sealed(payload: bytes, **given_) -> bytes:
    return webpush.sealed(payload, receiver=webpush.decoded(READER_POINT), secret=webpush.decoded(SECRET), **given_)


def test_the_example_of_the_standard_is_sealed_as_it_says():
    own = ec.derive_private_key(int.from_bytes(webpush.decoded(SENDER_KEY), "big"), ec.SECP256R1())
    assert webpush.encoded(sealed(TEXT, own=own, salt=webpush.decoded(SALT))) == SEALED


def test_the_inbox_opens_the_example_of_the_standard():
    assert (
        opened(webpush.decoded(SEALED), private_key=webpush.decoded(READER_KEY), secret=webpush.decoded(SECRET)) == TEXT
    )


def test_every_message_is_sealed_under_fresh_keys():
    first, second = sealed(TEXT), sealed(TEXT)
    assert first[:16] != second[:16]
    assert first[21:86] != second[21:86]


@pytest.mark.parametrize(("at", "bit"), [(0, 1), (30, 4), (90, 1), (-1, 128)])
def test_what_was_changed_on_the_way_is_not_opened(at, bit):
    raw = bytearray(sealed(TEXT))
    raw[at] ^= bit
    with pytest.raises(ValueError):
        opened(bytes(raw), private_key=webpush.decoded(READER_KEY), secret=webpush.decoded(SECRET))


@pytest.mark.parametrize(
    ("receiver", "secret"), [(b"\x04" + b"\1" * 64, b"s" * 16), (b"", b"s" * 16), (b"x" * 65, b"")]
)
def test_keys_that_are_none_are_told_apart(receiver, secret):
    with pytest.raises(webpush.BadKey):
        webpush.sealed(TEXT, receiver=receiver, secret=secret)


def test_a_token_says_for_whom_from_whom_and_until_when():
    signer = webpush.Signer(SENDER_KEY, subject="mailto:ops@clinic.example", clock=lambda: NOW)
    assert signer.public_key == SENDER_POINT
    kind, _, said = signer.authorization("https://push.example").partition(" ")
    token, key = said.removeprefix("t=").split(", k=")
    point = webpush.decoded(key)
    public = {"kty": "EC", "crv": "P-256", "x": webpush.encoded(point[1:33]), "y": webpush.encoded(point[33:])}
    read = jwt.decode(token, ECKey.import_key(public), algorithms=["ES256"])
    assert (kind, key, read.header["alg"]) == ("vapid", SENDER_POINT, "ES256")
    ends_at = NOW.timestamp() + 12 * 3600
    assert read.claims == {"aud": "https://push.example", "exp": ends_at, "sub": "mailto:ops@clinic.example"}


@pytest.mark.parametrize("key", ["", "short", "A" * 43, "/" * 43, webpush.encoded(b"\xff" * 32), "ä" * 43])
def test_a_private_key_that_is_none_is_told(key):
    with pytest.raises(webpush.BadKey):
        webpush.Signer(key, subject="mailto:x@y.example", clock=lambda: NOW)


# ---- payload ---------------------------------------------------------------------------------------------------------


def test_a_payload_is_what_a_service_worker_shows():
    shown = json.loads(push.payload(message(subject="Termin", text="Bis bald.", language="de")))
    assert shown == {"title": "Termin", "body": "Bis bald.", "tag": str(DELIVERY), "lang": "de"}
    assert json.loads(push.payload(message(subject="")))["title"] == "House"


@given(st.text(max_size=60), st.integers(0, 200))
def test_a_payload_fits_and_is_cut_at_its_end_only(text, times):
    written = (text + " ") * times
    raw = push.payload(message(text=written))
    body = json.loads(raw)["body"]
    assert len(raw) <= push.LARGEST_PAYLOAD
    sendable = written.encode("utf-8", "replace").decode()
    assert body == sendable or (body == "" or (body[-1] == "…" and sendable.startswith(body[:-1])))


def test_a_long_text_is_cut_between_two_words():
    body = json.loads(push.payload(message(text="Wörter und Wörter " * 400)))["body"]
    assert body.endswith(("Wörter…", "und…"))
    assert len(body) > 3000


# ---- whom we speak to ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/abc:def", "https://FCM.googleapis.com:443/x", "https://fcm.googleapis.com./x",
        "https://updates.push.services.mozilla.com/wpush/v2/x", "https://web.push.apple.com/x?y=1",
    ],
)  # fmt: skip
def test_the_push_services_of_browsers_are_spoken_to(endpoint):
    assert push.PushHosts(PUSH_HOSTS).allows(endpoint)


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://fcm.googleapis.com/x", "https://fcm.googleapis.com:8443/x", "https://fcm.googleapis.com.evil.example/x",
        "https://evil.example/fcm.googleapis.com", "https://user@fcm.googleapis.com/x", "https://evilfcm.googleapis.com/",
        "https://push.services.mozilla.com/", "https://127.0.0.1/", "https://[::1]/", "ftp://fcm.googleapis.com/",
        "https://fcm.googleapis.com\\@evil.example/", "https://fcm.googleapis.com/#x", "https:///x", "", "nonsense",
        "https://fcm.googleapis.com/\r\nX: y", "https://fcm.googleapis.com/" + "x" * 3000, "https://fcm.googleapis.com/ü",
        "https://fcm.googleapis.com:99999/", "https://[/",
    ],
)  # fmt: skip
def test_nobody_else_is_spoken_to(endpoint):
    assert not push.PushHosts(PUSH_HOSTS).allows(endpoint)


def test_an_origin_is_allowed_whole_or_not_at_all():
    hosts = push.PushHosts("http://127.0.0.1:8025, push.example")
    assert hosts.allows("http://127.0.0.1:8025/push/x")
    assert hosts.place("http://127.0.0.1:8025/push/x").origin == "http://127.0.0.1:8025"
    assert hosts.place("https://push.example:443/x").origin == "https://push.example"
    assert not any(map(hosts.allows, ["http://127.0.0.1:8026/", "https://127.0.0.1:8025/", "http://localhost:8025/"]))


@pytest.mark.parametrize(
    "listed", ["*", "*.*", "localhost", "a.example/x", "ftp://x.example", "http://x.example/path", "a b.c"]
)
def test_a_list_that_would_open_more_than_meant_is_refused(listed):
    with pytest.raises(ValueError):
        push.PushHosts(listed)


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("8.8.8.8", True), ("2001:4860:4860::8888", True), ("10.0.0.1", False), ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("::1", False), ("fd00::1", False), ("::ffff:10.0.0.1", False), ("fe80::1%eth0", False), ("0.0.0.0", False),
        ("100.64.0.1", False), ("224.0.0.1", False), ("2002:a00:1::", False),
    ],
)  # fmt: skip
def test_addresses_of_our_own_network_are_known(address, is_public):
    assert push._is_public(address) is is_public
