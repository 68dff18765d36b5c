"""The event bus, Redis Streams with consumer groups: what a service listens to, and how an event reaches its handler."""

from __future__ import annotations

from services.chassis.bus.received import Handler, Received, Subscription

__all__ = ["Handler", "Received", "Subscription"]
