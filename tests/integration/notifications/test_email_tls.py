"""E-mail under TLS and with a sign-in: to the right server only, and no password before it is known to be."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from services.notifications.model.channels import ChannelAway
from services.notifications.repository.channels.email import EmailChannel, Relay
from standalone import certificates
from tests.integration.notifications.servers import HOST, Taken, greet, mail_server
from tests.scripted import scripted
from tests.unit.notifications.making_messages import message

USER, PASSWORD = "house", "pa55 word"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with an authority, and with a certificate of it for localhost."""
    folder = tmp_path_factory.mktemp("tls")
    certificates.ensure(folder)
    return folder


@pytest.fixture
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "house.pem", authority / "house.key")
    return context


@pytest.fixture
def taken():
    return Taken()


@contextmanager
def channel(port, *, tls, host=HOST, **given):
    relay = Relay(host=host, port=port, tls=tls, **given)
    made = EmailChannel(relay, sender="house@clinic.example", clock=lambda: datetime(2030, 1, 1, tzinfo=UTC))
    try:
        yield made
    finally:
        made.close()


def test_starttls_encrypts_and_the_connection_is_kept(taken, tls, authority):
    with (
        mail_server(taken, tls_context=tls, require_starttls=True) as port,
        channel(port, tls="starttls", ca_file=authority / "ca.pem") as email,
    ):
        for _ in range(3):
            email.send(message())
        assert (taken.opened, len(taken.mails)) == (1, 3)


def test_tls_from_the_first_byte(taken, tls, authority):
    with mail_server(taken, ssl_context=tls) as port, channel(port, tls="tls", ca_file=authority / "ca.pem") as email:
        for _ in range(3):
            email.send(message())
        assert (taken.opened, len(taken.mails)) == (1, 3)


@pytest.mark.parametrize("mode", ["starttls", "tls"])
def test_a_certificate_of_an_authority_that_is_not_ours_is_no_server_of_ours(taken, tls, mode):
    options = {"ssl_context": tls} if mode == "tls" else {"tls_context": tls}
    with (
        mail_server(taken, **options) as port,
        channel(port, tls=mode) as email,
        pytest.raises(ChannelAway, match="smtp_tls"),
    ):
        email.send(message())
    assert taken.mails == []


def test_a_certificate_for_another_name_is_no_server_of_ours(taken, authority):
    """The authority is right, and the name is one that it has not spoken for: 127.0.0.2 is not in the certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "house.pem", authority / "house.key")
    with (
        mail_server(taken, tls_context=context, address="127.0.0.2") as port,
        channel(port, tls="starttls", host="127.0.0.2", ca_file=authority / "ca.pem") as email,
        pytest.raises(ChannelAway, match="smtp_tls"),
    ):
        email.send(message())
    assert taken.mails == []


def test_a_server_that_speaks_no_tls_is_away(authority):
    with (
        scripted(lambda line: line.say("220 here")) as server,
        channel(server.port, tls="tls", ca_file=authority / "ca.pem") as email,
        pytest.raises(ChannelAway, match="smtp_tls"),
    ):
        email.send(message())


def test_a_server_that_offers_no_starttls_gets_neither_password_nor_mail():
    with (
        scripted(greet) as server,
        channel(server.port, tls="starttls", user=USER, password=PASSWORD) as email,
        pytest.raises(ChannelAway, match="smtp_no_starttls"),
    ):
        email.send(message())
    assert [each.split()[0] for each in server.asked] == [b"ehlo"]


def test_a_user_signs_in_once_for_many_messages(taken, tls, authority):
    with (
        mail_server(taken, tls_context=tls, require_starttls=True, user=(USER, PASSWORD)) as port,
        channel(port, tls="starttls", ca_file=authority / "ca.pem", user=USER, password=PASSWORD) as email,
    ):
        for _ in range(3):
            email.send(message())
        assert (taken.users, len(taken.mails)) == ([USER.encode()], 3)


def test_a_password_that_is_wrong_is_a_channel_that_is_away(taken, tls, authority):
    with (
        mail_server(taken, tls_context=tls, require_starttls=True, user=(USER, PASSWORD)) as port,
        channel(port, tls="starttls", ca_file=authority / "ca.pem", user=USER, password="wrong") as email,
    ):
        with pytest.raises(ChannelAway) as told:
            email.send(message())
        assert told.value.code == "smtp_535"
    assert taken.mails == []


def test_a_server_that_signs_nobody_in_is_a_channel_that_is_away(taken, tls, authority):
    with (
        mail_server(taken, tls_context=tls, auth_exclude_mechanism=["LOGIN", "PLAIN"]) as port,
        channel(port, tls="starttls", ca_file=authority / "ca.pem", user=USER, password=PASSWORD) as email,
        pytest.raises(ChannelAway),
    ):
        email.send(message())
