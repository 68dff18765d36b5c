"""What the outside sees of deliveries, preferences, templates, settings, messages and subscriptions."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from services.notifications.model.deliveries import Attempt, Delivery, Message
from services.notifications.model.preferences import Preferences
from services.notifications.model.settings import FacilitySettings, QuietHours
from services.notifications.model.subscriptions import Subscription
from services.notifications.model.templates import Chosen, Template, filled, placeholders
from services.notifications.model.words import Way


def page(items: Sequence[Mapping[str, Any]], *, next_cursor: str | None = None) -> dict[str, Any]:
    """One page of a list."""
    return {"items": list(items), "next_cursor": next_cursor}


def delivery(item: Delivery) -> dict[str, Any]:
    """A delivery, without its address and its words."""
    return {
        "id": str(item.id),
        "event": item.topic.value,
        "channel": item.way.value,
        "status": item.status.value,
        "reason": item.reason,
        "addressee": {"kind": item.kind.value, "id": _id(item.reader_id)},
        "patient_id": _id(item.patient_id),
        "facility_id": _id(item.facility_id),
        "appointment_id": _id(item.appointment_id),
        "language": item.language,
        "planned_at": item.planned_at,
        "due_at": item.due_at,
        "finished_at": item.finished_at,
        "tries": item.tries,
        "resend_of": _id(item.resend_of),
    }


def delivery_in_full(item: Delivery, attempts: Sequence[Attempt]) -> dict[str, Any]:
    """A delivery with its address, its words and its attempts."""
    return {
        **delivery(item),
        "to": _to(item),
        "from_name": item.from_name,
        "subject": item.subject,
        "text": item.text,
        "wiped": item.wiped_at is not None,
        "attempts": [attempt(each) for each in attempts],
    }


def attempt(item: Attempt) -> dict[str, Any]:
    """One attempt."""
    return {
        "number": item.number,
        "started_at": item.started_at,
        "finished_at": item.finished_at,
        "outcome": item.outcome,
        "code": item.code,
        "reference": item.reference,
    }


def message(item: Message) -> dict[str, Any]:
    """A message that is read in the house."""
    return {
        "id": str(item.id),
        "event": item.topic.value,
        "appointment_id": _id(item.appointment_id),
        "subject": item.subject,
        "text": item.text,
        "language": item.language,
        "sent_at": item.sent_at,
        "read_at": item.read_at,
    }


def preferences(item: Preferences) -> dict[str, Any]:
    """What a person has chosen."""
    choices = [
        {"channel": way.value, "event": event, "wanted": wanted}
        for (way, event), wanted in sorted(item.choices.items())
    ]
    return {"version": item.version, "choices": choices}


def settings(item: FacilitySettings) -> dict[str, Any]:
    """What a facility has decided."""
    return {
        "version": item.version,
        "quiet_hours": None if item.quiet_hours is None else _quiet(item.quiet_hours),
        "from_name": item.from_name,
        "language": item.language,
        "channels": [each.value for each in Way if each in item.channels],
        "may_name_details": item.may_name_details,
    }


def template(item: Template, chosen: Chosen) -> dict[str, Any]:
    """The words of one message, with the language that they are written in."""
    return {
        "event": item.name,
        "channel": item.way.value,
        "language": item.language,
        "written_in": chosen.language,
        "own": chosen.is_own,
        "subject": chosen.subject,
        "text": chosen.text,
        "names_details": chosen.names_details,
        "placeholders": placeholders(item.name, names_details=chosen.names_details),
        "version": item.version,
    }


def preview(subject: str | None, text: str, values: Mapping[str, str], *, language: str, way: Way) -> dict[str, Any]:
    """A message as it would read."""
    shown = filled(text, values, language=language, way=way)
    return {
        "subject": None if subject is None else filled(subject, values, language=language, way=way),
        "text": shown,
        "characters": len(shown),
    }


def subscription(item: Subscription) -> dict[str, Any]:
    """A browser that shows messages; its address and keys are nobody's business."""
    return {"id": str(item.id), "host": item.host, "created_at": item.created_at}


def _quiet(item: QuietHours) -> dict[str, str]:
    return {"from": f"{item.starts:%H:%M}", "until": f"{item.ends:%H:%M}"}


def _to(item: Delivery) -> str | None:
    if item.to is None or item.way not in {Way.PUSH, Way.IN_APP}:
        return item.to
    if item.way is Way.IN_APP:
        return item.to.rpartition(":")[2]
    return urlsplit(json.loads(item.to)["endpoint"]).hostname


def _id(value: object) -> str | None:
    return None if value is None else str(value)
