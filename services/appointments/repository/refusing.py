"""What the scripts answer, as the rules that say no, and as the answers that were stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson

from services.appointments import model
from services.appointments.model.times import moment_of
from services.chassis.call import Answer
from services.chassis.stores import KeyReused, Replayed
from services.kernel.errors import NotFound, Stale
from services.kernel.intervals import Interval

_REFUSALS: Mapping[str, type[Exception]] = {
    "place_taken": model.PlaceTaken,
    "place_closed": model.PlaceClosed,
    "resource_taken": model.ResourceTaken,
    "patient_busy": model.PatientBusy,
    "hold_over": model.HoldOver,
    "plan_moved": model.PlanMoved,
    "stale": Stale,
    "not_found": NotFound,
    "key_reused": KeyReused,
}


class RecordsLost(Exception):
    """The facility has no records here: it is new, or they were lost."""


def refusal(word: str, more: str) -> Exception:
    """What a script refused, or answered before."""
    match word:
        case "replayed":
            status, body = orjson.loads(more)
            return Replayed(Answer(with_end(body), status), about=body.get("patient_id"), record=body.get("id"))
        case "records_lost":
            return RecordsLost()
        case "limit_reached":
            return model.LimitReached(facts=orjson.loads(more))
        case "superseded":
            return model.PlanSuperseded(facts={"version": int(more)})
        case "clashes":
            found = orjson.loads(more)
            clashing = [
                {
                    "appointment_id": str(each.appointment_id),
                    "doctor_id": str(each.doctor_id),
                    "starts_at": each.time.start.isoformat(),
                    "ends_at": each.time.end.isoformat(),
                }
                for each in clashes(found["clashing"])
            ]
            return model.PlanClashes(facts={"clashing": clashing, "more": found["more"]})
    return _REFUSALS[word]()


def clashes(found: Any) -> list[model.Clash]:
    """The appointments that do not fit a plan, as a script names them."""
    # An empty table of Lua is an empty object in JSON.
    return [
        model.Clash(
            appointment_id=UUID(hex=each["id"]),
            doctor_id=UUID(hex=each["doctor"]),
            time=Interval(moment_of(each["first"]), moment_of(each["last"])),
        )
        for each in found or []
    ]


def with_end(body: Any) -> Any:
    """An answer, with the end of a hold as the contract shows it; the store keeps it in milliseconds."""
    if "expires_at" not in body:
        return body
    at = datetime.fromtimestamp(body["expires_at"] / 1000, UTC)
    return {**body, "expires_at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z")}
