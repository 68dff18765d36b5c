"""One method per operation, by resource: lists, profiles, sessions, leave, closures and plans."""

from __future__ import annotations

from services.doctors.controller.closing import Closures
from services.doctors.controller.desk import Desk
from services.doctors.controller.lists import Lists
from services.doctors.controller.planning import Plans
from services.doctors.controller.profiles import Profiles
from services.doctors.controller.schedules import Schedules

__all__ = ["Desk", "DoctorsController"]


class DoctorsController(Lists, Profiles, Schedules, Closures, Plans):
    """Every operation of the contract."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
