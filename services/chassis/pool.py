"""Threads for what would hold an event loop up: one call, one thread woken.

`ThreadPoolExecutor` wakes a second thread that finds nothing to do, and its answer passes through two futures; with all
threads of a process waiting for each other at the interpreter's lock, that was a tenth of what a request cost. Here the
thread that became idle last is taken, because what it needs is still warm: its stack, and its connections to a store.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Work:
    call: Callable[[], Any]
    loop: asyncio.AbstractEventLoop
    answer: asyncio.Future[Any]


class Pool:
    """So many threads at most, started when they are needed; event loops of any thread may use it at once."""

    def __init__(self, threads: int, *, name: str) -> None:
        self._most, self._name = threads, name
        self._lock = Lock()
        self._threads: list[_Worker] = []
        self._idle: list[_Worker] = []
        self._waiting: deque[_Work] = deque()
        self._is_closed = False

    async def run(self, function: Callable[..., T], /, *args: Any) -> T:
        """What a function answers, called in a thread with the context variables of the caller.

        Whoever is cancelled while it runs does not hear of it any more; what has not begun by then never does.

        Raises:  RuntimeError: the pool is closed. Else what the function raises.
        """
        loop = asyncio.get_running_loop()
        call = partial(contextvars.copy_context().run, function, *args)
        work = _Work(call, loop, loop.create_future())
        worker = self._taken(work)
        if worker is not None:
            worker.todo.put(work)
        found: T = await work.answer
        return found

    def close(self) -> None:
        """Finish what was given, then end the threads."""
        with self._lock:
            self._is_closed = True
            threads = tuple(self._threads)
        for each in threads:
            each.todo.put(None)
        for each in threads:
            each.join()

    def next_for(self, worker: _Worker) -> _Work | None:
        """What a thread does after what it has just done; with nothing to do it is idle."""
        with self._lock:
            while self._waiting:
                work = self._waiting.popleft()
                if not work.answer.cancelled():
                    return work
            self._idle.append(worker)
            return None

    def _taken(self, work: _Work) -> _Worker | None:
        """The thread for a piece of work; none when it has to wait for one."""
        with self._lock:
            if self._is_closed:
                raise RuntimeError("the pool is closed")
            if self._idle:
                return self._idle.pop()
            if len(self._threads) < self._most:
                worker = _Worker(self, f"{self._name}-{len(self._threads)}")
                self._threads.append(worker)
                worker.start()
                return worker
            self._waiting.append(work)
            return None


class _Worker(Thread):
    def __init__(self, pool: Pool, name: str) -> None:
        super().__init__(name=name, daemon=True)  # whoever does not close the pool does not wait for it
        self._pool = pool
        self.todo: SimpleQueue[_Work | None] = SimpleQueue()

    def run(self) -> None:
        work = self.todo.get()
        while work is not None:
            work = self._done(work) or self.todo.get()

    def _done(self, work: _Work) -> _Work | None:
        """Do a piece of work, and say which is the next one."""
        found, error = None, None
        try:
            found = work.call()
        except BaseException as raised:  # noqa: BLE001 - whatever it is belongs to whoever waits for the answer
            error = raised
        following = self._pool.next_for(self)
        with suppress(RuntimeError):  # the loop is gone, and with it whoever waited
            work.loop.call_soon_threadsafe(_deliver, work.answer, found, error)
        return following


def _deliver(answer: asyncio.Future[Any], found: Any, error: BaseException | None) -> None:
    if answer.cancelled():
        return
    if error is None:
        answer.set_result(found)
    else:
        answer.set_exception(error)
