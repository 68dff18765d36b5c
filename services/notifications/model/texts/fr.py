"""The built-in words in French."""

from __future__ import annotations

from typing import Final

from services.notifications.model.texts.text import Text, Words

SUMMARY: Final = "Rendez-vous : {facility}"
TEST: Final = Text("Message d'essai", "Ceci est un message d'essai. Vous n'avez rien à faire.")

_WHEN = "{{date}} à {{time}} ({{zone}})"
_WAS = "{{old_date}} à {{old_time}} ({{old_zone}})"
_WHERE = "{{doctor}}\n{{place}}, {{facility}}"
_GREETING = "Bonjour {{name}},\n\n"
_CLOSING = "\n\nCordialement\n{{facility}}"

WORDS: Final = {
    "booked": Words(
        "Votre rendez-vous du {{date}}",
        f"{{{{facility}}}} : votre rendez-vous avec {{{{doctor}}}} est le {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}votre rendez-vous est réservé :\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Si vous ne pouvez pas venir, merci de nous prévenir le plus tôt possible.{_CLOSING}",
    ),
    "moved": Words(
        "Votre rendez-vous est déplacé au {{date}}",
        f"{{{{facility}}}} : votre rendez-vous avec {{{{doctor}}}} est déplacé du {_WAS} au {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}votre rendez-vous est déplacé.\n\nNouvelle date :\n{_WHEN}\n{_WHERE}\n\n"
        f"Ancienne date : {_WAS}.\n\n"
        f"Si vous ne pouvez pas venir, merci de nous prévenir le plus tôt possible.{_CLOSING}",
    ),
    "cancelled": Words(
        "Votre rendez-vous du {{date}} est annulé",
        f"{{{{facility}}}} : votre rendez-vous avec {{{{doctor}}}} du {_WHEN} est annulé.",
        f"{_GREETING}votre rendez-vous est annulé et n'aura pas lieu :\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Merci de nous contacter si vous souhaitez un autre rendez-vous.{_CLOSING}",
    ),
    "declined": Words(
        "Votre demande pour le {{date}}",
        f"{{{{facility}}}} : nous ne pouvons pas vous proposer le rendez-vous demandé avec {{{{doctor}}}} le {_WHEN}. "
        "Merci de nous contacter pour une autre date.",
        f"{_GREETING}nous regrettons de ne pas pouvoir vous proposer le rendez-vous demandé :\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Merci de nous contacter pour une autre date.{_CLOSING}",
    ),
    "staff_booked": Words(
        "Nouveau rendez-vous",
        f"Nouveau rendez-vous le {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}vous avez un nouveau rendez-vous :\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
    "staff_moved": Words(
        "Rendez-vous déplacé",
        f"Rendez-vous déplacé du {_WAS} au {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}un de vos rendez-vous est déplacé.\n\n"
        f"Nouvelle date :\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}\n\n"
        f"Ancienne date : {_WAS}.",
    ),
    "staff_cancelled": Words(
        "Rendez-vous annulé",
        f"Le rendez-vous du {_WHEN}, {{{{place}}}}, est annulé.",
        f"{_GREETING}un de vos rendez-vous est annulé :\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
}
