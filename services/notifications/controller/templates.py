"""The words of messages: those in force, own ones, back to the built-in ones, and how they would read."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from services.chassis.call import Answer, Call
from services.notifications import view
from services.notifications.controller.desk import Desk, keep
from services.notifications.model import templates as wording
from services.notifications.model.access import ensure_runs_the_house
from services.notifications.model.rendering import example
from services.notifications.model.templates import Own, Template, read_words
from services.notifications.model.texts import BUILT_IN, LANGUAGES
from services.notifications.model.words import Way


class Templates:
    """Operations on templates."""

    _desk: Desk

    def list_notification_templates(self, event: str | None = None, channel: str | None = None) -> dict[str, Any]:
        """The words of all messages."""
        with self._desk.store.read() as tx:
            own = tx.templates()
        built_in = {(name, way, tag) for tag in LANGUAGES for name in BUILT_IN[tag] for way in Way}
        written = {key for key, each in own.items() if each.text is not None}
        wanted = sorted(
            key for key in built_in | written if event in {None, key[0]} and channel in {None, key[1].value}
        )
        return view.page([_shown(own.get(key) or _unwritten(*key), own) for key in wanted])

    def get_notification_template(self, event: str, channel: str, language: str) -> dict[str, Any]:
        """The words of one message."""
        with self._desk.store.read() as tx:
            return _shown(tx.template(event, Way(channel), language), tx.templates())

    def set_notification_template(
        self, event: str, channel: str, language: str, body: Mapping[str, Any], call: Call
    ) -> Answer:
        """Write the words of one message."""
        ensure_runs_the_house(call.actor)
        fresh = _read(body, event, channel, language)
        with self._desk.store.begin(call) as tx:
            before, own = tx.template(event, Way(channel), language), tx.templates()
            return keep(tx, before, fresh, call, show=lambda after: _shown(after, own), record=_named(fresh))

    def reset_notification_template(self, event: str, channel: str, language: str, call: Call) -> Answer:
        """Go back to the built-in words."""
        ensure_runs_the_house(call.actor)
        with self._desk.store.begin(call) as tx:
            before, own = tx.template(event, Way(channel), language), tx.templates()
            bare = dataclasses.replace(before, subject=None, text=None, names_details=False)
            return keep(tx, before, bare, call, show=lambda after: _shown(after, own), record=_named(bare))

    def preview_notification_template(
        self, event: str, channel: str, language: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """How a message would read."""
        words = _read(body, event, channel, language)
        values = example(language=language, names_details=words.names_details)
        return view.preview(words.subject, words.text or "", values, language=language, way=words.way)


def _read(body: Mapping[str, Any], event: str, channel: str, language: str) -> Template:
    values = example(language=language, names_details=body.get("names_details", False))
    return read_words(body, name=event, way=Way(channel), language=language, example=values)


def _shown(item: Template, own: Own) -> dict[str, Any]:
    known = {**own, (item.name, item.way, item.language): item}
    chosen = wording.choose(known, name=item.name, way=item.way, languages=[item.language], may_name_details=True)
    return view.template(item, chosen)


def _unwritten(name: str, way: Way, language: str) -> Template:
    return Template(name=name, way=way, language=language)


def _named(item: Template) -> str:
    return f"{item.name}/{item.way.value}/{item.language}"
