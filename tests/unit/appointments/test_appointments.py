"""What may become of an appointment: every pair of statuses, rights, reasons, and what counts as late."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.appointments import model
from services.appointments.model import Status
from services.kernel.errors import Forbidden
from tests.unit.appointments.making import (
    AT,
    CLERK,
    HEAD,
    HOUR,
    HOUSE,
    PATIENT,
    ROOM,
    appointment,
    asked,
    number,
    plan,
    session,
    spot,
)  # fmt: skip

LEGAL = {
    Status.PENDING: {Status.BOOKED, Status.DECLINED, Status.CANCELLED, Status.ENTERED_IN_ERROR},
    Status.BOOKED: {Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW, Status.ENTERED_IN_ERROR},
    Status.ARRIVED: {Status.BOOKED, Status.IN_PROGRESS, Status.CANCELLED, Status.ENTERED_IN_ERROR},
    Status.IN_PROGRESS: {Status.COMPLETED, Status.ENTERED_IN_ERROR},
    Status.COMPLETED: {Status.ENTERED_IN_ERROR},
    Status.CANCELLED: {Status.ENTERED_IN_ERROR},
    Status.DECLINED: {Status.ENTERED_IN_ERROR},
    Status.NO_SHOW: {Status.ENTERED_IN_ERROR},
    Status.ENTERED_IN_ERROR: set(),
}
LATER = AT + timedelta(days=1)


def moved(before: model.Appointment, to: Status) -> model.Step:
    """The step into a status, by the decision that is for it."""
    match to:
        case Status.CANCELLED:
            return model.cancel(before, {"reason_code": "other"}, at=LATER, actor=HEAD, house=HOUSE)
        case Status.DECLINED:
            return model.decline(before, reason="No.", at=LATER, actor=HEAD)
        case Status.ENTERED_IN_ERROR:
            return model.mark_in_error(before, reason="A slip.", at=LATER, actor=HEAD)
        case Status.BOOKED if before.status is not Status.ARRIVED:
            return model.approve(before, spot(), at=LATER, actor=HEAD, house=HOUSE)
    return model.attend(before, {"to": to.value}, at=LATER, actor=HEAD)


@pytest.mark.parametrize("to", [each for each in Status if each is not Status.PENDING])
@pytest.mark.parametrize("status", Status)
def test_of_all_pairs_the_legal_ones_are_made_and_the_others_name_what_is_legal(status: Status, to: Status):
    before = appointment(status)
    if to in LEGAL[status]:
        after = moved(before, to).after
        assert (after.status, after.version, after.changed_by) == (to, before.version + 1, "head")
        assert after.is_blocking == (to in model.BLOCKING)
        assert after.seat is None or after.is_blocking
    else:
        with pytest.raises(model.IllegalMove) as refused:
            moved(before, to)
        assert refused.value.facts["status"] == status.value
        assert set(refused.value.facts["legal"]) == {each.value for each in LEGAL[status]}


def test_only_what_is_booked_is_moved():
    for status in Status:
        before = appointment(status)
        if status is Status.BOOKED:
            body = asked("2026-03-02T12:00:00+01:00", reason="Later.")
            step = model.reschedule(before, body, spot(body), at=AT, actor=HEAD, house=HOUSE)
            assert (step.after.starts_at, step.reason, step.open_limit) == (AT + 4 * HOUR, "Later.", None)
            assert step.event.data["previous_starts_at"] == "2026-03-02T09:00:00Z"
            told = {name: step.event.data[name] for name in ("starts_at", "ends_at", "zone", "location_id")}
            assert told == {
                "starts_at": "2026-03-02T11:00:00Z",
                "ends_at": step.after.ends_at.isoformat().replace("+00:00", "Z"),
                "zone": step.after.zone,
                "location_id": str(step.after.location_id),
            }
        else:
            with pytest.raises(model.IllegalMove):
                model.reschedule(before, {}, spot(), at=AT, actor=HEAD, house=HOUSE)


@pytest.mark.parametrize(("hours", "is_late"), [(48, False), (24, False), (23, True), (1, True), (-1, True)])
def test_a_cancellation_within_a_day_before_the_start_is_late(hours: int, is_late: bool):
    before = appointment()
    at = before.starts_at - timedelta(hours=hours)
    step = model.cancel(before, {"reason_code": "patient_ill", "note": "Fever."}, at=at, actor=HEAD, house=HOUSE)
    assert (step.after.late_cancelled, step.event.data["late"], step.reason) == (is_late, is_late, "Fever.")
    assert step.after.closing == model.Closing("patient_ill", "Fever.")


def test_a_request_that_is_taken_back_is_never_late():
    before = appointment(Status.PENDING)
    step = model.cancel(before, {"reason_code": "other"}, at=before.starts_at, actor=HEAD, house=HOUSE)
    assert not step.after.late_cancelled


def test_nobody_has_failed_to_come_before_the_start():
    before = appointment()
    with pytest.raises(model.NotStartedYet):
        model.attend(before, {"to": "no_show"}, at=before.starts_at - timedelta(seconds=1), actor=HEAD)
    assert model.attend(before, {"to": "no_show"}, at=before.starts_at, actor=HEAD).after.seat is None


def test_times_of_a_visit_are_kept_and_taken_back():
    before = appointment()
    came = model.attend(before, {"to": "arrived"}, at=AT, actor=HEAD).after
    assert came.arrived_at == AT
    assert model.attend(came, {"to": "booked"}, at=AT, actor=HEAD).after.arrived_at is None
    seen = model.attend(came, {"to": "in_progress"}, at=AT + HOUR, actor=HEAD).after
    done = model.attend(seen, {"to": "completed"}, at=AT + 2 * HOUR, actor=HEAD).after
    assert (done.arrived_at, done.started_at, done.completed_at) == (AT, AT + HOUR, AT + 2 * HOUR)


@pytest.mark.parametrize("name", ["overbook_reason", "overlap_reason"])
def test_what_breaks_a_rule_on_purpose_needs_its_right(name: str):
    body = asked(**{name: "Urgent."})
    with pytest.raises(Forbidden):
        model.book(body, spot(body, actor=CLERK), appointment_id=number(9), at=AT, actor=CLERK, house=HOUSE)
    step = model.book(body, spot(body), appointment_id=number(9), at=AT, actor=HEAD, house=HOUSE)
    assert (getattr(step.after, name), step.reason) == ("Urgent.", "Urgent.")
    assert step.after.is_overbooked == (name == "overbook_reason")
    assert (step.after.seat is None) == (name == "overbook_reason")
    with pytest.raises(Forbidden):
        model.reschedule(appointment(), body, spot(body), at=AT, actor=CLERK, house=HOUSE)


def test_what_is_over_needs_its_right_and_counts_not_among_the_open():
    body = asked(retro_reason="Power cut.")
    at = AT + timedelta(days=1)
    with pytest.raises(Forbidden):
        spot(body, actor=CLERK, at=at)
    step = model.book(body, spot(body, at=at), appointment_id=number(9), at=at, actor=HEAD, house=HOUSE)
    assert (step.open_limit, step.after.retro_reason) == (None, "Power cut.")


def test_a_booking_is_limited_by_the_day_and_by_what_is_open_and_an_approval_by_the_day():
    booked = model.book(asked(), spot(), appointment_id=number(9), at=AT, actor=HEAD, house=HOUSE)
    assert [(each.name, each.most) for each in booked.patient_limits] == [("patient_day", 5)]
    assert booked.open_limit == 10
    wanted = model.request(asked(), spot(), appointment_id=number(9), at=AT, actor=CLERK, house=HOUSE)
    assert (wanted.spot, wanted.open_limit, wanted.after.seat) == (None, 10, None)
    approved = model.approve(wanted.after, spot(), at=AT, actor=HEAD, house=HOUSE)
    assert (approved.open_limit, len(approved.patient_limits), approved.after.patient_id) == (None, 1, PATIENT)


def test_what_is_added_to_the_room_is_known_apart_from_it():
    body = asked(resource_ids=[str(number(31)), str(ROOM)])
    of = plan(session(resource_ids=[str(ROOM)]))
    made = model.book(body, spot(body, of=of), appointment_id=number(9), at=AT, actor=HEAD, house=HOUSE).after
    assert (made.resource_ids, made.added_resource_ids) == ((ROOM, number(31)), (number(31),))


@pytest.mark.row("DOC-12")
def test_the_length_of_a_type_is_copied_when_it_is_booked():
    short, long = (plan(appointment_types=[{"id": str(spot().type_id), "minutes": minutes, "audience": "everyone",
                                            "specialization_ids": []}]) for minutes in (30, 60))  # fmt: skip
    before = model.book(asked(), spot(of=short), appointment_id=number(9), at=AT, actor=HEAD, house=HOUSE).after
    assert spot(of=long).time.length == timedelta(minutes=60)
    assert before.time.length == timedelta(minutes=30)
    assert moved(before, Status.ARRIVED).after.time == before.time


@pytest.mark.parametrize("standing", ["deceased", "merged", "inactive", "unheard of"])
def test_nobody_is_booked_for_a_closed_record(standing: str):
    with pytest.raises(model.PatientNotBookable) as refused:
        model.ensure_bookable(standing)
    assert refused.value.facts == {"standing": standing}
    model.ensure_bookable("active")
