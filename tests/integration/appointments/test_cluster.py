"""All keys of a facility lie in one slot, so that its scripts run whole on one node of a Redis Cluster."""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.appointments.repository.scripts import NAMES
from services.chassis import redis
from tests import stores
from tests.integration.appointments import servers
from tests.integration.appointments.contests import clean, statuses
from tests.integration.appointments.making import Booking, World, a_call, at, fresh, monday, opened, session, together

KEY = re.compile(r"\{(house|[0-9a-f]{32})\}:[a-z]+(:[0-9a-z-]+)*")


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.cluster(tmp_path_factory.mktemp("cluster")) as found:
        yield found


@pytest.fixture
def spread(nodes: str, new_postgres, redis_url: str) -> Iterator[Booking]:
    """A booking desk on an empty cluster; `redis_url` is its bus."""
    with redis.cluster(nodes, timeout_s=5) as connection:
        connection.flushall(target_nodes="primaries")
    with opened(new_postgres(), "redis://127.0.0.1", bus_url=redis_url, RECORDS_CLUSTER=nodes) as found:
        yield found


def everything(desk: Booking) -> dict[str, Any]:
    """Each operation that writes, once; the appointment that was moved last."""
    room, device = fresh(), fresh()
    doctor = desk.doctor(
        *(session(weekday=day, resource_ids=[room], max_bookings=9) for day in range(1, 8)), max_per_day=9
    )
    held = desk.hold(doctor, at(monday(), "09:00")).body["id"]
    made = desk.booked(doctor, at(monday(), "09:00"), hold_id=held, resource_ids=[device], key=f"key-{fresh()}")
    moved = desk.act("reschedule_appointment", made, {"starts_at": at(monday(), "11:00")}).body
    asked = desk.request(doctor, at(monday(), "12:00")).body
    assert desk.act("approve_appointment", asked).status == 200
    assert desk.act("set_appointment_status", moved, {"to": "arrived"}).status == 200
    gone = desk.booked(doctor, at(monday(), "13:00"))
    assert desk.act("cancel_appointment", gone, {"reason_code": "other"}).status == 200
    assert desk.book(doctor, at(monday(), "11:00")).body["code"] == "place_taken"
    given = desk.hold(doctor, at(monday(), "14:00")).body["id"]
    assert desk.call("release_hold", hold_id=given).status == 204
    hours = {"starts_at": at(monday(2), "10:00"), "ends_at": at(monday(2), "11:00")}
    closed = [{"id": fresh(), "scope": scope, "scope_id": id_, **hours}
              for scope, id_ in (("facility", desk.world.facility), ("resource", room))]  # fmt: skip
    assert desk.close(*closed, version=1, clashes="keep").status == 200
    desk.world.doctor(
        *desk.world.plans[doctor]["sessions"], doctor=doctor, facility_version=1, facility_closures=closed
    )
    assert desk.apply(doctor).status == 200
    desk.carry()
    return desk.read(moved).body


def test_every_key_that_a_script_touches_lies_in_the_slot_of_its_facility(tmp_path: Path, postgres_url: str):
    own = stores.Own("redis", tmp_path)
    own.start()
    try:
        with opened(postgres_url, own.url) as desk:
            commands: list[dict[str, Any]] = []
            with redis.client(own.url, timeout_s=5) as watcher, watcher.monitor() as monitor:
                listening = threading.Thread(target=_listen, args=(monitor, commands), daemon=True)
                listening.start()
                everything(desk)
                desk.carrier.tidy(a_call("job"))
                _forget_all(desk)
                desk.carrier.rebuild(a_call("rebuild"), say=lambda _: None)
                desk.records.connection.ping()
                desk.records.connection.echo("the end")
                listening.join(10)
    finally:
        own.kill()
    tag = uuid.UUID(desk.world.facility).hex
    inside = [each for each in commands if each["client_type"] == "lua"]
    touched = {word for each in inside for word in each["command"].split()[1:] if KEY.fullmatch(word)}
    ran = [each for each in commands if each["command"].startswith("EVALSHA")]
    assert len(touched) > 20
    assert {servers.slot(key) for key in touched if key.startswith(f"{{{tag}}}")} == {servers.slot(f"{{{tag}}}")}
    assert all(key.startswith((f"{{{tag}}}:", "{house}:out")) for key in touched), touched
    assert len(ran) > len(NAMES)


def _listen(monitor: Any, commands: list[dict[str, Any]]) -> None:
    for each in monitor.listen():
        commands.append(each)
        if "the end" in each["command"]:
            return


def _forget_all(desk: Booking) -> None:
    """Empty what the facility has in the records, as a loss would."""
    tag = uuid.UUID(desk.world.facility).hex
    for each in list(desk.records.connection.scan_iter(match=f"{{{tag}}}:*")):
        desk.records.connection.delete(each)


def test_all_that_is_done_works_on_a_cluster(spread: Booking):
    last = everything(spread)
    assert spread.read(last).body == last
    listed = spread.listed(at(monday(), "00:00"), at(monday(), "23:00"))
    assert [each["status"] for each in listed] == ["arrived", "booked", "cancelled"]
    clean(spread)


def test_on_a_cluster_one_place_is_given_once(spread: Booking):
    doctor = spread.doctor()
    got = together(40, lambda _: spread.book(doctor, at(monday(), "10:00")))
    assert statuses(got) == {201: 1, 409: 39}
    clean(spread)


def test_facilities_on_different_nodes_are_booked_side_by_side(spread: Booking):
    owners, worlds = {}, []
    while len(owners) < 3:
        world = World()
        tag = f"{{{uuid.UUID(world.facility).hex}}}"
        owners.setdefault(redis.node(spread.records.connection, tag).connection_pool.connection_kwargs["port"], world)
    for world in owners.values():
        spread.world = world
        worlds.append((world, everything(spread)))
    for world, last in worlds:
        spread.world = world
        assert spread.read(last).body == last
    assert spread.violations() == []


def test_a_cluster_is_rebuilt_from_the_journal(spread: Booking):
    last = everything(spread)
    spread.records.connection.flushall(target_nodes="primaries")
    lost = spread.book(last["doctor_id"], at(monday(), "15:00"))
    assert lost.status == 503
    said: list[str] = []
    spread.carrier.rebuild(a_call("rebuild"), say=said.append)
    assert len(said) == 1
    assert spread.read(last).body == last
    assert spread.book(last["doctor_id"], at(monday(), "11:00")).body["code"] == "place_taken"
    spread.booked(last["doctor_id"], at(monday(), "15:00"))
    clean(spread)
