"""Forms: what was typed, what is wrong with it and where, and what the API is sent.

A form checks nothing that the API checks. It only turns text into what the contract wants (numbers, lists, nothing for
an empty field), and puts each error of a problem document beside the field that it is about.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from werkzeug.datastructures import MultiDict

from frontend.api import RUNNING, Refused
from frontend.sayings import LIMITS, PROBLEMS, RULES
from frontend.words import Words

_SHOWN: Final = 6  # of the errors that belong to no field


@dataclass
class Wrong(Exception):
    """Text that cannot be turned into what the API takes: the rule that each field breaks, by its name."""

    fields: Mapping[str, str]


@dataclass
class Form:
    """One form on one page.

    values: texts by name of field. key: what makes two sendings one. version: of the thing that is changed. errors:
    what to say beside each field; rules: which rule it breaks. problem: what to say above all of them. facts: what the
    API said with a refusal. other: the thing as somebody else has left it meanwhile.
    """

    values: MultiDict[str, str] = field(default_factory=MultiDict)
    version: int | None = None
    name: str = ""
    key: str = field(default_factory=lambda: str(uuid.uuid4()))
    errors: dict[str, str] = field(default_factory=dict)
    rules: dict[str, str] = field(default_factory=dict)
    problem: str = ""
    request_id: str = ""
    code: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)
    other: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def sent(cls, values: MultiDict[str, str], *, name: str = "") -> Form:
        """What came from a browser."""
        version = values.get("_version", "")
        made = cls(MultiDict(values), int(version) if version.isdigit() else None, name or values.get("_form", ""))
        made.key = values.get("_key") or made.key
        return made

    @classmethod
    def of(cls, thing: Mapping[str, Any], *, name: str = "") -> Form:
        """A thing as it is, to be changed."""
        return cls(MultiDict(_flat(thing)), thing.get("version"), name)

    def value(self, name: str, default: str = "") -> str:
        """What stands in a field."""
        return str(self.values.get(name, default))

    def text(self, name: str) -> str | None:
        """What stands in a field, without blanks around it; None where there is nothing."""
        return self.value(name).strip() or None

    def needed(self, name: str) -> str:
        """What stands in a field that cannot be empty.

        Raises:  Wrong.
        """
        text = self.text(name)
        if text is None:
            raise Wrong({name: "required"})
        return text

    def many(self, name: str) -> list[str]:
        """All that was chosen of a list."""
        return [each for each in self.values.getlist(name) if each]

    def is_on(self, name: str) -> bool:
        """Whether a box is ticked."""
        return bool(self.value(name))

    def number(self, name: str) -> int | None:
        """A whole number.

        Raises:  Wrong.
        """
        text = self.text(name)
        if text is None:
            return None
        if not text.lstrip("-").isdigit():
            raise Wrong({name: "type"})
        return int(text)

    def picked(self, names: Iterable[str]) -> dict[str, str]:
        """The fields of these names in which something stands: what was left empty is not sent."""
        found = {name: self.text(name) for name in names}
        return {name: text for name, text in found.items() if text is not None}

    def changed(self, names: Iterable[str]) -> dict[str, str | None]:
        """The fields of these names that were on the form; what was emptied is null."""
        return {name: self.text(name) for name in names if name in self.values}

    def rows(self, name: str, members: Sequence[str]) -> list[dict[str, str]]:
        """A list of things, as in `phones.0.number`, `phones.0.use`, `phones.1.number`.

        Rows without a first member are left out.
        """
        made, index = [], 0
        while any(f"{name}.{index}.{member}" in self.values for member in members):
            row = self.picked(f"{name}.{index}.{member}" for member in members)
            short = {key.rpartition(".")[2]: value for key, value in row.items()}
            if members[0] in short:
                made.append(short)
            index += 1
        return made

    def count(self, name: str, least: int = 1) -> int:
        """How many rows of a list the form shows."""
        numbers = [
            int(part[1]) for part in (key.split(".") for key in self.values) if part[0] == name and len(part) > 2
        ]
        return max([least, *(number + 1 for number in numbers)])

    def take(self, error: Refused | Wrong, words: Words) -> None:
        """Note what was wrong; what was refused for good is sent under another key next time."""
        if isinstance(error, Wrong):
            self._mark(error.fields, words)
            self.problem = words.say("Please look at the marked fields.")
            return
        if error.code != RUNNING:
            self.key = str(uuid.uuid4())
        self.code, self.request_id, self.facts = error.code, error.request_id, error.facts
        self.problem = said(error, words)
        self._mark({_field_of(each): str(each.get("rule")) for each in error.errors}, words)

    def _mark(self, broken: Mapping[str, str], words: Words) -> None:
        self.rules = dict(broken)
        self.errors = {name: words.say(RULES.get(rule, RULES["format"])) for name, rule in broken.items()}

    def stray(self, shown: Iterable[str]) -> list[str]:
        """Errors of fields that are not on the form, in words."""
        known = set(shown)
        return [f"{name}: {text}" for name, text in self.errors.items() if name not in known][:_SHOWN]


def said(error: Refused, words: Words) -> str:
    """What a problem means for whoever has to do with it: what happened, and what to do."""
    known = LIMITS.get(str(error.facts.get("limit"))) or PROBLEMS.get(error.code)
    if known:
        return words.say(known)
    if error.status == 422:
        return words.say("Please look at the marked fields.")
    if error.status == 403:
        return words.say("You may not do this. Ask whoever runs the house if you should.")
    if error.status == 404:
        return words.say("This is not there, or not yours to see.")
    if error.status == 429:
        return words.say("Too many tries. Please wait %(seconds)s seconds.", seconds=error.retry_after_s or 60)
    return words.say("This was refused: %(why)s.", why=error.detail or error.title)


def _field_of(error: Mapping[str, Any]) -> str:
    """`/phones/0/number` is the field `phones.0.number`; `/languages/0` is `languages`, a field that holds several."""
    pointer = str(error.get("pointer") or "").strip("/")
    several, _, last = pointer.rpartition("/")
    return (several if last.isdigit() else pointer).replace("/", ".") or str(error.get("parameter") or "")


def _flat(thing: Mapping[str, Any], before: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in thing.items():
        way = f"{before}{name}"
        if isinstance(value, Mapping):
            found += _flat(value, f"{way}.")
        elif isinstance(value, list):
            for index, each in enumerate(value):
                found += _flat(each, f"{way}.{index}.") if isinstance(each, Mapping) else [(way, str(each))]
        elif value is not None:
            found.append((way, str(value).lower() if isinstance(value, bool) else str(value)))
    return found
