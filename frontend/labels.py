"""What values of the contracts are called on the screen, and in which colour."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

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
}


def functions(gettext: Callable[[str], str]) -> dict[str, Callable[[], dict[str, str]]]:
    """For templates: `statuses()["booked"]`, in the language of the page."""

    def made(table: Mapping[str, str]) -> Callable[[], dict[str, str]]:
        return lambda: {value: gettext(text) for value, text in table.items()}

    return {name: made(table) for name, table in ALL.items()}
