"""Too often, too much, too big, too slow: each has its answer, and nobody pays for somebody else."""

from __future__ import annotations

import socket
import time

import pytest

from tests.system import edge

MIB = 1_048_576


@pytest.fixture(scope="module")
def gateway(tmp_path_factory):
    with edge.running(tmp_path_factory.mktemp("gateway")) as running:
        yield running


@pytest.fixture
def strict(tmp_path):
    narrow = {"user_burst": 5, "user_per_s": 1, "public_write_burst": 3, "public_write_per_s": 1}
    with edge.running(tmp_path, source_burst=60, source_per_s=1, **narrow) as running:
        yield running


def statuses(gateway, times, method="GET", path=edge.PATIENT, **said):
    return [gateway.send(method, path, **said).status for _ in range(times)]


def is_too_many(answer):
    assert (answer.status, answer.json["code"]) == (429, "too_many_requests")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.headers["content-type"] == "application/problem+json"
    return True


def test_a_burst_is_429_and_others_are_not_concerned(strict):
    first, second = edge.token("first"), edge.token("second")
    seen = statuses(strict, 9, token=first)
    assert seen.count(200) in {5, 6}  # a token may come back while they run
    assert seen[-1] == 429
    assert is_too_many(strict.send("GET", edge.PATIENT, token=first))
    assert statuses(strict, 4, token=second) == [200] * 4


def test_it_is_the_account_that_counts_and_not_the_token_or_the_header(strict):
    """New sessions, forged ids and forged addresses of one account share its bucket."""
    for number in range(9):
        said = {"x-user-id": f"forged-{number}", "x-forwarded-for": f"10.0.0.{number}"}
        last = strict.send("GET", edge.PATIENT, token=edge.token("first"), headers=said)
    assert is_too_many(last)


def test_who_waits_as_told_is_served(strict):
    mine = edge.token()
    statuses(strict, 8, token=mine)
    answer = strict.send("GET", edge.PATIENT, token=mine)
    assert is_too_many(answer)
    time.sleep(int(answer.headers["retry-after"]) + 0.2)
    assert strict.send("GET", edge.PATIENT, token=mine).status == 200


def test_public_writes_have_a_narrower_limit_by_address_that_a_header_does_not_move(strict):
    seen = [
        strict.send("POST", "/api/v1/sessions", body=b"{}", headers={"x-forwarded-for": f"10.0.0.{n}"})
        for n in range(7)
    ]
    assert [answer.status for answer in seen][:3] == [200] * 3
    assert is_too_many(seen[-1])
    assert strict.send("GET", "/api/v1/.well-known/jwks.json").status == 200
    assert strict.send("GET", edge.PATIENT, token=edge.token()).status == 200


def test_forged_tokens_and_wrong_paths_use_up_the_limit_of_their_address(strict):
    seen = [strict.send("GET", "/nowhere" if n % 2 else edge.PATIENT, token="forged") for n in range(70)]
    assert {answer.status for answer in seen[:50]} == {401, 404}
    assert is_too_many(seen[-1])


def test_behind_a_proxy_of_ours_it_is_the_address_that_the_proxy_saw(tmp_path):
    with edge.running(tmp_path, trusted_hops=1, public_write_burst=2, public_write_per_s=1) as gateway:

        def sign_in(seen_by_proxy):
            said = {"x-forwarded-for": f"9.9.9.9, {seen_by_proxy}", "x-forwarded-proto": "https"}
            return gateway.send("POST", "/api/v1/sessions", body=b"{}", headers=said).status

        assert [sign_in("10.0.0.1") for _ in range(5)][-1] == 429
        assert sign_in("10.0.0.2") == 200
        got = gateway.only("identity").asked()[-1].headers
        assert (got.get_all("x-forwarded-for"), got["x-forwarded-proto"]) == (["10.0.0.2"], "https")
        assert [sign_in(f"2001:db8:1:1::{number}") for number in range(5)][-1] == 429
        assert sign_in("2001:db8:1:2::1") == 200


def keeps_apart(tmp_path, *, users):
    """One account uses up its bucket, `users` others come by, and its bucket is still the one that it used up."""
    burst = 1_000
    with edge.running(tmp_path, user_burst=burst, user_per_s=1, source_burst=10**6, source_per_s=10**6) as gateway:
        mine = edge.token("first")
        others = [edge.token(f"user-{number}") for number in range(users)]
        with socket.create_connection(("127.0.0.1", gateway.port), timeout=30) as connection:
            answers = connection.makefile("rb")

            def ask(token):
                head = f"GET /api/v1/users HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n\r\n"
                connection.sendall(head.encode())
                status = int(answers.readline().split()[1])
                length = 0
                while (header := answers.readline()) != b"\r\n":
                    if header.lower().startswith(b"content-length:"):
                        length = int(header.split(b":")[1])
                answers.read(length)
                return status

            assert all(ask(mine) == 200 for _ in range(burst - 100))
            began = time.monotonic()
            assert all(ask(other) == 200 for other in others)
            passed = time.monotonic() - began
            left = sum(ask(mine) == 200 for _ in range(burst))
            answers.close()
        assert left <= 100 + passed + 30, "its bucket was forgotten"


def test_the_limit_has_room_for_ten_thousand_users(tmp_path, rounds):
    keeps_apart(tmp_path, users=rounds(full=9_999, short=500))


@pytest.mark.parametrize("size", [MIB + 1, 10 * MIB])
def test_a_body_over_one_mebibyte_is_413_and_does_not_arrive(gateway, size):
    before = len(gateway.only("patients").requests)
    answer = gateway.send("POST", "/api/v1/patients", token=edge.token(), body=b"x" * size)
    assert (answer.status, answer.json["code"]) == (413, "too_large")
    assert len(gateway.only("patients").requests) == before


def test_a_body_over_one_mebibyte_in_chunks_is_413_too(gateway):
    head = f"POST /api/v1/patients HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {edge.token()}\r\n"
    chunks = (b"20000\r\n" + b"x" * 0x20000 + b"\r\n") * 9
    answer = gateway.raw(f"{head}transfer-encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n")
    assert (answer.status, answer.json["code"]) == (413, "too_large")


def test_a_body_of_one_mebibyte_arrives(gateway):
    assert gateway.send("POST", "/api/v1/patients", token=edge.token(), body=b"x" * MIB).status == 200
    assert len(gateway.only("patients").requests[-1].body) == MIB


@pytest.mark.parametrize("headers", [{"x-big": "x" * 20_000}, {f"x-{number}": "1" for number in range(200)}])
def test_headers_over_their_limit_are_431(gateway, headers):
    answer = gateway.send("GET", edge.PATIENT, token=edge.token(), headers=headers)
    assert (answer.status, answer.json["code"]) == (431, "headers_too_large")


def test_a_long_path_is_refused(gateway):
    answer = gateway.send("GET", f"/api/v1/patients/{'x' * 20_000}", token=edge.token())
    assert answer.status in {400, 414, 431}
    assert answer.headers["content-type"] == "application/problem+json"


def test_who_sends_headers_slowly_loses_the_place(gateway):
    with socket.create_connection(("127.0.0.1", gateway.port), timeout=15) as connection:
        connection.sendall(b"GET /api/v1/users HTTP/1.1\r\nhost: a\r\n")
        answer = connection.recv(65536)  # the socket itself waits fifteen seconds
        assert answer.startswith(b"HTTP/1.1 408") or answer == b""
