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
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
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
    """One browser.

    data: JSON values only; what changes it goes through the methods, so that it is saved. changed: the names of values
    that are to be. is_new: no other request can know of it yet.
    """

    cookie: str
    data: dict[str, Any] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    is_new: bool = False

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
            self.data[name] = value
            self.changed.add(name)

    def pop(self, name: str, default: Any = None) -> Any:
        """Take one value out."""
        if name not in self.data:
            return default
        self.changed.add(name)
        return self.data.pop(name)

    def keep_only(self, names: Collection[str]) -> None:
        """Take all other values out."""
        for name in self.data.keys() - set(names):
            self.pop(name)

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
        made = Session(secrets.token_urlsafe(32), is_new=True)
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

    def save(self, session: Session) -> bool:
        """Keep it for another while. What was changed goes beside what other requests of the browser have changed
        meanwhile; a session that one of them has ended stays ended, and is said not to be there.

        Raises:  StoreAway.
        """
        key = _key(session.cookie)
        with redis.translated():
            if not session.changed:
                return bool(self._bus.expire(key, IDLE_S))
            merge: Callable[[Any], Any] = partial(_merge, key=key, session=session)
            is_there = bool(self._bus.transaction(merge, key, value_from_callable=True))
        session.changed, session.is_new = set(), False
        return is_there

    def renew(self, session: Session) -> None:
        """Give it another cookie: whoever knew the one from before a sign-in knows nothing after it.

        Raises:  StoreAway.
        """
        self.end(session)
        session.data.pop("csrf", None)
        session.cookie, session.changed, session.is_new = secrets.token_urlsafe(32), set(session.data), True

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


def _merge(kept: Any, *, key: str, session: Session) -> bool:
    """The changes of one request into what is kept; once more from the start when another comes between.

    False: nothing is kept any more.
    """
    sealer = _sealer(session.cookie)
    held = {} if session.is_new else _opened(sealer, kept.get(key))
    if held is None:
        return False
    held.update({name: session.data[name] for name in session.changed if name in session.data})
    gone = session.changed - session.data.keys()
    sealed = sealer.encrypt(orjson.dumps({name: value for name, value in held.items() if name not in gone}))
    kept.multi()
    kept.set(key, sealed, ex=IDLE_S)
    return True


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
