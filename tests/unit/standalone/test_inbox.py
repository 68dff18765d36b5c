"""The inbox as a process: mail, text messages and push messages in, a page that shows text as text, and no loss."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pytest

from standalone.inbox.store import Store, Wanted
from tests.inbox import ACCOUNT, TOKEN, Inbox
from tests.waiting import wait_for

EVIL = "<script>alert(1)</script>"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    made = Inbox(tmp_path_factory.mktemp("inbox"))
    made.start()
    yield made
    made.kill()


@pytest.fixture
def inbox(running: Inbox) -> Inbox:
    running.ask("DELETE", "/api/messages")
    running.faults()
    return running


def sms(inbox: Inbox, text: str, *, to: str = "+12025550100") -> int:
    return inbox.ask("POST", "/sms", {"to": to, "text": text}, **BEARER).status


def test_a_mail_is_shown_with_its_text_in_any_script(inbox: Inbox):
    inbox.mail(subject="Ваш приём", text="Grüße, 您好\n")
    [message] = inbox.items()
    assert (message["kind"], message["to"], message["subject"]) == ("email", ["zoe@example.org"], "Ваш приём")
    assert message["text"] == "Grüße, 您好\n"
    assert "Ваш приём" in inbox.ask("GET", "/").data.decode()


def test_messages_are_given_newest_first_and_by_what_is_asked_for(inbox: Inbox):
    inbox.mail(subject="first", text="first")
    assert [sms(inbox, text, to=to) for text, to in (("second", "+12025550100"), ("third", "+12025550101"))] == [
        201,
        201,
    ]
    third, second, first = inbox.items()
    assert [third["text"], second["text"], first["subject"]] == ["third", "second", "first"]
    assert inbox.items("?kind=email") == [first]
    assert inbox.items("?" + urlencode({"to": "+12025550100"})) == [second]
    assert inbox.items(f"?after={first['number']}&limit=1") == [third]
    assert inbox.items("?" + urlencode({"since": second["at"]})) == [third, second]
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert inbox.items("?" + urlencode({"since": tomorrow.isoformat()})) == []


@pytest.mark.parametrize(
    "query", ["kind=pigeon", "after=x", "limit=-1", "since=yesterday", "since=2030-01-01", "order=new"]
)
def test_a_question_that_is_not_understood_is_not_answered_with_everything(inbox: Inbox, query: str):
    assert inbox.ask("GET", f"/api/messages?{query}").status == 400


def test_what_looks_like_a_script_is_shown_as_text(inbox: Inbox):
    inbox.mail(subject=EVIL, text=EVIL)
    number = inbox.items()[0]["number"]
    for path in ("/", f"/messages/{number}"):
        page = inbox.ask("GET", path)
        assert EVIL not in page.data.decode()
        assert "&lt;script&gt;" in page.data.decode()
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]


@pytest.mark.parametrize("body", [[], {"to": "x", "text": 3}, {"text": "nobody"}, "words"])
def test_a_message_of_another_form_is_refused(inbox: Inbox, body: object):
    assert inbox.ask("POST", "/sms", body, **BEARER).status == 422
    assert inbox.items() == []


def test_a_page_of_another_site_does_not_get_in_by_a_name_of_its_own(inbox: Inbox):
    assert inbox.ask("GET", "/api/messages", Host=f"evil.example:{inbox.port}").status == 403


def test_what_is_not_there_is_404(inbox: Inbox):
    assert [inbox.ask("GET", path).status for path in ("/messages/99999", "/nothing", "/messages/x")] == [404, 404, 404]


def test_messages_survive_the_death_of_the_inbox(inbox: Inbox):
    inbox.mail(subject="kept", text="kept")
    number = inbox.items()[0]["number"]
    inbox.kill()
    inbox.start()
    assert [(each["number"], each["subject"]) for each in inbox.items()] == [(number, "kept")]


def test_what_was_accepted_is_there_after_the_inbox_was_killed_while_it_took_more(inbox: Inbox):
    accepted: list[str] = []

    def sends(thread: int) -> None:
        for number in range(10_000):
            text = f"{thread}-{number}"
            try:
                if sms(inbox, text) == 201:
                    accepted.append(text)
            except Exception:
                return

    threads = [threading.Thread(target=sends, args=(each,)) for each in range(2)]
    for each in threads:
        each.start()
    wait_for(lambda: len(accepted) >= 50, what="fifty messages")
    inbox.kill()
    for each in threads:
        each.join()
    inbox.start()
    kept = [each["text"] for each in inbox.items()]
    assert set(accepted) <= set(kept)
    assert len(kept) == len(set(kept)) == inbox.counts("sms")["received"]
    assert len(kept) <= len(accepted) + len(threads)


def test_subscriptions_survive_the_death_of_the_inbox(inbox: Inbox):
    path = "/push/" + inbox.subscription()["endpoint"].rpartition("/")[2]
    inbox.kill()
    inbox.start()
    assert inbox.ask("POST", path, b"x").status == 400
    assert inbox.ask("DELETE", path).status == 204
    inbox.kill()
    inbox.start()
    assert inbox.ask("POST", path, b"x").status == 410


def test_counts_tell_repeats_from_new_messages(inbox: Inbox):
    for reference in ("<a@x>", "<a@x>", "<b@x>"):
        inbox.mail(subject="s", text="t", reference=reference)
    assert inbox.counts("email") == {"received": 3, "distinct": 2, "refused": 0, "unanswered": 0}


def test_text_messages_are_taken_from_those_who_may_send(inbox: Inbox):
    message = {"to": "+12025550100", "text": "x"}
    for header in ({}, {"Authorization": "Bearer x"}, {"Authorization": "Basic eDp5"}):
        assert inbox.ask("POST", "/sms", message, **header).status == 401
        assert (
            inbox.ask("POST", f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", b"To=1&Body=x", **header).status == 401
        )
    assert inbox.ask("POST", "/2010-04-01/Accounts/AC0/Messages.json", b"To=1&Body=x", **BEARER).status == 404
    assert inbox.items() == []


@pytest.mark.parametrize(
    "faults",
    [
        [], {"pigeons": {}}, {"email": 3}, {"email": {"every": 3}}, {"email": {"refuse_every": -1}}, {"delay_ms": "1"},
        {"sms": {"code": 200}}, {"sms": {"refuse_every": True}}, {"delay_ms": 10**9},
    ],
)  # fmt: skip
def test_faults_that_are_none_are_refused(inbox: Inbox, faults: object):
    assert inbox.ask("PUT", "/api/faults", faults).status == 422
    assert inbox.ask("GET", "/api/faults").json() == {}


def test_faults_are_as_asked_for_until_they_are_taken_back(inbox: Inbox):
    inbox.faults(sms={"refuse_every": 2, "code": 503}, delay_ms=1)
    assert [sms(inbox, "x") for _ in range(4)] == [201, 503, 201, 503]
    assert inbox.counts("sms") == {"received": 2, "distinct": 2, "refused": 2, "unanswered": 0}
    inbox.faults()
    assert [sms(inbox, "x") for _ in range(2)] == [201, 201]


def test_a_mail_is_refused_and_lost_as_asked_for(inbox: Inbox):
    inbox.faults(email={"refuse_every": 2, "code": 451})
    inbox.mail(subject="1", text="1")
    with pytest.raises(OSError) as told:
        inbox.mail(subject="2", text="2")
    assert getattr(told.value, "smtp_code", None) == 451
    inbox.faults(email={"lose_every": 1})
    with pytest.raises(OSError):
        inbox.mail(subject="3", text="3")
    assert [each["subject"] for each in inbox.items()] == ["3", "1"]


def test_the_page_shows_the_last_messages_and_tells_how_many_there_were(inbox: Inbox, tmp_path: Path):
    inbox.mail(subject="موعدك", text="t")
    sms(inbox, "x")
    page = inbox.ask("GET", "/").data.decode()
    assert "All 2" in page
    assert "<bdi>موعدك</bdi>" in page
    assert "موعدك" not in inbox.ask("GET", "/?kind=sms").data.decode()


# ---- what is kept ----------------------------------------------------------------------------------------------------


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    made = Store(tmp_path / "messages.sqlite", most=100)
    yield made
    made.close()


def test_ten_thousand_messages_are_counted_and_the_last_ones_kept_whole(store: Store):
    for number in range(10_000):
        store.add("sms", to=[f"+1{number % 100}"], subject="", text=str(number), reference=str(number % 5000))
    assert store.counts()["sms"] == {"received": 10_000, "distinct": 5000}
    kept = [json.loads(each)["text"] for each in store.newest_first()]
    assert kept == [str(number) for number in range(9999, 9899, -1)]
    assert [json.loads(each)["text"] for each in store.newest_first(Wanted(to="+17", most=3))] == ["9907"]


def test_numbers_go_on_when_all_is_forgotten(store: Store):
    first = store.add("sms", to=["x"], subject="", text="", reference="a")
    store.clear()
    assert store.add("sms", to=["x", "x"], subject="", text="", reference="b") == first + 1
    assert store.counts()["sms"] == {"received": 1, "distinct": 1}
