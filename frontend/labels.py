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
# Messages.
CHANNELS: Final = {"email": N_("E-mail"), "sms": N_("SMS"), "push": N_("Push"), "in_app": N_("In Infirmary")}
TOPICS: Final = {
    "booked": N_("Appointment booked"),
    "moved": N_("Appointment moved"),
    "cancelled": N_("Appointment cancelled"),
    "declined": N_("Request declined"),
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
OUTCOMES: Final = {
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
    "channels": CHANNELS,
    "topics": {**TOPICS, "test": N_("Test message")},
    "template_topics": TEMPLATE_TOPICS,
    "delivery_statuses": DELIVERY_STATUSES,
    "delivery_reasons": DELIVERY_REASONS,
    "outcomes": OUTCOMES,
    "placeholder_names": PLACEHOLDERS,
    "figure_groups": GROUPS,
}


def functions(gettext: Callable[[str], str]) -> dict[str, Callable[[], dict[str, str]]]:
    """For templates: `statuses()["booked"]`, in the language of the page."""

    def made(table: Mapping[str, str]) -> Callable[[], dict[str, str]]:
        return lambda: {value: gettext(text) for value, text in table.items()}

    return {name: made(table) for name, table in ALL.items()}
