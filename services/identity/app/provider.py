"""The outside provider (OpenID Connect): authorization code with PKCE, and id tokens that are checked word by word.

Nothing is fetched but from the configured issuer's own origin, and no redirect is followed: what a discovery document
says can lead nowhere else.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import ipaddress
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

import orjson
import urllib3
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from services.chassis import deadline, http, logs
from services.chassis.config import SettingsError
from services.identity.app.vault import Vault
from services.identity.model.external import ExternalRefused, Said
from services.kernel.errors import Unavailable

WITHIN_S: Final = 5.0
CONNECT_S: Final = 2.0
LEEWAY_S: Final = 60
KEPT_S: Final = 3600.0
REFETCH_S: Final = 30.0
_LARGEST: Final = 256 * 1024
_SMALLEST_BITS: Final = 2048
_ALGORITHMS: Final = ("RS256", "PS256", "ES256")
_SCOPES: Final = "openid profile email"
# Words of RFC 8176 by which a provider says that it has seen more than a password.
_FACTORS: Final = frozenset({"mfa", "otp", "hwk", "swk", "sms"})
_NEEDED = ("authorization_endpoint", "token_endpoint", "jwks_uri")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How this house is known to the provider."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_url: str
    groups_claim: str


class OidcProvider:
    """One provider; thread-safe. monotonic: for the age of what was fetched."""

    def __init__(self, registration: Registration, *, vault: Vault, monotonic: Callable[[], float]) -> None:
        self._own, self._vault, self._monotonic = registration, vault, monotonic
        self._origin = _origin(registration.issuer)
        self._http = http.pool(connections=4)
        self._lock = threading.Lock()
        self._document: Mapping[str, Any] = {}
        self._keys: Mapping[str, RSAKey | ECKey] = {}
        self._document_at = self._keys_at = float("-inf")

    def close(self) -> None:
        """Give back the connections."""
        self._http.clear()

    def seal(self, verifier: str, *, state_digest: bytes) -> bytes:
        """The verifier, unreadable in the store."""
        return self._vault.seal(verifier.encode(), of=f"verifier {state_digest.hex()}")

    def unseal(self, sealed: bytes, *, state_digest: bytes) -> str:
        """The verifier in clear."""
        return self._vault.open(sealed, of=f"verifier {state_digest.hex()}").decode()

    def begin(self, *, state: str, nonce: str, verifier: str) -> str:
        """The address to send the person to.

        Raises:  Unavailable.
        """
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": self._own.client_id,
            "redirect_uri": self._own.redirect_url,
            "scope": _SCOPES,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = str(self._discovered()["authorization_endpoint"])
        return f"{address}{'&' if '?' in address else '?'}{urlencode(asked)}"

    def complete(self, *, code: str, nonce: str, verifier: str, at: datetime) -> Said:
        """Exchange the code and check what comes back.

        Raises:  ExternalRefused, Unavailable.
        """
        answer = self._exchanged(code, verifier)
        token = answer.get("id_token") if isinstance(answer, Mapping) else None
        if not isinstance(token, str):
            raise ExternalRefused
        claims = self._verified(token)
        _check(claims, own=self._own, nonce=nonce, now=at.timestamp())
        return _said(claims, self._own)

    def _exchanged(self, code: str, verifier: str) -> Any:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._own.redirect_url,
            "code_verifier": verifier,
            "client_id": self._own.client_id,
        }
        pair = f"{self._own.client_id}:{self._own.client_secret}".encode()
        headers = {
            "accept": "application/json",
            "content-type": "application/x-www-form-urlencoded",
            "authorization": f"Basic {base64.b64encode(pair).decode()}",
        }
        got = self._send("POST", str(self._discovered()["token_endpoint"]), headers, urlencode(form).encode())
        if got.status in {400, 401, 403}:
            raise ExternalRefused  # the code is none, is another's, or was used
        return _document(got)

    def _verified(self, token: str) -> Mapping[str, Any]:
        """The claims of an id token that the provider has signed."""
        try:
            head = orjson.loads(base64.urlsafe_b64decode(token.partition(".")[0] + "=="))
            algorithm, kid = head.get("alg"), head.get("kid")
            if algorithm not in _ALGORITHMS or not isinstance(kid, str) or "crit" in head:
                raise ExternalRefused
            key = self._key(kid)
            opened = jws.deserialize_compact(token, key, algorithms=[algorithm])
            claims = orjson.loads(opened.payload)
        except (JoseError, ValueError, TypeError, AttributeError) as error:
            raise ExternalRefused from error
        if not isinstance(claims, Mapping):
            raise ExternalRefused
        return claims

    def _key(self, kid: str) -> RSAKey | ECKey:
        """The provider's key of this id; an unknown one is asked for again, twice a minute at most."""
        with self._lock:
            age = self._monotonic() - self._keys_at
            if age > KEPT_S or (kid not in self._keys and age > REFETCH_S):
                self._keys = _keys(self._fetched(str(self._discovered_now()["jwks_uri"])))
                self._keys_at = self._monotonic()
            if kid not in self._keys:
                raise ExternalRefused
            return self._keys[kid]

    def _discovered(self) -> Mapping[str, Any]:
        with self._lock:
            return self._discovered_now()

    def _discovered_now(self) -> Mapping[str, Any]:
        if self._monotonic() - self._document_at > KEPT_S:
            said = self._fetched(f"{self._own.issuer.rstrip('/')}/.well-known/openid-configuration")
            self._refuse_elsewhere(said)
            self._document, self._document_at = said, self._monotonic()
        return self._document

    def _refuse_elsewhere(self, said: Any) -> None:
        """Refuse a document of another issuer, or one that leads to another place."""
        named = isinstance(said, Mapping) and all(isinstance(said.get(name), str) for name in _NEEDED)
        if not named or said.get("issuer") != self._own.issuer:
            logs.logger().error("provider.document_refused", reason="issuer")
            raise Unavailable("provider")
        if any(_origin(said[name]) != self._origin for name in _NEEDED):
            logs.logger().error("provider.document_refused", reason="origin")
            raise Unavailable("provider")

    def _fetched(self, url: str) -> Any:
        return _document(self._send("GET", url, {"accept": "application/json"}, None))

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None) -> http.Received:
        if _origin(url) != self._origin:
            raise Unavailable("provider")
        try:
            with deadline.within(WITHIN_S):
                return http.exchange(
                    self._http, method, url, headers=headers, body=body, largest=_LARGEST, connect_s=CONNECT_S
                )
        except (urllib3.exceptions.HTTPError, OSError, http.TooLarge) as error:
            logs.logger().warning("provider.away", reason=type(error).__name__)
            raise Unavailable("provider", retry_after_s=5) from None


