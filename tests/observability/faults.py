"""What goes wrong in a house on purpose, by the words in which a board names it (`zero` in observability/boards).

Each ends when what it does can be seen, or after the time that it is meant to last.
"""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import psycopg
import redis

from tests.observability.scene import Scene
from tests.system import clinic as clinics
from tests.system.clinic import at_once
from tests.system.house import hire, sign_in
from tests.waiting import wait_for, within

Fault = Callable[[Scene], None]
AWAY_S = 7.0  # longer than a worker waits between two looks at a store
STREAM, GROUP = "events.appointments", "reports"

# ---- stores and services that answer nothing -------------------------------------------------------------------------


def away(name: str, *, for_s: float = AWAY_S) -> Fault:
    """One server answers nothing for a while; people go on."""

    def happen(scene: Scene) -> None:
        with scene.halted(name):
            time.sleep(for_s)  # how long it lasts is the fault itself

    return happen


def patients_away(scene: Scene) -> None:
    """Whoever asks `patients` gets no answer, until a breaker lets them ask no more."""
    load, refused = scene.load, "sum(infirmary_breaker_refused_total)"
    people, wanted = clinics.registered(load.desk, 24), [next(load.slots) for _ in range(24)]
    time.sleep(1)

    def book(number: int) -> None:
        doctor, start = wanted[number]
        body = load.clinic.wanted(doctor, start, people[number])
        load.kept_booking(load.admin.post(f"{load.clinic.path}/appointments", body))

    def is_refused() -> bool:
        at_once(book, len(people))
        return scene.prometheus.value(refused) > before

    before = scene.prometheus.value(refused)
    with scene.halted("patients"):
        wait_for(is_refused, within_s=40, what="a breaker that refuses")


def mail_away(scene: Scene) -> None:
    """The relay takes connections and says nothing; a worker that waits for it dies: nobody knows what it has sent."""
    with scene.halted("inbox"):
        scene.counted('infirmary_notifications_oldest_due_seconds{channel="email"}', over=2)
        scene.kill("notifications-worker")
        time.sleep(1)  # the other one comes up while the relay is still away


def worker_dies(scene: Scene) -> None:
    """What the worker had in hand is sent again when its time for that is over."""
    scene.counted("sum(infirmary_notifications_repeats_total)", within_s=120)


# ---- the bus ---------------------------------------------------------------------------------------------------------


def unreadable_event(scene: Scene) -> None:
    """Things on the bus that are no events, one after the other."""
    with redis.Redis.from_url(scene.url("notifications", "BUS_URL")) as bus:
        for _ in range(5):
            bus.xadd(STREAM, {"event": json.dumps({"type": "appointments.booked.v1"})})
            time.sleep(1.5)  # a rate wants two scrapes between them


def consumer_dies(scene: Scene) -> None:
    """A consumer takes events and is not heard of again; to the others it has been silent for two minutes."""
    with scene.redis("bus") as bus:
        _take_and_die(scene, bus)
    scene.counted(f'infirmary_bus_taken_over_total{{group="{GROUP}"}}')


def entries_removed(scene: Scene) -> None:
    """The same, and somebody removes from the stream what it has in hand: events that everybody has had before."""
    with scene.redis("bus") as bus:
        bus.xdel(STREAM, *_take_and_die(scene, bus, again=3))
    scene.counted(f'infirmary_bus_lost_total{{group="{GROUP}"}}')


def _take_and_die(scene: Scene, bus: Any, *, again: int = 0) -> list[str]:
    """The ids that a consumer has in hand which is gone; `again`: of copies of what was there already."""
    with scene.halted(f"{GROUP}-worker"):
        if again:
            _, known = bus.xrevrange(STREAM, count=1)[0]
            taken = [bus.xadd(STREAM, known) for _ in range(again)]
            bus.xreadgroup(GROUP, "gone", {STREAM: ">"}, count=1000)
        else:
            found = bus.xreadgroup(GROUP, "gone", {STREAM: ">"}, count=5, block=10_000)
            taken = [entry for _, entries in found for entry, _ in entries]
        pending = bus.xpending_range(STREAM, GROUP, "-", "+", 1000, "gone")
        bus.xclaim(STREAM, GROUP, "gone", 0, [each["message_id"] for each in pending], idle=120_000)
    assert taken
    return taken


def all_read(scene: Scene) -> None:
    """It happens by itself, each minute."""
    scene.counted("sum(infirmary_bus_trimmed_total)", within_s=150)


