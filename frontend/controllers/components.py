"""Every piece that pages are made of, once, for those who build more of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import flask
from werkzeug.datastructures import MultiDict

from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form

area = Area("components", at="/ui")
_FOUND: Final = 6


@area.get("", "users.manage")
def show(desk: Desk) -> Any:
    """All of them, as they are and as they look when something is wrong."""
    values = {"chosen": "b", "many": "a", "ticked": "true", "colour": "#0f6466", "zone": "Europe/Berlin"}
    broken = Form(
        values=MultiDict({"broken": "32.13.2026", "broken_choice": "", "broken_area": "?"}),
        errors={
            "broken": desk.words.say("This is not in the form that is expected."),
            "broken_choice": desk.words.say("Choose one of the list."),
            "broken_area": desk.words.say("This is too short."),
            "broken_password": desk.words.say("Too many people use this password."),
        },
        problem=desk.words.say("Please look at the marked fields."),
        request_id="0f3c9d1e-77aa-4d0e-9c54-2f6f3b1c8a10",
    )
    return desk.page("components/show.html", form=Form(values=MultiDict(values)), broken=broken, icons=_icons())


@area.post("/find", "users.manage")
def find(desk: Desk) -> Any:
    """For the field that looks things up: time zones by their city."""
    text = desk.form.get("looked_for", "").strip().casefold()
    zones = [each for _continent, cities in desk.words.zones() for each in cities]
    found = [(name, city) for name, city in zones if text and text in city.casefold()]
    return desk.page("components/_found.html", found=found[:_FOUND])


@area.post("", "users.manage")
def send(desk: Desk) -> Any:
    """What a button of the page says when it is used; nothing is kept."""
    desk.said("This is what a page says after a change.")
    return desk.go("components.show")


def _icons() -> list[str]:
    """The names of the icons that are there."""
    drawn = Path(str(flask.current_app.static_folder)) / "icons.svg"
    return re.findall(r'<symbol id="([\w-]+)"', drawn.read_text(encoding="utf-8"))