def registration(
    *, issuer: str, client_id: str | None, client_secret: str | None, redirect_url: str | None, groups_claim: str
) -> Registration:
    """How this house is known to the provider, from its settings.

    Raises:  SettingsError: one is missing; or an address is not https, and not of this machine either.
    """
    given = {"OIDC_CLIENT_ID": client_id, "OIDC_CLIENT_SECRET": client_secret, "OIDC_REDIRECT_URL": redirect_url}
    missing = sorted(name for name, value in given.items() if not value)
    if missing:
        raise SettingsError("; ".join(f"{name} is missing (OIDC_ISSUER is set)" for name in missing))
    parts = urlsplit(issuer)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and _is_local(parts.hostname or ""))
    if not is_safe or parts.query or parts.fragment or parts.username or not parts.hostname:
        raise SettingsError("OIDC_ISSUER is not valid (an https address without query)")
    return Registration(
        issuer=issuer,
        client_id=client_id or "",
        client_secret=client_secret or "",
        redirect_url=redirect_url or "",
        groups_claim=groups_claim,
    )


def _check(claims: Mapping[str, Any], *, own: Registration, nonce: str, now: float) -> None:
    """Check who made a token, for whom, for which sign-in, and that its time is now (OpenID Connect Core, 3.1.3.7)."""
    audience = claims.get("aud")
    meant = audience if isinstance(audience, list) else [audience]
    is_ours = claims.get("iss") == own.issuer and own.client_id in meant
    is_alone = len(meant) == 1 or claims.get("azp") == own.client_id
    is_named = isinstance(claims.get("sub"), str) and 0 < len(claims["sub"]) <= 255
    times = (claims.get("iat"), claims.get("exp"))
    if not (is_ours and is_alone and is_named and claims.get("azp", own.client_id) == own.client_id):
        raise ExternalRefused
    if not all(type(each) is int for each in times) or not times[0] - LEEWAY_S <= now < times[1] + LEEWAY_S:
        raise ExternalRefused
    if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), nonce.encode()):
        raise ExternalRefused


def _said(claims: Mapping[str, Any], own: Registration) -> Said:
    methods, groups = claims.get("amr"), claims.get(own.groups_claim)
    email = claims.get("email")
    name = _text(claims.get("preferred_username")) or claims["sub"]
    return Said(
        issuer=own.issuer,
        subject=claims["sub"],
        username=name,
        display_name=_text(claims.get("name")) or name,
        email=email if isinstance(email, str) and claims.get("email_verified") is True and len(email) <= 254 else None,
        groups=tuple(each for each in groups if isinstance(each, str)) if isinstance(groups, Sequence) else (),
        has_second_factor=isinstance(methods, list) and bool(_FACTORS & {str(each) for each in methods}),
    )


def _text(value: Any) -> str:
    """A name of a person in one line, without what hides in it."""
    return (
        " ".join("".join(sign for sign in value if sign.isprintable()).split())[:120] if isinstance(value, str) else ""
    )


def _keys(said: Any) -> dict[str, RSAKey | ECKey]:
    found: dict[str, RSAKey | ECKey] = {}
    listed = said.get("keys") if isinstance(said, Mapping) else None
    for each in listed if isinstance(listed, list) else []:
        if not isinstance(each, Mapping) or not isinstance(each.get("kid"), str) or each.get("use", "sig") != "sig":
            continue
        try:
            if each.get("kty") == "RSA":
                key = RSAKey.import_key({name: each[name] for name in ("kty", "n", "e")})
                if key.public_key.key_size >= _SMALLEST_BITS:
                    found[each["kid"]] = key
            elif each.get("kty") == "EC":
                found[each["kid"]] = ECKey.import_key({name: each[name] for name in ("kty", "crv", "x", "y")})
        except (JoseError, ValueError, TypeError, KeyError):
            continue
    return found


def _document(got: http.Received) -> Any:
    try:
        found = orjson.loads(got.body) if got.status == 200 else None
    except orjson.JSONDecodeError:
        found = None
    if found is None:
        logs.logger().warning("provider.no_document", status=got.status)
        raise Unavailable("provider", retry_after_s=5)
    return found


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme, 0)
    except ValueError:
        return "", "", 0
    return parts.scheme, parts.hostname or "", port


def _is_local(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
