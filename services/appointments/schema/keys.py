"""The keys of one facility in Redis. All carry the facility as hash tag, so that a script may touch them together.

    {f}:origin                string  is there once the facility's records are whole; without it nothing is booked
    {f}:plans                 hash    version of each plan: `facility`, and each doctor by id; `<plan>:change` the last
                                      change with its answer, `<plan>:closed` what is closed by it
    {f}:doctors               set     doctors with appointments
    {f}:a:<id>                hash    an appointment or a hold: v version, d the record as JSON, u end of a hold (ms)
    {f}:d:<doctor>:<day>      zset    what stands in a doctor's day (UTC), by start
    {f}:r:<resource>:<day>    zset    the same of a room or device
    {f}:c:<scope>:<day>       zset    what is closed: a doctor, a facility, a location, a resource
    {f}:p:<patient>           zset    a patient's appointments of the live window, by start
    {f}:h:<account>           zset    holds of an account, by their end (ms)
    {f}:held                  zset    all holds, by their end (ms)
    {f}:k:<digest>            hash    a request's key: f fingerprint, a the stored answer; ends by itself
    {f}:out                   stream  what has happened and is not in the journal yet

A member of the sorted sets reads `<id> <start> <end> <seat> <taking>`: 32 hex digits, whole minutes since 1970, the
number of the place or 0, and one letter (b booked, h held, x over a full place, p asked for, n not any more, l closed).
What lies on two days stands in both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from uuid import UUID

DAY = 24 * 60
EVERYWHERE = "{house}"
"""Tag of what belongs to no facility: the list of facilities, and traces of what was refused before one was known."""
FACILITIES = f"{EVERYWHERE}:facilities"


class Keys:
    """The keys of one facility."""

    def __init__(self, facility_id: UUID | None) -> None:
        self.tag = EVERYWHERE if facility_id is None else "{" + facility_id.hex + "}"
        self.origin, self.plans, self.doctors, self.held, self.out = (
            f"{self.tag}:{name}" for name in ("origin", "plans", "doctors", "held", "out")
        )

    def record(self, id: UUID) -> str:  # noqa: A002 - the thing's own
        """Of an appointment or a hold."""
        return f"{self.tag}:a:{id.hex}"

    def doctor(self, doctor_id: UUID, start: int, end: int) -> list[str]:
        """The days of a doctor that a time touches."""
        return list(self._days("d", doctor_id, start, end))

    def resource(self, resource_id: UUID, start: int, end: int) -> list[str]:
        """The days of a room or device that a time touches."""
        return list(self._days("r", resource_id, start, end))

    def closed(self, scope_id: UUID, start: int, end: int) -> list[str]:
        """The days of something that can be closed."""
        return list(self._days("c", scope_id, start, end))

    def patient(self, patient_id: UUID) -> str:
        """All of a patient."""
        return f"{self.tag}:p:{patient_id.hex}"

    def holds(self, account: str) -> str:
        """The holds of an account."""
        return f"{self.tag}:h:{account}"

    def answer(self, principal: str, key: str) -> str:
        """A request's key. The digest keeps what a client made up out of the name."""
        return f"{self.tag}:k:{digest(principal, key)}"

    def _days(self, kind: str, id: UUID, start: int, end: int) -> Iterator[str]:  # noqa: A002 - the thing's own
        for day in range(start // DAY, (end - 1) // DAY + 1):
            yield f"{self.tag}:{kind}:{id.hex}:{day}"


def digest(principal: str, key: str) -> str:
    """A short name for a principal and a key."""
    return hashlib.blake2b(f"{principal}\0{key}".encode(), digest_size=16).hexdigest()
