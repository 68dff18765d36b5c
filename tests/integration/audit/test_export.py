"""What a search finds leaves as a file: whole, harmless to open, possible to check elsewhere, and never unseen."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from services.audit.controller import AuditController
from services.audit.model import TooManyRows
from tests.integration.audit import making
from tests.integration.audit.making import make_event

PATIENT = "01939c3e-0000-7000-8000-000000000001"
OTHER = "01939c3e-0000-7000-8000-000000000002"
DOCS = Path(__file__).resolve().parents[3] / "docs/trail.md"


@pytest.fixture
def filled(house):
    """Five entries; the third is about another patient, and an account in it looks like a formula."""
    for number in range(5):
        more = {"patient_id": OTHER, "actor": "=cmd()", "fields": ["phones", "addresses"]} if number == 2 else {}
        house.receive(make_event(number, **more))
    return house


def export(web, *, role="auditor", written_as=None, **asked):
    """Take a file, as an auditor does."""
    query = {} if written_as is None else {"written_as": written_as}
    return web.call("export_audit_entries", role=role, subject="auditor-1", body=asked, query=query)


def lines(got):
    """A file for machines, read."""
    return [json.loads(line) for line in got.raw.splitlines()]


def taken(house):
    """What the trail is told of exports."""
    rows = house.rows("SELECT event FROM outbox ORDER BY position")
    return [json.loads(event)["data"] for (event,) in rows]


def test_a_file_for_people_has_a_line_for_each_entry_oldest_first(filled, web):
    got = export(web)
    assert got.status == 200
    assert got.headers["content-type"].startswith("text/csv")
    assert got.headers["content-disposition"] == 'attachment; filename="audit-entries.csv"'
    assert got.raw.startswith(b"\xef\xbb\xbf")
    found = list(csv.DictReader(io.StringIO(got.raw.decode("utf-8-sig"), newline="")))
    assert [each["position"] for each in found] == ["1", "2", "3", "4", "5"]
    third = found[2]
    assert (third["actor"], third["fields"], third["patient_id"]) == ("'=cmd()", "phones addresses", OTHER)
    assert third["hash"] == filled.rows("SELECT encode(hash, 'hex') FROM entries WHERE position = 3")[0][0]


def test_a_file_for_machines_holds_the_entries_as_they_were_hashed(filled, web):
    got = export(web, written_as="json_lines")
    assert got.headers["content-type"].startswith("application/x-ndjson")
    before = bytes(32)
    for number, each in enumerate(lines(got), start=1):
        own = hashlib.sha256(before + number.to_bytes(8, "big") + each["entry"].encode()).digest()
        assert (each["position"], each["previous"], each["hash"]) == (number, before.hex(), own.hex())
        before = own


def test_a_file_holds_what_the_search_finds_and_nothing_else(filled, web):
    assert [each["position"] for each in lines(export(web, written_as="json_lines", patient_id=PATIENT))] == [
        1,
        2,
        4,
        5,
    ]
    assert lines(export(web, written_as="json_lines", patient_id=OTHER, action="delete")) == []


def test_a_file_is_an_entry_before_it_leaves_with_its_conditions_and_rows(filled, web):
    export(web, written_as="json_lines", patient_id=PATIENT, **{"from": "2026-03-02T08:00:01Z"})
    [entry] = taken(filled)
    assert (entry["operation"], entry["action"], entry["outcome"]) == ("export_audit_entries", "export", "success")
    assert (entry["actor"], entry["patient_id"], entry["rows"]) == ("auditor-1", PATIENT, 3)
    assert entry["asked"] == {"patient_id": PATIENT, "from": "2026-03-02T08:00:01Z", "written_as": "json_lines"}


def test_a_file_that_the_trail_cannot_note_does_not_leave(filled, web):
    filled.intrude(making.FULL_DISK)
    got = export(web)
    assert got.status == 503
    assert b"doctor" not in got.raw


def test_who_may_read_the_trail_may_not_thereby_take_it_out(filled, web):
    assert export(web, role="doctor").status == 403
    web.policy.is_live = False
    assert export(web).status == 503


def test_more_rows_than_a_file_holds_are_refused_and_no_file_is_made(filled):
    controller = AuditController(store=filled.store, names=None, checkpoint_key=making.KEY, exported_rows=4)
    call = making.make_call(operation="export_audit_entries", action="export")
    with pytest.raises(TooManyRows):
        controller.export_audit_entries({}, call)
    assert taken(filled) == []
    file = controller.export_audit_entries({"patient_id": PATIENT}, call).body
    assert b"".join(file).count(b"\r\n") == 5
    file.close()


@pytest.mark.row("SEC-13")
def test_the_privacy_officer_searches_and_exports_and_both_are_seen(filled, web):
    """By patient, account and time; the export is logged, and so is looking."""
    conditions = {"patient_id": PATIENT, "actor": "doctor-1", "from": "2026-03-02T08:00:01Z"}
    found = web.call("search_audit_entries", role="auditor", subject="auditor-1", body=conditions).body["items"]
    assert [each["position"] for each in found] == [5, 4, 2]
    assert len(lines(export(web, written_as="json_lines", **conditions))) == 3
    searched, exported = taken(filled)
    assert (searched["action"], searched["actor"], searched["patient_id"]) == ("search", "auditor-1", PATIENT)
    assert searched["found"] == [each["id"] for each in found]
    assert (exported["action"], exported["actor"], exported["rows"]) == ("export", "auditor-1", 3)
    assert exported["asked"] == conditions | {"written_as": "json_lines"}


def program():
    """What the documentation gives to whoever checks a file outside."""
    return re.search(r"```python\n(.*?)```", DOCS.read_text(encoding="utf-8"), re.DOTALL)[1]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("nothing", "nothing"), "5 entries, 5 in one chain: whole"),
        (("doctor-1", "doctor-x"), "position 1: the entry does not fit its hash"),
    ],
)
def test_what_the_documentation_says_checks_a_file_outside(filled, web, tmp_path, change, said):
    path = tmp_path / "audit-entries.jsonl"
    path.write_text(export(web, written_as="json_lines").raw.decode().replace(*change), encoding="utf-8")
    ran = subprocess.run([sys.executable, "-c", program(), path], capture_output=True, text=True, check=False)
    assert ran.stdout.strip() == said, ran.stderr
    assert ran.returncode == (0 if "whole" in said else 1)
