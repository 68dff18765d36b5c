"""How long the technical records of a service are kept."""

from __future__ import annotations

from datetime import timedelta

SENT_EVENTS = timedelta(days=35)
"""What a lost bus or a rebuilt read model can be fed from."""

HANDLED_EVENTS = timedelta(days=40)
"""Longer than sent events, or an event that is published again would be handled again."""

ANSWERS = timedelta(days=7)
"""How long a client may ask again with the same key."""
