"""One method for each operation of the contract: load, decide, save."""

from __future__ import annotations

from services.appointments.controller.attending import Attending
from services.appointments.controller.booking import Booking
from services.appointments.controller.desk import Desk
from services.appointments.controller.finding import Finding
from services.appointments.controller.plans import Plans
from services.appointments.controller.reading import Reading
from services.appointments.controller.worklist import Worklist


class AppointmentsController(Finding, Booking, Attending, Reading, Worklist, Plans):
    """The booking desk."""


__all__ = ["AppointmentsController", "Desk"]
