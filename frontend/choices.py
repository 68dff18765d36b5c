"""Which messages somebody wants: the list of choices of the contract, as a table of channels and kinds of messages.

Nothing chosen is a choice too: then the house does as it does for everybody.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from frontend.forms import Form

CHANNELS: Final = ("in_app", "email", "sms", "push")
EVENTS: Final = ("booked", "moved", "cancelled", "declined")
_ALL: Final = "all"
_WANTED: Final = {"yes": True, "no": False}
_SAID: Final = {wanted: text for text, wanted in _WANTED.items()}


def form_of(preferences: Mapping[str, Any]) -> Form:
    """The form, as it was chosen last."""
    form = Form(version=preferences["version"])
    form.values.update(fields_of(preferences["choices"]))
    return form


def fields_of(choices: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """The fields of a form: `sms.all`, `sms.moved`, each `yes` or `no`."""
    return {f"{each['channel']}.{each['event']}": _SAID[each["wanted"]] for each in choices}


def chosen(form: Form) -> list[dict[str, Any]]:
    """What the API is told; where nothing was chosen it is told nothing."""
    return [
        {"channel": channel, "event": event, "wanted": _WANTED[form.value(f"{channel}.{event}")]}
        for channel in CHANNELS
        for event in (_ALL, *EVENTS)
        if form.value(f"{channel}.{event}") in _WANTED
    ]
