"""A mixed load on a running house: what people do on a day, rightly and wrongly, with a count of every answer."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import urllib3

from standalone import journey
from tests.system import clinic as clinics
from tests.system.browsing import Browser
from tests.system.clinic import Clinic, until
from tests.system.house import Client, Person, Reply, RunningHouse, hire, new_allergy, new_key, sign_in, word

PACE_S = 0.15
MOST_WRONG_SIGN_INS = 30  # more of them from one source would close it for everybody in the test


@dataclass
class Load:
    """People at work until they are told to stop. booked: answers to wishes, by status; refused: all from 400 on."""

    house: RunningHouse
    admin: Person
    clinic: Clinic
    desk: Person
    nurse: Person
    patients: list[str]
    slots: Iterator[tuple[str, str]]
    inside: Client
    screen: Browser
    open_page: Browser
    booked: Counter[str] = field(default_factory=Counter)
    refused: list[Reply] = field(default_factory=list)
    unanswered: int = 0
    wrong_sign_ins: int = 0

    def run(self, stop: threading.Event) -> None:
        """Each kind of work in a thread of its own, at a walking pace."""
        kinds = (
            self.book,
            self.wrongly,
            self.treat,
            self.come_in,
            self.find,
            self.hold,
            self.visit,
            self.look_around,
            self.look_at_pages,
            self.leave_a_page_open,
            self.go_round,
        )
        threads = [threading.Thread(target=self._again, args=(kind, stop)) for kind in kinds]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _again(self, kind: Callable[[], object], stop: threading.Event) -> None:
        while not stop.is_set():
            try:
                kind()
            except (AssertionError, urllib3.exceptions.HTTPError, KeyError):
                self.unanswered += 1  # a fault is on; what it does to people is what is measured
            stop.wait(PACE_S)

    def look_at_pages(self) -> None:
        """Somebody works in the browser."""
        for path in ("/", "/patients", "/patients/new"):
            self.screen.get(path)

    def leave_a_page_open(self) -> None:
        """A page on another screen hears of what happens."""
        for _ in self.open_page.listen(12):
            pass

    def book(self) -> None:
        """Somebody books, sends it again under the same key, and another wants the same place."""
        doctor, start = next(self.slots)
        patient, other = self.patients[0], self.patients[1]
        self.patients.append(self.patients.pop(0))
        wanted, key = self.clinic.wanted(doctor, start, patient), new_key()
        made = self._booking(wanted, key)
        self._booking(wanted, key)
        self._booking(self.clinic.wanted(doctor, start, other), new_key())
        if made.status == 201:
            path = f"{self.clinic.path}/appointments/{made.json['id']}"
            self.desk.post(f"{path}/cancel", {"reason_code": "other"}, if_match=made.etag)

    def _booking(self, wanted: dict[str, object], key: str) -> Reply:
        return self.kept_booking(self.desk.post(f"{self.clinic.path}/appointments", wanted, key=key))

    def kept_booking(self, got: Reply) -> Reply:
        """Count what came of a wish for an appointment."""
        is_again = "idempotency-replayed" in got.headers
        self.booked[f"{got.status} again" if is_again else str(got.status)] += 1
        return self._kept(got)

    def wrongly(self) -> None:
        """What is refused: without right, token, form or thing."""
        some = self.patients[0]
        self._kept(self.desk.get(f"/api/v1/patients/{some}/allergies"))
        self._kept(self.desk.client.send("GET", f"/api/v1/patients/{some}", token="no.such.token"))
        self._kept(self.desk.post("/api/v1/patients", {"family_name": 7}))
        self._kept(self.desk.get("/api/v1/patients/01939c3e-7b1a-7cc0-9d53-8f5d2f3a1b20"))

    def treat(self) -> None:
        """A nurse reads and writes."""
        some = self.patients[-1]
        self._kept(self.nurse.get(f"/api/v1/patients/{some}"))
        self._kept(self.nurse.get(f"/api/v1/patients/{some}/allergies"))
        self._kept(self.nurse.post(f"/api/v1/patients/{some}/allergies", new_allergy(word())))

    def come_in(self) -> None:
        """Somebody signs in, rightly and wrongly."""
        sign_in(self.desk.client, self.desk.username, password=self.desk.password)
        if self.wrong_sign_ins < MOST_WRONG_SIGN_INS:
            self.wrong_sign_ins += 1
            sign_in(self.desk.client, f"nobody.{word()}", password=word())
        time.sleep(4 * PACE_S)

    def find(self) -> None:
        """A search that finds something, and one that does not."""
        doctor = self.clinic.doctors[0]
        self.clinic.free(self.desk, doctor, ahead=9)
        self.clinic.free(self.desk, doctor, ahead=390)

    def hold(self) -> None:
        """A place is kept and given back."""
        doctor, start = next(self.slots)
        wanted = {"doctor_id": doctor, "appointment_type_id": self.clinic.type, "starts_at": start}
        made = self.desk.post(f"{self.clinic.path}/holds", wanted)
        if made.status == 201:
            self.desk.send("DELETE", f"{self.clinic.path}/holds/{made.json['id']}")

    def visit(self) -> None:
        """Somebody is registered, waits, is seen and goes."""
        doctor, start = next(self.slots)
        wanted = self.clinic.wanted(doctor, start, self.patients[2])
        made = self.kept_booking(self.admin.post(f"{self.clinic.path}/appointments", wanted))
        path, etag = f"{self.clinic.path}/appointments/{made.json['id']}/status", made.etag
        for to in ("arrived", "in_progress", "completed"):
            time.sleep(PACE_S)  # a wait is what is measured
            etag = self.admin.post(path, {"to": to}, if_match=etag).etag

    def look_around(self) -> None:
        """Whoever runs the place looks at messages, figures and the trail."""
        self.admin.get("/api/v1/deliveries").expect(200)
        days = f"first_day={self.clinic.day(0)}&last_day={self.clinic.day(30)}"
        self.admin.get(f"/api/v1/reports/appointments?facility_id={self.clinic.facility}&{days}&group_by=status")
        self.admin.post("/api/v1/audit-entries/search", {}, key=None)
        time.sleep(4 * PACE_S)

    def go_round(self) -> None:
        """Somebody within the house goes round the gateway, with a token that does not count."""
        self.inside.send("GET", f"/api/v1/patients/{self.patients[0]}", token="no.such.token")
        time.sleep(4 * PACE_S)

    def _kept(self, got: Reply) -> Reply:
        if got.status >= 400:
            self.refused.append(got)
        return got


def begun(house: RunningHouse, *, doctors: int = 3) -> Load:
    """The super admin opens a clinic and hires people; patients are registered. A doctor has places for 20 minutes."""
    client = Client(house.url)
    admin = Person(client, "", "admin", ["super_admin"], house.secret("super-admin"))
    admin.sign_in().change_password().sign_in().works()
    clinic = clinics.opened(admin)
    until(admin, "PUT", f"{clinic.path}/notification-settings", journey.NO_QUIET_HOURS, if_match='"1"').expect(200)
    for _ in range(doctors):
        clinic.doctor()
    desk, nurse = hire(admin, "receptionist"), hire(admin, "nurse")
    inside = Client(f"http://127.0.0.1:{house.port('patients')}")
    screens = [Browser(house.url) for _ in range(2)]
    for screen in screens:
        screen.sign_in(desk.username, desk.password)
    patients = clinics.registered(desk, 8, emails=True)
    return Load(house, admin, clinic, desk, nurse, patients, _Slots(clinic), inside, *screens)


class _Slots(Iterator[tuple[str, str]]):
    """Places that nobody has asked for yet, for several threads."""

    def __init__(self, clinic: Clinic) -> None:
        self._clinic, self._lock, self._numbers = clinic, threading.Lock(), itertools.count()

    def __next__(self) -> tuple[str, str]:
        with self._lock:
            number = next(self._numbers)
        turn, doctor = divmod(number, len(self._clinic.doctors))
        day, slot = divmod(turn, 30)
        return self._clinic.doctors[doctor], self._clinic.at(
            f"{6 + slot // 2:02d}:{30 * (slot % 2):02d}", ahead=10 + day
        )
