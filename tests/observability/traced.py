"""Some two hundred bookings, and whether each of them is one trace: from the gateway to the message."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from tests.observability.load import Load
from tests.system.clinic import registered, until
from tests.system.collector import service_of
from tests.system.house import Person, RunningHouse
from tests.waiting import wait_for, within

BOOKINGS = 201
# Who has a part in every booking: who is asked, who decides, and who hears of it. A message is sent only where the
# cancellation has not overtaken it.
PARTS = {"gateway", "appointments", "patients", "notifications", "reports", "audit"}
STEPS = {"EVALSHA place", "process appointments.booked.v1", "process audit.recorded.v1"}
MESSAGE = "send email"


def booked(load: Load, desks: Sequence[Person]) -> set[str]:
    """The traces of so many bookings; each is cancelled again, so that the patient may have the next one."""

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
        made = list(itertools.chain(*people.map(some, desks, registered(load.desk, len(desks), emails=True))))
    wait_for(lambda: set(made) <= _traced(load.house).keys(), what="the lines of the gateway")
    known = _traced(load.house)
    return {known[each] for each in made}


def _traced(house: RunningHouse) -> dict[str, str]:
    """The trace of each request, as the gateway has written it down."""
    found = {}
    for log in (house.home / "logs").glob("gateway.log*"):
        for line in filter(None, log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()):
            said = json.loads(line)
            if said["event"] == "gateway.request":
                found[said["request_id"]] = said["trace_id"]
    return found


@dataclass
class Trace:
    """The spans of one trace: who made them, how they are called, and what has which parent."""

    services: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    ids: set[bytes] = field(default_factory=set)
    parents: dict[bytes, str] = field(default_factory=dict)

    @property
    def lacks(self) -> set[str]:
        """What a whole trace of a booking has and this one has not."""
        orphans = {f"the parent of {child}" for each, child in self.parents.items() if each and each not in self.ids}
        return (PARTS - self.services) | (STEPS - self.names) | orphans


def settled(spans: list[Any], wanted: set[str]) -> list[Any]:
    """The spans of these traces when each is whole and none has grown for three seconds, or after two minutes as they
    are: a message may leave long after the booking.
    """
    known: list[list[Any]] = []

    def are_settled() -> bool:
        known.append([each for each in list(spans) if each.trace_id.hex() in wanted])
        return len({len(each) for each in known[-4:]}) == 1 and len(known) > 3 and not lacking(known[-1], wanted)

    within(120, are_settled, step_s=1)
    return known[-1]


def lacking(spans: Iterable[Any], wanted: Iterable[str]) -> dict[str, set[str]]:
    """What each of these traces lacks, where it lacks something."""
    found = traces(list(spans))
    return {each: found[each].lacks for each in wanted if found[each].lacks}


def traces(spans: Iterable[Any]) -> Mapping[str, Trace]:
    """All of them by id."""
    found: dict[str, Trace] = defaultdict(Trace)
    for span in spans:
        trace = found[span.trace_id.hex()]
        trace.services.add(service_of(span))
        trace.names.add(span.name)
        trace.ids.add(span.span_id)
        trace.parents[span.parent_span_id] = f"{span.name} of {service_of(span)}"
    return found
