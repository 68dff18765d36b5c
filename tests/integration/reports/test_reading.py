"""Who sees which figures, how they are written down, and what stands in the trail of a file that was taken."""

from __future__ import annotations

import csv
import io
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from services.chassis.call import Call
from services.chassis.service import new_id, now
from services.chassis.testing import Got
from services.kernel.access import Actor
from services.kernel.errors import FieldError, Invalid
from services.reports.controller import ReportsController
from tests.integration.reports.making import SIDES, Reports

EXPORTS = {"count_appointments": "export_appointment_counts", "get_attendance_rates": "export_attendance_rates"}


@pytest.fixture
def clinic(reports: Reports) -> dict[str, str]:
    """Two doctors, one with two specializations and an account; what they did in a week of March."""
    heart, knife = reports.specialization("Heart"), reports.specialization("=Knife")
    account, facility = str(new_id()), reports.facility()
    ada = reports.doctor(heart, knife, name="Example", account=account)
    bob = reports.doctor(heart, name="Beispiel")
    for doctor, status, count in (
        (ada, "completed", 5), (ada, "no_show", 2), (ada, "booked", 1), (bob, "completed", 3), (bob, "cancelled", 2),
    ):  # fmt: skip
        for n in range(count):
            late = {"late_cancelled": n == 0} if status == "cancelled" else {}
            reports.appointment(facility, doctor, f"2026-03-0{n + 2}T09:00", status=status, **late)
    reports.follow()
    return {"facility": facility, "ada": ada, "bob": bob, "account": account, "heart": heart, "knife": knife}


def lines(got: Got) -> list[dict[str, str]]:
    """The rows of a file, as a spreadsheet reads them."""
    assert got.status == 200, got.raw
    assert got.headers["content-type"] == "text/csv; charset=utf-8"
    assert got.raw.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(got.raw.decode("utf-8-sig"), newline="")))


def cells(row: dict[str, Any]) -> dict[str, str]:
    """A row of JSON as the cells of a file."""
    found: dict[str, str] = {}
    for name, value in row.items():
        inner = (
            {f"{name}_{each}": within for each, within in value.items()} if isinstance(value, dict) else {name: value}
        )
        found |= {name: "" if value is None else str(value) for name, value in inner.items()}
    return found


@pytest.mark.row("REP-07")
def test_a_report_shows_no_more_than_its_reader_may_see(reports, clinic):
    groups = {"facility_id": clinic["facility"], "group_by": ["doctor", "specialization"]}
    everything = reports.report(**groups, role="admin")
    own = {"role": "doctor", "subject": clinic["account"]}
    for operation, export in EXPORTS.items():
        # A doctor: the own rows, whatever is asked for, and in every format.
        for asked in ({}, {"doctor_id": clinic["ada"]}, {"specialization_id": clinic["heart"]}):
            found = reports.report(operation, **groups, **asked, **own)
            assert {row["doctor_id"] for row in found["rows"]} == {clinic["ada"]}
            assert found["own_only"]
            assert {row["doctor_id"] for row in lines(reports.ask(export, **groups, **asked, **own))} == {clinic["ada"]}
        for doctors in ([clinic["bob"]], [clinic["ada"], clinic["bob"]]):
            for each in (operation, export):
                assert reports.ask(each, **groups, doctor_id=doctors, **own).status == 403
        # A doctor's account that belongs to no profile; a patient; somebody else of the staff.
        for role in ("doctor", "patient", "receptionist", "nurse", "pharmacist", "records_clerk", "service"):
            for each in (operation, export):
                assert reports.ask(each, **groups, role=role).status == 403, role
        # Names are for those who may read them in `doctors`: an auditor sees the figures without.
        found = reports.report(operation, **groups, role="auditor")
        assert len(found["rows"]) == len(everything["rows"])
        assert not [name for row in found["rows"] for name in row if name.endswith("_name")]
        assert "Example" not in str(found)
        assert reports.ask(export, **groups, role="auditor").status == 403

    mine = reports.report(facility_id=clinic["facility"], **own)
    assert mine["total"] == {"appointments": 8}
    assert everything["total"] == {"appointments": 13}
    assert {row["doctor_name"] for row in everything["rows"]} == {"Dr. Ada Example", "Dr. Ada Beispiel"}


def test_an_account_that_was_given_to_another_doctor_sees_the_figures_of_that_one(reports, clinic):
    own = {"facility_id": clinic["facility"], "role": "doctor", "subject": clinic["account"]}
    reports.change_doctor(clinic["ada"], user_id=None)
    reports.follow()
    assert reports.ask(**own).status == 403
    reports.change_doctor(clinic["bob"], user_id=clinic["account"])
    reports.follow()
    assert reports.report(**own)["total"] == {"appointments": 5}


