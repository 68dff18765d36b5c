"""The model of the web UI: the API of the services, called by operationId as whoever is signed in."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from frontend.session import Session, Sessions
from services.chassis.client import Client, Reply
from services.kernel.errors import Unavailable

LIST_S: Final = 8.0
"""For what takes longer than a look: figures, exports, a trail that is searched."""
RUNNING: Final = "still_running"
"""The code of what is refused because the same form is in work already."""
_REFRESH_BEFORE_S: Final = 45
_WAIT_FOR_OTHER_S: Final = 3.0
_MOST_PAGES: Final = 50


class SignInNeeded(Exception):
    """Nobody is signed in here, or not any more."""


class StepUpNeeded(Exception):
    """The second factor has to be shown once more. No refusal: the same form goes on when it was shown."""


@dataclass
class Refused(Exception):
    """The API said no. status, code, title, detail, errors, facts: as in the problem document."""

    status: int
    code: str = "refused"
    title: str = "Refused"
    detail: str = ""
    request_id: str = ""
    errors: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    facts: Mapping[str, Any] = field(default_factory=dict)
    fields: Sequence[Any] = field(default_factory=tuple)
    retry_after_s: int = 0


@dataclass(frozen=True)
class Answer:
    """What came back: JSON values, or a file's bytes with their media type."""

    status: int
    body: Any
    headers: Mapping[str, str]
    raw: bytes = b""

    @property
    def version(self) -> int | None:
        """The version that a later change starts from."""
        tag = self.headers.get("etag", "").strip('W/"')
        return int(tag) if tag.isdigit() else None


class Api:
    """The API for one session."""

    def __init__(
        self,
        client: Client,
        sessions: Sessions,
        session: Session,
        *,
        source: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """source: the address that the browser comes from, which the sign-in counts by."""
        self._client, self._sessions, self._session = client, sessions, session
        self._source, self._clock = source, clock

    def call(
        self,
        operation: str,
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
        key: str | None = None,
        version: int | None = None,
        within_s: float = 2.0,
        **path: Any,
    ) -> Answer:
        """Call one operation as whoever is signed in.

        Raises:  Refused: it answered 4xx. Unavailable. SignInNeeded: the session is over. StepUpNeeded.
        """
        token = self._token()
        reply = self._send(operation, token, body, query, key, version, within_s, path)
        if _is_token_refused(reply):
            reply = self._send(operation, self._token(refused=token), body, query, key, version, within_s, path)
            if _is_token_refused(reply):
                raise SignInNeeded
        return _answered(reply)

    def public(self, operation: str, *, body: object = None, key: str | None = None) -> Answer:
        """Call an operation that wants no token.

        Raises:  Refused. Unavailable.
        """
        return _answered(self._send(operation, None, body, None, key, None, LIST_S, {}))

    def every(self, operation: str, *, query: Mapping[str, object] | None = None, **path: Any) -> Iterator[Any]:
        """All items of a list, page by page; for lists that are short by nature."""
        cursor = None
        for _ in range(_MOST_PAGES):
            page = self.call(operation, query={**(query or {}), "limit": 100, "cursor": cursor}, **path).body
            yield from page["items"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def keep_tokens(self, given: Mapping[str, Any]) -> None:
        """Tokens of a sign-in or a refresh go into the session."""
        self._session.set("access", given["access_token"])
        self._session.set("access_until", self._clock() + float(given["expires_in"]))
        if "refresh_token" in given:
            self._session.set("refresh", given["refresh_token"])

    def _send(
        self,
        operation: str,
        token: str | None,
        body: object,
        query: Mapping[str, object] | None,
        key: str | None,
        version: int | None,
        within_s: float,
        path: Mapping[str, object],
    ) -> Reply:
        return self._client.call(
            operation,
            path=path,
            query=query,
            body=body,
            token=token,
            key=key,
            version=version,
            source=self._source,
            within_s=within_s,
        )

    def _token(self, *, refused: str | None = None) -> str:
        """An access token that counts for a while yet, and is another than the one that was refused."""
        if not self._session.is_signed_in:
            raise SignInNeeded
        if not self._counts(refused):
            with self._sessions.refreshing(self._session) as is_mine:
                self._renew(refused) if is_mine else self._wait_for_other(refused)
        return str(self._session.get("access"))

    def _counts(self, refused: str | None) -> bool:
        is_fresh = self._session.get("access_until", 0) - self._clock() > _REFRESH_BEFORE_S
        return bool(is_fresh and self._session.get("access") != refused)

    def _renew(self, refused: str | None) -> None:
        self._reread()
        if self._counts(refused):
            return
        token = {"refresh_token": self._session.get("refresh")}
        try:
            reply = self._client.call("refresh_session", body=token, source=self._source)
        except Unavailable:
            if refused is None and self._session.get("access_until", 0) > self._clock():
                return  # the old one is good for a moment yet
            raise
        if not reply.is_success:
            self._session.pop("access")
            self._sessions.save(self._session)
            raise SignInNeeded
        self.keep_tokens(reply.body)
        self._sessions.save(self._session)

    def _wait_for_other(self, refused: str | None) -> None:
        """Another request of this browser is asking for new tokens; they are in the session soon."""
        until = time.monotonic() + _WAIT_FOR_OTHER_S
        while time.monotonic() < until:
            time.sleep(0.05)
            self._reread()
            if self._counts(refused):
                return
        raise Unavailable("identity")

    def _reread(self) -> None:
        """Tokens as they are now; what this request has changed otherwise stays."""
        found = self._sessions.load(self._session.cookie)
        if not found.is_signed_in:
            raise SignInNeeded
        for name in ("access", "access_until", "refresh"):
            if name in found.data:
                self._session.data[name] = found.data[name]


def _is_token_refused(reply: Reply) -> bool:
    """Whether nobody is signed in by this token: other secrets, such as activation codes, are refused with 401 too."""
    return reply.status == 401 and (not isinstance(reply.body, dict) or reply.body.get("code") == "not_signed_in")


def _answered(reply: Reply) -> Answer:
    if reply.is_success:
        return Answer(reply.status, reply.body, reply.headers, reply.raw)
    said = reply.body if isinstance(reply.body, dict) else {}
    if said.get("code") == "step_up_required":
        raise StepUpNeeded
    after = reply.headers.get("retry-after", "")
    raise Refused(
        reply.status,
        str(said.get("code", "refused")),
        str(said.get("title", "")),
        str(said.get("detail", "")),
        str(said.get("request_id", reply.headers.get("x-request-id", ""))),
        said.get("errors", ()),
        said.get("facts", {}),
        said.get("fields", ()),
        int(after) if after.isdigit() else 0,
    )
