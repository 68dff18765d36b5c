"""Clerks who book, move, cancel and read on one day while leave comes and goes, with a record of all that was said."""

from __future__ import annotations

import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.chassis.stores import StoreAway, StoreBusy
from services.chassis.testing import Got
from tests.histories import CLOSED, OVER, ROOM_TAKEN, STALE, TAKEN, Desk, Operation, Place, first_anomaly
from tests.integration.appointments.contests import clean
from tests.integration.appointments.making import BERLIN, Booking, World, at, fresh, insist, monday, session, together

CAPACITY, CLERKS = 2, 8
REFUSALS = {TAKEN, CLOSED, ROOM_TAKEN, STALE, OVER}
LEAVE = ("09:00", "10:00")


class Mixing:
    """One day in a facility of its own. Any clerk may change any appointment, from the version that was told last."""

    def __init__(self, desk: Booking) -> None:
        desk.world = World()
        self.desk = desk
        sessions = [
            [session(weekday=day, capacity=CAPACITY, resource_ids=[fresh()]) for day in range(1, 8)] for _ in range(3)
        ]
        self.doctors = [desk.doctor(*each) for each in sessions]
        self.rooms = [fresh() for _ in range(2)]
        self.history: list[Operation] = []
        self.told: dict[str, dict[str, Any]] = {}
        self.later = 0

    def go(self, *, seconds: float, seed: int) -> None:
        """All at once, for so long."""
        over = threading.Event()

        def one(index: int) -> None:
            chance = random.Random(f"{seed} {index}")
            if index == CLERKS:
                time.sleep(seconds)
                over.set()
            while not over.is_set():
                self._lead(chance) if index > CLERKS else self._serve(chance)

        together(CLERKS + 2, one)

    def check(self) -> None:
        """Some order explains every answer, and everything is now as that order leaves it."""
        desk = Desk(CAPACITY)
        wrong = first_anomaly(self.history, desk)
        assert wrong is None, "\n".join(map(repr, [wrong, *self._around(wrong)]))
        known = {name: each for name, each in desk.known.items() if name in self.told}
        assert set(known) == set(self.told)
        for name, (version, place) in known.items():
            found = insist(lambda name=name: self.desk.read({"id": name})).body
            assert (found["version"], self._place(found)) == (version, place)
        listed = self.desk.listed(at(monday(), "00:00"), at(monday(), "23:59"))
        assert {each["id"]: each["version"] for each in listed} == {name: each[0] for name, each in known.items()}

    def count(self) -> Counter[str]:
        """How often what was said."""
        return Counter(f"{each.kind} {each.said}" for each in self.history)

    def _around(self, wrong: Operation) -> list[Operation]:
        """What happened to the same appointment, and to the same doctor at about that time."""
        doctor = None if wrong.place is None else wrong.place.doctor
        return [
            each
            for each in sorted(self.history, key=lambda each: each.began)
            if (wrong.appointment and each.appointment == wrong.appointment)
            or (each.place is not None and each.place.doctor == doctor and abs(each.began - wrong.began) < 1)
        ]

    def _serve(self, chance: random.Random) -> None:
        """What a clerk does next."""
        doctor, room = chance.choice(self.doctors), chance.choice(self.rooms) if chance.random() < 0.3 else None
        start = 540 + chance.choice((0, 15, 30, 40)) + 60 * chance.randrange(4)
        names = list(self.told)
        if not names or chance.random() < 0.4:
            return self._book(Place(doctor, start, start + chance.choice((10, 25, 40)), room))
        booked = [name for name in names[-200:] if self.told[name]["status"] == "booked"]
        known = self.told[chance.choice(booked if booked and chance.random() < 0.9 else names)]
        do = chance.choice((self._cancel, self._read, lambda each: self._move(each, doctor, start)))
        return do(known)

    def _book(self, place: Place) -> None:
        minutes, rooms = place.end - place.start, [] if place.room is None else [place.room]
        more = {"minutes": minutes, "resource_ids": rooms}
        self._do("book", place, lambda key: self.desk.book(place.doctor, _at(place), key=key, **more))

    def _move(self, known: dict[str, Any], doctor: str, start: int) -> None:
        length = _minutes(known["ends_at"]) - _minutes(known["starts_at"])
        place = Place(doctor, start, start + length, self._room(known))
        body = {"starts_at": _at(place), "doctor_id": doctor}
        self._do("move", place, lambda key: self.desk.act("reschedule_appointment", known, body, key=key), known)

    def _cancel(self, known: dict[str, Any]) -> None:
        body = {"reason_code": "other"}
        self._do("cancel", None, lambda key: self.desk.act("cancel_appointment", known, body, key=key), known)

    def _read(self, known: dict[str, Any]) -> None:
        self._do("read", None, lambda _: self.desk.read(known), known)

    def _do(
        self, kind: str, place: Place | None, ask: Callable[[str], Got], known: dict[str, Any] | None = None
    ) -> None:
        """Ask until it is decided, and write down what was said."""
        began = time.monotonic()
        got = self._decided(ask)
        ended = time.monotonic()
        done = Operation(kind=kind, began=began, ended=ended, place=place)
        if known is not None:
            done = replace(done, appointment=known["id"], version=known["version"])
        if got.status >= 300:
            assert got.body["code"] in REFUSALS, got.body
            self.history.append(replace(done, said=got.body["code"]))
        else:
            self._succeeded(done, got.body)

    def _decided(self, ask: Callable[[str], Got]) -> Got:
        """The answer, asked for with one key for as long as it is to come back later.

        That is said when the plan moves twice under one request, and when a store did not answer in time: then nobody
        knows whether it was done.
        """
        key, ends = f"key-{fresh()}", time.monotonic() + 60
        while (got := ask(key)).status == 503:
            assert "retry-after" in got.headers
            assert time.monotonic() < ends, "not decided within a minute"
            self.later += 1
            time.sleep(0.05)
        return got

    def _succeeded(self, done: Operation, body: dict[str, Any]) -> None:
        place = self._place(body)
        if done.kind == "read":
            done = replace(done, version=body["version"])
        self.history.append(replace(done, appointment=body["id"], place=place))
        if body["version"] >= self.told.get(body["id"], body)["version"]:
            self.told[body["id"]] = body

    def _lead(self, chance: random.Random) -> None:
        """Leave in the morning of one doctor, granted or taken back; the plan is shown once it is in force."""
        doctor = chance.choice(self.doctors)
        plan, place = self.desk.world.plans[doctor], Place(doctor, 540, 600)
        leave = {"id": fresh(), "scope": "doctor", "scope_id": doctor}
        leave |= {"starts_at": at(monday(), LEAVE[0]), "ends_at": at(monday(), LEAVE[1])}
        closures = [] if plan["closures"] else [leave]
        after = {**plan, "version": plan["version"] + 1, "closures": closures}
        began = time.monotonic()
        body = {"version": after["version"], "change_id": fresh(), "clashes": "keep", "doctor": after}
        got = self._decided(lambda _: self.desk.call("apply_plan", body=body, plan_id=doctor))
        assert got.status == 200, got.body
        self.desk.world.plans[doctor] = after
        clashing = frozenset(each["appointment_id"] for each in got.body["clashing"])
        kind, ended = "close" if closures else "open", time.monotonic()
        self.history.append(Operation(kind=kind, began=began, ended=ended, place=place, clashing=clashing))
        with contextlib.suppress(StoreAway, StoreBusy):  # as the relay does: the next time carries it as well
            self.desk.carry()

    def _place(self, body: dict[str, Any]) -> Place | None:
        if body["status"] != "booked":
            return None
        since, until = _minutes(body["starts_at"]), _minutes(body["ends_at"])
        return Place(body["doctor_id"], since, until, self._room(body), body["seat"])

    def _room(self, body: dict[str, Any]) -> str | None:
        return next((each for each in body["resource_ids"] if each in self.rooms), None)


def one_day(desk: Booking, *, seconds: float, seed: int) -> Mixing:
    """One day in a facility of its own, and the check of all that was said."""
    mixing = Mixing(desk)
    mixing.go(seconds=seconds, seed=seed)
    mixing.check()
    clean(desk)
    return mixing


def _at(place: Place) -> str:
    return at(monday(), f"{place.start // 60:02}:{place.start % 60:02}")


def _minutes(moment: str) -> int:
    clock = datetime.fromisoformat(moment).astimezone(BERLIN)
    return clock.hour * 60 + clock.minute
