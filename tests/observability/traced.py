"""Some two hundred bookings, and whether each of them is one trace: from the gateway to the message."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.observability.load import Load
from tests.system.clinic import registered, until
from tests.system.collector import service_of
from tests.system.house import Person

BOOKINGS = 201
# Who has a part in every booking: who is asked, who decides, and who hears of it. A message is sent only where the
# cancellation has not overtaken it.
PARTS = {"gateway", "appointments", "patients", "notifications", "reports", "audit"}
STEPS = {"EVALSHA place", "process appointments.booked.v1", "process audit.recorded.v1"}
MESSAGE = "send email"


def booked(load: Load, desks: Sequence[Person]) -> list[str]:
    """The ids of the requests that booked; each is cancelled again, so that the patient may have the next one."""

    def some(desk: Person, patient: str) -> list[str]:
        found = []
        for _ in range(BOOKINGS // len(desks)):
            doctor, start = next(load.slots)
            wanted = load.clinic.wanted(doctor, start, patient)
            made = until(desk, "POST", f"{load.clinic.path}/appointments", wanted)
            load.kept_booking(made).expect(201)
            found.append(made.request_id)
            path = f"{load.clinic.path}/appointments/{made.json['id']}/cancel"
            until(desk, "POST", path, {"reason_code": "other"}, if_match=made.etag).expect(200)
        return found

    with ThreadPoolExecutor(len(desks)) as people:
        return list(itertools.chain(*people.map(some, desks, registered(load.desk, len(desks), emails=True))))


@dataclass
class Trace:
    """The spans of one trace: who made them, how they are called, and whose parent is not among them."""

    services: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    ids: set[bytes] = field(default_factory=set)
    parents: set[bytes] = field(default_factory=set)

    @property
    def lacks(self) -> set[str]:
        """What a whole trace of a booking has and this one has not."""
        orphans = {f"the parent {each.hex()}" for each in self.parents - self.ids - {b""}}
        return (PARTS - self.services) | (STEPS - self.names) | orphans


def traces(spans: Iterable[Any]) -> Mapping[str, Trace]:
    """All of them by id."""
    found: dict[str, Trace] = defaultdict(Trace)
    for span in spans:
        trace = found[span.trace_id.hex()]
        trace.services.add(service_of(span))
        trace.names.add(span.name)
        trace.ids.add(span.span_id)
        trace.parents.add(span.parent_span_id)
    return found
