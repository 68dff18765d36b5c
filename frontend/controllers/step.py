"""The second factor once more, for what is dangerous: what was to be sent is kept, and goes on after the code."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

import flask

from frontend import shield
from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form

area = Area("step", at="/step-up")
PENDING: Final = "pending"
_MOST: Final = 64 * 1024


def ask(desk: Desk) -> Any:
    """Keep what was sent, and lead to the question for the code.

    A part of a page cannot be sent again as a page, and a file is too much to keep: there the page is shown once more.
    """
    request = flask.request
    pending: dict[str, Any] = {"back": _back()}
    if not desk.is_part and not request.files and (request.content_length or 0) <= _MOST:
        values = [[name, value] for name, value in request.form.items(multi=True) if name != shield.TOKEN]
        pending |= {"path": request.full_path.rstrip("?"), "method": request.method, "values": values}
    desk.session.set(PENDING, pending)
    return desk.go("step.show")


@area.get("", "account.open")
def show(desk: Desk) -> Any:
    """The question for the code."""
    if not desk.session.get(PENDING):
        return desk.go("home.show")
    return desk.page("step/show.html", form=Form(), pending=desk.session.get(PENDING))


@area.post("", "account.open")
def send(desk: Desk) -> Any:
    """A try."""
    form, pending = Form.sent(desk.form), desk.session.get(PENDING)
    if not pending:
        return desk.go("home.show")
    try:
        code = form.value("code").replace(" ", "")
        desk.api.keep_tokens(desk.api.call("show_second_factor", body={"code": code}).body)
    except Refused as error:
        return desk.again("step/show.html", error, form=form, pending=pending)
    desk.ask_anew()
    if pending.get("method") == "POST":
        return desk.go("step.go_on")
    desk.session.pop(PENDING)
    if "path" not in pending:
        desk.said("The code was right. Please do it once more now.", "info")
    return desk.go_back(pending.get("path") or pending["back"])


@area.get("/go-on", "account.open")
def go_on(desk: Desk) -> Any:
    """What was kept, to be sent with one click."""
    pending = desk.session.get(PENDING)
    if not pending or "values" not in pending:
        return desk.go("home.show")
    return desk.page("step/go_on.html", pending=pending)


def _back() -> str:
    """The page that was looked at."""
    parts = urlsplit(flask.request.headers.get("HX-Current-URL") or flask.request.referrer or "/")
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return "/" + path.lstrip("/\\")
