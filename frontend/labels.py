"""What values of the contracts are called on the screen, and in which colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from frontend.rights import ROLES
from frontend.sayings import N_
from frontend.words import Words

GENDERS: Final = {"female": N_("female"), "male": N_("male"), "other": N_("other"), "unknown": N_("unknown")}
STANDINGS: Final = {
    "active": N_("in use"),
    "inactive": N_("out of use"),
    "deceased": N_("deceased"),
    "merged": N_("joined with another"),
}
DEACTIVATIONS: Final = {
    "registered_in_error": N_("registered by mistake"),
    "moved_away": N_("moved away"),
    "requested": N_("the patient asked for it"),
    "other": N_("another reason"),
}
STATUSES: Final = {
    "pending": N_("requested"),
    "booked": N_("booked"),
    "arrived": N_("arrived"),
    "in_progress": N_("being seen"),
    "completed": N_("done"),
    "cancelled": N_("cancelled"),
    "declined": N_("declined"),
    "no_show": N_("did not come"),
    "entered_in_error": N_("entered in error"),
}
APPOINTMENT_CHANGES: Final = {
    "request_appointment": N_("asked for"),
    "approve_appointment": N_("approved"),
    "decline_appointment": N_("declined"),
    "book_appointment": N_("booked"),
    "reschedule_appointment": N_("moved"),
    "cancel_appointment": N_("cancelled"),
    "mark_appointment_entered_in_error": N_("entered in error"),
}
COLOURS: Final = {
    "pending": "warning",
    "booked": "primary",
    "arrived": "info",
    "in_progress": "progress",
    "completed": "success",
    "cancelled": "secondary",
    "declined": "secondary",
    "no_show": "danger",
    "entered_in_error": "dark",
    # of messages, and of the tries to send them
    "held": "info",
    "queued": "info",
    "sending": "info",
    "sent": "success",
    "delivered": "success",
    "failed": "danger",
    "dead": "danger",
    "suppressed": "secondary",
    "accepted": "success",
    "deferred": "warning",
    "refused": "danger",
    "away": "warning",
    # How something in the trail ended, and how a signing key stands.
    "success": "success",
    "denied": "danger",
    "not_found": "warning",
    "waiting": "info",
    "signing": "success",
    "retired": "secondary",
    "gone": "secondary",
    "withdrawn": "dark",
}
USES: Final = {
    "mobile": N_("mobile"),
    "home": N_("home"),
    "work": N_("work"),
    "temp": N_("for a while"),
    "old": N_("old"),
}
IDENTIFIERS: Final = {
    "national_id": N_("national number"),
    "passport": N_("passport"),
    "driving_licence": N_("driving licence"),
    "insurance": N_("insurance"),
    "other": N_("another number"),
}
CANCELLATIONS: Final = {
    "patient_request": N_("The patient wishes it"),
    "patient_ill": N_("The patient is ill"),
    "doctor_away": N_("The doctor is away"),
    "facility_closed": N_("The facility is closed"),
    "duplicate": N_("It was booked twice"),
    "died": N_("The patient has died"),
    "other": N_("Another reason"),
}
AUDIENCES: Final = {"everyone": N_("patients too"), "staff": N_("staff only")}
RESOURCES: Final = {"room": N_("room"), "device": N_("device")}
CONTACTS: Final = {
    "phone": N_("telephone"),
    "sms": N_("SMS"),
    "email": N_("e-mail"),
    "letter": N_("letter"),
    "none": N_("no messages"),
}
VIEWS: Final = {"day": N_("Day"), "week": N_("Week"), "month": N_("Month")}
GROUPINGS: Final = {
    "doctor": N_("one doctor"),
    "specialization": N_("a field"),
    "department": N_("a department"),
    "location": N_("a place"),
}
FIELDS: Final = {
    "family_name": N_("Family name"),
    "given_name": N_("Given name"),
    "middle_name": N_("Middle name"),
    "prefix": N_("Title"),
    "administrative_gender": N_("Gender"),
    "sex_at_birth": N_("Sex at birth"),
    "birth_date": N_("Birth date"),
    "phones": N_("Telephone"),
    "emails": N_("E-mail"),
    "addresses": N_("Address"),
    "language": N_("Language"),
    "zone": N_("Time zone"),
    "contact_preference": N_("Reached best by"),
    "identifiers": N_("Numbers"),
    "reason": N_("Reason"),
    "note": N_("Note"),
    "display_name": N_("Name"),
    "email": N_("E-mail"),
}
OWN_RELATIONS: Final = {"self": N_("your own record"), "guardian": N_("you act for this person")}
METHODS: Final = {
    "pwd": N_("by password"),
    "otp": N_("with a code"),
    "ext": N_("by another house"),
    "mfa": N_("with a second factor there"),
}
# Messages.
CHANNELS: Final = {"email": N_("E-mail"), "sms": N_("SMS"), "push": N_("Push"), "in_app": N_("In Infirmary")}
TOPICS: Final = {
    "booked": N_("Appointment booked"),
    "moved": N_("Appointment moved"),
    "cancelled": N_("Appointment cancelled"),
    "declined": N_("Request declined"),
}
OWN_CANCELLATIONS: Final = {
    "patient_request": N_("I cannot come"),
    "patient_ill": N_("I am ill"),
    "duplicate": N_("It was booked twice"),
    "other": N_("Another reason"),
}
OWN_PURPOSES: Final = {
    "treatment": N_("for your treatment"),
    "administration": N_("for appointments and papers"),
    "operations": N_("to run the house"),
    "system": N_("work of the house by itself"),
    "compliance": N_("to check that rules are kept"),
    "own_request": N_("you asked for it"),
    "family_request": N_("asked for by who acts for you"),
}
CATEGORIES: Final = {
    "medication": N_("medicine"),
    "food": N_("food"),
    "environment": N_("environment"),
    "biologic": N_("vaccine or blood product"),
}
CRITICALITIES: Final = {
    "high": N_("dangerous: life or an organ"),
    "low": N_("not dangerous"),
    "unable_to_assess": N_("cannot be told"),
}
CERTAINTIES: Final = {
    "confirmed": N_("confirmed"),
    "presumed": N_("presumed"),
    "provisional": N_("provisional"),
    "differential": N_("one of several that are possible"),
    "unconfirmed": N_("not confirmed"),
}
SEVERITIES: Final = {"mild": N_("mild"), "moderate": N_("moderate"), "severe": N_("severe")}
ENTRY_STATES: Final = {
    "active": N_("holds"),
    "resolved": N_("is over"),
    "entered_in_error": N_("entered in error"),
}
TEMPLATE_TOPICS: Final = {
    **TOPICS,
    "staff_booked": N_("To the doctor: booked"),
    "staff_moved": N_("To the doctor: moved"),
    "staff_cancelled": N_("To the doctor: cancelled"),
}
DELIVERY_STATUSES: Final = {
    "held": N_("waits for the morning"),
    "queued": N_("waits its turn"),
    "sending": N_("being sent"),
    "sent": N_("sent"),
    "delivered": N_("delivered"),
    "failed": N_("refused"),
    "dead": N_("given up"),
    "suppressed": N_("not sent"),
}
DELIVERY_REASONS: Final = {
    "past": N_("The appointment had begun already"),
    "overtaken": N_("A later change was told already"),
    "deceased": N_("The patient has died"),
    "inactive": N_("The record is out of use"),
    "merged": N_("The record was joined with another"),
    "unknown": N_("The record is not there"),
    "prefers_none": N_("The patient wants no messages"),
    "prefers_other": N_("The patient is reached best in another way"),
    "opted_out": N_("Messages of this kind are not wanted"),
    "stopped": N_("The number has answered STOP"),
    "not_in_use": N_("This way of sending is not in use here"),
    "no_address": N_("The record has no address for it"),
    "too_late": N_("The appointment was over before its turn came"),
    "quiet_hours": N_("It is night at the place of the appointment"),
    "patients_away": N_("The records could not be asked"),
    "given_up": N_("Too many tries without an answer"),
    "outcome_unknown": N_("Whether it arrived is not known"),
}
TRY_OUTCOMES: Final = {
    "accepted": N_("taken"),
    "deferred": N_("not now"),
    "refused": N_("refused"),
    "opted_out": N_("not wanted"),
    "away": N_("could not be reached"),
    "unknown": N_("may have arrived"),
    "suppressed": N_("not sent"),
}
PLACEHOLDERS: Final = {
    "name": N_("who is written to"),
    "date": N_("the day"),
    "time": N_("the time"),
    "zone": N_("whose clocks show it"),
    "doctor": N_("the doctor"),
    "place": N_("the place"),
    "facility": N_("the facility"),
    "old_date": N_("the day before the change"),
    "old_time": N_("the time before the change"),
    "old_zone": N_("the clocks before the change"),
    "appointment_type": N_("the kind of appointment"),
    "specialization": N_("the field"),
    "reason": N_("why the patient comes"),
}
# Figures.
GROUPS: Final = {
    "day": N_("Day"),
    "doctor": N_("Doctor"),
    "specialization": N_("Field"),
    "status": N_("State"),
}
RELATIONS: Final = {"self": N_("the patient"), "guardian": N_("a guardian")}
COUNTERS: Final = {
    "account": N_("sign-in of an account"),
    "device": N_("sign-in of an account from a known device"),
    "factor": N_("second factor of an account"),
    "reset": N_("forgotten password of an account"),
    "source": N_("sign-in from an address"),
    "house": N_("sign-in of the whole house"),
}
KEY_STAGES: Final = {
    "waiting": N_("waits"),
    "signing": N_("signs"),
    "retired": N_("only accepted"),
    "gone": N_("over"),
    "withdrawn": N_("withdrawn"),
}
ACTIONS: Final = {
    "create": N_("added"),
    "read": N_("read"),
    "update": N_("changed"),
    "delete": N_("deleted"),
    "search": N_("searched"),
    "sign_in": N_("signed in"),
    "sign_out": N_("signed out"),
    "verify": N_("checked"),
    "export": N_("taken as a file"),
}
OUTCOMES: Final = {
    "success": N_("done"),
    "denied": N_("refused"),
    "not_found": N_("not found"),
    "failed": N_("failed"),
}
PURPOSES: Final = {
    "treatment": N_("treatment"),
    "administration": N_("records and appointments"),
    "operations": N_("running the house"),
    "system": N_("accounts and settings"),
    "compliance": N_("keeping to the rules"),
    "own_request": N_("asked by the patient"),
    "family_request": N_("asked in the patient's name"),
}
PARTS: Final = {
    "identity": N_("accounts and places"),
    "audit": N_("audit"),
    "patients": N_("patients"),
    "history": N_("allergies and problems"),
    "doctors": N_("doctors"),
    "appointments": N_("appointments"),
    "notifications": N_("messages"),
    "reports": N_("reports"),
}
BREAKS: Final = {
    "entry_changed": N_("An entry was changed."),
    "index_changed": N_("What searching uses differs from the entry."),
    "entry_missing": N_("An entry is missing."),
    "order_changed": N_("An entry does not follow the one before it."),
    "tail_missing": N_("The end of the trail is missing."),
    "beyond_head": N_("Entries stand after the end of the trail."),
    "head_changed": N_("The end of the trail is not its last entry."),
    "checkpoint_differs": N_("The trail was written anew since a checkpoint."),
    "checkpoint_forged": N_("A checkpoint is not signed by this house."),
    "checkpoint_missing": N_("A checkpoint is missing in one of its two places."),
}
ROLE_NAMES: Final = {name: title for name, (title, _) in ROLES.items()}
ALL: Final[Mapping[str, Mapping[str, str]]] = {
    "genders": GENDERS,
    "standings": STANDINGS,
    "deactivations": DEACTIVATIONS,
    "statuses": STATUSES,
    "uses": USES,
    "identifier_types": IDENTIFIERS,
    "cancellations": CANCELLATIONS,
    "audiences": AUDIENCES,
    "resource_kinds": RESOURCES,
    "contacts": CONTACTS,
    "field_names": FIELDS,
    "own_relations": OWN_RELATIONS,
    "methods": METHODS,
    "own_cancellations": OWN_CANCELLATIONS,
    "appointment_changes": APPOINTMENT_CHANGES,
    "categories": CATEGORIES,
    "criticalities": CRITICALITIES,
    "certainties": CERTAINTIES,
    "severities": SEVERITIES,
    "entry_states": ENTRY_STATES,
    "channels": CHANNELS,
    "topics": {**TOPICS, "test": N_("Test message")},
    "template_topics": TEMPLATE_TOPICS,
    "delivery_statuses": DELIVERY_STATUSES,
    "delivery_reasons": DELIVERY_REASONS,
    "try_outcomes": TRY_OUTCOMES,
    "placeholder_names": PLACEHOLDERS,
    "figure_groups": GROUPS,
    "relations": RELATIONS,
    "counters_of": COUNTERS,
    "key_stages": KEY_STAGES,
    "actions": ACTIONS,
    "outcomes": OUTCOMES,
    "purposes": PURPOSES,
    "parts_of_house": PARTS,
    "breaks": BREAKS,
    "role_names": ROLE_NAMES,
    "calendar_views": VIEWS,
    "groupings": GROUPINGS,
}


def functions(words: Callable[[], Words]) -> dict[str, Callable[[], Mapping[str, str]]]:
    """For templates: `statuses()["booked"]`, in the language of the page."""

    def made(table: Mapping[str, str]) -> Callable[[], Mapping[str, str]]:
        known: dict[str, Mapping[str, str]] = {}  # lists ask in every row

        def said() -> Mapping[str, str]:
            now = words()
            if now.language not in known:
                known[now.language] = MappingProxyType({value: now.gettext(text) for value, text in table.items()})
            return known[now.language]

        return said

    return {name: made(table) for name, table in ALL.items()}
