"""Faults that a test asks the inbox for: every n-th message of a kind is refused, or taken without an answer."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from standalone.inbox.store import KINDS

_CODES = {"email": 450, "sms": 503, "push": 503}
_MOST_DELAY_MS = 60_000
_MOST_EVERY = 1_000_000


class NotAFault(Exception):
    """What was asked for is not a set of faults; the text says what would be."""

    def __init__(self) -> None:
        super().__init__(
            'Wanted: {"email": {"refuse_every": 50, "code": 450, "lose_every": 0}, "sms": {…}, "push": {…}, '
            '"delay_ms": 0}'
        )


@dataclass(frozen=True, slots=True)
class Fault:
    """What is to happen to one message: wait; be refused with a code; or be kept without an answer."""

    delay_s: float = 0.0
    refuses_with: int = 0
    loses_answer: bool = False


class Faults:
    """The faults that are asked for now; thread-safe. They end with the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._asked: dict[str, Any] = {}
        self._seen: Counter[str] = Counter()
        self._refused: Counter[str] = Counter()
        self._lost: Counter[str] = Counter()

    def ask(self, given: object) -> None:
        """Have these faults and no others from now on; counting begins anew.

        Raises:  NotAFault.
        """
        asked = _checked(given)
        with self._lock:
            self._asked = asked
            for counter in (self._seen, self._refused, self._lost):
                counter.clear()

    def asked(self) -> dict[str, Any]:
        """What is asked for now."""
        with self._lock:
            return dict(self._asked)

    def counts(self) -> dict[str, dict[str, int]]:
        """By kind: how many were refused, and how many got no answer, since faults were last asked for."""
        with self._lock:
            return {kind: {"refused": self._refused[kind], "unanswered": self._lost[kind]} for kind in KINDS}

    def next(self, kind: str) -> Fault:
        """What happens to the message of this kind that has come now."""
        with self._lock:
            asked = self._asked.get(kind, {})
            self._seen[kind] += 1
            delay_s = self._asked.get("delay_ms", 0) / 1000
            if _is_turn(self._seen[kind], asked.get("refuse_every", 0)):
                self._refused[kind] += 1
                return Fault(delay_s, refuses_with=asked.get("code", _CODES[kind]))
            loses = _is_turn(self._seen[kind], asked.get("lose_every", 0))
            self._lost[kind] += loses
            return Fault(delay_s, loses_answer=loses)


def _is_turn(number: int, every: int) -> bool:
    return every > 0 and number % every == 0


def _checked(given: object) -> dict[str, Any]:
    if not isinstance(given, dict) or not set(given) <= {*KINDS, "delay_ms"}:
        raise NotAFault
    if not _is_whole(given.get("delay_ms", 0), most=_MOST_DELAY_MS):
        raise NotAFault
    for kind in set(given) & set(KINDS):
        asked = given[kind]
        if not isinstance(asked, Mapping) or not set(asked) <= {"refuse_every", "code", "lose_every"}:
            raise NotAFault
        code = asked.get("code", _CODES[kind])
        if not all(_is_whole(asked.get(name, 0), most=_MOST_EVERY) for name in ("refuse_every", "lose_every")):
            raise NotAFault
        if not _is_whole(code, most=599) or code < 400:
            raise NotAFault
    return given


def _is_whole(value: object, *, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
