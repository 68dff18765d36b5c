"""HTTP over TLS to other programs: kept, punctual, and to nobody but the one whose name is on the certificate."""

from __future__ import annotations

import ssl

import pytest
import urllib3

from services.chassis import deadline, http, punctual
from standalone import certificates
from tests.scripted import read_request, scripted

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certificates.ensure(folder)
    return folder


@pytest.fixture
def tls(authority):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority / "house.pem", authority / "house.key")
    return context


@pytest.fixture
def connections(authority):
    made = http.pool(connections=1, tls=punctual.tls(authority / "ca.pem"))
    yield made
    made.clear()


def answers(line):
    while True:
        read_request(line)
        line.file.write(ANSWER)
        line.file.flush()


def post(manager, url, body=b"x", **headers):
    return http.exchange(manager, "POST", url, headers=headers, body=body, largest=1000, connect_s=2.0)


def test_requests_go_over_one_connection(connections, tls):
    with scripted(answers, tls=tls) as server, deadline.within(5):
        assert [post(connections, f"https://localhost:{server.port}/").body for _ in range(3)] == [b"ok"] * 3
        assert server.connections == 1


def test_an_address_that_was_looked_up_before_is_checked_by_its_name(connections, tls):
    with scripted(answers, tls=tls) as server, deadline.within(5):
        named = {"server_hostname": "localhost"}
        pool = connections.connection_from_host("127.0.0.1", server.port, "https", pool_kwargs=named)
        assert post(pool, "/", host="localhost").status == 200
        wrong = connections.connection_from_host(
            "127.0.0.1", server.port, "https", pool_kwargs={"server_hostname": "other.example"}
        )
        with pytest.raises(urllib3.exceptions.SSLError):
            post(wrong, "/", host="other.example")
        assert server.asked.count(b"POST / HTTP/1.1") == 1


def test_an_authority_that_is_not_ours_is_not_believed(tls):
    strangers = http.pool(connections=1, tls=punctual.tls())
    with scripted(answers, tls=tls) as server, deadline.within(5), pytest.raises(urllib3.exceptions.SSLError):
        post(strangers, f"https://localhost:{server.port}/")
    assert server.asked == []


@pytest.mark.parametrize(
    "answer",
    [
        lambda line: (read_request(line), line.trickle("HTTP/1.1 200 " + "slow" * 500)),
        lambda line: (read_request(line), line.rest()),
        lambda line: line.rest(),
    ],
)
@pytest.mark.timeout(10)
def test_an_answer_that_only_trickles_ends_with_the_deadline(connections, tls, answer):
    with (
        scripted(answer, tls=tls) as server,
        deadline.within(0.5),
        pytest.raises((urllib3.exceptions.HTTPError, OSError)),
    ):
        post(connections, f"https://localhost:{server.port}/", body=b"x" * 10_000_000)


@pytest.mark.timeout(10)
def test_a_handshake_that_does_not_end_ends_with_the_deadline(connections):
    with (
        scripted(lambda line: line.rest()) as server,
        deadline.within(0.5),
        pytest.raises((urllib3.exceptions.HTTPError, OSError)),
    ):
        post(connections, f"https://localhost:{server.port}/")


def test_a_body_in_parts_goes_out_under_its_length(connections, tls):
    with scripted(answers, tls=tls) as server, deadline.within(5):
        url = f"https://localhost:{server.port}/"
        assert post(connections, url, body=iter([b"a", b"bc"]), **{"content-length": "3"}).status == 200
        assert b"content-length: 3" in server.asked
        assert not any(each.lower().startswith(b"transfer-encoding") for each in server.asked)
