"""Two versions of one thing: what somebody typed, and what somebody else has saved meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from frontend.forms import Form
from frontend.sayings import N_

Show = Callable[[Sequence[str]], str]
"""What stands in a field, as people read it."""


def plain(values: Sequence[str]) -> str:
    """Texts as they are."""
    return ", ".join(values)


def differing(typed: Form, stands: Form, fields: Mapping[str, tuple[str, Show]]) -> list[tuple[str, str, str]]:
    """Of each field that is not the same in both: its label, what stands, and what was typed.

    fields: label and way to show it, by name of field.
    """
    found = []
    for name, (label, show) in fields.items():
        there, here = _values(stands, name), _values(typed, name)
        if sorted(there) != sorted(here):
            found.append((label, show(there), show(here)))
    return found


def _values(form: Form, name: str) -> list[str]:
    return [text for each in form.values.getlist(name) if (text := each.strip())]


STALE: Final = N_("Somebody has changed this meanwhile. This is how it stands now: look whether you still want it.")
"""Where nothing was typed, so that there is nothing to choose from."""
