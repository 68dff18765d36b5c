"""The rules of reports: pure, without a store, a clock or a network."""

from __future__ import annotations

from services.reports.model.asking import (
    LONGEST_DAYS,
    Asked,
    Group,
    asked,
    described,
    narrowed,
    sees_names,
    too_many_rows,
)
from services.reports.model.digest import digest
from services.reports.model.facts import (
    Appointment,
    Doctor,
    Specialization,
    Status,
    doctor,
    specialization,
    stated,
    told,
)
from services.reports.model.figures import (
    ATTENDED,
    COUNTS,
    OUTCOMES,
    AsOf,
    Look,
    Measure,
    Rate,
    Row,
    as_of,
    late_cancel_rate,
    no_show_rate,
)
from services.reports.model.store import Figures, Keeping, Owners, Store

__all__ = [
    "ATTENDED",
    "COUNTS",
    "LONGEST_DAYS",
    "OUTCOMES",
    "Appointment",
    "AsOf",
    "Asked",
    "Doctor",
    "Figures",
    "Group",
    "Keeping",
    "Look",
    "Measure",
    "Owners",
    "Rate",
    "Row",
    "Specialization",
    "Status",
    "Store",
    "as_of",
    "asked",
    "described",
    "digest",
    "doctor",
    "late_cancel_rate",
    "narrowed",
    "no_show_rate",
    "sees_names",
    "specialization",
    "stated",
    "told",
    "too_many_rows",
]
