"""HTTPS at the gateway: when a certificate is given, and only then."""

from __future__ import annotations

import datetime as dt
import http.client
import ipaddress
import socket
import ssl

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.system import edge


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "house.test")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    (folder / "house.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    (folder / "house.key").write_bytes(pem)
    return folder / "house.pem", folder / "house.key"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory, pair):
    certificate, key = pair
    with edge.running(
        tmp_path_factory.mktemp("gateway"), tls_certificate=str(certificate), tls_key=str(key)
    ) as running:
        yield running


def client(pair, **limits):
    context = ssl.create_default_context(cafile=str(pair[0]))
    for name, value in limits.items():
        setattr(context, name, value)
    return context


def test_https_serves_and_tells_browsers_to_stay_with_it(gateway, pair):
    connection = http.client.HTTPSConnection("127.0.0.1", gateway.port, timeout=10, context=client(pair))
    try:
        connection.request("GET", edge.PATIENT, headers={"authorization": f"Bearer {edge.token()}"})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"service": "patients"}')
        assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
    finally:
        connection.close()
    assert gateway.only("patients").requests[-1].headers["x-forwarded-proto"] == "https"


def test_plain_http_is_not_answered_there(gateway):
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        gateway.send("GET", "/gateway/healthz")


@pytest.mark.parametrize(("offered", "chosen"), [(["h2", "http/1.1"], "h2"), (["http/1.1"], "http/1.1")])
def test_http2_is_offered(gateway, pair, offered, chosen):
    context = client(pair)
    context.set_alpn_protocols(offered)
    plain = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    with plain, context.wrap_socket(plain, server_hostname="127.0.0.1") as secure:
        assert secure.selected_alpn_protocol() == chosen


def test_old_tls_is_refused(gateway, pair):
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        context = client(pair, minimum_version=ssl.TLSVersion.TLSv1, maximum_version=ssl.TLSVersion.TLSv1_1)
    context.set_ciphers("ALL:@SECLEVEL=0")
    plain = socket.create_connection(("127.0.0.1", gateway.port), timeout=10)
    with plain, pytest.raises((ssl.SSLError, ConnectionError)):
        context.wrap_socket(plain, server_hostname="127.0.0.1")
