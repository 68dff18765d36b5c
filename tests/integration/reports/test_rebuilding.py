"""Everything is read again from its owners beside what is read, and takes its place without losing what happens."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from services.chassis.call import by_hand
from services.chassis.client import Client
from services.chassis.service import new_id, now
from services.chassis.service_token import ServiceToken
from services.chassis.testing import House
from services.reports import jobs
from services.reports.repository.peers import PATIENT, Owners
from tests.integration.reports.making import Reports, empty, histories
from tests.integration.reports.test_following import clinic, told_in_disorder


def filled(reports: Reports, *, count: int = 120, seed: int = 1) -> list[str]:
    """Random appointments, read; the facilities."""
    chance = random.Random(seed)
    facilities, _, doctors = clinic(reports)
    told_in_disorder(reports, histories(chance, count=count, facilities=facilities, doctors=doctors), chance)
    reports.follow(consumers=2)
    return facilities


def figures(reports: Reports, facility: str) -> Any:
    """All figures of a facility."""
    groups = ["day", "doctor", "specialization", "status"]
    report = reports.report(facility_id=facility, group_by=groups)
    return report["rows"], report["total"]


def test_a_rebuild_gives_the_same_digest_and_the_same_figures(reports):
    facilities = filled(reports)
    before, shown = reports.digest(), [figures(reports, each) for each in facilities]
    reports.owners.largest_page = 7

    for side in (1, 0, 1):
        code, said = reports.command("rebuild")
        assert code == 0
        assert said == ["120 appointments, 4 doctors, 3 specializations", before]
        assert [row["live"] for row in reports.rows("sides")] == [side]
    assert reports.digest() == before
    assert [figures(reports, each) for each in facilities] == shown


def test_a_rebuild_mends_what_was_lost_changed_and_made_up(reports, postgres_url):
    facilities = filled(reports)
    before, shown = reports.digest(), figures(reports, facilities[0])
    with psycopg.connect(postgres_url) as admin:
        admin.execute("DELETE FROM appointments_0 WHERE id IN (SELECT id FROM appointments_0 ORDER BY id LIMIT 30)")
        admin.execute("UPDATE appointments_0 SET status = 'no_show', version = 99 WHERE status = 'booked'")
        admin.execute("UPDATE doctors_0 SET specialization_ids = '{}'")
        admin.execute(
            "INSERT INTO appointments_0 SELECT gen_random_uuid(), facility_id, doctor_id, location_id,"
            " appointment_type_id, status, starts_at, ends_at, zone, day, is_late, changed_at, version"
            " FROM appointments_0 LIMIT 5"
        )
    assert reports.digest() != before

    assert reports.command("rebuild")[0] == 0
    assert reports.digest() == before
    assert figures(reports, facilities[0]) == shown


def test_what_happens_while_it_is_rebuilt_is_in_the_figures(reports):
    """Before each page something happens, to appointments that were read and to such that were not, and is told."""
    facilities = filled(reports)
    chance, doctors, made = random.Random(7), [*reports.owners.doctors], [0]

    def happens(kind: str) -> None:
        state = chance.choice([*reports.owners.appointments.values()])
        reports.change(state, status=chance.choice(("completed", "no_show", "booked")))
        if kind == "appointments":
            reports.appointment(chance.choice(facilities), chance.choice(doctors), "2026-05-05T09:00")
            made[0] += 1
        reports.change_doctor(chance.choice(doctors), specialization_ids=[])

    reports.owners.largest_page, reports.owners.before_page = 10, happens
    with reports.reading(consumers=2):
        assert reports.command("rebuild")[0] == 0
        reports.wait_until_read()
    reports.owners.before_page = lambda _: None
    followed, shown = reports.digest(), [figures(reports, each) for each in facilities]

    assert made[0] > 10
    assert reports.command("rebuild")[1][-1] == followed
    assert [figures(reports, each) for each in facilities] == shown


def test_readers_go_on_while_it_is_rebuilt_again_and_again(reports):
    facility, doctor = reports.facility(), reports.doctor()
    for n in range(40):
        reports.appointment(facility, doctor, f"2026-03-02T{8 + n // 6:02}:{n % 6 * 10:02}")
    reports.follow()
    stop, seen = threading.Event(), []

    def read() -> None:
        while not stop.is_set():
            seen.append(reports.ask(facility_id=facility, group_by=["doctor"]))

    readers = [threading.Thread(target=read) for _ in range(2)]
    for each in readers:
        each.start()
    for _ in range(10):
        assert reports.command("rebuild")[0] == 0
    stop.set()
    for each in readers:
        each.join(30)
    assert len(seen) > 10
    assert {got.status for got in seen} == {200}
    assert {got.body["total"]["appointments"] for got in seen} == {40}


def test_a_rebuild_that_fails_changes_nothing_and_can_be_run_again(reports):
    facilities = filled(reports, count=30)
    before, shown = reports.digest(), figures(reports, facilities[0])
    reports.owners.away.add("appointments")
    pauses, said = [], []

    code = jobs.rebuild(
        [],
        rebuilding=reports.house.service.commands["rebuild"].run.keywords["rebuilding"],
        owners=impatient(reports, pauses.append),
        make=lambda operation: by_hand(operation, id=new_id(), at=now()),
        say=said.append,
    )
    assert (code, said) == (1, ["appointments is away; what is read has not changed, try again"])
    assert pauses == list(PATIENT)
    assert (reports.digest(), figures(reports, facilities[0])) == (before, shown)
    assert [row["filling"] for row in reports.rows("sides")] == [None]

    reports.owners.away.clear()
    assert reports.command("rebuild")[0] == 0
    assert reports.digest() == before


def impatient(reports: Reports, sleep: Callable[[float], None]) -> Owners:
    """What asks the owners, and does not really wait."""
    settings = reports.house.service.settings
    urls = dict.fromkeys(("identity", "appointments", "doctors"), reports.owners.url)
    client = Client(settings.openapi_dir, urls=urls)
    token = ServiceToken(client, client_id="reports", secret="not used here")
    return Owners(client, token=token, pauses_s=PATIENT, sleep=sleep)


def test_two_do_not_rebuild_at_once_and_one_that_was_overtaken_puts_nothing_in_place(reports):
    filled(reports, count=10)
    rebuilding = reports.house.service.commands["rebuild"].run.keywords["rebuilding"]
    with rebuilding.alone() as is_alone:
        assert is_alone
        assert reports.command("rebuild") == (1, ["somebody else is rebuilding; nothing was done"])
        overtaken = rebuilding.begin(by_hand("test", id=new_id(), at=now()))
    before = reports.digest()
    assert reports.command("rebuild")[0] == 0
    with pytest.raises(Exception, match="later_attempt"):
        rebuilding.swap(overtaken)
    assert reports.digest() == before


def test_events_that_are_published_again_fill_an_empty_database_to_the_same_digest(reports, postgres_url):
    """`infirmary bus republish` sends what its owners have sent; a database that was lost has no inbox either."""
    filled(reports)
    before = reports.digest()
    reports.republish()
    reports.follow(consumers=2)
    assert reports.digest() == before, "what was handled stays handled"

    empty(postgres_url)
    reports.republish()
    reports.follow(consumers=2)
    assert reports.digest() == before


def test_who_rebuilds_is_written_down(reports):
    reports.facility()
    assert reports.command("rebuild")[0] == 0
    (entry,) = [each for each in reports.rows("outbox") if '"rebuild_reports"' in each["event"]]
    assert '"actor":"operator"' in entry["event"]


def test_the_commands_take_no_words(migrated: House):
    for name in ("rebuild", "digest"):
        assert migrated.service.commands[name].run(["--fast"]) == 2
