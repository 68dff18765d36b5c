"""Which messages a person wants by which way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from services.kernel.errors import FieldError, Invalid
from services.notifications.model.versions import FIRST
from services.notifications.model.words import Kind, Topic, Way

ALL: Final = "all"
# Both were asked for by the person: the one is looked at in the portal, the other was switched on in a browser.
_ALWAYS_RIGHT = frozenset({Way.IN_APP, Way.PUSH})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """What one person has chosen: wanted or not, by channel and event, or `all` events."""

    kind: Kind
    owner_id: UUID
    choices: Mapping[tuple[Way, str], bool] = field(default_factory=dict)
    version: int = FIRST


def read_choices(body: Mapping[str, Any]) -> dict[tuple[Way, str], bool]:
    """The choices that a body makes.

    Raises:  Invalid: two are about the same.
    Source: none, plain arithmetic.
    """
    found: dict[tuple[Way, str], bool] = {}
    errors = []
    for number, each in enumerate(body["choices"]):
        about = (Way(each["channel"]), each["event"])
        if about in found:
            errors.append(FieldError(rule="repeated", pointer=f"/choices/{number}"))
        found[about] = each["wanted"]
    if errors:
        raise Invalid(errors=errors)
    return found


def chosen(preferences: Preferences | None, *, way: Way, topic: Topic) -> bool | None:
    """What a person has chosen about one kind of message; None for nothing. One event goes before all of them.

    Source:  D-50.
    """
    choices = {} if preferences is None else preferences.choices
    return choices.get((way, topic.value), choices.get((way, ALL)))


def unwanted(preferences: Preferences | None, *, contact: str | None, way: Way, topic: Topic) -> str | None:
    """Why a message is not wanted by one way; None when it is.

    contact: the preference in the record of a patient. `none` there ends everything; else a choice decides, and where
    there is none the record does: the way that is preferred, and those that the person has switched on.

    Source:  D-50.
    """
    if contact == "none":
        return "prefers_none"
    choice = chosen(preferences, way=way, topic=topic)
    if choice is not None:
        return None if choice else "opted_out"
    if contact is None or contact == way.value or way in _ALWAYS_RIGHT:
        return None
    return "prefers_other"
