"""A small OpenID provider on a port of its own: it lets in whoever it is told to, and can be told to lie.

It does what a provider does (discovery, authorization code with PKCE and one use, keys, id tokens by RS256), and asks
nobody for a password.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import HTTPErrorProcessor, build_opener

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "infirmary", "a secret between house and provider"
REDIRECT_URL = "https://house.example.org/signed-in"


class Provider:
    """One provider.

    person: claims of whoever signs in next. claims, header, key: change what the next id token says, or who signs it.
    document: changes what discovery says.
    """

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "p-1", "alg": "RS256", "use": "sig"})
        self.signing_key = self.key
        self.person: dict[str, Any] = {
            "sub": "person-1",
            "preferred_username": "ada",
            "name": "Ada Example",
            "groups": ["ward-3"],
        }
        self.claims: Callable[[dict[str, Any]], dict[str, Any]] = lambda said: said
        self.header: dict[str, Any] = {}
        self.document: dict[str, Any] = {}
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def client(self) -> dict[str, str]:
        """What a house on one machine is told of this provider; it knows itself where people come back to."""
        return {"OIDC_ISSUER": self.url, "OIDC_CLIENT_ID": CLIENT_ID, "OIDC_CLIENT_SECRET": CLIENT_SECRET}

    def settings(self) -> dict[str, str]:
        """What the service is told of this provider."""
        return {**self.client(), "OIDC_REDIRECT_URL": REDIRECT_URL}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def get(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, str], Any]:
        """Discovery, keys, and the page where people sign in."""
        if path == "/.well-known/openid-configuration":
            found = {"issuer": self.url, "jwks_uri": f"{self.url}/keys"}
            ends = {f"{each}_endpoint": f"{self.url}/{each}" for each in ("authorization", "token")}
            return 200, {}, {**found, **ends, **self.document}
        if path == "/keys":
            return 200, {}, {"keys": [self.key.as_dict(private=False)]}
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        place = f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
        return 302, {"location": place}, None

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, str], Any]:
        """Exchange a code for an id token, once."""
        asked = self._codes.pop(form.get("code", ""), None)
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        proof = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        is_right = (
            asked is not None
            and authorization == f"Basic {pair}"
            and asked["code_challenge_method"] == "S256"
            and asked["code_challenge"] == proof.rstrip(b"=").decode()
            and asked["redirect_uri"] == form.get("redirect_uri")
        )
        if asked is None or not is_right:
            return 400, {}, {"error": "invalid_grant"}
        now = int(time.time())
        said = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"], **self.person}
        header = {"alg": "RS256", "kid": "p-1", **self.header}
        return 200, {}, {"id_token": jwt.encode(header, self.claims(said), self.signing_key), "token_type": "Bearer"}


def visit(address: str) -> dict[str, str]:
    """What a browser brings back to the redirect address of the house: code and state."""
    with build_opener(_Stay).open(address) as answer:
        place = answer.headers["location"]
    assert place.startswith(REDIRECT_URL)
    return {name: values[0] for name, values in parse_qs(urlsplit(place).query).items()}


class _Stay(HTTPErrorProcessor):
    """Redirects are looked at, not followed."""

    def http_response(self, request: Any, response: Any) -> Any:  # noqa: ARG002 - the signature of the library
        return response

    https_response = http_response


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            provider.asked.append(parts.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            self._send(*provider.get(parts.path, query))

        def do_POST(self) -> None:
            provider.asked.append(self.path)
            raw = self.rfile.read(int(self.headers["content-length"])).decode()
            form = {name: values[0] for name, values in parse_qs(raw).items()}
            self._send(*provider.token(form, self.headers.get("authorization", "")))

        def _send(self, status: int, headers: dict[str, str], body: Any) -> None:
            raw = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(raw))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *_: object) -> None:
            """Silent."""

    return Handler
