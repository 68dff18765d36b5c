"""The event bus, Redis Streams with consumer groups: what a service listens to, and how an event gets there."""

from __future__ import annotations

from services.chassis.bus.consumer import Consumer
from services.chassis.bus.deadletters import DeadLetter, dead_letters, drop, redrive
from services.chassis.bus.event_schemas import EventSchemas
from services.chassis.bus.gauges import Standing, standing
from services.chassis.bus.group import Group, dead_letters_of
from services.chassis.bus.handling import Handling
from services.chassis.bus.received import Handler, Received, Subscription
from services.chassis.bus.republishing import republish
from services.chassis.bus.timing import Timing
from services.chassis.bus.trimming import trim

__all__ = [
    "Consumer",
    "DeadLetter",
    "EventSchemas",
    "Group",
    "Handler",
    "Handling",
    "Received",
    "Standing",
    "Subscription",
    "Timing",
    "dead_letters",
    "dead_letters_of",
    "drop",
    "redrive",
    "republish",
    "standing",
    "trim",
]
