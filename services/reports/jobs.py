"""Timed work of the reports, and what their operators do by hand."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import islice
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from services.chassis import bus
from services.chassis.call import Call
from services.kernel.errors import Unavailable
from services.reports import model

T = TypeVar("T")
_AT_ONCE: Final = 1000
_SAID_EVERY: Final = 100_000


class AllOwners(Protocol):
    """All that the owners have."""

    def doctors(self) -> Iterator[model.Doctor]:
        """All doctors."""

    def specializations(self) -> Iterator[model.Specialization]:
        """All specializations."""

    def facilities(self) -> Iterator[UUID]:
        """All facilities."""

    def appointments(self, facility_id: UUID) -> Iterator[model.Appointment]:
        """How all appointments of a facility stand."""


class Rebuilding(Protocol):
    """A reading model that is made anew while the one before is read."""

    def alone(self) -> AbstractContextManager[bool]:
        """Whether nobody else is at it, until the end."""

    def begin(self, call: Call) -> int:
        """Empty the side that is not read; from now on news is kept there too. The number of this attempt."""

    def fill(
        self,
        *,
        appointments: Sequence[model.Appointment] = (),
        doctors: Sequence[model.Doctor] = (),
        specializations: Sequence[model.Specialization] = (),
    ) -> None:
        """Keep some of what the owners say."""

    def swap(self, attempt: int) -> None:
        """Read what was filled from now on."""

    def give_up(self, attempt: int) -> None:
        """Keep no more news on the side that was to be filled."""

    def counts(self) -> Mapping[str, int]:
        """How much there is of what."""

    def digest(self) -> str:
        """One number for all of it."""


def look(call: Call, *, store: model.Store, standing: Callable[[str], bus.Standing], streams: Sequence[str]) -> None:
    """Write down how far the readers are, for those who read figures."""
    found = {stream: standing(stream) for stream in streams}
    with store.begin(call) as tx:
        for stream, each in found.items():
            tx.keep_look(model.Look(stream=stream, at=call.at, oldest_s=each.oldest_s, dead=each.dead))


def rebuild(
    words: Sequence[str],
    *,
    rebuilding: Rebuilding,
    owners: AllOwners,
    make: Callable[[str], Call],
    say: Callable[[str], object],
) -> int:
    """`infirmary reports rebuild`: read everything again from its owners, and then read that; safe to run again."""
    if words:
        return 2
    try:
        with rebuilding.alone() as is_alone:
            if not is_alone:
                say("somebody else is rebuilding; nothing was done")
                return 1
            _rebuild(rebuilding, owners, make("rebuild_reports"), say=say)
    except Unavailable as error:
        say(f"{error.what} is away; what is read has not changed, try again")
        return 1
    say(", ".join(f"{count} {what}" for what, count in rebuilding.counts().items()))
    return digest(words, rebuilding=rebuilding, say=say)


def digest(words: Sequence[str], *, rebuilding: Rebuilding, say: Callable[[str], object]) -> int:
    """`infirmary reports digest`: one number for all that figures are made of."""
    if words:
        return 2
    say(rebuilding.digest())
    return 0


def _rebuild(rebuilding: Rebuilding, owners: AllOwners, call: Call, *, say: Callable[[str], object]) -> None:
    call.audit()
    attempt = rebuilding.begin(call)
    try:
        _fill(rebuilding, owners, say=say)
        rebuilding.swap(attempt)
    except BaseException:
        rebuilding.give_up(attempt)
        raise


def _fill(rebuilding: Rebuilding, owners: AllOwners, *, say: Callable[[str], object]) -> None:
    for some in _batches(owners.specializations()):
        rebuilding.fill(specializations=some)
    for them in _batches(owners.doctors()):
        rebuilding.fill(doctors=them)
    read = 0
    for facility_id in owners.facilities():
        for those in _batches(owners.appointments(facility_id)):
            rebuilding.fill(appointments=those)
            read += len(those)
            if read % _SAID_EVERY < len(those):
                say(f"{read} appointments so far")


def _batches(items: Iterable[T]) -> Iterator[list[T]]:
    """Parts of a long list, none of it kept."""
    left: Any = iter(items)
    while some := list(islice(left, _AT_ONCE)):
        yield some
