"""The built-in words in German."""

from __future__ import annotations

from typing import Final

from services.notifications.model.texts.text import Text, Words

SUMMARY: Final = "Termin: {facility}"
TEST: Final = Text("Testnachricht", "Dies ist eine Testnachricht. Es ist nichts zu tun.")

_WHEN = "{{date}}, {{time}} Uhr ({{zone}})"
_WAS = "{{old_date}}, {{old_time}} Uhr ({{old_zone}})"
_WHERE = "{{doctor}}\n{{place}}, {{facility}}"
_GREETING = "Guten Tag {{name}},\n\n"
_CLOSING = "\n\nMit freundlichen Grüßen\n{{facility}}"

WORDS: Final = {
    "booked": Words(
        "Ihr Termin am {{date}}",
        f"{{{{facility}}}}: Ihr Termin bei {{{{doctor}}}}: {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}Ihr Termin ist gebucht:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Wenn Sie nicht kommen können, sagen Sie uns bitte so früh wie möglich Bescheid.{_CLOSING}",
    ),
    "moved": Words(
        "Ihr Termin wurde verschoben auf {{date}}",
        f"{{{{facility}}}}: Ihr Termin bei {{{{doctor}}}} wurde verschoben. "
        f"Neu: {_WHEN}, {{{{place}}}}. Bisher: {_WAS}.",
        f"{_GREETING}Ihr Termin wurde verschoben.\n\nNeuer Termin:\n{_WHEN}\n{_WHERE}\n\n"
        f"Bisheriger Termin: {_WAS}.\n\n"
        f"Wenn Sie nicht kommen können, sagen Sie uns bitte so früh wie möglich Bescheid.{_CLOSING}",
    ),
    "cancelled": Words(
        "Ihr Termin am {{date}} ist abgesagt",
        f"{{{{facility}}}}: Ihr Termin bei {{{{doctor}}}} ist abgesagt: {_WHEN}.",
        f"{_GREETING}Ihr Termin ist abgesagt und findet nicht statt:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Bitte melden Sie sich, wenn Sie einen anderen Termin brauchen.{_CLOSING}",
    ),
    "declined": Words(
        "Ihre Anfrage für {{date}}",
        f"{{{{facility}}}}: Den angefragten Termin bei {{{{doctor}}}} können wir Ihnen leider nicht geben: {_WHEN}. "
        "Bitte melden Sie sich für eine andere Zeit.",
        f"{_GREETING}leider können wir Ihnen den angefragten Termin nicht geben:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Bitte melden Sie sich für eine andere Zeit.{_CLOSING}",
    ),
    "staff_booked": Words(
        "Neuer Termin",
        f"Neuer Termin: {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}es gibt einen neuen Termin bei Ihnen:\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
    "staff_moved": Words(
        "Termin verschoben",
        f"Termin verschoben. Neu: {_WHEN}, {{{{place}}}}. Bisher: {_WAS}.",
        f"{_GREETING}ein Termin bei Ihnen wurde verschoben.\n\n"
        f"Neuer Termin:\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}\n\n"
        f"Bisheriger Termin: {_WAS}.",
    ),
    "staff_cancelled": Words(
        "Termin abgesagt",
        f"Termin abgesagt: {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}ein Termin bei Ihnen ist abgesagt:\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
}
