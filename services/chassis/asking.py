"""What another service says about a thing, asked with the caller's own token and known for a few seconds.

A good answer holds until its time is over or somebody says that the thing has changed; a refusal is never kept.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from threading import Lock
from typing import Any, Generic, TypeVar
from uuid import UUID

from prometheus_client import Counter

from services.chassis.call import Call
from services.chassis.client import Client, Reply
from services.kernel.access import Actor
from services.kernel.errors import Forbidden, NotFound, NotSignedIn, Unavailable

T = TypeVar("T")
_MOST_THINGS = 10_000
_REFUSALS: Mapping[int, type[NotSignedIn | Forbidden | NotFound]] = {401: NotSignedIn, 403: Forbidden, 404: NotFound}

ASKED = Counter(
    "infirmary_asked_total", "Questions to another service, by whether the answer was known.", ["what", "how"]
)


class _Memory(Generic[T]):
    """Answers that hold for a while; what holds no more goes, and the oldest when there are too many; thread-safe."""

    def __init__(self, *, kept_s: float, monotonic: Callable[[], float], at_most: int) -> None:
        self._kept_s, self._monotonic, self._at_most = kept_s, monotonic, at_most
        self._known: OrderedDict[tuple[object, ...], tuple[float, T]] = OrderedDict()
        self._lock = Lock()

    def get(self, key: tuple[object, ...]) -> T | None:
        with self._lock:
            until, known = self._known.get(key, (0.0, None))
        return known if self._monotonic() < until else None

    def keep(self, key: tuple[object, ...], found: T) -> None:
        if not self._kept_s:
            return
        now = self._monotonic()
        with self._lock:
            self._known[key] = (now + self._kept_s, found)
            self._known.move_to_end(key)
            while len(self._known) > self._at_most or next(iter(self._known.values()))[0] <= now:
                self._known.popitem(last=False)

    def forget(self, thing: str) -> None:
        with self._lock:
            for key in [each for each in self._known if thing in each]:
                del self._known[key]

    def forget_all(self) -> None:
        with self._lock:
            self._known.clear()


class Asking(Generic[T]):
    """One question to one service; thread-safe.

    read: turns the body of the answer into what it means. kept_s: how long an answer holds; 0 keeps none. is_shared:
    one account's answer serves the others too, for what is the same for everybody who may act on it.
    """

    def __init__(
        self,
        client: Client,
        operation_id: str,
        *,
        of: str,
        read: Callable[[Any], T],
        kept_s: float,
        monotonic: Callable[[], float],
        is_shared: bool = False,
        kept_at_most: int = 10_000,
    ) -> None:
        self._client, self._operation_id, self._of, self._read = client, operation_id, of, read
        self._is_shared = is_shared
        self._memory: _Memory[T] = _Memory(kept_s=kept_s, monotonic=monotonic, at_most=kept_at_most)
        self._count_known, self._count_asked = (ASKED.labels(operation_id, how) for how in ("known", "asked"))

    def __call__(
        self,
        call: Call,
        *,
        path: Mapping[str, object],
        query: Mapping[str, object] | None = None,
        is_fresh: bool = False,
    ) -> T:
        """What it says now; with `is_fresh` asked anew, whatever is known.

        Raises:  NotFound, Forbidden, NotSignedIn: as the other says. Unavailable: it says nothing.
        """
        words = (str(each) for each in (*path.values(), *(query or {}).values()))
        key = (*words, *self._whose(call.actor))
        known = None if is_fresh else self._memory.get(key)
        if known is not None:
            self._count_known.inc()
            return known
        self._count_asked.inc()
        found = self._ask(call, path, query)
        self._memory.keep(key, found)
        return found

    def forget(self, thing: str) -> None:
        """Drop what is known of a thing: one that stands in the address."""
        self._memory.forget(thing)

    def forget_all(self) -> None:
        """Drop everything."""
        self._memory.forget_all()

    def _whose(self, actor: Actor) -> tuple[object, ...]:
        """Whom an answer serves: with rights and reach in the key, nobody is let in for seconds by what has ended.

        Whoever reaches everything is told what every other is told who reaches everything and may do the same.
        """
        if self._is_shared:
            return ()
        if actor.scope.is_everywhere:
            return (actor.permissions,)
        return (actor.subject, actor.permissions, actor.scope)

    def _ask(self, call: Call, path: Mapping[str, object], query: Mapping[str, object] | None) -> T:
        reply = self._client.call(
            self._operation_id, path=path, query=query, token=call.token, request_id=call.request_id
        )
        return self._read(understood(reply, of=self._of))


class AskingMany(Generic[T]):
    """One question about several things at once, with the same answer for everybody; thread-safe.

    named: what the body calls the list of their ids. read: what an item of the answer means. at_once: how many may be
    asked about in one call; more are asked about in several.
    """

    def __init__(
        self,
        client: Client,
        operation_id: str,
        *,
        of: str,
        named: str,
        read: Callable[[Any], T],
        kept_s: float,
        monotonic: Callable[[], float],
        at_once: int = 100,
    ) -> None:
        self._client, self._operation_id, self._of, self._read = client, operation_id, of, read
        self._named, self._at_once = named, at_once
        self._memory: _Memory[T] = _Memory(kept_s=kept_s, monotonic=monotonic, at_most=_MOST_THINGS)
        self._count_known, self._count_asked = (ASKED.labels(operation_id, how) for how in ("known", "asked"))

    def __call__(self, call: Call, things: Collection[UUID]) -> dict[UUID, T]:
        """What it says of each; of what it does not know nothing.

        Raises:  Forbidden, NotSignedIn: as the other says. Unavailable: it says nothing.
        """
        known = {each: self._memory.get((each,)) for each in things}
        found = {each: answer for each, answer in known.items() if answer is not None}
        unknown = [each for each in known if each not in found]
        self._count_known.inc(len(found))
        self._count_asked.inc(len(unknown))
        for start in range(0, len(unknown), self._at_once):
            found |= self._asked(call, unknown[start : start + self._at_once])
        return found

    def _asked(self, call: Call, things: Sequence[UUID]) -> dict[UUID, T]:
        body = {self._named: [str(each) for each in things]}
        reply = self._client.call(self._operation_id, body=body, token=call.token, request_id=call.request_id)
        found = {UUID(each["id"]): self._read(each) for each in understood(reply, of=self._of)["items"]}
        for thing, answer in found.items():
            self._memory.keep((thing,), answer)
        return found


class Existence:
    """Whether there is a thing of another service; a yes holds for a while, and for everybody alike.

    For things that are closed and never deleted: when the other says nothing, a yes of whatever age goes on.
    """

    def __init__(
        self,
        client: Client,
        operation_id: str,
        *,
        of: str,
        named: str,
        kept_s: float,
        monotonic: Callable[[], float],
    ) -> None:
        """`named`: what the address calls the thing."""
        self._known = Asking(client, operation_id, of=of, read=bool, kept_s=kept_s, monotonic=monotonic, is_shared=True)
        self._named = named
        self._there: dict[UUID, None] = {}
        self._lock = Lock()

    def require(self, thing: UUID, /, *, call: Call) -> None:
        """Answer when there is this thing.

        Raises:  NotFound, Forbidden, NotSignedIn: as the other says. Unavailable: it says nothing, and never said yes.
        """
        try:
            self._known(call, path={self._named: thing})
        except Unavailable:
            if thing not in self._there:
                raise
        else:
            self._remember(thing)

    def _remember(self, thing: UUID) -> None:
        if thing not in self._there:
            with self._lock:
                self._there[thing] = None
                while len(self._there) > _MOST_THINGS:
                    del self._there[next(iter(self._there))]


def understood(reply: Reply, *, of: str) -> Any:
    """The body of a good answer.

    Raises:  NotFound, Forbidden, NotSignedIn: as the other says. Unavailable: it says nothing of use.
    """
    if reply.is_success:
        return reply.body
    if reply.status in _REFUSALS:
        raise _REFUSALS[reply.status]
    raise Unavailable(of)