# ---- PostgreSQL ------------------------------------------------------------------------------------------------------


def deadlock(scene: Scene) -> None:
    """Two transactions that wait for each other, in the database of patients."""
    address = scene.url("patients", "DATABASE_URL")
    with psycopg.connect(address) as one, psycopg.connect(address) as other:
        one.execute("SELECT pg_advisory_xact_lock(1)")
        other.execute("SELECT pg_advisory_xact_lock(2)")
        waiting = threading.Thread(target=_lock, args=(one, 2))
        waiting.start()
        _lock(other, 1)
        other.rollback()
        waiting.join()
        one.rollback()
    scene.counted("sum(infirmary_postgresql_deadlocks_total)")


def _lock(connection: psycopg.Connection[Any], number: int) -> None:
    with contextlib.suppress(psycopg.errors.DeadlockDetected):
        connection.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def transaction_stays_open(scene: Scene) -> None:
    """Somebody looks into the database of patients, and does not leave."""
    with psycopg.connect(scene.url("patients", "DATABASE_URL")) as connection:
        connection.execute("SELECT 1")
        time.sleep(2 * AWAY_S)  # how long it stays is the fault itself
        connection.rollback()


# ---- what must never be ----------------------------------------------------------------------------------------------


def double_booking(scene: Scene) -> None:
    """Somebody copies an appointment, under another id, where only `appointments` writes."""
    load = scene.load
    doctor, start = next(load.slots)
    wanted = load.clinic.wanted(doctor, start, clinics.registered(load.desk, 1)[0])
    made = clinics.until(load.admin, "POST", f"{load.clinic.path}/appointments", wanted).expect(201)
    with scene.redis("records") as records:
        key = next(records.scan_iter(match=f"*:a:{made.json['id'].replace('-', '')}", count=1000))
        again = str(uuid.uuid4())
        copy = f"{key.rpartition(':')[0]}:{again.replace('-', '')}"
        known = records.hgetall(key)
        records.hset(copy, mapping={**known, "d": json.dumps({**json.loads(known["d"]), "id": again})})
        try:
            scene.fires("InvariantBroken", within_s=150)
        finally:
            records.delete(copy)


def trail_locked(scene: Scene) -> None:
    """Nobody can read the trail, and who checks it has just begun anew."""
    with psycopg.connect(scene.postgres("audit")) as connection:
        connection.execute("LOCK TABLE entries IN ACCESS EXCLUSIVE MODE")
        scene.kill("audit-worker")
        scene.fires("AuditTrailUnchecked")
        connection.rollback()


def trail_changed(scene: Scene) -> None:
    """Somebody with every right over the database changes an entry, and takes it back when it was found out."""
    change = "UPDATE entries SET entry = %s WHERE position = %s"
    with psycopg.connect(scene.postgres("audit"), autocommit=True) as connection:
        connection.execute("ALTER TABLE entries DISABLE TRIGGER USER")
        found = connection.execute("SELECT entry, position FROM entries ORDER BY position LIMIT 1 OFFSET 5").fetchone()
        assert found
        connection.execute(change, [f"{found[0]} ", found[1]])
        scene.kill("audit-worker")
        scene.fires("AuditTrailBroken")
        connection.execute(change, found)
        connection.execute("ALTER TABLE entries ENABLE TRIGGER USER")
    scene.kill("audit-worker")


def forgotten_entry(scene: Scene) -> None:
    """An operation answers without having left a trace."""
    for _ in range(8):
        assert scene.beside.forget() == 500
        time.sleep(1)  # a rate wants two scrapes between them


# ---- too many at once ------------------------------------------------------------------------------------------------


def refresh_token_used_twice(scene: Scene) -> None:
    """Somebody else has it."""
    person = hire(scene.load.admin, "nurse")
    for _ in range(2):
        person.client.send("POST", "/api/v1/sessions/refresh", {"refresh_token": person.tokens["refresh_token"]})


def many_requests(scene: Scene) -> None:
    """More at once than `patients` has threads and places: they come in while it does not look."""
    head = f"GET /api/v1/patients/{scene.load.patients[0]} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer"
    request = f"{head} {scene.load.nurse.token}\r\n\r\n".encode()
    shed = 'sum(infirmary_requests_shed_total{job="patients"})'

    def rush() -> None:
        with contextlib.ExitStack() as stack:
            with scene.halted("patients"):
                for _ in range(600):
                    line = stack.enter_context(socket.create_connection(("127.0.0.1", scene.house.port("patients"))))
                    line.sendall(request)
            time.sleep(2)  # until all are answered; then those who ask go

    _until_counted(scene, rush, shed)


