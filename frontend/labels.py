"""What values of the contracts are called on the screen, and in which colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from frontend.rights import ROLES
from frontend.sayings import N_

GENDERS: Final = {"female": N_("female"), "male": N_("male"), "other": N_("other"), "unknown": N_("unknown")}
STANDINGS: Final = {
    "active": N_("in use"),
    "inactive": N_("out of use"),
    "deceased": N_("deceased"),
    "merged": N_("joined with another"),
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
COLOURS: Final = {
    "pending": "warning",
    "booked": "primary",
    "arrived": "info",
    "in_progress": "info",
    "completed": "success",
    "cancelled": "secondary",
    "declined": "secondary",
    "no_show": "danger",
    "entered_in_error": "dark",
    # How something in the trail ended, and how a signing key stands.
    "success": "success",
    "denied": "danger",
    "not_found": "warning",
    "failed": "danger",
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
    "other": N_("other"),
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
    "none": N_("none"),
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
    "statuses": STATUSES,
    "uses": USES,
    "identifier_types": IDENTIFIERS,
    "cancellations": CANCELLATIONS,
    "audiences": AUDIENCES,
    "resource_kinds": RESOURCES,
    "contacts": CONTACTS,
    "field_names": FIELDS,
    "relations": RELATIONS,
    "counters_of": COUNTERS,
    "key_stages": KEY_STAGES,
    "actions": ACTIONS,
    "outcomes": OUTCOMES,
    "purposes": PURPOSES,
    "parts_of_house": PARTS,
    "breaks": BREAKS,
    "role_names": ROLE_NAMES,
}


def functions(gettext: Callable[[str], str]) -> dict[str, Callable[[], dict[str, str]]]:
    """For templates: `statuses()["booked"]`, in the language of the page."""

    def made(table: Mapping[str, str]) -> Callable[[], dict[str, str]]:
        return lambda: {value: gettext(text) for value, text in table.items()}

    return {name: made(table) for name, table in ALL.items()}
