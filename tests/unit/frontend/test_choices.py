from __future__ import annotations

from werkzeug.datastructures import MultiDict

from frontend.choices import chosen, form_of
from frontend.forms import Form

NO_SMS = {"channel": "sms", "event": "all", "wanted": False}
BUT_MOVES = {"channel": "sms", "event": "moved", "wanted": True}


def test_what_was_chosen_comes_back_as_it_was() -> None:
    form = form_of({"version": 3, "choices": [BUT_MOVES, NO_SMS]})

    assert form.version == 3
    assert chosen(form) == [NO_SMS, BUT_MOVES]


def test_nothing_is_said_where_nothing_was_chosen() -> None:
    form = Form.sent(MultiDict({"sms.all": "", "email.moved": "", "push.all": "yes"}))

    assert chosen(form) == [{"channel": "push", "event": "all", "wanted": True}]


def test_an_answer_that_is_none_counts_as_nothing() -> None:
    assert chosen(Form.sent(MultiDict({"sms.all": "perhaps", "pigeon.all": "yes"}))) == []
