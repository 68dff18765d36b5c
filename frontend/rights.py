"""What permissions and roles of the system are called on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

from frontend.sayings import N_

AREAS: Final[Mapping[str, str]] = {
    "account": N_("The own account"),
    "facilities": N_("Facilities"),
    "users": N_("Users"),
    "sign_ins": N_("Sign-in"),
    "accounts": N_("Accounts of patients"),
    "service_accounts": N_("Programs"),
    "roles": N_("Roles"),
    "keys": N_("Signing keys"),
    "patients": N_("Patients"),
    "history": N_("Allergies and problems"),
    "appointments": N_("Appointments"),
    "plans": N_("Plans"),
    "doctors": N_("Doctors"),
    "specializations": N_("Specializations"),
    "appointment_types": N_("Kinds of appointments"),
    "resources": N_("Rooms and devices"),
    "schedules": N_("Sessions and leave"),
    "closures": N_("Closures"),
    "notifications": N_("Messages"),
    "audit": N_("Audit"),
    "reports": N_("Figures"),
}
"""By the first part of a permission."""
RIGHTS: Final[Mapping[str, str]] = {
    "account.open": N_("See the own account, change the own password, end the session in use."),
    "account.own": N_("See and end the own sessions."),
    "facilities.read": N_("See facilities, locations and departments."),
    "facilities.manage": N_("Create and change facilities, locations and departments."),
    "users.read": N_("See accounts and their roles."),
    "users.manage": N_(
        "Create, change and disable accounts, give one-time passwords, reset second factors, end sessions."
    ),
    "users.name": N_(
        "Ask what colleagues and programs are called, and nothing else of them;"
        " of a patient's account only that it is one."
    ),
    "sign_ins.unlock": N_("See the counters of wrong passwords and codes, and lift them."),
    "accounts.invite": N_(
        "Make activation codes for patients and guardians, see and end links between accounts and records."
    ),
    "service_accounts.manage": N_("Make service accounts and their keys, and take keys back."),
    "roles.read": N_("See roles and permissions."),
    "roles.assign": N_("Give roles to accounts and take them away, one by one or by groups of a provider."),
    "roles.manage": N_("Make, change and delete roles of the house's own, and say which roles want a second factor."),
    "keys.rotate": N_("Make a new signing key, and withdraw one."),
    "patients.register": N_("Register a patient."),
    "patients.read": N_("Read and search demographics."),
    "patients.update": N_("Change demographics."),
    "patients.deactivate": N_("Take a record out of use, kept and hidden from search."),
    "patients.restore": N_("Bring a record that was taken out of use back."),
    "patients.mark_deceased": N_("Record that a patient has died, and when."),
    "patients.verify_birth": N_("Ask whether a birth date is that of a record, without seeing it."),
    "patients.verify": N_("Ask whether a record exists and may be acted on, without seeing it."),
    "patients.contact": N_("Ask how a patient is addressed and reached, to send a message."),
    "history.read": N_("Read allergies and problems."),
    "history.write": N_("Add allergies and problems, and resolve them."),
    "history.correct": N_("Mark an entry as entered in error."),
    "appointments.find": N_("See where an appointment still fits."),
    "appointments.read": N_("Read appointments and what happened to them."),
    "appointments.book": N_("Hold places, and book, move and cancel appointments."),
    "appointments.request": N_("Ask for an appointment that somebody else approves."),
    "appointments.approve": N_("Approve and decline requests."),
    "appointments.attend": N_("Record who arrived, is seen, is done or did not come."),
    "appointments.overbook": N_("Book over a full place, with a reason."),
    "appointments.overlap": N_("Give a patient two appointments at a time, with a reason."),
    "appointments.retro": N_("Enter an appointment after its time, with a reason."),
    "appointments.correct": N_("Mark an appointment as entered in error."),
    "plans.apply": N_("Make a plan the one that bookings are decided on."),
    "doctors.read": N_("See doctors, specializations, appointment types, rooms and devices, sessions and plans."),
    "doctors.manage": N_("Create and change profiles of doctors, their photos and how long a type takes with them."),
    "specializations.manage": N_("Keep the list of specializations."),
    "appointment_types.manage": N_("Keep the list of appointment types."),
    "resources.manage": N_("Keep the list of rooms and devices."),
    "schedules.manage": N_("Change sessions and leave of every doctor, and see changes of plans that wait."),
    "schedules.manage_own": N_("Change one's own sessions and leave."),
    "closures.manage": N_("Close a facility, a location, a room or a device for a time, and open it again."),
    "notifications.read": N_(
        "See what was sent to whom and what came of it, messages to patients, and what patients want to be told."
    ),
    "notifications.resend": N_("Send a message again."),
    "notifications.set_preferences": N_(
        "Say for a patient which messages are wanted by which way, and on which devices."
    ),
    "notifications.manage": N_("Keep the templates of messages, and what a facility sends by which way and when."),
    "notifications.test": N_("Send a test message to any address."),
    "audit.read": N_("Search the trail of who did and who saw what."),
    "audit.read_own_record": N_("See who opened or changed one's own record, or that of a person in one's care."),
    "audit.export": N_("Take what a search of the trail finds out of the house as a file."),
    "audit.verify": N_("Check that the trail is whole."),
    "reports.read": N_("See the figures of all doctors."),
    "reports.read_own": N_("See one's own figures."),
    "reports.export": N_("Take figures that one may see out of the house as a file."),
}
ROLES: Final[Mapping[str, tuple[str, str]]] = {
    "super_admin": (N_("Super admin"), N_("Manages everything.")),
    "admin": (N_("Administrator"), N_("Runs the house - facilities, accounts and roles - and sees no medical record.")),
    "receptionist": (
        N_("Receptionist"),
        N_("Registers patients, keeps their demographics and hands out codes for accounts of theirs."),
    ),
    "nurse": (N_("Nurse"), N_("Reads patients and keeps their allergies and problems.")),
    "doctor": (N_("Doctor"), N_("Reads patients, keeps the history of those in the own care and corrects it.")),
    "pharmacist": (N_("Pharmacist"), N_("Reads what a safe dispensing needs.")),
    "records_clerk": (N_("Records clerk"), N_("Keeps demographics and corrects entries that were made in error.")),
    "auditor": (N_("Auditor"), N_("Reads and checks the trail, sees figures without names, and no medical record.")),
    "patient": (
        N_("Patient"),
        N_("A person with a record here; what opens it is the link between account and record."),
    ),
    "first_sign_in": (
        N_("First sign-in"),
        N_(
            "Nothing but the way to a password of one's own. Held instead of the roles until there is one; "
            "nobody is given it."
        ),
    ),
    "service": (N_("Service"), N_("A program that acts for itself, with the least it needs.")),
}


def grouped(permissions: Iterable[str]) -> Sequence[tuple[str, Sequence[str]]]:
    """Permissions under the areas they belong to, in the order of the contract; what is not known comes last."""
    order = {name: index for index, name in enumerate(RIGHTS)}
    by_order = sorted(permissions, key=lambda name: (order.get(name, len(order)), name))
    return [(area, list(names)) for area, names in groupby(by_order, key=lambda name: name.partition(".")[0])]
