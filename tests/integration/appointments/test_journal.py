"""The journal: it gets everything once, gives back what the records lose, and has what is too old for them."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from services.appointments.repository.carrying import Carrier
from services.chassis.service import now
from tests.integration.appointments.contests import clean
from tests.integration.appointments.making import (
    BERLIN,
    WINDOW,
    Booking,
    a_call,
    at,
    fresh,
    monday,
    opened,
    plain,
    session,
    together,
)  # fmt: skip
from tests.integration.appointments.telling import envelopes, events, traces


def weekly(**more) -> list[dict]:
    return [session(weekday=day, **more) for day in range(1, 8)]


def mixed(desk: Booking, doctors: list[str], *, count: int, seed: int = 1) -> dict[str, dict]:
    """Things that clerks do, some at a time; every appointment as it was told last."""

    def clerk(index: int) -> dict[str, dict]:
        chance, mine = random.Random(seed * 100 + index), {}
        for _ in range(count // 8):
            start = at(monday() + timedelta(days=chance.randrange(20)), f"{chance.randrange(9, 17):02}:00")
            known = chance.choice(list(mine.values()) or [None])
            match chance.randrange(5) if known else 0:
                case 0 | 1:
                    got = desk.book(chance.choice(doctors), start, minutes=chance.choice((15, 30)))
                case 2:
                    got = desk.request(chance.choice(doctors), start)
                case 3:
                    got = desk.act("reschedule_appointment", known, {"starts_at": start})
                case _:
                    got = desk.act("cancel_appointment", known, {"reason_code": "other"})
            assert got.status in {200, 201, 409}, got.body
            if got.status < 300:
                mine[got.body["id"]] = got.body
        return mine

    return {key: value for some in together(8, clerk) for key, value in some.items()}


def contents(desk: Booking) -> dict[str, Any]:
    """All that the records of the facility hold, beside the stream and the moment at which they began."""
    connection, tag, found = desk.records.connection, "{" + UUID(desk.world.facility).hex + "}", {}
    for key in connection.scan_iter(match=f"{tag}:*"):
        match connection.type(key):
            case "hash":
                found[key] = {name: _parsed(value) for name, value in connection.hgetall(key).items()}
            case "zset":
                found[key] = connection.zrange(key, 0, -1, withscores=True)
            case "set":
                found[key] = connection.smembers(key)
    return found


def _parsed(text: Any) -> Any:
    """What a text means; an empty table of Lua is an object in JSON, an empty list of Python is none."""
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text
    if isinstance(found, dict):
        return {key: _parsed(value) for key, value in found.items()} or None
    return (sorted(map(plain, found)) or None) if isinstance(found, list) else found


def rebuild(desk: Booking) -> int:
    """`infirmary appointments rebuild`."""
    return desk.house.service.commands["rebuild"].run([])


@pytest.mark.timeout(900)
def test_records_that_were_lost_are_refused_until_they_are_rebuilt_whole(desk: Booking, rounds):
    doctors = [desk.doctor(*weekly(resource_ids=[fresh()], capacity=2)) for _ in range(3)]
    known = mixed(desk, doctors, count=rounds(full=2000, short=200))
    closed = {"id": fresh(), "scope": "facility", "scope_id": desk.world.facility,
              "starts_at": at(monday(8), "09:00"), "ends_at": at(monday(8), "12:00")}  # fmt: skip
    change = fresh()
    assert desk.close(closed, version=1, clashes="keep").status == 200
    kept = desk.world.doctor(*weekly(), doctor=doctors[0], facility_version=1, facility_closures=[closed])
    applied = desk.apply(kept, clashes="keep", change=change)
    key = "answered-before-the-loss"
    last = desk.booked(doctors[0], at(monday(9), "10:00"), key=key, patient=fresh())
    desk.carry()
    before = contents(desk)
    desk.records.connection.flushdb()
    for got in (
        desk.book(doctors[0], at(monday(9), "11:00")),
        desk.act("cancel_appointment", last, {"reason_code": "other"}),
        desk.hold(doctors[0], at(monday(9), "11:00")),
        desk.apply(kept, clashes="keep"),
    ):
        assert (got.status, "retry-after" in got.headers) == (503, True), got.body
    assert rebuild(desk) == 0
    assert contents(desk) == before
    clean(desk)
    assert {key: desk.read(each).body for key, each in known.items()} == known
    again = desk.book(doctors[0], at(monday(9), "10:00"), key=key, patient=last["patient_id"])
    assert (again.status, again.body) == (201, last)
    assert plain(desk.apply(kept, clashes="keep", change=change).body) == plain(applied.body)
    assert desk.book(doctors[0], at(monday(8), "10:00")).body["code"] == "place_closed"
    desk.booked(doctors[0], at(monday(9), "11:00"))
    assert rebuild(desk) == 0  # safe to run again
    clean(desk)


def test_after_a_loss_the_stream_goes_on_behind_what_was_carried_whatever_the_clock_says(desk: Booking):
    doctor = desk.doctor(*weekly())
    desk.booked(doctor, at(monday(), "10:00"))
    desk.carry()
    engine = sa.create_engine(desk.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"))
    ahead = f"{int((now() + timedelta(hours=1)).timestamp() * 1000)}-3"  # as a server whose clock was ahead left it
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE positions SET last_entry = :ahead"), {"ahead": ahead})
    desk.records.connection.flushdb()
    assert rebuild(desk) == 0
    made = desk.booked(doctor, at(monday(), "11:00"))
    desk.carry()
    assert (made["id"], "appointments.booked.v1") in events(desk)
    clean(desk)
    with engine.begin() as connection:
        connection.execute(sa.text("UPDATE positions SET last_entry = '0-0'"))
    engine.dispose()


def test_older_records_that_came_back_are_brought_up_to_the_journal(desk: Booking):
    doctor = desk.doctor(*weekly())
    made = desk.booked(doctor, at(monday(), "10:00"))
    desk.carry()
    connection = desk.records.connection
    saved = _saved(connection)
    moved = desk.act("reschedule_appointment", made, {"starts_at": at(monday(), "12:00")}).body
    desk.carry()
    connection.flushdb()
    _restored(connection, saved)
    assert rebuild(desk) == 0
    assert desk.read(moved).body == moved
    desk.booked(doctor, at(monday(), "10:00"))
    assert desk.book(doctor, at(monday(), "12:00")).status == 409
    clean(desk)


def _saved(connection: Any) -> list[tuple[str, str, Any]]:
    """A copy of all hashes and sets, as a backup of an hour ago would hold them."""
    found = []
    for key in connection.scan_iter():
        kind = connection.type(key)
        read = {"hash": connection.hgetall, "set": connection.smembers, "string": connection.get}
        if kind == "zset":
            found.append((kind, key, dict(connection.zrange(key, 0, -1, withscores=True))))
        elif kind in read:
            found.append((kind, key, read[kind](key)))
    return found


def _restored(connection: Any, saved: list[tuple[str, str, Any]]) -> None:
    for kind, key, value in saved:
        match kind:
            case "hash":
                connection.hset(key, mapping=value)
            case "set":
                connection.sadd(key, *value)
            case "zset":
                connection.zadd(key, value)
            case _:
                connection.set(key, value)


@pytest.fixture
def short(new_postgres, redis_url: str) -> Iterator[Booking]:
    """A booking desk that keeps what is over for a day only."""
    with opened(new_postgres(), redis_url, WINDOW_DAYS="1") as found:
        yield found


def test_what_is_older_than_the_window_is_read_and_closed_from_the_journal(short: Booking):
    at_all = datetime.now(BERLIN).replace(second=0, microsecond=0) - timedelta(hours=20)
    begins = [at_all, at_all - timedelta(minutes=90)]
    sessions = [session(weekday=day, starts=clock, ends=clock) for day in range(1, 8) for clock in ("00:00", "12:00")]
    doctor, patient = short.doctor(*sessions), fresh()
    old, other = (short.booked(doctor, each.isoformat(), patient=patient, retro_reason="Late.") for each in begins)
    new = short.booked(doctor, at(monday(), "10:00"), patient=patient)
    later = now() + timedelta(hours=8)
    short.carrier.tidy(a_call("tidy", at=later))
    assert len(_records(short)) == 3  # nothing goes that the journal has not
    short.carry()
    short.carrier.tidy(a_call("tidy", at=later))
    assert _records(short) == {new["id"]}
    assert not [key for key in contents(short) if ":p:" in key and len(contents(short)[key]) > 1]
    assert short.read(old).body == old
    listed = short.listed((begins[1] - timedelta(hours=1)).isoformat(), at(monday(), "23:00"))
    assert [each["id"] for each in listed] == [other["id"], old["id"], new["id"]]
    of_patient = short.call("list_patient_appointments", patient_id=patient).body["items"]
    assert [each["id"] for each in of_patient] == [new["id"], old["id"], other["id"]]
    waiting = short.call("list_unresolved_appointments").body["items"]
    assert [each["id"] for each in waiting] == [other["id"], old["id"]]
    missed = short.act("set_appointment_status", old, {"to": "no_show"})
    wrong = short.act("mark_appointment_entered_in_error", other, {"reason": "A namesake."})
    assert (missed.status, wrong.status) == (200, 200), (missed.body, wrong.body)
    assert short.act("set_appointment_status", old, {"to": "arrived"}).status == 412
    clean(short)
    short.carrier.tidy(a_call("tidy", at=later))
    assert _records(short) == {new["id"]}
    assert short.read(old).body == missed.body
    assert short.call("get_patient_attendance", patient_id=patient).body["no_show"] == 1
    clean(short)


def _records(desk: Booking) -> set[str]:
    return {str(UUID(hex=key.rpartition(":")[2])) for key in contents(desk) if ":a:" in key}


def test_carriers_at_once_write_each_entry_once_and_tell_each_event_once(desk: Booking):
    doctors = [desk.doctor(*weekly(capacity=3))]
    others = [Carrier(desk.records, desk.journal, window=WINDOW, clock=now) for _ in range(3)]
    known: dict[str, dict] = {}

    def one(index: int) -> None:
        if index == 0:
            known.update(mixed(desk, doctors, count=160, seed=5))
        else:
            for _ in range(40):
                others[index - 1].carry(a_call("job"))

    together(4, one)
    desk.carry()
    desk.carry()
    sent = envelopes(desk)
    assert max(Counter(each["id"] for each in sent).values()) == 1
    told = Counter(subject for subject, _ in events(desk))
    assert told == {key: each["version"] for key, each in known.items()}
    engine = sa.create_engine(desk.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:
        query = "SELECT appointment_id, count(*) AS many, max(version) AS newest FROM appointment_versions GROUP BY 1"
        rows = {str(row.appointment_id): (row.many, row.newest) for row in connection.execute(sa.text(query))}
    engine.dispose()
    assert {key: rows[key] for key in known} == {key: (each["version"],) * 2 for key, each in known.items()}
    assert desk.records.connection.xlen("{" + UUID(desk.world.facility).hex + "}:out") == 0
    clean(desk)


def test_a_look_into_an_empty_facility_leaves_its_trace(desk: Booking):
    assert desk.listed(at(monday(), "00:00"), at(monday(), "23:00")) == []
    desk.carry()
    assert (None, "list_appointments", "success") in traces(desk)
    assert desk.size() == 0


def test_the_check_by_hand_says_what_is_wrong(desk: Booking, capsys: pytest.CaptureFixture[str]):
    doctor = desk.doctor()
    made = desk.booked(doctor, at(monday(), "10:00"))
    check = desk.house.service.commands["check"]
    assert check.run([]) == 0
    key = next(iter(desk.records.connection.scan_iter(match=f"*:d:{UUID(doctor).hex}:*")))
    desk.records.connection.delete(key)
    assert check.run([]) == 1
    assert f"index: {made['id']}" in capsys.readouterr().out
