"""How the lists of the house get one more item, so that each can be walked while it grows."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.contract.contracts import CONTRACTS
from tests.contract.requests import first_body
from tests.system.house import word
from tests.system.visit import Visit

_numbers = itertools.count()


@dataclass(frozen=True)
class Growing:
    """How a list gets one more item, and which part of the list is looked at."""

    one_more: Callable[[Visit], Any]
    query: Callable[[Visit], dict[str, Any]] = lambda _: {}
    body: Callable[[Visit], dict[str, Any] | None] = lambda _: None
    comes_later: bool = False  # some time after the answer to what made it


def makes(operation_id: str, **new: Callable[[], Any]) -> Callable[[Visit], None]:
    """Performs an operation with its example, in which some members are new each time."""

    def one_more(journey: Visit) -> None:
        service = next(each for each in CONTRACTS.values() if operation_id in each.operations)
        example = first_body(service.operations[operation_id])
        body = {**(example or {}), **{name: value() for name, value in new.items()}} or None
        got = journey.perform(operation_id, body=body)
        assert 200 <= got.status < 300, (operation_id, got.status, got.body)

    return one_more


def in_own_facility(journey: Visit) -> dict[str, Any]:
    return {"facility_id": journey.need("facility_id")}


def made_alone(journey: Visit) -> dict[str, Any]:
    """What stands in the trail of this journey only: reading one record that nobody else knows."""
    return {"patient_id": journey.need("patient_id"), "operation": "get_patient"}


def performed(journey: Visit, operation_id: str, body: Any) -> Any:
    """What an operation with this body answers."""
    got = journey.perform(operation_id, body=body)
    assert 200 <= got.status < 300, (operation_id, got.status, got.body)
    return got.body


def adds_hours(journey: Visit) -> None:
    """One more hour of the week for the doctor."""
    number = next(_numbers)
    body = {
        **_example("add_doctor_session"),
        "weekday": number % 7 + 1,
        "starts": f"{number // 7 % 23:02d}:00",
        "ends": f"{number // 7 % 23 + 1:02d}:00",
    }
    performed(journey, "add_doctor_session", body)


def adds_a_doctor_with_hours(journey: Visit) -> None:
    """One more doctor at the facility."""
    journey.made["doctor_id"] = adds_a_doctor(journey)
    adds_hours(journey)


def adds_a_doctor(journey: Visit) -> str:
    """One more doctor with the specialization, and no account."""
    body = {name: value for name, value in _example("create_doctor").items() if name != "user_id"}
    return str(performed(journey, "create_doctor", body)["id"])


def adds_minutes(journey: Visit) -> None:
    """One more type that takes longer with this doctor."""
    journey.made.pop("type_id", None)
    performed(journey, "set_type_minutes", _example("set_type_minutes"))


def books(journey: Visit, **more: Any) -> Any:
    """One more appointment of somebody new, at a time of its own."""
    number = next(_numbers)
    journey.made.pop("patient_id", None)
    start = f"2026-03-02T{9 + number // 12 % 2:02d}:{number % 12 * 5:02d}:00+01:00"
    return performed(
        journey, "book_appointment", {**_example("book_appointment"), "starts_at": start, "minutes": 5, **more}
    )


def asks(journey: Visit) -> None:
    """One more request that waits."""
    journey.made.pop("patient_id", None)
    performed(journey, "request_appointment", _example("request_appointment"))


def books_and_cancels(journey: Visit) -> None:
    """One more appointment of the same patient, who may not have many at a time."""
    number = next(_numbers)
    start = f"2026-03-02T{9 + number // 12 % 2:02d}:{number % 12 * 5:02d}:00+01:00"
    body = {**_example("book_appointment"), "starts_at": start, "minutes": 5}
    journey.made["appointment_id"] = performed(journey, "book_appointment", body)["id"]
    performed(journey, "cancel_appointment", {"reason_code": "other"})


def books_for_a_time_that_is_over(journey: Visit) -> None:
    """One more appointment that nobody has closed."""
    books(journey, retro_reason="Entered afterwards.")


def comes_and_goes(journey: Visit) -> None:
    """One more version of an appointment."""
    now = journey.perform("get_appointment").body["status"]
    performed(journey, "set_appointment_status", {"to": "arrived" if now == "booked" else "booked"})


def at_the_facility(journey: Visit) -> dict[str, Any]:
    """The period in which the examples book, behind and ahead."""
    return {"since": _day(-14), "until": _day(16)}


def of_the_doctor(journey: Visit) -> dict[str, Any]:
    return {"doctor_id": journey.need("doctor_id"), "appointment_type_id": journey.need("appointment_type_id")}


def _day(ahead: int) -> str:
    return f"{datetime.now(UTC).date() + timedelta(days=ahead)}T00:00:00Z"


def _example(operation_id: str) -> dict[str, Any]:
    service = next(each for each in CONTRACTS.values() if operation_id in each.operations)
    return dict(first_body(service.operations[operation_id]))


NAMESAKE = word()  # a family name that the people registered here share, and nobody else has
GROWING = {
    "search_audit_entries": Growing(makes("get_patient"), body=made_alone, comes_later=True),
    "list_record_accesses": Growing(makes("get_patient"), comes_later=True),
    "list_allergies": Growing(makes("add_allergy", substance=lambda: {"display": word()})),
    "list_problems": Growing(makes("add_problem", condition=lambda: {"display": word()})),
    "list_users": Growing(makes("create_user", roles=lambda: ["pharmacist"]), lambda _: {"role": "pharmacist"}),
    "list_service_accounts": Growing(makes("create_service_account")),
    "list_facilities": Growing(makes("create_facility")),
    "list_locations": Growing(makes("create_location"), in_own_facility),
    "list_departments": Growing(makes("create_department"), in_own_facility),
    "search_patients": Growing(
        makes("register_patient", family_name=lambda: NAMESAKE, given_name=word), body=lambda _: {"name": NAMESAKE}
    ),
    "list_patient_changes": Growing(makes("update_patient", given_name=word)),
    "list_specializations": Growing(makes("create_specialization")),
    "list_appointment_types": Growing(makes("create_appointment_type")),
    "list_resources": Growing(makes("create_resource"), in_own_facility),
    "list_doctors": Growing(adds_a_doctor, lambda journey: {"specialization_id": journey.need("specialization_id")}),
    "list_type_minutes": Growing(adds_minutes),
    "list_doctor_sessions": Growing(adds_hours),
    "list_leave": Growing(makes("add_leave")),
    "list_closures": Growing(makes("add_closure")),
    "list_doctor_plans": Growing(adds_a_doctor_with_hours),
    "list_plan_changes": Growing(adds_hours),
    "find_free_places": Growing(adds_hours, of_the_doctor),
    "list_appointments": Growing(books, at_the_facility),
    "list_appointment_states": Growing(books, comes_later=True),
    "list_appointment_requests": Growing(asks, comes_later=True),
    "list_unresolved_appointments": Growing(books_for_a_time_that_is_over, comes_later=True),
    "list_patient_appointments": Growing(books_and_cancels),
    "list_appointment_changes": Growing(comes_and_goes, comes_later=True),
    "list_deliveries": Growing(makes("send_test_message"), lambda _: {"event": "test", "channel": "in_app"}),
    "list_own_messages": Growing(makes("send_test_message")),
    "list_patient_messages": Growing(books_and_cancels, comes_later=True),
}
