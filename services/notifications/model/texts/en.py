"""The built-in words in English."""

from __future__ import annotations

from typing import Final

from services.notifications.model.texts.text import Text, Words

SUMMARY: Final = "Appointment at {facility}"
TEST: Final = Text("Test message", "This is a test message. Nothing needs to be done.")

_WHEN = "{{date}}, {{time}} ({{zone}})"
_WAS = "{{old_date}}, {{old_time}} ({{old_zone}})"
_WHERE = "{{doctor}}\n{{place}}, {{facility}}"
_GREETING = "Dear {{name}},\n\n"
_CLOSING = "\n\nKind regards\n{{facility}}"

WORDS: Final = {
    "booked": Words(
        "Your appointment on {{date}}",
        f"{{{{facility}}}}: your appointment with {{{{doctor}}}} is on {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}your appointment is booked:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"If you cannot come, please tell us as early as possible.{_CLOSING}",
    ),
    "moved": Words(
        "Your appointment was moved to {{date}}",
        f"{{{{facility}}}}: your appointment with {{{{doctor}}}} was moved from {_WAS} to {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}your appointment was moved.\n\nNew time:\n{_WHEN}\n{_WHERE}\n\n"
        f"Until now it was: {_WAS}.\n\nIf you cannot come, please tell us as early as possible.{_CLOSING}",
    ),
    "cancelled": Words(
        "Your appointment on {{date}} is cancelled",
        f"{{{{facility}}}}: your appointment with {{{{doctor}}}} on {_WHEN} is cancelled.",
        f"{_GREETING}your appointment is cancelled and does not take place:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Please contact us if you need another one.{_CLOSING}",
    ),
    "declined": Words(
        "Your request for {{date}}",
        f"{{{{facility}}}}: we cannot offer you the appointment with {{{{doctor}}}} that you asked for on {_WHEN}. "
        "Please contact us for another time.",
        f"{_GREETING}we are sorry that we cannot offer you the appointment that you asked for:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Please contact us for another time.{_CLOSING}",
    ),
    "staff_booked": Words(
        "New appointment",
        f"New appointment on {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}there is a new appointment with you:\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
    "staff_moved": Words(
        "Appointment moved",
        f"Appointment moved from {_WAS} to {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}an appointment with you was moved.\n\nNew time:\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}\n\n"
        f"Until now it was: {_WAS}.",
    ),
    "staff_cancelled": Words(
        "Appointment cancelled",
        f"The appointment on {_WHEN}, {{{{place}}}}, is cancelled.",
        f"{_GREETING}an appointment with you is cancelled:\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
}
