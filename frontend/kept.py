"""What was sent and has not arrived, because the session had ended or a part of the house was away: it is kept for
whoever sent it, or handed back on the page that says so. It goes on with one click, and by its key happens once.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import flask

from frontend import shield
from frontend.area import OPEN
from frontend.desk import KEY, Desk
from frontend.names import ID

MARK: Final = "_kept"
"""The field of a form that sends what was kept."""
_NAME: Final = "kept.sent"
_PATH: Final = "_path"
_MOST: Final = 64 * 1024
_SECRET: Final = re.compile(r".*password.*|code|repeated|token")
"""Fields that are kept nowhere, and with them their forms."""


@dataclass(frozen=True)
class Sent:
    """A form as it was sent. fields: names and texts."""

    path: str
    fields: Sequence[tuple[str, str]]

    @property
    def typed(self) -> list[tuple[str, str]]:
        """What somebody may know again: no ids, and nothing that only the form itself needs."""
        return [(name, text) for name, text in self.fields if text and name[0] != "_" and not ID.fullmatch(text)]

    @property
    def has_page(self) -> bool:
        """Whether the form can be looked at before it is sent: it has an address and a draft."""
        return any(name == "_form" for name, _ in self.fields)


def of_request() -> Sent | None:
    """The form that this request has sent, where it is a change that can be sent once more.

    A part of a page is asked for anew by its page, and a file is too much to keep.
    """
    request = flask.request
    if request.method != "POST" or request.headers.get("HX-Request") == "true" or KEY not in request.form:
        return None
    if request.endpoint in flask.current_app.config[OPEN] or request.files or (request.content_length or 0) > _MOST:
        return None
    fields = [(name, text) for name, text in request.form.items(multi=True) if name not in {shield.TOKEN, MARK}]
    if any(_SECRET.fullmatch(name) for name, _ in fields):
        return None
    return Sent(request.full_path.rstrip("?"), fields)


def keep(desk: Desk, person: str) -> bool:
    """Keep what was sent for this person; False where it cannot be kept."""
    form, sent = desk.form.get("_form"), of_request()
    if form and person:
        desk.sessions.keep_draft(person, form, desk.typed(), version=desk.version)
    if sent is None or not person:
        return False
    values: dict[str, list[str]] = {_PATH: [sent.path]}
    for name, text in sent.fields:
        values.setdefault(name, []).append(text)
    return desk.sessions.keep_draft(person, _NAME, values)


def found(desk: Desk) -> Sent | None:
    """What is kept for whoever is signed in."""
    draft = desk.sessions.draft(_person(desk), _NAME)
    if draft is None:
        return None
    values: Mapping[str, list[str]] = draft["values"]
    fields = [(name, text) for name, texts in values.items() if name != _PATH for text in texts]
    return Sent(values[_PATH][0], fields)


def drop(desk: Desk) -> None:
    """It goes on, or is not wanted."""
    desk.sessions.drop_draft(_person(desk), _NAME)


def from_former(desk: Desk) -> Any:
    """For a form of a session that has ended in this browser: kept for whom that was, and where to go then.

    None where the form is nobody's whom this browser has known, or is not of whoever is signed in now.
    """
    former = desk.session.get("former")
    sent = flask.request.form.get(shield.TOKEN) or flask.request.headers.get(shield.HEADER, "")
    if not former or not shield.fits(sent, former["csrf"]):
        return None
    if not desk.session.is_signed_in:
        keep(desk, former["person"])
        return to_sign_in(desk)
    if former["person"] == _person(desk) and keep(desk, former["person"]):
        return desk.go("kept.show")
    return None


def to_sign_in(desk: Desk) -> Any:
    """To the door and back again; a part of a page leads its whole page there."""
    is_look = flask.request.method == "GET"
    back = flask.request.full_path.rstrip("?") if is_look and not desk.is_part else None
    address = flask.url_for("entry.sign_in", back=back, over=None if is_look else "yes")
    if desk.is_part:
        return flask.Response("", status=401, headers={"HX-Redirect": address})
    return flask.redirect(address, code=303)


def _person(desk: Desk) -> str:
    return str(desk.person.get("id", ""))
