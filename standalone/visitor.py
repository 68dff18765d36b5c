"""Somebody at the gateway: signs in and asks for operations, as any client of the API does."""

from __future__ import annotations

import http.client
import json
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_S = 30.0
# What passes by itself: too many requests, a process that is being started again. A role that was given a moment ago
# works everywhere within two seconds, until then the answer is 403.
_PASSES = frozenset({429, 502, 503, 504})
_ROLE_PASSES_S = 5.0


class Refused(Exception):
    """The house does not do what was asked; the text names the operation, the status and the code."""

    def __init__(self, method: str, path: str, *, status: int, code: str) -> None:
        super().__init__(f"{method} {path} answered {status} {code}")
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `request_id` is what every log line and event of the request carries."""

    status: int
    body: Any
    request_id: str = ""


class Visitor:
    """One client with one connection and, once signed in, one session."""

    def __init__(self, *, host: str, port: int, authority: Path | None = None) -> None:
        """`authority`: the certificate to trust when the house speaks HTTPS."""
        self._host, self._port = host, port
        self._tls = None if authority is None else ssl.create_default_context(cafile=str(authority))
        self._connection: http.client.HTTPConnection | None = None
        self._token = ""

    def sign_in(self, username: str, password: str) -> Mapping[str, Any]:
        """Open a session; what the answer says.

        Raises:  Refused: 401 when name and password do not fit.
        """
        self._token = ""
        said: Mapping[str, Any] = self.post("/api/v1/sessions", {"username": username, "password": password})
        self._token = said["access_token"]
        return said

    def get(self, path: str) -> Any:
        """Read something."""
        return self.send("GET", path).body

    def post(self, path: str, body: object | None, *, key: str | None = None) -> Any:
        """Do something; with a key it is done once, however often it is asked."""
        return self.send("POST", path, body, key=key).body

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def send(
        self, method: str, path: str, body: object | None = None, *, key: str | None = None, version: int | None = None
    ) -> Reply:
        """Ask until there is an answer that stands; `version` is the one that a change is made from.

        Raises:  Refused.
        """
        began = time.monotonic()
        headers = {"Idempotency-Key": key} if key else {}
        headers |= {"If-Match": f'"{version}"'} if version is not None else {}
        while True:
            reply, wait_s = self._once(method, path, body, headers=headers)
            if reply is not None and reply.status < 400:
                return reply
            status = 0 if reply is None else reply.status
            waited = time.monotonic() - began
            passes = reply is None or status in _PASSES or (status == 403 and waited < _ROLE_PASSES_S)
            if not passes or waited > PATIENCE_S:
                code = reply.body.get("code", "") if reply is not None and isinstance(reply.body, dict) else "no answer"
                raise Refused(method, path, status=status, code=code)
            time.sleep(min(wait_s, 5.0))

    def _once(
        self, method: str, path: str, body: object | None, *, headers: Mapping[str, str]
    ) -> tuple[Reply | None, float]:
        """One request; no reply when the connection broke, and how long to wait before another."""
        headers = {"Accept": "application/json", **headers}
        headers |= {"Authorization": f"Bearer {self._token}"} if self._token else {}
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        try:
            connection = self._connected()
            connection.request(method, path, content, headers)
            answer = connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException):
            self.close()
            return None, 0.5
        reply = Reply(answer.status, _parsed(said), answer.headers.get("X-Request-ID", ""))
        return reply, float(answer.headers.get("Retry-After") or 0.2)

    def _connected(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = (
                http.client.HTTPConnection(self._host, self._port, timeout=15)
                if self._tls is None
                else http.client.HTTPSConnection(self._host, self._port, timeout=15, context=self._tls)
            )
        return self._connection


def _parsed(said: bytes) -> Any:
    try:
        return json.loads(said) if said else None
    except ValueError:
        return None