def many_sign_ins(scene: Scene) -> None:
    """More at once than may compute, and the machine is so slow that they wait for longer than they may."""
    load = scene.load
    inside = type(load.inside)(f"http://127.0.0.1:{scene.house.port('identity')}")
    words = {"password": load.nurse.password}
    waits = iter((0.1, 0.2, 0.3, 0.5, 0.8, 1.2, 0.05, 0.15))

    def rush() -> None:
        people = [threading.Thread(target=sign_in, args=(inside, load.nurse.username), kwargs=words) for _ in range(14)]
        for each in people:
            each.start()
        time.sleep(next(waits))  # until they wait for a place
        with scene.halted("identity"):
            time.sleep(2.5)  # longer than anybody waits
        for each in people:
            each.join()

    _until_counted(scene, rush, "sum(infirmary_password_hash_refused_total)")


def _until_counted(scene: Scene, rush: Callable[[], None], query: str) -> None:
    """Again, until it was enough: how much that is, the machine decides."""
    before = scene.prometheus.value(query)
    for _ in range(8):
        rush()
        if within(6, lambda: scene.prometheus.value(query) > before, step_s=0.5):
            return
    raise AssertionError(f"it was never enough for {query}")


# ---- Redis and Prometheus beside -------------------------------------------------------------------------------------


def disk_full(scene: Scene) -> None:
    """What may evict is at its limit, more clients come than it takes, and then its disk is full."""
    with scene.beside.disk_full():
        scene.beside.write(50)
        scene.fires("RedisCannotAppend")


def evicting(scene: Scene) -> None:
    """More is written than there is memory."""
    scene.beside.write(2000, bytes_each=10_000)
    scene.counted('infirmary_redis_evicted_keys_total{name="beside"}')


def clients_refused(scene: Scene) -> None:
    """More clients than it takes."""
    port = int(scene.beside.redis_url.rpartition(":")[2].partition("/")[0])
    lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(30)]
    for line in lines:
        line.close()
    scene.counted('infirmary_redis_rejected_connections_total{name="beside"}')


def bad_rule(scene: Scene) -> None:
    """A rule that can be read and not evaluated: each of many series has many partners."""
    rule = {"record": "broken:up:all", "expr": "up * on () up"}
    with scene.prometheus.with_rule(rule):
        scene.counted("sum(prometheus_rule_evaluation_failures_total)", over=3)
        time.sleep(12)  # its series goes with it, and a panel wants ten points


# What happens beside each other, each in its order. Stores that are away come alone, in the first.
TRACKS: Mapping[str, Mapping[str, Fault]] = {
    "stores": {
        "an event that nobody can read": unreadable_event,
        "a refresh token is used twice": refresh_token_used_twice,
        "a service that calls another which is away": patients_away,
        "the records are away": away("redis-records"),
        "the bus is away": away("redis-bus"),
        "MongoDB is away": away("mongodb"),
        "PostgreSQL is away": away("postgresql", for_s=2 * AWAY_S),
    },
    "records": {"a double booking written by hand": double_booking},
    "bus": {
        "a consumer dies with events in hand": consumer_dies,
        "entries are removed from a stream by hand": entries_removed,
        "a minute of events has been read by everybody": all_read,
    },
    "mail": {"the mail relay is away": mail_away, "a worker dies while it sends": worker_dies},
    "databases": {
        "two transactions that wait for each other": deadlock,
        "a transaction that stays open": transaction_stays_open,
    },
    "trail": {"the trail cannot be read": trail_locked, "an entry of the trail is changed by hand": trail_changed},
    "many": {
        "more requests at once than threads and places": many_requests,
        "more sign-ins at once than may run": many_sign_ins,
    },
    "beside": {
        "a method that forgets its entry": forgotten_entry,
        "an instance that may evict is full": evicting,
        "more clients than it takes": clients_refused,
        "a disk that takes no more": disk_full,
        "a rule that cannot be evaluated": bad_rule,
    },
}
# What takes more than a minute, which nobody has by day: a message that may have been sent waits for so long.
AT_NIGHT = {"a worker dies while it sends"}
# What no test here can bring about, and why.
UNSEEN = {
    "a disk that is slower than the writes": "a slow disk wants a tracer or a file system of its own, and thus rights "
    "over the machine; the count comes with the others from the same answer of Redis",
    "a failure within the server": "it would be a mistake of MongoDB itself, which no request of a client brings about",
}
