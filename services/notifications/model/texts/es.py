"""The built-in words in Spanish."""

from __future__ import annotations

from typing import Final

from services.notifications.model.texts.text import Text, Words

SUMMARY: Final = "Cita: {facility}"
TEST: Final = Text("Mensaje de prueba", "Este es un mensaje de prueba. No tiene que hacer nada.")

_WHEN = "{{date}}, {{time}} ({{zone}})"
_WAS = "{{old_date}}, {{old_time}} ({{old_zone}})"
_WHERE = "{{doctor}}\n{{place}}, {{facility}}"
_GREETING = "Hola, {{name}}:\n\n"
_CLOSING = "\n\nAtentamente,\n{{facility}}"

WORDS: Final = {
    "booked": Words(
        "Su cita del {{date}}",
        f"{{{{facility}}}}: su cita con {{{{doctor}}}} es el {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}su cita está reservada:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Si no puede venir, avísenos lo antes posible.{_CLOSING}",
    ),
    "moved": Words(
        "Su cita ha cambiado al {{date}}",
        f"{{{{facility}}}}: su cita con {{{{doctor}}}} ha cambiado. Ahora: {_WHEN}, {{{{place}}}}. Antes: {_WAS}.",
        f"{_GREETING}su cita ha cambiado.\n\nNueva fecha:\n{_WHEN}\n{_WHERE}\n\n"
        f"Fecha anterior: {_WAS}.\n\nSi no puede venir, avísenos lo antes posible.{_CLOSING}",
    ),
    "cancelled": Words(
        "Su cita del {{date}} está cancelada",
        f"{{{{facility}}}}: su cita con {{{{doctor}}}} del {_WHEN} está cancelada.",
        f"{_GREETING}su cita está cancelada y no tendrá lugar:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Póngase en contacto con nosotros si necesita otra cita.{_CLOSING}",
    ),
    "declined": Words(
        "Su solicitud para el {{date}}",
        f"{{{{facility}}}}: no podemos ofrecerle la cita que pidió con {{{{doctor}}}} para el {_WHEN}. "
        "Póngase en contacto con nosotros para otra fecha.",
        f"{_GREETING}lamentamos no poder ofrecerle la cita que pidió:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Póngase en contacto con nosotros para otra fecha.{_CLOSING}",
    ),
    "staff_booked": Words(
        "Nueva cita",
        f"Nueva cita el {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}tiene una nueva cita:\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
    "staff_moved": Words(
        "Cita cambiada",
        f"Cita cambiada. Ahora: {_WHEN}, {{{{place}}}}. Antes: {_WAS}.",
        f"{_GREETING}una de sus citas ha cambiado.\n\nNueva fecha:\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}\n\n"
        f"Fecha anterior: {_WAS}.",
    ),
    "staff_cancelled": Words(
        "Cita cancelada",
        f"La cita del {_WHEN}, {{{{place}}}}, está cancelada.",
        f"{_GREETING}una de sus citas está cancelada:\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
}
