"""The built-in words in Arabic."""

from __future__ import annotations

from typing import Final

from services.notifications.model.texts.text import Text, Words

SUMMARY: Final = "موعد: {facility}"
TEST: Final = Text("رسالة تجريبية", "هذه رسالة تجريبية. لا يلزمكم القيام بأي شيء.")

_WHEN = "{{date}}، {{time}} ({{zone}})"
_WAS = "{{old_date}}، {{old_time}} ({{old_zone}})"
_WHERE = "{{doctor}}\n{{place}}، {{facility}}"
_GREETING = "تحية طيبة {{name}}،\n\n"
_CLOSING = "\n\nمع أطيب التحيات\n{{facility}}"

WORDS: Final = {
    "booked": Words(
        "موعدكم يوم {{date}}",
        f"{{{{facility}}}}: موعدكم مع {{{{doctor}}}} يوم {_WHEN}، {{{{place}}}}.",
        f"{_GREETING}تم حجز موعدكم:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"إذا تعذر عليكم الحضور، فيرجى إبلاغنا في أقرب وقت ممكن.{_CLOSING}",
    ),
    "moved": Words(
        "تم تغيير موعدكم إلى {{date}}",
        f"{{{{facility}}}}: تم تغيير موعدكم مع {{{{doctor}}}} من {_WAS} إلى {_WHEN}، {{{{place}}}}.",
        f"{_GREETING}تم تغيير موعدكم.\n\nالموعد الجديد:\n{_WHEN}\n{_WHERE}\n\n"
        f"الموعد السابق: {_WAS}.\n\n"
        f"إذا تعذر عليكم الحضور، فيرجى إبلاغنا في أقرب وقت ممكن.{_CLOSING}",
    ),
    "cancelled": Words(
        "تم إلغاء موعدكم يوم {{date}}",
        f"{{{{facility}}}}: تم إلغاء موعدكم مع {{{{doctor}}}} يوم {_WHEN}.",
        f"{_GREETING}تم إلغاء موعدكم:\n\n{_WHEN}\n{_WHERE}\n\nيرجى الاتصال بنا إذا كنتم بحاجة إلى موعد آخر.{_CLOSING}",
    ),
    "declined": Words(
        "طلبكم ليوم {{date}}",
        f"{{{{facility}}}}: نعتذر، لا يمكننا توفير الموعد الذي طلبتموه مع {{{{doctor}}}} يوم {_WHEN}. "
        "يرجى الاتصال بنا لتحديد وقت آخر.",
        f"{_GREETING}نعتذر، لا يمكننا توفير الموعد الذي طلبتموه:\n\n{_WHEN}\n{_WHERE}\n\n"
        f"يرجى الاتصال بنا لتحديد وقت آخر.{_CLOSING}",
    ),
    "staff_booked": Words(
        "موعد جديد",
        f"موعد جديد: {_WHEN}، {{{{place}}}}.",
        f"{_GREETING}لديكم موعد جديد:\n\n{_WHEN}\n{{{{place}}}}، {{{{facility}}}}",
    ),
    "staff_moved": Words(
        "تم تغيير موعد",
        f"تم تغيير موعد من {_WAS} إلى {_WHEN}، {{{{place}}}}.",
        f"{_GREETING}تم تغيير أحد مواعيدكم.\n\nالموعد الجديد:\n{_WHEN}\n{{{{place}}}}، {{{{facility}}}}\n\n"
        f"الموعد السابق: {_WAS}.",
    ),
    "staff_cancelled": Words(
        "تم إلغاء موعد",
        f"تم إلغاء الموعد: {_WHEN}، {{{{place}}}}.",
        f"{_GREETING}تم إلغاء أحد مواعيدكم:\n\n{_WHEN}\n{{{{place}}}}، {{{{facility}}}}",
    ),
}
