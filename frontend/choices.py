"""Which messages somebody wants, as fields of a form: `sms.all`, `sms.moved`; each is `yes`, `no`, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from frontend import labels
from frontend.forms import Form

ALL: Final = "all"
CHANNELS: Final = tuple(labels.CHANNELS)
TOPICS: Final = tuple(labels.TOPICS)


def fields(preferences: Mapping[str, Any]) -> dict[str, Any]:
    """The choices that stand, by the name of their field, with the version that they have."""
    made: dict[str, Any] = {"version": preferences["version"]}
    for each in preferences["choices"]:
        made[f"{each['channel']}.{each['event']}"] = "yes" if each["wanted"] else "no"
    return made


def chosen(form: Form) -> dict[str, Any]:
    """What the API is sent: every choice that was made, those of fields that the page does not show too."""
    found = {(channel, topic): form.text(f"{channel}.{topic}") for channel in CHANNELS for topic in (ALL, *TOPICS)}
    return {
        "choices": [
            {"channel": channel, "event": topic, "wanted": value == "yes"}
            for (channel, topic), value in found.items()
            if value in {"yes", "no"}
        ]
    }
