"""What happened, in the form that leaves a model: ids and plain facts, never a name, a number or a finding."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened to one subject, past tense; `type` is its name on the wire (`patients.registered.v1`).

    `version` is the subject's version after it, so that a listener can drop what comes late. `data` holds what the
    schema of the type in `openapi/events.yaml` says: ids, codes of the system and counts.
    """

    type: str
    subject: str
    version: int
    data: Mapping[str, object] = field(default_factory=dict)
