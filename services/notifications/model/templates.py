"""The words of messages: what may stand in them, which are used, and how they are filled in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.kernel.errors import FieldError
from services.notifications.model.errors import TemplateInvalid
from services.notifications.model.texts import BUILT_IN, LANGUAGES, Text
from services.notifications.model.versions import FIRST
from services.notifications.model.words import Way

LAST_RESORT: Final = "en"
MOST_CHARACTERS: Final[Mapping[Way, int]] = {Way.EMAIL: 5000, Way.SMS: 320, Way.PUSH: 300, Way.IN_APP: 2000}
DETAILS: Final = ("appointment_type", "reason", "specialization")
"""What says, or nearly says, what somebody suffers from."""

_COMMON = ("date", "doctor", "facility", "name", "place", "time", "zone")
_MOVED = ("old_date", "old_time", "old_zone")
_PLACEHOLDER = re.compile(r"\{\{\s*([a-z_]{1,40})\s*\}\}")
_BRACES = re.compile(r"\{\{.*?\}\}|\{\{|\}\}", re.DOTALL)
_WITHOUT_SUBJECT = frozenset({Way.SMS})
# A value is one unit in a text that is read from right to left, whatever its own direction is (Unicode UAX 9, 2.4).
_ISOLATED = "\u2068{}\u2069"
_RIGHT_TO_LEFT = frozenset({"ar", "dv", "fa", "he", "ks", "ps", "sd", "ug", "ur", "yi"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The words of one message as the house has written them; without a text the built-in ones hold again."""

    name: str
    way: Way
    language: str
    subject: str | None = None
    text: str | None = None
    names_details: bool = False
    version: int = FIRST


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    """The words that are used for a reader, and the language that they are written in."""

    language: str
    subject: str | None
    text: str
    is_own: bool
    names_details: bool = False


Own = Mapping[tuple[str, Way, str], Template]
"""The templates of the house, by name, channel and language."""


def placeholders(name: str, *, names_details: bool = False) -> list[str]:
    """The names that may stand in a template.

    Source:  D-53; without details nothing that says what the appointment is about.
    """
    found = [*_COMMON, *(_MOVED if name.endswith("moved") else ()), *(DETAILS if names_details else ())]
    return sorted(found)


def used(text: str) -> set[str]:
    """The names that stand in a text.

    Source: none, plain arithmetic.
    """
    return set(_PLACEHOLDER.findall(text))


def read_words(
    body: Mapping[str, Any], *, name: str, way: Way, language: str, example: Mapping[str, str], version: int = FIRST
) -> Template:
    """The words that a body gives, when they can be used.

    example: what the placeholders stand for when the length is looked at.
    Raises:  TemplateInvalid: an unknown or broken placeholder, and where it stands; too long; without its subject.
    Source:  D-53.
    """
    template = Template(
        name=name,
        way=way,
        language=language,
        subject=None if way in _WITHOUT_SUBJECT else body.get("subject"),
        text=body["text"],
        names_details=body.get("names_details", False),
        version=version,
    )
    _ensure_subject(body, way)
    _ensure_known(template)
    if len(filled(template.text or "", example, language=language, way=way)) > MOST_CHARACTERS[way]:
        raise TemplateInvalid(
            errors=[FieldError(rule="too_long", pointer="/text")], facts={"most": MOST_CHARACTERS[way]}
        )
    return template


def choose(own: Own, *, name: str, way: Way, languages: Sequence[str | None], may_name_details: bool) -> Chosen:
    """The words for a reader: in the first language for which there are any, those of the house before the built-in.

    languages: of the reader, then of the facility; a tag with a region counts without it too, and English comes last.

    Source:  RFC 4647, section 3.4 (lookup).
    """
    for language in _lookup(languages):
        written = own.get((name, way, language))
        if written is not None and written.text is not None and (may_name_details or not written.names_details):
            return Chosen(
                language=language,
                subject=written.subject,
                text=written.text,
                is_own=True,
                names_details=written.names_details,
            )
        built_in = built_in_text(name, way, language)
        if built_in is not None:
            return Chosen(language=language, subject=built_in.subject, text=built_in.text, is_own=False)
    raise LookupError(f"there are no words for {name} by {way.value}")


def built_in_text(name: str, way: Way, language: str) -> Text | None:
    """The built-in words, where there are any in this language.

    Source: none, plain arithmetic.
    """
    if language not in LANGUAGES:
        return None
    words = BUILT_IN[language][name]
    text = words.long if way is Way.EMAIL else words.short
    return Text(subject=None if way in _WITHOUT_SUBJECT else words.subject, text=text)


def filled(text: str, values: Mapping[str, str], *, language: str, way: Way) -> str:
    """A text with what its placeholders stand for; one that nothing is known for stands for nothing.

    Source: none, plain arithmetic.
    """
    is_isolated = language.partition("-")[0] in _RIGHT_TO_LEFT and way is not Way.SMS

    def value(match: re.Match[str]) -> str:
        found = values.get(match[1], "")
        return _ISOLATED.format(found) if is_isolated and found else found

    return _PLACEHOLDER.sub(value, text)


def _lookup(languages: Sequence[str | None]) -> Iterator[str]:
    for language in [*languages, LAST_RESORT]:
        if language is not None:
            yield language
            if "-" in language:
                yield language.partition("-")[0]


def _ensure_subject(body: Mapping[str, Any], way: Way) -> None:
    has_one = body.get("subject") is not None
    if has_one == (way in _WITHOUT_SUBJECT):
        rule = "not_wanted" if has_one else "required"
        raise TemplateInvalid(errors=[FieldError(rule=rule, pointer="/subject")])


def _ensure_known(template: Template) -> None:
    """Refuse what cannot be filled in. What was written is not repeated, only where it stands."""
    known = placeholders(template.name, names_details=template.names_details)
    errors, places = [], []
    for pointer, text in (("/subject", template.subject or ""), ("/text", template.text or "")):
        for match in _BRACES.finditer(text):
            named = _PLACEHOLDER.fullmatch(match[0])
            if named is None or named[1] not in known:
                rule = "broken_placeholder" if named is None else "unknown_placeholder"
                errors.append(FieldError(rule=rule, pointer=pointer))
                places.append({"pointer": pointer, "at": match.start(), "characters": len(match[0])})
    if errors:
        raise TemplateInvalid(errors=sorted(set(errors), key=str), facts={"places": places, "known": known})
