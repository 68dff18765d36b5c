"""What the web UI remembers for some seconds: for whom, of what, and what is asked anew."""

from __future__ import annotations

import pytest

from frontend.api import Answer, Refused
from frontend.names import Known, Names

ONE, TWO = "0f2b7c1e-6d0a-4c39-8b1e-5a9d3f6e7c21", "0f2b7c1e-6d0a-4c39-8b1e-5a9d3f6e7c22"


class FakeApi:
    def __init__(self) -> None:
        self.asked: list[list[str]] = []
        self.names: dict[str, str | None] = {ONE: "Ada", TWO: None}
        self.is_refused = False

    def call(self, operation: str, *, query: dict[str, list[str]]) -> Answer:
        assert operation == "list_user_names"
        self.asked.append(query["user_id"])
        if self.is_refused:
            raise Refused(403)
        items = [{"id": each, "display_name": self.names[each]} for each in query["user_id"] if each in self.names]
        return Answer(200, {"items": items}, {})


@pytest.fixture
def api() -> FakeApi:
    return FakeApi()


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def known(now) -> Known:
    return Known(monotonic=lambda: now[0])


def test_only_what_is_not_known_is_asked_for_and_the_nameless_are_known_too(known, api):
    names = Names(known, api, account="a")
    assert names.users([ONE, "a word", None]) == {ONE: "Ada"}
    assert names.users([ONE, TWO]) == {ONE: "Ada", TWO: None}
    assert names.users([TWO, ONE]) == {ONE: "Ada", TWO: None}
    assert api.asked == [[ONE], [TWO]]


def test_each_account_asks_for_itself_and_anew_after_a_while_or_a_change(known, api, now):
    one, other = (Names(known, api, account=each) for each in ("a", "b"))
    one.users([ONE])
    other.users([ONE])
    one.forget()
    one.users([ONE])
    other.users([ONE])
    assert len(api.asked) == 3
    now[0] = 21.0
    other.users([ONE])
    assert len(api.asked) == 4


def test_a_refusal_is_not_remembered(known, api):
    names = Names(known, api, account="a")
    api.is_refused = True
    assert names.users([ONE]) == {}
    api.is_refused = False
    assert names.users([ONE]) == {ONE: "Ada"}


def test_a_number_is_counted_once_in_a_while(known, api, now):
    names, counts = Names(known, api, account="a"), iter(range(10))
    assert [names.counted("things", lambda: next(counts)) for _ in range(3)] == [0, 0, 0]
    assert names.counted("others", lambda: next(counts)) == 1
    now[0] = 21.0
    assert names.counted("things", lambda: next(counts)) == 2


def test_what_holds_no_more_is_not_kept_either(known, api, now):
    """Lists are long, and each account has its own."""
    for number in range(50):
        now[0] = float(number)
        Names(known, api, account=f"a{number}").counted("things", lambda: 1)
    assert len(known._things) == 20
