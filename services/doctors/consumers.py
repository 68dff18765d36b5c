"""What the doctors listen to: where the time on the clock of a place has changed."""

from __future__ import annotations

from uuid import UUID

from services.chassis import bus
from services.chassis.call import Call
from services.doctors.model import places
from services.doctors.model.store import Store

LISTENED = (
    "identity.facility_created.v1",
    "identity.facility_changed.v1",
    "identity.location_created.v1",
    "identity.location_changed.v1",
)


def keep_place(event: bus.Received, call: Call, *, store: Store) -> None:
    """Note what `identity` says of a facility or location; the job brings plans and sessions after it."""
    place = places.place(event.data, id=UUID(event.subject), version=event.version)
    with store.begin(call) as tx:
        tx.keep_place(place)
