"""A worker that is killed again and again, a relay that refuses now and then: every mail arrives, few arrive twice."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator

import pytest

from standalone.servers import ports
from tests.inbox import Inbox
from tests.integration.appointments.replicas import Process
from tests.integration.notifications import making
from tests.waiting import wait_for

EVERY = 250  # mails for one death
OPEN = "SELECT count(*) AS open FROM deliveries WHERE way = 'email' AND status <> 'sent'"


@pytest.fixture
def inbox(tmp_path) -> Iterator[Inbox]:
    made = Inbox(tmp_path)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def worker(house, hospital, inbox, postgres_url, redis_url) -> Iterator[Process]:
    """A worker that sends mail to the inbox, and tries again soon."""
    body = {**making.ALL_DAY, "channels": ["email"]}
    making.done(house.call("set_notification_settings", facility_id=hospital.facility, version=1, body=body))
    way_out = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(inbox.smtp), "SMTP_TLS": "none", "SMTP_FROM": "h@example.org"}
    soon = {"LEASE_S": "2", "RETRY_PAUSES_S": "0.2,0.2,0.2,0.2,0.2"}
    given = making.environ(postgres_url, redis_url, hospital, WORKER_PORT=str(ports.free()), **way_out, **soon)
    process = Process("work", "notifications", given)
    yield process
    process.stop()


@pytest.mark.timeout(1800)
def test_no_mail_is_lost_and_no_more_are_repeated_than_workers_have_died(
    house, hospital, inbox: Inbox, worker: Process, rounds, figure
):
    """The relay refuses every fiftieth for now; the worker is killed at any moment, with whatever it has in hand."""
    mails, chance = rounds(full=5000, short=500), random.Random(6)
    inbox.faults(email={"refuse_every": 50, "code": 450})
    making.happened(house, hospital, hospital.patient(phones=[], contact_preference="email"))
    making.copies(house, mails - 1, way="email")
    worker.start()
    for number in range(1, mails // EVERY + 1):
        sent = (number - 1) * EVERY + chance.randrange(EVERY)
        wait_for(lambda n=sent: distinct(inbox) > n, within_s=120, what="it goes on", step_s=0.01)
        worker.signal(signal.SIGKILL)
        wait_for(lambda: not worker.is_running, what="it is dead")
        worker.look()
    wait_for(lambda: making.rows(house, OPEN)[0]["open"] == 0, within_s=300, what="all are sent")
    counts = inbox.counts("email")
    repeats = counts["received"] - counts["distinct"]
    figure("mails that came twice", repeats, f"for {worker.deaths} deaths")
    assert counts["distinct"] == mails
    assert repeats <= worker.deaths == mails // EVERY


def distinct(inbox: Inbox) -> int:
    return inbox.counts("email")["distinct"]
