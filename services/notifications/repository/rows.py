"""Rows to domain objects and back, and the form in which a version is kept in the history."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from services.notifications.model.channels import Invitation
from services.notifications.model.deliveries import Attempt, Delivery, Message
from services.notifications.model.preferences import Preferences
from services.notifications.model.settings import FacilitySettings, QuietHours
from services.notifications.model.subscriptions import Subscription
from services.notifications.model.templates import Template
from services.notifications.model.words import Kind, Status, Topic, Way

# Fields whose columns have other names: what a driver would have to quote, or what is two columns.
_COLUMNS = {"to": "address", "to_key": "address_key"}
_PLAIN = [each.name for each in dataclasses.fields(Delivery) if each.name != "invitation"]
_WORDS = {"topic": Topic, "way": Way, "kind": Kind, "status": Status}


def delivery(row: Any) -> Delivery:
    """A delivery from its row."""
    values = {name: getattr(row, _COLUMNS.get(name, name)) for name in _PLAIN}
    values |= {name: kind(values[name]) for name, kind in _WORDS.items()}
    if row.calendar is not None:
        values["invitation"] = Invitation(method=row.calendar_method, ics=bytes(row.calendar))
    if row.address_key is not None:
        values["to_key"] = bytes(row.address_key)
    return Delivery(**values)


def delivery_row(item: Delivery) -> dict[str, Any]:
    """A delivery as a row."""
    found = {_COLUMNS.get(name, name): getattr(item, name) for name in _PLAIN}
    found |= {name: found[name].value for name in _WORDS}
    invitation = item.invitation
    found["calendar_method"] = None if invitation is None else invitation.method
    found["calendar"] = None if invitation is None else invitation.ics
    return found


def attempt(row: Any) -> Attempt:
    """An attempt from its row."""
    return Attempt(**{each.name: getattr(row, each.name) for each in dataclasses.fields(Attempt)})


def message(row: Any) -> Message:
    """A message from its row."""
    values = {each.name: getattr(row, each.name) for each in dataclasses.fields(Message)}
    return Message(**{**values, "topic": Topic(row.topic)})


def subscription(row: Any) -> Subscription:
    """A subscription from its row."""
    values = {each.name: getattr(row, each.name) for each in dataclasses.fields(Subscription)}
    return Subscription(**{**values, "kind": Kind(row.kind)})


def subscription_row(item: Subscription) -> dict[str, Any]:
    """A subscription as a row."""
    return {**dataclasses.asdict(item), "kind": item.kind.value}


def preferences(row: Any) -> Preferences:
    """What a person has chosen, from its row."""
    return Preferences(kind=Kind(row.kind), owner_id=row.owner_id, choices=choices(row.choices), version=row.version)


def choices(kept: Any) -> dict[tuple[Way, str], bool]:
    """Choices as they are kept."""
    return {(Way(way), event): wanted for way, event, wanted in kept}


def preferences_row(item: Preferences) -> dict[str, Any]:
    """What a person has chosen, as a row."""
    kept = sorted([way.value, event, wanted] for (way, event), wanted in item.choices.items())
    return {"kind": item.kind.value, "owner_id": item.owner_id, "choices": kept, "version": item.version}


def template(row: Any) -> Template:
    """A template from its row."""
    values = {each.name: getattr(row, each.name) for each in dataclasses.fields(Template)}
    return Template(**{**values, "way": Way(row.way)})


def template_row(item: Template) -> dict[str, Any]:
    """A template as a row."""
    return {**dataclasses.asdict(item), "way": item.way.value}


def settings(row: Any) -> FacilitySettings:
    """The settings of a facility from their row."""
    return FacilitySettings(
        facility_id=row.facility_id,
        quiet_hours=quiet_hours(row),
        from_name=row.from_name,
        language=row.language,
        channels=frozenset(map(Way, row.channels)),
        may_name_details=row.may_name_details,
        version=row.version,
    )


def quiet_hours(row: Any) -> QuietHours | None:
    """Quiet hours from the two columns that hold them."""
    return None if row.quiet_from is None else QuietHours(starts=row.quiet_from, ends=row.quiet_until)


def settings_row(item: FacilitySettings) -> dict[str, Any]:
    """The settings of a facility as a row."""
    quiet = item.quiet_hours
    return {
        "facility_id": item.facility_id,
        "quiet_from": None if quiet is None else quiet.starts,
        "quiet_until": None if quiet is None else quiet.ends,
        "from_name": item.from_name,
        "language": item.language,
        "channels": sorted(each.value for each in item.channels),
        "may_name_details": item.may_name_details,
        "version": item.version,
    }


def state(row: Mapping[str, Any]) -> dict[str, Any]:
    """One version in values that JSON can hold."""
    return {name: value if isinstance(value, bool | int | list | None) else str(value) for name, value in row.items()}
