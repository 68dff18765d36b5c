"""What keeps others out of a page: where its parts may come from, who may send a form, and what a cookie is told.

Content comes from this house alone, scripts and styles with a nonce of this answer (OWASP ASVS 5.0, V3.4). A change
needs the token of the session and an Origin that is ours, both (OWASP cheat sheet on cross-site request forgery).
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from frontend.session import HOLDER_S, Session

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
TOKEN: Final = "_csrf"  # noqa: S105 - the name of a field
HEADER: Final = "X-CSRF-Token"


class Forged(Exception):
    """A change that does not come from a page of ours, or from an old one."""


class Outdated(Forged):
    """A change from a page of ours that another session than this one has shown."""


def nonce() -> str:
    """Made anew for every answer."""
    return secrets.token_urlsafe(18)


def headers(nonce: str, *, is_secure: bool) -> dict[str, str]:
    """What every page tells the browser."""
    policy = (
        "default-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; connect-src 'self'; "
        f"img-src 'self' data: blob:; font-src 'self'; manifest-src 'self'; script-src 'self' 'nonce-{nonce}'; "
        f"style-src 'self' 'nonce-{nonce}'; report-uri /csp-reports"
    )
    more = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"} if is_secure else {}
    return {
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cache-Control": "no-store",
        **more,
    }


def masked(token: str) -> str:
    """The token of the session as a page holds it: under another mask each time, so that it looks different on each.

    Pages go out compressed. What stands on every one of them alike could be guessed letter by letter from how long a
    page gets when something of the sender's stands on it too (BREACH, CVE-2013-3587).
    """
    plain = token.encode()
    mask = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(mask + _under(mask, plain)).decode()


def cookie_name(*, is_secure: bool) -> str:
    """Under HTTPS the name binds it to this host, this path and HTTPS."""
    return "__Host-session" if is_secure else "session"


def cookie_options(*, is_secure: bool) -> dict[str, object]:
    """What the browser may do with the cookie: send it back here, no more. How long it counts is known here alone."""
    return {"httponly": True, "secure": is_secure, "samesite": "Lax", "path": "/", "max_age": HOLDER_S}


def check(method: str, *, own: str, given: Mapping[str, str], form: Mapping[str, str], session: Session) -> None:
    """Let a change pass only from a page of this session.

    own: host and port that the browser speaks to. given: the headers of the request.
    Raises:  Forged. Outdated: the browser says that it comes from here, and the token is of another session.
    """
    if method in SAFE:
        return
    origin = given.get("Origin")
    if origin is not None and urlsplit(origin).netloc != own:
        raise Forged
    if origin is None and given.get("Sec-Fetch-Site", "same-origin") not in {"same-origin", "none"}:
        raise Forged
    if not fits(form.get(TOKEN) or given.get(HEADER, ""), session.csrf):
        raise Forged if origin is None else Outdated


def fits(sent: str, csrf: str) -> bool:
    """Whether a token, as a page holds it, is this one."""
    return hmac.compare_digest(_unmasked(sent), csrf.encode())


def _unmasked(sent: str) -> bytes:
    try:
        both = base64.urlsafe_b64decode(sent.encode())
    except ValueError:
        return b""
    middle = len(both) // 2
    return _under(both[:middle], both[middle:])


def _under(mask: bytes, text: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(mask, text, strict=False))


def is_ours(back: str) -> bool:
    """Whether an address is one of this house: a path, and nothing that a browser reads as another place."""
    parts = urlsplit(back)
    return back.startswith("/") and not back.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
