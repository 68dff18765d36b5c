"""Which messages somebody wants: what stands comes back as it was, and what was not chosen is not sent."""

from __future__ import annotations

from werkzeug.datastructures import MultiDict

from frontend import choices
from frontend.forms import Form

STANDS = {
    "version": 4,
    "choices": [
        {"channel": "sms", "event": "all", "wanted": False},
        {"channel": "sms", "event": "moved", "wanted": True},
    ],
}


def test_what_stands_comes_back_as_it_was():
    form = Form.of(choices.fields(STANDS))
    assert form.version == 4
    assert choices.chosen(form) == {"choices": STANDS["choices"]}


def test_what_is_as_the_house_does_is_no_choice():
    form = Form.sent(MultiDict({"sms.all": "", "push.booked": "yes", "email.all": "no"}))
    assert choices.chosen(form) == {
        "choices": [
            {"channel": "email", "event": "all", "wanted": False},
            {"channel": "push", "event": "booked", "wanted": True},
        ]
    }