@pytest.mark.row("REP-14")
def test_each_file_leaves_an_entry_with_who_took_it_the_filter_and_the_rows(reports, clinic):
    somebody = str(new_id())
    asked = {
        "facility_id": clinic["facility"],
        "group_by": ["doctor", "status"],
        "doctor_id": [clinic["ada"], clinic["bob"]],
        "status": ["completed", "no_show"],
    }
    taken = lines(reports.ask("export_appointment_counts", **asked, subject=somebody))
    assert len(taken) == 3
    (entry,) = reports.exports()
    assert (entry["actor"], entry["roles"], entry["operation"]) == (somebody, ["admin"], "export_appointment_counts")
    assert (entry["outcome"], entry["rows"]) == ("success", 3)
    assert entry["asked"] == {
        "facility_id": clinic["facility"],
        "first_day": "2026-01-01",
        "last_day": "2026-12-31",
        "group_by": "doctor,status",
        "doctor_id": ",".join(sorted([clinic["ada"], clinic["bob"]])),
        "status": "completed,no_show",
    }

    own = {"facility_id": clinic["facility"], "role": "doctor", "subject": clinic["account"]}
    assert len(lines(reports.ask("export_attendance_rates", **own, group_by=["day"]))) == 5
    entry = reports.exports()[-1]
    assert (entry["actor"], entry["rows"]) == (clinic["account"], 5)
    assert entry["asked"]["doctor_id"] == clinic["ada"], "what it was narrowed to stands there too"

    assert reports.ask("export_appointment_counts", facility_id=clinic["facility"], role="doctor").status == 403
    refused = reports.exports()[-1]
    assert (refused["outcome"], "rows" in refused) == ("denied", False)
    assert len(reports.exports()) == 3


def test_no_file_leaves_when_it_cannot_be_written_down(reports, clinic, postgres_url):
    with psycopg.connect(postgres_url, autocommit=True) as admin:
        admin.execute("ALTER TABLE outbox RENAME TO outbox_away")
        try:
            got = reports.ask("export_appointment_counts", facility_id=clinic["facility"])
        finally:
            admin.execute("ALTER TABLE outbox_away RENAME TO outbox")
    assert got.status == 500
    assert b"appointments" not in got.raw


def test_exports_wait_for_a_live_policy_and_reading_does_not(reports, clinic):
    reports.house.policy.is_live = False
    try:
        assert reports.ask("export_appointment_counts", facility_id=clinic["facility"]).status == 503
        assert reports.ask("count_appointments", facility_id=clinic["facility"]).status == 200
    finally:
        reports.house.policy.is_live = True


@pytest.mark.parametrize("operation", EXPORTS)
def test_a_file_has_the_rows_of_the_report(reports, clinic, operation):
    groups = ["day", "doctor", "specialization"] + (["status"] if operation == "count_appointments" else [])
    asked = {"facility_id": clinic["facility"], "group_by": groups}
    report, got = reports.report(operation, **asked), reports.ask(EXPORTS[operation], **asked)
    wanted = [cells(row) for row in report["rows"]]
    assert "=Knife" in {row["specialization_name"] for row in wanted}
    for row in wanted:
        row["specialization_name"] = row["specialization_name"].replace("=Knife", "'=Knife")
    assert lines(got) == wanted
    assert int(got.headers["content-length"]) == len(got.raw)
    kind = "appointments" if operation == "count_appointments" else "attendance"
    assert got.headers["content-disposition"] == f'attachment; filename="{kind}-2026-01-01-2026-12-31.csv"'
    assert got.headers["as-of"] == report["as_of"]["newest_event_at"]
    assert got.headers["is-behind"] == str(report["as_of"]["is_behind"]).lower()


def test_more_rows_than_are_given_at_once_are_refused(reports, clinic):
    few = ReportsController(
        store=reports.house.service.controller._store,
        facilities=reports.house.service.controller._facilities,
        shown_rows=4,
        exported_rows=4,
    )
    asked = (clinic["facility"], "2026-01-01", "2026-12-31", a_call())
    assert len(few.count_appointments(*asked, group_by=["doctor", "specialization"])["rows"]) == 3
    for operation in (few.count_appointments, few.export_appointment_counts):
        with pytest.raises(Invalid) as refused:
            operation(*asked, group_by=["day", "doctor"])
        assert refused.value.errors == (FieldError("too_many_rows", parameter="group_by"),)
    assert not reports.exports()


