"""What an operator does to the bus by hand: look at dead letters, send them round again, publish again what was sent.

infirmary bus dead SERVICE                       list the dead letters of a service
infirmary bus redrive SERVICE                    send them round again, after the cause was mended
infirmary bus republish SERVICE --since TIME     publish again what a service has sent since then (ISO 8601 with zone)
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from services.chassis import bus, redis, relay
from services.chassis.call import by_hand
from services.chassis.service import Service, new_id, now

Say = Callable[[str], object]


def run(service: Service, command: str, words: Sequence[str], *, say: Say = print) -> int:
    """Run one of these; the exit code: 0 done, 1 not all of it, 2 not understood. Changes leave an audit entry."""
    client = redis.client(service.settings.bus_url.get_secret_value(), timeout_s=relay.BUS_TIMEOUT_S)
    try:
        if command == "dead" and not words:
            return _dead(service, client, say)
        if command == "redrive" and not words:
            return _redrive(service, client, say)
        since = _since(words) if command == "republish" else None
        return 2 if since is None else _republish(service, client, since, say)
    finally:
        client.close()


def _dead(service: Service, client: redis.Client, say: Say) -> int:
    letters = list(bus.dead_letters(client, service.name))
    for each in letters:
        say(_line(each))
    say(f"{len(letters)} dead letters of {service.name}")
    return 0


def _redrive(service: Service, client: redis.Client, say: Say) -> int:
    _audit(service, "redrive_events", record=bus.dead_letters_of(service.name))
    sent, gone = bus.redrive(client, service.name)
    for each in gone:
        say(f"{_line(each)}: gone from its stream; republish from {each.stream.partition('.')[2]}")
    say(f"{len(sent)} sent round again, {len(gone)} left")
    return 1 if gone else 0


def _republish(service: Service, client: redis.Client, since: datetime, say: Say) -> int:
    if service.outbox is None:
        say(f"{service.name} publishes nothing")
        return 2
    _audit(service, "republish_events", record=service.name)
    say(f"{bus.republish(service.outbox, client, since=since)} events of {service.name} published again")
    return 0


def _audit(service: Service, operation: str, *, record: str) -> None:
    """Who touches the bus by hand is written down first."""
    call = by_hand(operation, id=new_id(), at=now())
    call.audit(record=record)
    service.audit(call)


def _since(words: Sequence[str]) -> datetime | None:
    if len(words) != 2 or words[0] != "--since":
        return None
    try:
        since = datetime.fromisoformat(words[1])
    except ValueError:
        return None
    return since if since.tzinfo is not None else None


def _line(letter: bus.DeadLetter) -> str:
    where = f"{letter.stream} {letter.entry}"
    return f"{where} {letter.type} {letter.event_id}: {letter.error} after {letter.attempts} (trace {letter.trace})"
