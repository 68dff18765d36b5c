"""Threads behind an event loop: one call, one thread, its own context, and nothing that was given is forgotten."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import uvloop

from services.chassis.pool import Pool

WHO = contextvars.ContextVar("who", default="nobody")
PATIENCE_S = 10.0


@pytest.fixture
def pool():
    made = Pool(2, name="test")
    yield made
    made.close()


def test_a_call_runs_in_a_thread_with_the_context_of_the_caller_and_leaves_it_as_it_was(pool) -> None:
    def inside(word: str) -> tuple[str, str, bool]:
        before = WHO.get()
        WHO.set("changed inside")
        return before, word, threading.current_thread() is threading.main_thread()

    async def ask() -> tuple[tuple[str, str, bool], str]:
        WHO.set("ada")
        return await pool.run(inside, "word"), WHO.get()

    assert uvloop.run(ask()) == (("ada", "word", False), "ada")


def test_what_a_call_raises_is_raised_where_it_was_asked_for(pool) -> None:
    with pytest.raises(ZeroDivisionError):
        uvloop.run(pool.run(divmod, 1, 0))
    assert uvloop.run(pool.run(divmod, 7, 2)) == (3, 1), "and the thread goes on"


def test_the_thread_that_became_idle_last_is_taken_and_no_more_than_there_may_be(pool) -> None:
    def held(name: str) -> str:
        inside.wait(PATIENCE_S)
        return name

    inside = threading.Barrier(2)

    async def two_at_once() -> None:
        assert await asyncio.gather(*(pool.run(held, each) for each in "abcd")) == list("abcd")

    async def one_after_the_other() -> set[str]:
        return {await pool.run(lambda: threading.current_thread().name) for _ in range(10)}

    uvloop.run(two_at_once())
    assert len(uvloop.run(one_after_the_other())) == 1
    assert sum(each.name.startswith("test-") for each in threading.enumerate()) == 2


def test_whoever_is_cancelled_hears_nothing_and_what_has_not_begun_never_does(pool) -> None:
    go, begun, done = threading.Event(), threading.Semaphore(0), []

    def slow(name: str) -> None:
        begun.release()
        go.wait(PATIENCE_S)
        done.append(name)

    async def give_up() -> None:
        tasks = [asyncio.create_task(pool.run(slow, each)) for each in ("first", "second", "waiting", "last")]
        for _ in range(2):
            await asyncio.to_thread(begun.acquire, timeout=PATIENCE_S)
        for each in tasks[:3]:
            each.cancel()
        go.set()
        await tasks[3]
        assert all(each.cancelled() for each in tasks[:3])

    uvloop.run(give_up())
    assert sorted(done) == ["first", "last", "second"]


def test_closing_finishes_what_was_given_and_takes_nothing_more() -> None:
    pool, go, done = Pool(1, name="closing"), threading.Event(), []

    def slow(number: int) -> None:
        go.wait(PATIENCE_S)
        done.append(number)

    async def give() -> None:
        tasks = [asyncio.create_task(pool.run(slow, each)) for each in range(3)]
        await asyncio.sleep(0)  # each is given
        threading.Timer(0.05, go.set).start()
        await asyncio.to_thread(pool.close)
        await asyncio.gather(*tasks)

    uvloop.run(give())
    assert done == [0, 1, 2]
    with pytest.raises(RuntimeError, match="closed"):
        uvloop.run(pool.run(slow, 4))
    assert not any(each.name.startswith("closing-") for each in threading.enumerate())


def test_a_loop_that_is_gone_before_its_answer_takes_nothing_with_it(pool) -> None:
    go = threading.Event()

    async def leave() -> None:
        task = asyncio.create_task(pool.run(go.wait, PATIENCE_S))
        await asyncio.sleep(0)  # it is given
        task.cancel()

    uvloop.run(leave())
    go.set()
    assert uvloop.run(pool.run(lambda: "here")) == "here"


def test_several_loops_at_once_get_each_its_own_answers(pool) -> None:
    async def many(of: int) -> list[int]:
        return await asyncio.gather(*(pool.run(lambda each=each: of + each) for each in range(50)))

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda of: uvloop.run(many(of)), range(0, 8000, 1000)))
    assert found == [list(range(of, of + 50)) for of in range(0, 8000, 1000)]
