"""Plans are made from what is known, and a change of them is settled by what the service of appointments says."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from services.doctors import view
from services.doctors.model import fence, listed, plans
from services.doctors.model.closures import MOST
from services.doctors.model.errors import HasBookings, PlanPending, TooMany
from services.doctors.model.fence import Reply, State, Verdict
from services.doctors.model.places import ensure_usable_resources, usable
from services.kernel.errors import Invalid
from tests.unit.doctors import making

DAY = timedelta(days=1)
ELSEWHERE = making.new_id()


def holdings(**given):
    return plans.Holdings(**{"doctor": making.doctor(), "plans": (making.plan(version=3, last_version=3),)} | given)


def plan(known, **given):
    return plans.doctor_plan(known, known.plans[0], **{"version": 3, "at": making.AT} | given)


def test_what_is_over_or_elsewhere_is_not_in_a_plan():
    here, long = making.session(), making.session(valid_to=date(2026, 3, 1))
    over = making.session(valid_to=date(2026, 2, 27))
    away = making.session(facility_id=ELSEWHERE)
    gone = making.leave(making.AT - 2 * DAY, making.AT)
    now, taken_back = (
        making.leave(making.AT - DAY, making.AT + DAY),
        making.leave(making.AT, making.AT + DAY, is_removed=True),
    )
    made = plan(holdings(sessions=(here, long, over, away), leave=(gone, now, taken_back)))
    assert made.sessions == (here, long)
    assert made.leave == (now,)


def test_a_type_is_offered_to_those_with_one_of_its_specializations():
    heart, skin = making.new_id(), making.new_id()
    for_all, for_heart, for_skin = (
        making.kind(),
        making.kind(specialization_ids=(heart,)),
        making.kind(specialization_ids=(skin,)),
    )
    out = making.kind(is_active=False)
    known = holdings(
        doctor=making.doctor(specialization_ids=(heart,)),
        types=(for_all, for_heart, for_skin, out),
        minutes={for_heart.id: 60},
    )
    assert [(each.id, each.minutes) for each in plans.offered(known)] == [(for_all.id, 30), (for_heart.id, 60)]


def test_a_plan_says_in_the_contracts_words_what_may_be_booked():
    closed = making.closure(making.AT, making.AT + DAY)
    away = making.leave(making.AT, making.AT + DAY, reason="private")
    known = holdings(
        sessions=(making.session(),), leave=(away,), closures=(closed,), facility_versions={making.FACILITY: 7}
    )
    shown = view.doctor_plan(plan(known))
    assert (shown["version"], shown["facility_version"], shown["zone"]) == (3, 7, "Europe/Berlin")
    assert (shown["sessions"][0]["starts"], shown["sessions"][0]["ends"]) == ("09:00", "12:00")
    assert shown["closures"] == [
        {
            "id": str(away.id),
            "scope": "doctor",
            "scope_id": str(making.DOCTOR),
            "starts_at": "2026-03-02T08:00:00Z",
            "ends_at": "2026-03-03T08:00:00Z",
        }
    ]
    assert shown["facility_closures"][0]["scope"] == "facility"
    assert "private" not in str(shown)


def test_a_plan_holds_so_much_leave_and_no_more():
    with pytest.raises(TooMany):
        plan(holdings(leave=tuple(making.leave(making.AT, making.AT + DAY) for _ in range(MOST + 1))))


def test_steps_hold_the_plan_as_it_is_to_be_and_the_one_to_go_back_to():
    known = holdings(plans=(making.plan(version=3, last_version=5), making.plan(ELSEWHERE, version=1, last_version=1)))
    after = plans.with_records(known, [making.doctor(max_per_day=4)])
    steps = view.doctor_steps(known, after, facilities={making.FACILITY, ELSEWHERE}, at=making.AT, new_id=making.new_id)
    assert [(each.facility_id, each.version) for each in steps] == [(making.FACILITY, 6), (ELSEWHERE, 2)]
    assert (steps[0].content["doctor"]["max_per_day"], steps[0].back["doctor"]["max_per_day"]) == (4, None)
    assert (steps[0].content["doctor"]["version"], steps[0].back["doctor"]["version"]) == (6, 7)


APPLIED, AWAY = Reply(verdict=Verdict.APPLIED), Reply(verdict=Verdict.AWAY)
CLASH = {"appointment_id": "x"}


def refused(step=0):
    return Reply(verdict=Verdict.REFUSED, clashing=(CLASH,), more=True, step=step)


@pytest.mark.parametrize(
    ("state", "reply", "after"),
    [
        (State.PENDING, APPLIED, State.EFFECTIVE),
        (State.PENDING, AWAY, State.PENDING),
        (State.PENDING, refused(0), State.WITHDRAWN),
        (State.PENDING, refused(1), State.WITHDRAWING),
        (State.WITHDRAWING, APPLIED, State.WITHDRAWN),
        (State.WITHDRAWING, AWAY, State.WITHDRAWING),
        (State.WITHDRAWING, refused(0), State.WITHDRAWING),
    ],
)
def test_a_change_goes_on_as_it_was_answered(state, reply, after):
    made = making.change(making.step(), making.step(ELSEWHERE), state=state, applied=1)
    found = fence.decided(made, reply, at=making.AT, new_id=making.new_id)
    assert found.state is after
    assert (found.settled_at is None) == found.is_open


def test_what_was_applied_before_a_refusal_is_taken_back_by_a_further_version():
    first, second = making.step(version=4), making.step(ELSEWHERE, version=9)
    made = fence.decided(making.change(first, second), refused(1), at=making.AT, new_id=making.new_id)
    (back,) = fence.sendings(made)
    assert (back.version, back.clashes, back.change_id) == (5, "keep", first.back_id)
    assert back.content["doctor"]["is"] == "old"
    over = fence.decided(made, APPLIED, at=making.AT, new_id=making.new_id)
    known = {making.FACILITY: making.plan(version=3, last_version=3), ELSEWHERE: making.plan(ELSEWHERE, version=8)}
    found = [(each.version, each.last_version) for each in fence.plans_after(over, known)]
    assert found == [(5, 5), (8, 9)]
    told = fence.plan_events(list(known.values()), fence.plans_after(over, known))
    assert [each.data for each in told] == [{"facility_id": str(making.FACILITY), "plan_version": 5}]


def test_a_version_that_was_refused_is_never_offered_again():
    over = fence.decided(making.change(making.step(version=4)), refused(), at=making.AT, new_id=making.new_id)
    (after,) = fence.plans_after(over, {making.FACILITY: making.plan(version=3, last_version=3)})
    assert (after.version, after.last_version) == (3, 4)


def test_where_a_later_plan_is_known_the_change_is_offered_above_it():
    """As after a database that was restored from yesterday."""
    made = making.change(making.step(version=4))
    reply = Reply(verdict=Verdict.SUPERSEDED, version=11)
    found = fence.decided(made, reply, at=making.AT, new_id=making.new_id)
    assert (found.state, found.steps[0].version) == (State.PENDING, 12)
    assert found.steps[0].change_id != made.steps[0].change_id
    back = making.change(making.step(version=4), state=State.WITHDRAWING, applied=1)
    (sent,) = fence.sendings(fence.decided(back, reply, at=making.AT, new_id=making.new_id))
    assert sent.version == 12


def test_a_change_in_force_gives_every_plan_its_version():
    made = making.change(making.step(version=4), making.step(ELSEWHERE, version=1))
    over = fence.decided(made, APPLIED, at=making.AT, new_id=making.new_id)
    known = {making.FACILITY: making.plan(version=3), ELSEWHERE: making.plan(ELSEWHERE)}
    assert [each.version for each in fence.plans_after(over, known)] == [4, 1]


def test_a_change_that_was_given_up_names_the_appointments():
    fence.ensure_kept(making.change())
    with pytest.raises(HasBookings) as caught:
        fence.ensure_kept(making.change(state=State.WITHDRAWN, clashes=(CLASH,), more=True))
    assert caught.value.facts == {"clashing": [CLASH], "more": True}


def test_one_change_of_a_plan_waits_at_a_time():
    fence.ensure_none_waits(None)
    waiting = making.change()
    with pytest.raises(PlanPending) as caught:
        fence.ensure_none_waits(waiting)
    assert caught.value.facts == {"change_id": str(waiting.id)}


@pytest.mark.parametrize(
    ("place", "rule"),
    [
        (None, "unknown"),
        (making.at(facility_id=ELSEWHERE), "other_facility"),
        (making.at(is_active=False), "closed"),
        (making.at("Mars/Olympus"), "unknown_zone"),
        (making.at(), None),
    ],
)
def test_a_place_is_there_open_and_of_the_facility(place, rule):
    if rule is None:
        assert usable(place, facility_id=making.FACILITY, pointer="/location_id") is place
        return
    with pytest.raises(Invalid) as caught:
        usable(place, facility_id=making.FACILITY, pointer="/location_id")
    assert [(each.pointer, each.rule) for each in caught.value.errors] == [("/location_id", rule)]


def test_rooms_that_are_not_there_are_refused():
    with pytest.raises(Invalid):
        ensure_usable_resources((ELSEWHERE,), {}, facility_id=making.FACILITY)


def test_there_are_so_many_types_in_use_and_no_more():
    in_use = [making.kind() for _ in range(listed.MOST_TYPES)]
    listed.ensure_room(in_use, in_use[0])
    listed.ensure_room(in_use, making.kind(is_active=False))
    with pytest.raises(TooMany):
        listed.ensure_room(in_use, making.kind())
