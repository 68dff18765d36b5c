"""What was sent when the session had ended: shown after the sign-in, to be sent with one click or dropped."""

from __future__ import annotations

from typing import Any

from frontend import kept
from frontend.area import Area
from frontend.desk import Desk

area = Area("kept", at="/kept")


@area.get("", "account.open")
def show(desk: Desk) -> Any:
    """What was filled in, and the way on."""
    sent = kept.found(desk)
    if sent is None:
        return desk.go("home.show")
    return desk.page("kept/show.html", sent=sent)


@area.post("/drop", "account.open")
def drop(desk: Desk) -> Any:
    """It is not wanted any more."""
    kept.drop(desk)
    desk.said("It is dropped. Nothing was sent.", "info")
    return desk.go("home.show")
