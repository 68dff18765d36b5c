"""Web sessions: what the server knows of a browser, sealed under a key that only the browser holds.

    string  web.session.<hash of the cookie>    the session, encrypted with a key from the cookie, for half an hour
    string  web.holder.<same hash>              whose session it is, under the same key, for a day
    string  web.refreshing.<same hash>          held while one process asks for a new access token
    string  web.draft.<hash of person and form> what somebody had typed, encrypted with the key of the house

Who reads Redis finds neither tokens nor what was typed. The cookie is random and says nothing; the browser never sees
a token.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from cryptography.fernet import Fernet, InvalidToken

from services.chassis import redis

IDLE_S: Final = 30 * 60
"""A browser that asks for nothing this long is signed out; the page warns before."""
HOLDER_S: Final = 24 * 3600
"""How long a browser may come with a form of a session that has ended: it is kept for whoever filled it in."""
DRAFT_S: Final = 7 * 86_400
_REFRESH_LEASE_MS: Final = 5_000
_LARGEST_DRAFT: Final = 64 * 1024


@dataclass
class Session:
    """One browser. data: JSON values only; what changes it goes through the methods, so that it is saved."""

    cookie: str
    data: dict[str, Any] = field(default_factory=dict)
    is_changed: bool = False

    @property
    def is_signed_in(self) -> bool:
        """Whether there are tokens; whether they still count is the API's to say."""
        return "access" in self.data

    @property
    def csrf(self) -> str:
        """What every change must bring along; made with the session."""
        if "csrf" not in self.data:
            self.set("csrf", secrets.token_urlsafe(24))
        return str(self.data["csrf"])

    @property
    def holder(self) -> dict[str, str]:
        """Who is signed in, and the token of their forms."""
        return {"person": str((self.get("person") or {}).get("id", "")), "csrf": self.csrf}

    def get(self, name: str, default: Any = None) -> Any:
        """One value."""
        return self.data.get(name, default)

    def set(self, name: str, value: Any) -> None:
        """Keep one value."""
        if self.data.get(name) != value:
            self.data[name], self.is_changed = value, True

    def pop(self, name: str, default: Any = None) -> Any:
        """Take one value out."""
        if name not in self.data:
            return default
        self.is_changed = True
        return self.data.pop(name)

    def say(self, kind: str, text: str) -> None:
        """Something to show on the next page, once: `success`, `info`, `warning` or `danger`."""
        self.set("said", [*(each for each in self.get("said", []) if each != [kind, text]), [kind, text]])


class Sessions:
    """All of them. bus: Redis. secret: of the house, for drafts."""

    def __init__(self, bus: redis.Client, *, secret: str, clock: Callable[[], float] = time.time) -> None:
        self._bus, self._clock = bus, clock
        self._drafts = _sealer(secret)

    def load(self, cookie: str | None) -> Session:
        """The session of a cookie, or a new one.

        Raises:  StoreAway.
        """
        if cookie:
            with redis.translated():
                raw: Any = self._bus.get(_key(cookie))
            data = _opened(_sealer(cookie), raw)
            if data is not None:
                return Session(cookie, data)
        made = Session(secrets.token_urlsafe(32))
        former = self._holder(cookie) if cookie else None
        if former:
            made.set("former", former)
        return made

    def hold(self, session: Session) -> None:
        """Know for a day whose session this is, and the token of its forms, even when it has ended.

        Raises:  StoreAway.
        """
        sealed = _sealer(session.cookie).encrypt(orjson.dumps(session.holder))
        with redis.translated():
            self._bus.set(_holder_key(session.cookie), sealed, ex=HOLDER_S)

    def _holder(self, cookie: str) -> dict[str, Any] | None:
        with redis.translated():
            raw: Any = self._bus.get(_holder_key(cookie))
        return _opened(_sealer(cookie), raw)

    def again(self, session: Session) -> None:
        """Read anew what another request of the same browser may have changed."""
        session.data, session.is_changed = self.load(session.cookie).data, False

    def save(self, session: Session) -> None:
        """Keep it for another while; what was not changed only lives longer.

        Raises:  StoreAway.
        """
        with redis.translated():
            if session.is_changed:
                sealed = _sealer(session.cookie).encrypt(orjson.dumps(session.data))
                self._bus.set(_key(session.cookie), sealed, ex=IDLE_S)
                session.is_changed = False
            else:
                self._bus.expire(_key(session.cookie), IDLE_S)

    def renew(self, session: Session) -> None:
        """Give it another cookie: whoever knew the one from before a sign-in knows nothing after it.

        Raises:  StoreAway.
        """
        self.end(session)
        session.cookie, session.is_changed = secrets.token_urlsafe(32), True
        session.data.pop("csrf", None)

    def end(self, session: Session) -> None:
        """Forget it.

        Raises:  StoreAway.
        """
        with redis.translated():
            self._bus.delete(_key(session.cookie))

    @contextmanager
    def refreshing(self, session: Session) -> Iterator[bool]:
        """One process at a time asks for new tokens: a refresh token that comes twice ends the whole family."""
        key, holder = f"web.refreshing.{_hashed(session.cookie)}", secrets.token_hex(8)
        with redis.translated():
            taken = bool(self._bus.set(key, holder, nx=True, px=_REFRESH_LEASE_MS))
        try:
            yield taken
        finally:
            if taken:
                with redis.translated():
                    self._bus.delete(key)

    def draft(self, person: str, form: str) -> dict[str, Any] | None:
        """What somebody had typed into a form and not sent, when, and from which version of the thing."""
        with redis.translated():
            raw: Any = self._bus.get(_draft_key(person, form))
        return _opened(self._drafts, raw)

    def keep_draft(self, person: str, form: str, values: dict[str, list[str]], *, version: int | None = None) -> bool:
        """Keep what was typed so far; False when it is too much to keep."""
        plain = orjson.dumps({"values": values, "at": self._clock(), "version": version})
        if len(plain) > _LARGEST_DRAFT:
            return False
        with redis.translated():
            self._bus.set(_draft_key(person, form), self._drafts.encrypt(plain), ex=DRAFT_S)
        return True

    def drop_draft(self, person: str, form: str) -> None:
        """It was sent, or is not wanted."""
        with redis.translated():
            self._bus.delete(_draft_key(person, form))


def _hashed(text: str) -> str:
    return hashlib.sha256(f"name {text}".encode()).hexdigest()


def _key(cookie: str) -> str:
    return f"web.session.{_hashed(cookie)}"


def _holder_key(cookie: str) -> str:
    return f"web.holder.{_hashed(cookie)}"


def _draft_key(person: str, form: str) -> str:
    return f"web.draft.{_hashed(f'{person} {form}')}"


def _sealer(secret: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(f"seal {secret}".encode()).digest()))


def _opened(sealer: Fernet, raw: Any) -> dict[str, Any] | None:
    if not raw:
        return None
    try:
        data = orjson.loads(sealer.decrypt(raw if isinstance(raw, bytes) else str(raw).encode()))
    except (InvalidToken, ValueError):
        return None
    return data if isinstance(data, dict) else None
