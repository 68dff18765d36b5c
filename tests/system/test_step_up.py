"""Exports of every service want the second factor of the last five minutes, from those whose roles want one."""

from __future__ import annotations

import secrets

import psycopg
import pyotp
import pytest

from tests.system import clinic as clinics
from tests.system.exports import exports
from tests.system.house import Person, RunningHouse, add_user
from tests.waiting import wait_for

RIGHTS = [
    "account.open",
    "account.own",
    "facilities.read",
    "audit.read",
    "audit.export",
    "reports.read",
    "reports.read_own",
    "reports.export",
]


def somebody_who_exports(admin: Person) -> tuple[Person, list[str]]:
    """With a role of the house's own that wants a second factor, which was shown just now; and the backup codes."""
    role = {"name": f"exporter_{secrets.token_hex(4)}", "title": "Exporter", "description": "Takes figures out."}
    admin.post("/api/v1/roles", {**role, "permissions": RIGHTS, "requires_second_factor": True}).expect(201)
    _, person = add_user(admin, role["name"])
    person.sign_in().change_password()
    begun = person.post("/api/v1/account/second-factor", {"current_password": person.password}, key=None).expect(200)
    code = {"code": pyotp.TOTP(begun.json["secret"]).now()}
    done = person.post("/api/v1/account/second-factor/confirm", code, key=None).expect(200).json
    person.tokens["access_token"] = done["access_token"]
    return person, done["backup_codes"]


def six_minutes_later(house: RunningHouse, person: Person) -> None:
    """The session was recognised that much earlier, and has the tokens that say so."""
    url = (house.home / "environ" / "identity" / "DATABASE_URL").read_text(encoding="utf-8").strip()
    change = "UPDATE sessions SET authenticated_at = authenticated_at - interval '6 minutes' WHERE id = %s"
    with psycopg.connect(url.replace("+psycopg", "")) as database:
        assert database.execute(change, [person.tokens["session_id"]]).rowcount == 1
    body = {"refresh_token": person.tokens["refresh_token"]}
    person.tokens |= person.client.send("POST", "/api/v1/sessions/refresh", body).expect(200).json


@pytest.mark.target("C-11")
def test_an_export_wants_the_second_factor_of_the_last_five_minutes(house: RunningHouse, admin: Person):
    clinic = clinics.opened(admin)
    person, codes = somebody_who_exports(admin)
    wait_for(lambda: exports(person, clinic)[-1].status == 200, what="the role holds")
    for shown in exports(person, clinic):
        shown.expect(200)
    six_minutes_later(house, person)
    for refused in exports(person, clinic):
        assert refused.expect(403).json["code"] == "step_up_required"
    person.post("/api/v1/audit-entries/search", {"action": "export"}, key=None).expect(200)
    fresh = person.post("/api/v1/sessions/current/second-factor", {"code": codes[0]}, key=None).expect(200).json
    person.tokens["access_token"] = fresh["access_token"]
    for shown in exports(person, clinic):
        shown.expect(200)
