"""The built-in words in Turkish."""

from __future__ import annotations

from typing import Final

from services.notifications.model.texts.text import Text, Words

SUMMARY: Final = "Randevu: {facility}"
TEST: Final = Text("Deneme mesajı", "Bu bir deneme mesajıdır. Yapmanız gereken bir şey yok.")

_WHEN = "{{date}}, {{time}} ({{zone}})"
_WAS = "{{old_date}}, {{old_time}} ({{old_zone}})"
_WHERE = "{{doctor}}\n{{place}}, {{facility}}"
_GREETING = "Sayın {{name}},\n\n"
_CLOSING = "\n\nSaygılarımızla\n{{facility}}"

WORDS: Final = {
    "booked": Words(
        "Randevunuz: {{date}}",
        f"{{{{facility}}}}: {{{{doctor}}}} ile randevunuz: {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}randevunuz alındı:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Gelemeyecekseniz lütfen bize mümkün olduğunca erken haber verin.{_CLOSING}",
    ),
    "moved": Words(
        "Randevunuz değişti: {{date}}",
        f"{{{{facility}}}}: {{{{doctor}}}} ile randevunuz değişti. Yeni: {_WHEN}, {{{{place}}}}. Eski: {_WAS}.",
        f"{_GREETING}randevunuz değişti.\n\nYeni zaman:\n{_WHEN}\n{_WHERE}\n\n"
        f"Eski zaman: {_WAS}.\n\n"
        f"Gelemeyecekseniz lütfen bize mümkün olduğunca erken haber verin.{_CLOSING}",
    ),
    "cancelled": Words(
        "Randevunuz iptal edildi: {{date}}",
        f"{{{{facility}}}}: {{{{doctor}}}} ile randevunuz iptal edildi: {_WHEN}.",
        f"{_GREETING}randevunuz iptal edildi:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Yeni bir randevuya ihtiyacınız varsa lütfen bize ulaşın.{_CLOSING}",
    ),
    "declined": Words(
        "Randevu isteğiniz: {{date}}",
        f"{{{{facility}}}}: {{{{doctor}}}} ile istediğiniz randevuyu veremiyoruz: {_WHEN}. "
        "Başka bir zaman için lütfen bize ulaşın.",
        f"{_GREETING}üzgünüz, istediğiniz randevuyu veremiyoruz:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"Başka bir zaman için lütfen bize ulaşın.{_CLOSING}",
    ),
    "staff_booked": Words(
        "Yeni randevu",
        f"Yeni randevu: {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}yeni bir randevunuz var:\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
    "staff_moved": Words(
        "Randevu değişti",
        f"Randevu değişti. Yeni: {_WHEN}, {{{{place}}}}. Eski: {_WAS}.",
        f"{_GREETING}bir randevunuz değişti.\n\nYeni zaman:\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}\n\n"
        f"Eski zaman: {_WAS}.",
    ),
    "staff_cancelled": Words(
        "Randevu iptal edildi",
        f"Randevu iptal edildi: {_WHEN}, {{{{place}}}}.",
        f"{_GREETING}bir randevunuz iptal edildi:\n\n{_WHEN}\n{{{{place}}}}, {{{{facility}}}}",
    ),
}
