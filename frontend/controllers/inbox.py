"""One's own messages, and which of them one wants."""

from __future__ import annotations

from typing import Any, Final

from frontend import choices
from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form
from frontend.sayings import N_
from services.kernel.errors import Unavailable

area = Area("inbox", at="/inbox")
CHANNELS: Final = ("in_app", "push")
"""By which those who work here are told."""
TOPICS: Final = ("booked", "moved", "cancelled")
_ROWS: Final = 25
_COUNTED: Final = 10
_CHANGED: Final = {"HX-Trigger": "inbox-changed"}


@area.get("", "account.own")
def show(desk: Desk) -> Any:
    """The messages, newest first."""
    is_unread = "unread" in desk.query
    query = {"limit": _ROWS, "cursor": desk.query.get("cursor"), "unread": True if is_unread else None}
    page = desk.api.call("list_own_messages", query=query).body
    template = "inbox/_messages.html" if "cursor" in desk.query else "inbox/show.html"
    return desk.page(template, page=page, form=Form(), is_unread=is_unread)


@area.get("/count", "account.own")
def count(desk: Desk) -> Any:
    """How many are unread, for the top of every page; nothing while that cannot be asked."""
    try:
        query = {"unread": True, "limit": _COUNTED}
        found = len(desk.api.call("list_own_messages", query=query, within_s=1).body["items"])
    except (Refused, Unavailable):
        found = 0
    return desk.page("inbox/_count.html", count=found, most=_COUNTED - 1)


@area.post("/<uuid:message_id>/read", "account.own")
def send_read(desk: Desk, message_id: str) -> Any:
    """This one was read."""
    message = desk.send("mark_own_message_read", message_id=message_id).body
    if not desk.is_part:
        return desk.go("inbox.show")
    answer = desk.page("inbox/_message.html", message=message, form=Form())
    answer.headers.update(_CHANGED)
    return answer


@area.post("/read", "account.own")
def send_all_read(desk: Desk) -> Any:
    """Those that stand on the page were read."""
    for message_id in desk.form.getlist("message_id")[:_ROWS]:
        desk.api.call("mark_own_message_read", key=desk.new_key(), message_id=message_id)
    return desk.go("inbox.show")


@area.get("/wishes", "account.own")
def wishes(desk: Desk) -> Any:
    """Which messages one wants."""
    form = Form.of(choices.fields(desk.api.call("get_own_notification_preferences").body))
    return desk.page("inbox/wishes.html", form=form, shown=CHANNELS, shown_topics=TOPICS)


@area.post("/wishes", "account.own")
def send_wishes(desk: Desk) -> Any:
    """Another choice."""
    form = Form.sent(desk.form)
    try:
        desk.send("set_own_notification_preferences", body=choices.chosen(form))
    except Refused as error:
        if error.status == 412:
            form.other = choices.fields(desk.api.call("get_own_notification_preferences").body)
            form.version = form.other["version"]
        return desk.again("inbox/wishes.html", error, form=form, shown=CHANNELS, shown_topics=TOPICS)
    desk.said(N_("Your choice is saved."))
    return desk.go("inbox.wishes")
