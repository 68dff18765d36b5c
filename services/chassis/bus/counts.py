"""What a consumer counts."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

_WHERE = ["stream", "group"]

HANDLED = Counter("infirmary_bus_handled_total", "Entries that a group is done with, by outcome.", [*_WHERE, "outcome"])
FAILED = Counter("infirmary_bus_failures_total", "Attempts that failed, by class of error.", [*_WHERE, "error"])
REDELIVERED = Counter("infirmary_bus_redeliveries_total", "Attempts after the first.", _WHERE)
TAKEN_OVER = Counter("infirmary_bus_taken_over_total", "Entries taken over from a dead consumer.", _WHERE)
LOST = Counter("infirmary_bus_lost_total", "Pending entries whose content was gone from the stream.", _WHERE)
DEAD = Counter("infirmary_bus_dead_letters_total", "Entries made dead letters, by class of error.", [*_WHERE, "error"])
DELAY = Histogram(
    "infirmary_bus_delivery_seconds",
    "Time from what happened to its having been handled.",
    [*_WHERE],
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 300, 1800),
)
PENDING = Gauge("infirmary_bus_group_pending", "Entries given out and not acknowledged.", _WHERE)
OLDEST = Gauge("infirmary_bus_oldest_unprocessed_seconds", "Age of the oldest entry a group is not done with.", _WHERE)
DEPTH = Gauge("infirmary_bus_dead_letter_depth", "Dead letters that wait for a person.", ["group"])
TRIMMED = Counter("infirmary_bus_trimmed_total", "Entries removed that every group had finished.", ["stream"])
