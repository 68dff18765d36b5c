"""The rules that say no to an appointment, by name."""

from __future__ import annotations

from services.kernel.errors import Conflict, Invalid


class TimeInvalid(Invalid):
    """The time that was asked for cannot be meant."""


class PlaceRefused(Conflict):
    """This place cannot be had; another one can, and the answer names the nearest."""


class PlaceTaken(PlaceRefused):
    """Somebody else has it, or holds it."""

    code = "place_taken"
    title = "This place is taken"


class PlaceClosed(PlaceRefused):
    """Leave, a holiday, or a closed location or room."""

    code = "place_closed"
    title = "Closed at this time"


class OutsideSessions(PlaceRefused):
    """The doctor has no session then, or none for this type, or it is too short."""

    code = "outside_sessions"
    title = "The doctor has no session then"


class ResourceTaken(PlaceRefused):
    """A room or device that it needs is taken."""

    code = "resource_taken"
    title = "A room or device is taken"


class PatientBusy(PlaceRefused):
    """The patient has another appointment at this time."""

    code = "patient_busy"
    title = "The patient has an appointment then"


class HoldOver(PlaceRefused):
    """The hold that was named is over, was booked, or is for another place."""

    code = "hold_over"
    title = "The hold is over"


class LimitReached(PlaceRefused):
    """As many as there may be of a session, a doctor's day, a patient's day, a patient's open ones, or holds."""

    code = "limit_reached"
    title = "A limit is reached"


class DoctorNotBookable(Conflict):
    """The doctor does not work here any more, or has no valid licence on that day, or does not do this type."""

    code = "doctor_not_bookable"
    title = "The doctor cannot be booked"


class PatientNotBookable(Conflict):
    """The record is of somebody who has died, was taken out of use, or was merged into another."""

    code = "patient_not_bookable"
    title = "Nothing can be booked for this record"


class IllegalMove(Conflict):
    """The status does not allow it; `facts` names the moves that it allows."""

    code = "illegal_move"
    title = "Its status forbids this"


class CallUs(Conflict):
    """So shortly before the start, people do not move or cancel it themselves; `facts` names the hours."""

    code = "call_us"
    title = "Please call us to change this appointment"


class NotStartedYet(Conflict):
    """Nobody has failed to come before the start."""

    code = "not_started_yet"
    title = "It has not begun yet"


class PlanClashes(Conflict):
    """Appointments that stand do not fit the new plan; `facts` names them."""

    code = "plan_clashes"
    title = "Appointments do not fit this plan"


class PlanSuperseded(Conflict):
    """A later plan is there already."""

    code = "plan_superseded"
    title = "A later plan is there already"


class PlanMoved(Exception):
    """The plan that was decided on is not the one of now: read it again, decide again."""
