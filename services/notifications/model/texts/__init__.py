"""The built-in words of every message, in six languages: polite, short, and silent about what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from services.notifications.model.texts import ar, de, en, es, fr, tr
from services.notifications.model.texts.text import Text, Words

__all__ = ["BUILT_IN", "LANGUAGES", "SUMMARIES", "TEST", "Text", "Words"]

_MODULES: Final = {"ar": ar, "de": de, "en": en, "es": es, "fr": fr, "tr": tr}
BUILT_IN: Final[Mapping[str, Mapping[str, Words]]] = {language: each.WORDS for language, each in _MODULES.items()}
SUMMARIES: Final[Mapping[str, str]] = {language: each.SUMMARY for language, each in _MODULES.items()}
TEST: Final[Mapping[str, Text]] = {language: each.TEST for language, each in _MODULES.items()}
LANGUAGES: Final = frozenset(_MODULES)
