"""Rules of doctors and their plans that can be broken, by name."""

from __future__ import annotations

from services.kernel.errors import Conflict


class NameTaken(Conflict):
    """Two things of one name are mistaken for each other."""

    code = "name_taken"
    title = "This name is taken"


class InUse(Conflict):
    """A doctor or an appointment type has it."""

    code = "in_use"
    title = "It is in use"


class LicenceTaken(Conflict):
    """A licence number belongs to one doctor."""

    code = "licence_taken"
    title = "This licence number belongs to another doctor"


class AccountTaken(Conflict):
    """An account belongs to one doctor."""

    code = "account_taken"
    title = "This account belongs to another doctor"


class AlreadyInactive(Conflict):
    """There is nothing to take out of service."""

    code = "already_inactive"
    title = "The doctor is out of service already"


class AlreadyActive(Conflict):
    """There is nothing to bring back."""

    code = "already_active"
    title = "The doctor is in service already"


class SessionsOverlap(Conflict):
    """A doctor cannot be at two places at once; `facts` name the other session and the first day."""

    code = "sessions_overlap"
    title = "The doctor has another session at that time"


class TooMany(Conflict):
    """A plan holds so many sessions and closures and no more."""

    code = "too_many"
    title = "There are too many of them"


class HasBookings(Conflict):
    """Appointments that are booked do not fit the new plan; `facts` name them."""

    code = "has_bookings"
    title = "Appointments are in the way"


class PlanPending(Conflict):
    """A change of this plan waits for its answer; `facts` name it."""

    code = "plan_pending"
    title = "A change of this plan waits"
