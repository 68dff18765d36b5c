"""One request to a provider: whether it went out, and whether an answer came."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import orjson
import urllib3

from services.chassis import deadline, http
from services.chassis.http import Received
from services.notifications.model.channels import ChannelAway, OutcomeUnknown

CONNECT_S: Final = 5.0
WHOLE_S: Final = 15.0
LARGEST_ANSWER: Final = 64 * 1024


class _Body:
    """A body that knows whether it was asked for: before that, nobody can have acted on it."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw
        self.went_out = False

    def __iter__(self) -> Iterator[bytes]:
        self.went_out = True
        yield self._raw


def post(
    connections: urllib3.PoolManager | urllib3.HTTPConnectionPool,
    url: str,
    raw: bytes,
    *,
    headers: Mapping[str, str],
    channel: str,
    whole_s: float = WHOLE_S,
) -> Received:
    """The answer, whatever its status; redirects are answers like any other.

    channel: the first word of codes. whole_s: the longest that all of it may take.
    Raises:  ChannelAway: nothing went out. OutcomeUnknown: something did, and no answer came.
    """
    body = _Body(raw)
    sent = {"user-agent": "infirmary", "accept-encoding": "identity", **headers, "content-length": str(len(raw))}
    try:
        with deadline.within(whole_s):
            return http.exchange(
                connections, "POST", url, headers=sent, body=body, largest=LARGEST_ANSWER, connect_s=CONNECT_S
            )
    except (urllib3.exceptions.HTTPError, OSError, http.TooLarge):
        if body.went_out:
            raise OutcomeUnknown(f"{channel}_no_answer") from None
        raise ChannelAway(f"{channel}_away") from None


def said(answer: Received) -> dict[str, Any]:
    """The JSON object of an answer; empty where there is none."""
    try:
        found = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    return found if isinstance(found, dict) else {}
