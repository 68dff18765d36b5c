"""People see who opened or changed their record, and nobody else's."""

from __future__ import annotations

import dataclasses
import json

import pytest

from services.audit import app
from services.audit.controller import AuditController
from services.audit.repository import StaffNames
from services.chassis import spec, testing
from services.chassis.client import Reply
from services.kernel.access import Scope
from services.kernel.errors import Unavailable
from tests.contract.contracts import OPENAPI
from tests.integration.audit import making
from tests.integration.audit.making import make_event

PATIENT = "01939c3e-0000-7000-8000-000000000001"
CHILD = "01939c3e-0000-7000-8000-000000000002"
STRANGER = "01939c3e-0000-7000-8000-000000000003"
DOCTOR = "01939c3e-0000-7000-8000-00000000d0c1"


class LinkedTokens(testing.RoleTokens):
    """Tokens of people whose account is linked to one record as their own and to one of a child."""

    def actor(self, token):
        """The account that a token names, with its links."""
        actor, claims = super().actor(token)
        own = Scope(own=PATIENT, linked=frozenset({CHILD}))
        return (dataclasses.replace(actor, scope=own) if "patient" in actor.roles else actor), claims


@pytest.fixture
def portal(house, tmp_path):
    """The application, for people with links."""
    environ = making.environ(house.url, second_place=tmp_path / "checkpoints")
    made = testing.House(app.service(environ), tokens=LinkedTokens(spec.permissions(OPENAPI)))
    yield made
    made.close()


def accesses(web, patient_id=PATIENT, *, role="patient", **query):
    """Ask as the person does."""
    return web.call("list_record_accesses", role=role, subject="person-1", query=query, patient_id=patient_id)


def test_each_access_says_when_what_kind_who_and_what_for(house, portal):
    event = make_event(actor=DOCTOR, operation="add_allergy", action="create", service="history")
    house.receive(event)
    [found] = accesses(portal).body["items"]
    assert found == {
        "id": str(event.id),
        "at": "2026-03-02T08:00:00.000000Z",
        "service": "history",
        "operation": "add_allergy",
        "action": "create",
        "purpose": "treatment",
        "by": {"kind": "staff", "roles": ["doctor"], "name": None},
    }


@pytest.mark.parametrize(
    ("roles", "kind"),
    [
        (["doctor"], "staff"),
        (["doctor", "patient"], "staff"),
        (["service"], "house"),
        ([], "house"),
        (["patient"], "person"),
    ],
)
def test_work_of_the_house_and_of_the_person_is_told_from_that_of_staff(house, portal, roles, kind):
    house.receive(make_event(roles=roles))
    assert [each["by"]["kind"] for each in accesses(portal).body["items"]] == [kind]


@pytest.mark.row("SEC-16")
def test_the_list_of_the_person_is_what_the_trail_says(house, portal):
    """Every entry that opened, found or changed the record, in pages; nothing that was refused or is of others."""
    for number in range(9):
        house.receive(make_event(number))
    house.receive(make_event(9, action="search", patient_id=None, found=[STRANGER, PATIENT]))
    house.receive(make_event(10, outcome="denied"))
    house.receive(make_event(11, outcome="not_found"))
    house.receive(make_event(12, patient_id=STRANGER))
    seen, cursor = [], {}
    while cursor is not None:
        page = accesses(portal, limit=4, **cursor).body
        seen += [each["id"] for each in page["items"]]
        cursor = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    asked = {"patient_id": PATIENT, "outcome": "success"}
    trail = portal.call("search_audit_entries", role="auditor", body=asked).body["items"]
    assert seen == [each["id"] for each in trail]
    assert len(seen) == 10


@pytest.mark.parametrize(
    ("role", "patient_id", "status"),
    [
        ("patient", PATIENT, 200),
        ("patient", CHILD, 200),
        ("patient", STRANGER, 403),
        ("auditor", STRANGER, 200),
        ("super_admin", STRANGER, 200),
        ("doctor", PATIENT, 403),
        ("admin", PATIENT, 403),
        ("receptionist", PATIENT, 403),
    ],
)
def test_a_record_is_shown_to_its_person_to_who_acts_for_them_and_to_who_reads_the_trail(
    house, portal, role, patient_id, status
):
    house.receive(make_event(patient_id=patient_id))
    assert accesses(portal, patient_id, role=role).status == status


def test_looking_and_trying_to_look_are_entries_about_the_record(house, portal):
    accesses(portal)
    accesses(portal, CHILD)
    accesses(portal, STRANGER)
    told = [json.loads(event)["data"] for (event,) in house.rows("SELECT event FROM outbox ORDER BY position")]
    said = [(each["patient_id"], each["action"], each["outcome"], each["purpose"]) for each in told]
    assert said == [
        (PATIENT, "read", "success", "own_request"),
        (CHILD, "read", "success", "family_request"),
        (STRANGER, "read", "denied", "compliance"),
    ]


class Identity:
    """What `identity` answers."""

    def __init__(self, reply):
        self.reply, self.asked = reply, []

    def call(self, operation_id, *, query, token):
        """One question."""
        self.asked.append((operation_id, query["user_id"], token))
        if isinstance(self.reply, Exception):
            raise self.reply
        return self.reply


@pytest.mark.parametrize(
    ("is_shown", "reply", "name", "questions"),
    [
        (
            True,
            Reply(200, {"items": [{"id": DOCTOR, "kind": "staff", "display_name": "Ada Example"}]}, {}),
            "Ada Example",
            1,
        ),
        (True, Reply(200, {"items": [{"id": DOCTOR, "kind": "patient", "display_name": None}]}, {}), None, 1),
        (False, Reply(200, {"items": [{"id": DOCTOR, "kind": "staff", "display_name": "Ada Example"}]}, {}), None, 0),
        (True, Reply(200, {"items": []}, {}), None, 1),
        (True, Reply(403, {}, {}), None, 1),
        (True, Unavailable("identity"), None, 1),
    ],
)
def test_names_of_staff_are_shown_where_the_house_says_so_and_they_are_known(house, is_shown, reply, name, questions):
    """One question for a page, about staff only; without an answer the list has roles."""
    house.receive(make_event(actor=DOCTOR))
    house.receive(make_event(1, actor="01939c3e-0000-7000-8000-00000000aaaa", roles=["service"]))
    identity = Identity(reply)
    names = StaffNames(identity, token=lambda: "token", is_shown=is_shown)
    controller = AuditController(store=house.store, names=names, checkpoint_key=making.KEY)
    reader = dataclasses.replace(making.make_call().actor, permissions=frozenset({"audit.read"}))
    page = controller.list_record_accesses(PATIENT, making.make_call(actor=reader)).body
    assert [each["by"]["name"] for each in page["items"]] == [None, name]
    assert identity.asked == [("list_user_names", [DOCTOR], "token")] * questions


def test_the_trail_is_for_those_who_read_all_of_it(house, tmp_path):
    """An entry does not say where it was made: who is narrowed to places reads none of it."""
    web = testing.House(app.service(making.environ(house.url, second_place=tmp_path / "more")))
    web.roles.areas = {"narrowed": {"auditor": {"facilities": ["f-1"], "departments": []}}}
    for operation, more in [
        ("search_audit_entries", {"body": {}}),
        ("export_audit_entries", {"body": {}}),
        ("verify_audit_trail", {"body": {}}),
        ("list_record_accesses", {"patient_id": PATIENT}),
    ]:
        statuses = [web.call(operation, role="auditor", subject=each, **more).status for each in ("narrowed", "wide")]
        assert statuses == [403, 200], operation
    web.close()
