"""What an open page hears: ids of what concerns its reader, as long as the session counts, and nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from frontend.live import LISTENING, Live
from frontend.session import Session, Sessions
from services.chassis import redis

STAFF = {"roles": ["receptionist"], "permissions": ["appointments.read"], "links": []}
PATIENT = {"roles": ["patient"], "permissions": [], "links": [{"patient_id": "p-1", "relation": "self"}]}
EVENT = {"subject": "a-1", "data": {"doctor_id": "d-1", "facility_id": "f-1", "patient_id": "p-1"}}


@pytest.fixture
def sessions(redis_url: str) -> Iterator[Sessions]:
    with redis.client(redis_url, timeout_s=5) as bus:
        yield Sessions(bus, secret="of tests only")


def signed_in(sessions: Sessions, person: dict[str, Any]) -> Session:
    session = sessions.load(None)
    session.set("access", "a-token")
    session.set("person", person)
    sessions.save(session)
    return session


class Page:
    """An open page: what it was sent; `heard` waits for so many frames."""

    def __init__(self, live: Live, cookie: str | None) -> None:
        self.sent: list[dict[str, Any]] = []
        self._news, self._left = asyncio.Event(), asyncio.Event()
        headers = [(b"cookie", f"theme=dark; session={cookie}".encode())] if cookie else []
        self.task = asyncio.create_task(live({"type": "http", "headers": headers}, self._receive, self._send))

    async def _receive(self) -> dict[str, Any]:
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: dict[str, Any]) -> None:
        self.sent.append(message)
        self._news.set()

    async def heard(self, count: int) -> list[str]:
        while len(self.frames) < count:
            self._news.clear()
            await asyncio.wait_for(self._news.wait(), 10)
        return self.frames

    def leave(self) -> None:
        self._left.set()

    @property
    def frames(self) -> list[str]:
        return [each["body"].decode() for each in self.sent[1:] if each.get("body")]


def run(scene: Any) -> Any:
    return asyncio.run(scene)


def test_who_is_not_signed_in_hears_nothing(sessions):
    async def scene() -> list[int]:
        live = Live(sessions, is_secure=False)
        pages = [Page(live, cookie) for cookie in (None, "no-such-session", sessions.load(None).cookie)]
        await asyncio.gather(*(page.task for page in pages))
        return [page.sent[0]["status"] for page in pages]

    assert run(scene()) == [401, 401, 401]


def test_staff_hear_of_every_appointment_and_patients_of_those_of_their_records(sessions):
    other = {**EVENT, "subject": "a-2", "data": {**EVENT["data"], "patient_id": "p-2"}}

    async def scene() -> tuple[list[str], list[str]]:
        live = Live(sessions, is_secure=False)
        staff, patient = (Page(live, signed_in(sessions, each).cookie) for each in (STAFF, PATIENT))
        await staff.heard(1)
        await patient.heard(1)
        live.heard(other)
        live.heard(EVENT)
        return await staff.heard(3), await patient.heard(2)

    staff, patient = run(scene())
    assert ["a-2" in staff[1], "a-1" in staff[2], "a-1" in patient[1]] == [True, True, True]
    assert not [frame for frame in patient if "a-2" in frame]


def test_it_says_ids_of_places_and_never_whose_appointment_it_is(sessions):
    async def scene() -> str:
        live = Live(sessions, is_secure=False)
        page = Page(live, signed_in(sessions, STAFF).cookie)
        await page.heard(1)
        live.heard(EVENT)
        return (await page.heard(2))[1]

    frame = run(scene())
    assert frame.startswith("event: appointment\ndata: ")
    assert json.loads(frame.split("data: ")[1]) == {"id": "a-1", "doctor_id": "d-1", "facility_id": "f-1"}


def test_what_may_have_been_missed_is_said_to_be_lost(sessions):
    async def scene() -> list[str]:
        live = Live(sessions, is_secure=False)
        page = Page(live, signed_in(sessions, STAFF).cookie)
        await page.heard(1)
        live.lost()
        return await page.heard(2)

    assert run(scene())[1].startswith("event: lost")


def test_who_does_not_keep_up_is_told_so_and_takes_no_more_memory(sessions):
    async def scene() -> list[str]:
        live = Live(sessions, is_secure=False)
        page = Page(live, signed_in(sessions, STAFF).cookie)
        await page.heard(1)
        for _ in range(2000):  # faster than one page can read: nothing else runs meanwhile
            live.heard(EVENT)
        frames = await page.heard(2)
        await asyncio.sleep(0)
        return frames

    frames = run(scene())
    assert any(each.startswith("event: lost") for each in frames)
    assert len(frames) < 1000


def test_the_end_of_the_process_ends_every_page_and_none_is_counted_after(sessions):
    async def scene() -> tuple[float, float, bool]:
        live = Live(sessions, is_secure=False)
        pages = [Page(live, signed_in(sessions, STAFF).cookie) for _ in range(3)]
        for page in pages:
            await page.heard(1)
        during = LISTENING._value.get()
        live.end()
        await asyncio.wait_for(asyncio.gather(*(page.task for page in pages)), 10)
        is_whole = all(page.sent[-1].get("more_body", False) is False for page in pages)
        return during, LISTENING._value.get(), is_whole

    before = LISTENING._value.get()
    assert run(scene()) == (before + 3, before, True)


def test_under_https_only_the_cookie_that_is_bound_to_this_host_counts(sessions):
    async def scene() -> int:
        page = Page(Live(sessions, is_secure=True), signed_in(sessions, STAFF).cookie)
        await page.task
        return int(page.sent[0]["status"])

    assert run(scene()) == 401