def a_call() -> Call:
    actor = Actor(subject=str(new_id()), permissions=frozenset({"reports.read"}))
    return Call(
        id=new_id(), operation="test", action="export", actor=actor, at=now(), request_id="test", token="admin@test"
    )


@pytest.mark.parametrize(
    ("first", "last", "rule"),
    [
        ("2026-03-02", "2026-03-01", ("last_day", "before_first_day")),
        ("2026-01-01", "2027-01-02", ("last_day", "period_too_long")),
        ("0000-01-01", "2026-01-01", ("first_day", "format")),
    ],
)
def test_a_period_that_is_none_is_refused_by_name(reports, clinic, first, last, rule):
    for operation in (*EXPORTS, *EXPORTS.values()):
        got = reports.ask(operation, facility_id=clinic["facility"], first_day=first, last_day=last)
        assert got.status == 422
        assert got.body["errors"] == [{"parameter": rule[0], "rule": rule[1]}]


def test_a_year_with_a_leap_day_is_no_longer_than_a_report_may_be(reports, clinic):
    assert reports.ask(facility_id=clinic["facility"], first_day="2028-01-01", last_day="2028-12-31").status == 200


def test_a_facility_that_there_is_none_of_is_not_found(reports, clinic):
    for operation in (*EXPORTS, *EXPORTS.values()):
        assert reports.ask(operation, facility_id=str(new_id())).status == 404


def test_answers_say_up_to_which_event_they_are_and_whether_some_wait(reports):
    facility, doctor = reports.facility(), reports.doctor()

    def as_of() -> dict[str, Any]:
        return dict(reports.report(facility_id=facility)["as_of"])

    assert as_of() == {"newest_event_at": None, "looked_at": None, "is_behind": True}
    state = reports.appointment(facility, doctor, "2026-03-02T09:00")
    reports.follow()
    reports.run("reports_look")
    found = as_of()
    assert found["newest_event_at"] == state["changed_at"]
    assert not found["is_behind"]
    assert datetime.fromisoformat(found["looked_at"]) <= datetime.now(UTC)

    reports.run("reports_look", at=now() - timedelta(minutes=1))
    assert as_of()["is_behind"], "nobody has looked for half a minute"

    # An event that nobody has read, of seven seconds ago by the clock of the bus.
    seconds, micros = reports.bus.time()
    reports.bus.delete("events.doctors")
    reports.bus.xadd("events.doctors", {"event": "{}"}, id=f"{(seconds - 7) * 1000 + micros // 1000}-0")
    reports.run("reports_look")
    assert as_of()["is_behind"], "an event waits"


def test_an_empty_period_has_no_rates_and_a_row_without_groups(reports, clinic):
    none = {"facility_id": clinic["facility"], "first_day": "2020-01-01", "last_day": "2020-01-31"}
    rate = {"numerator": 0, "denominator": 0, "percent": None}
    report = reports.report("get_attendance_rates", **none)
    counts = {"attended": 0, "no_show": 0, "late_cancelled": 0, "no_show_rate": rate, "late_cancel_rate": rate}
    assert report["rows"] == [counts]
    assert report["total"] == counts
    assert reports.report("get_attendance_rates", **none, group_by=["doctor"])["rows"] == []
    assert reports.report(**none)["rows"] == [{"appointments": 0}]


def test_there_is_no_place_for_a_patient_in_the_reading_model(reports, clinic, postgres_url):
    """No column for one, and no value of one in any row: neither what events carry nor anything else."""
    with psycopg.connect(postgres_url) as admin:
        columns = {name for (name,) in admin.execute("SELECT column_name FROM information_schema.columns")}
    patients = {each.event.split('"patient_id":"')[1][:36] for each in reports.told if '"patient_id"' in each.event}
    assert len(patients) == 13
    kept = str([reports.rows(f"{name}_{side}") for name in SIDES for side in (0, 1)])
    assert clinic["ada"] in kept
    assert not [each for each in patients if each in kept]
    assert not [each for each in columns if "patient" in each]


def test_reports_at_once_do_not_disturb_each_other(reports, clinic):
    found: list[Got] = []

    def ask() -> None:
        found.extend(
            reports.ask("export_appointment_counts", facility_id=clinic["facility"], group_by=["doctor", "status"])
            for _ in range(5)
        )

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert len({got.raw for got in found if got.status == 200}) == 1
    assert len(found) == 20
    assert {got.status for got in found} == {200}
    assert len(reports.exports()) == 20
