"""Sixty words that stand nowhere else, and how they go through every flow of a house, rightly and wrongly."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from typing import Any

from tests.observability.load import Load
from tests.system.clinic import until
from tests.system.house import Person, Reply, hire, new_key, new_patient, sign_in, word
from tests.system.sinks import bus_of
from tests.waiting import wait_for


@dataclass
class Canaries:
    """Each word by what it stands for; it is made when it is first asked for."""

    words: dict[str, str] = field(default_factory=dict)
    replies: list[Reply] = field(default_factory=list)

    def __getitem__(self, name: str) -> str:
        return self.words.setdefault(name, word())

    def digits(self, name: str) -> str:
        """A German mobile number that nobody has, without its country."""
        return self.words.setdefault(name, f"1512{secrets.randbelow(10**7):07d}")

    def refused(self, got: Reply) -> Reply:
        """An answer that must not repeat what was sent."""
        assert got.status >= 400, got.said
        self.replies.append(got)
        return got


def fly(load: Load) -> Canaries:
    """All of them, through all flows; what is told about them has arrived when this returns."""
    birds = Canaries()
    patient = registered(birds, load)
    booked(birds, load, patient["id"])
    recorded(birds, load.admin, patient["id"])
    planned(birds, load)
    signed_in(birds, load)
    sought(birds, load, patient["id"])
    refused(birds, load, patient["id"])
    poisoned(birds, load)
    return birds


def registered(birds: Canaries, load: Load) -> dict[str, Any]:
    """A patient with all that a record may hold, and changes of it."""
    body = new_patient(
        family_name=birds["family"],
        given_name=birds["given"],
        middle_name=birds["middle"],
        prefix=birds["prefix"],
        phones=[{"number": f"+49 {birds.digits(name)}", "use": "mobile"} for name in ("phone", "second phone")],
        emails=[{"address": f"{birds[name]}@example.org", "use": "home"} for name in ("mail", "second mail")],
        addresses=[
            {"use": "home", "lines": [f"{birds['street']} 1", birds["floor"]], "city": birds["city"],
             "district": birds["district"], "region": birds["region"], "country": "DE"},
        ],
        identifiers=[{"type": "insurance", "value": birds["insurance"], "issuer": birds["issuer"]}],
    )  # fmt: skip
    made = until(load.desk, "POST", "/api/v1/patients", body).expect(201)
    birds.words["record number"] = made.json["mrn"]
    path = f"/api/v1/patients/{made.json['id']}"
    change = {"family_name": birds["married"], "prefix": birds["degree"]}
    load.desk.send("PATCH", path, change, if_match='"1"').expect(200)
    birds.refused(load.desk.send("PATCH", path, {"middle_name": birds["stale"]}, if_match='"1"'))
    return dict(made.json)


def booked(birds: Canaries, load: Load, patient: str) -> None:
    """Booked, moved, overlapped, cancelled, asked for and declined: each with a reason."""
    clinic, desk = load.clinic, load.admin
    doctor, other = clinic.doctor(), clinic.doctor()
    wanted = clinic.wanted(doctor, clinic.at("09:00", ahead=9), patient, reason=birds["reason"])
    made = until(desk, "POST", f"{clinic.path}/appointments", wanted).expect(201)
    path = f"{clinic.path}/appointments/{made.json['id']}"
    moving = {"starts_at": clinic.at("11:00", ahead=9), "reason": birds["why moved"]}
    moved = until(desk, "POST", f"{path}/reschedule", moving, if_match=made.etag).expect(200)
    over = clinic.wanted(other, clinic.at("11:00", ahead=9), patient, overlap_reason=birds["overlap"])
    second = until(desk, "POST", f"{clinic.path}/appointments", over).expect(201)
    stop = {"reason_code": "other", "note": birds["why cancelled"]}
    until(desk, "POST", f"{path}/cancel", stop, if_match=moved.etag).expect(200)
    birds.refused(until(desk, "POST", f"{path}/cancel", {**stop, "note": birds["late note"]}, if_match=moved.etag))
    mistake = f"{clinic.path}/appointments/{second.json['id']}/entered-in-error"
    until(desk, "POST", mistake, {"reason": birds["why a mistake"]}, if_match=second.etag).expect(200)
    asked = clinic.wanted(other, clinic.at("14:00", ahead=9), patient, reason=birds["wish"])
    pending = until(desk, "POST", f"{clinic.path}/appointment-requests", asked).expect(201)
    decline = f"{clinic.path}/appointments/{pending.json['id']}/decline"
    until(desk, "POST", decline, {"reason": birds["why declined"]}, if_match=pending.etag).expect(200)


def recorded(birds: Canaries, doctor: Person, patient: str) -> None:
    """Allergies and problems, resolved and taken back."""
    path = f"/api/v1/patients/{patient}"
    allergy = {
        "substance": {"display": birds["substance"]},
        "category": "medication",
        "criticality": "high",
        "certainty": "confirmed",
        "reactions": [{"manifestation": {"display": birds["reaction"]}}],
        "note": birds["allergy note"],
    }
    made = until(doctor, "POST", f"{path}/allergies", allergy).expect(201)
    mark = f"{path}/allergies/{made.json['id']}/entered-in-error"
    until(doctor, "POST", mark, {"reason": birds["why no allergy"]}, if_match=made.etag).expect(200)
    problem = {"condition": {"display": birds["problem"]}, "certainty": "confirmed", "note": birds["problem note"]}
    made = until(doctor, "POST", f"{path}/problems", problem).expect(201)
    over = f"{path}/problems/{made.json['id']}/resolution"
    until(doctor, "POST", over, {"reason": birds["why over"]}, if_match=made.etag).expect(200)


def planned(birds: Canaries, load: Load) -> None:
    """A doctor with contacts, and why he is away."""
    body = {
        "family_name": birds["doctor"],
        "given_name": birds["doctor's given"],
        "licence": {"number": birds["licence"], "authority": birds["authority"]},
        "contacts": {"phone": f"+49 {birds.digits('doctor phone')}", "email": f"{birds['doctor mail']}@example.org"},
    }
    made = until(load.admin, "POST", "/api/v1/doctors", body).expect(201).json["id"]
    leave = {"starts_at": load.clinic.at("06:00", ahead=40), "ends_at": load.clinic.at("07:00", ahead=40)}
    until(load.admin, "POST", f"/api/v1/doctors/{made}/leave", {**leave, "reason": birds["why away"]}).expect(201)


def signed_in(birds: Canaries, load: Load) -> None:
    """Accounts, passwords of every kind, tokens and a second factor."""
    person = hire(load.admin, "nurse")
    birds.words |= {"password": person.password, "token": person.token.rpartition(".")[2]}
    birds.words["refresh token"] = person.tokens["refresh_token"]
    factor = until(person, "POST", "/api/v1/account/second-factor", {"password": person.password})
    if factor.status < 300:
        birds.words["second factor"] = factor.json["secret"]
    account = {"username": f"u{secrets.token_hex(4)}", "display_name": birds["display name"], "roles": ["nurse"]}
    account["email"] = f"{birds['account mail']}@example.org"
    made = until(load.admin, "POST", "/api/v1/users", account).expect(201)
    birds.words["one-time password"] = made.json["one_time_password"]
    birds.refused(sign_in(person.client, birds["unknown user"].lower(), password=birds["wrong password"]))


def sought(birds: Canaries, load: Load, patient: str) -> None:
    """Searches by everything that a search takes."""
    search = "/api/v1/patients/search"
    load.desk.post(search, {"text": birds["search"]}, key=None).expect(200)
    load.desk.post(search, {"name": birds["search by name"]}, key=None).expect(200)
    load.desk.post(search, {"identifier": birds["search by identifier"]}, key=None).expect(200)
    load.desk.post(search, {"phone": f"+49 {birds.digits('search by phone')}"}, key=None).expect(200)
    load.desk.get(f"/api/v1/patients/{patient}").expect(200)


def refused(birds: Canaries, load: Load, patient: str) -> None:
    """The same where it does not belong: bodies, names of fields, addresses, headers."""
    desk, path = load.desk, f"/api/v1/patients/{patient}"
    birds.refused(desk.post("/api/v1/patients", {"family_name": birds["half a body"], "given_name": 7}))
    birds.refused(desk.post("/api/v1/patients", {birds["name of a field"]: 1}))
    broken = f'{{"family_name": "{birds["broken json"]}"'.encode()
    birds.refused(desk.send("POST", "/api/v1/patients", raw=broken, key=new_key()))
    birds.refused(desk.post("/api/v1/patients", new_patient(birth_date=birds["no date"])))
    birds.refused(desk.get(f"/api/v1/patients/{birds['address']}"))
    birds.refused(desk.get(f"{path}?{birds['parameter']}={birds['value of it']}"))
    birds.refused(desk.send("PATCH", path, {"language": "de"}, if_match=f'"{birds["version"]}"'))
    birds.refused(desk.client.send("GET", path, token=f"{birds['token of nobody']}.x.y"))
    said = {name: birds[f"header {name}"] for name in ("user-agent", "referer", "cookie", "x-user-id")}
    birds.refused(desk.client.send("GET", path, headers=said))
    birds.refused(load.nurse.post(f"{path}/allergies", {"substance": {"display": birds["half an allergy"]}}))


def poisoned(birds: Canaries, load: Load) -> None:
    """An event that no consumer can read becomes a dead letter, which must not repeat what it says."""
    bad = {"specversion": "1.0", "type": "appointments.booked.v1", "data": {"name": birds["poison"]}}
    with bus_of(load.house) as bus:
        entry = bus.xadd("events.appointments", {"event": json.dumps(bad)})
        dead = "dead.notifications"
        wait_for(lambda: any(entry in str(kept) for _, kept in bus.xrange(dead)), within_s=30, what="a dead letter")
        bus.xdel("events.appointments", entry)
