"""One method per operation, by resource: deliveries, preferences, templates, settings, messages, browsers, replies."""

from __future__ import annotations

from services.notifications.controller.browsers import Browsers
from services.notifications.controller.choosing import Choosing
from services.notifications.controller.deliveries import Deliveries
from services.notifications.controller.desk import Desk
from services.notifications.controller.messages import Messages
from services.notifications.controller.templates import Templates

__all__ = ["Desk", "NotificationsController"]


class NotificationsController(Deliveries, Choosing, Templates, Messages, Browsers):
    """Every operation of the contract."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
