"""Who opened a record, in words that a patient understands: by day, who, what and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from frontend.labels import OWN_PURPOSES, ROLE_NAMES
from frontend.sayings import N_
from frontend.words import Words

Access = Mapping[str, Any]

OPERATIONS: Final[Mapping[str, str]] = {
    "get_patient": N_("opened the personal data"),
    "search_patients": N_("found the record in a search"),
    "find_patient_summaries": N_("saw the name in a list"),
    "register_patient": N_("made the record"),
    "update_patient": N_("changed the personal data"),
    "list_patient_changes": N_("looked at changes of the personal data"),
    "find_patient_contacts": N_("looked up how to reach you"),
    "get_patient_standing": N_("checked that the record is in use"),
    "find_patient_standings": N_("checked that the record is in use"),
    "check_birth_date": N_("compared the birth date"),
    "list_allergies": N_("looked at allergies"),
    "get_allergy": N_("looked at an allergy"),
    "get_allergy_statement": N_("looked at allergies"),
    "add_allergy": N_("wrote down an allergy"),
    "resolve_allergy": N_("noted that an allergy is over"),
    "mark_allergy_entered_in_error": N_("corrected an allergy"),
    "declare_no_known_allergies": N_("noted that no allergies are known"),
    "withdraw_no_known_allergies": N_("corrected what was noted about allergies"),
    "list_problems": N_("looked at illnesses"),
    "get_problem": N_("looked at an illness"),
    "add_problem": N_("wrote down an illness"),
    "resolve_problem": N_("noted that an illness is over"),
    "mark_problem_entered_in_error": N_("corrected an illness"),
    "list_patient_appointments": N_("looked at your appointments"),
    "list_appointments": N_("saw the appointment in the calendar"),
    "get_appointment": N_("opened an appointment"),
    "list_appointment_changes": N_("looked at what happened to an appointment"),
    "get_patient_attendance": N_("looked at appointments that were kept"),
    "book_appointment": N_("booked an appointment"),
    "request_appointment": N_("asked for an appointment"),
    "approve_appointment": N_("confirmed an appointment"),
    "decline_appointment": N_("declined an appointment"),
    "reschedule_appointment": N_("moved an appointment"),
    "cancel_appointment": N_("cancelled an appointment"),
    "set_appointment_status": N_("noted how the visit goes"),
    "list_record_accesses": N_("looked at who opened the record"),
    "list_patient_messages": N_("read messages"),
    "get_patient_notification_preferences": N_("looked at which messages are wanted"),
    "set_patient_notification_preferences": N_("changed which messages are wanted"),
    "create_activation_code": N_("made a code for an account"),
    "activate_account": N_("linked an account with the record"),
    "add_own_link": N_("linked an account with the record"),
}
ACTIONS: Final[Mapping[str, str]] = {
    "create": N_("added something to the record"),
    "read": N_("looked at the record"),
    "update": N_("changed something in the record"),
    "delete": N_("took something out of the record"),
    "search": N_("found the record in a search"),
    "verify": N_("checked something in the record"),
    "export": N_("took a copy of the record"),
}
_HOUSE: Final = N_("The house by itself")
_OWN: Final = N_("You, or somebody who acts for you")
_STAFF: Final = N_("Somebody who works here")


@dataclass(frozen=True)
class Told:
    """What one person did in one minute: when, who, for what, and each thing once."""

    at: str
    who: str
    why: str
    what: Sequence[str]


def told(found: Sequence[Access], words: Words) -> list[tuple[str, list[Told]]]:
    """Accesses by day; those of the same minute, person and purpose are told together."""

    def together(each: Access) -> tuple[str, str, str]:
        minute = words.at(each["at"]).isoformat(timespec="minutes")
        return minute, who(each["by"], words), words.gettext(OWN_PURPOSES.get(each["purpose"], str(each["purpose"])))

    lines = []
    for (_, name, why), group in groupby(found, key=together):
        each = list(group)
        done = [what(one, words) for one in reversed(each)]  # the newest comes first; what one did is told in its order
        lines.append(Told(each[0]["at"], name, why, list(dict.fromkeys(done))))
    by_day = groupby(lines, key=lambda line: words.at(line.at).date().isoformat())
    return [(day, list(of_day)) for day, of_day in by_day]


def who(by: Mapping[str, Any], words: Words) -> str:
    """Who it was: the name where the house shows it, else the kind of work."""
    if by["kind"] == "house":
        return words.gettext(_HOUSE)
    if by["kind"] == "person":
        return words.gettext(_OWN)
    roles = ", ".join(words.gettext(ROLE_NAMES.get(role, role)) for role in by["roles"]) or words.gettext(_STAFF)
    return f"{by['name']} ({roles})" if by.get("name") else roles


def what(access: Access, words: Words) -> str:
    """What was done."""
    known = OPERATIONS.get(access["operation"]) or ACTIONS.get(access["action"], ACTIONS["read"])
    return words.gettext(known)
