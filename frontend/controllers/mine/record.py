"""The own record, to be read, and who opened it."""

from __future__ import annotations

from typing import Any, Final

from frontend.accesses import Access, told
from frontend.controllers.mine.whose import area, nobody, record_of, whose
from frontend.desk import Desk

_ENOUGH: Final = 20
_MOST_PAGES: Final = 5


@area.get("/record", "patients.read")
def record(desk: Desk) -> Any:
    """What the house has written down, to be read."""
    about = whose(desk)
    patient = about["patient"]
    if patient is None:
        return nobody(desk)
    allergies, problems = None, None
    if desk.may("history.read"):
        query = {"status": "active", "limit": 200}
        allergies = desk.api.call("list_allergies", query=query, patient_id=patient["id"]).body
        problems = desk.api.call("list_problems", query=query, patient_id=patient["id"]).body["items"]
    return desk.page(
        "mine/record.html", **about, record=record_of(desk, patient), allergies=allergies, problems=problems
    )


@area.get("/accesses", "audit.read_own_record")
def accesses(desk: Desk) -> Any:
    """Who opened the record, when and why; people of the house, or really all of it."""
    about = whose(desk)
    patient = about["patient"]
    if patient is None:
        return nobody(desk)
    is_all = "all" in desk.query
    found, cursor = _accesses(desk, str(patient["id"]), is_all=is_all)
    values: dict[str, Any] = {"days": told(found, desk.words), "next_cursor": cursor, "is_all": is_all}
    if desk.is_part:
        return desk.page("mine/_accesses.html", **values)
    return desk.page("mine/accesses.html", **about, **values)


def _accesses(desk: Desk, patient_id: str, *, is_all: bool) -> tuple[list[Access], str | None]:
    """A page of them; without the own looks and the work of the house, as many pages are read as it takes."""
    cursor, found = desk.query.get("cursor"), list[Access]()
    for _ in range(_MOST_PAGES):
        query = {"limit": 50 if is_all else 200, "cursor": cursor}
        page = desk.api.call("list_record_accesses", query=query, patient_id=patient_id, within_s=5).body
        cursor = page["next_cursor"]
        found += [each for each in page["items"] if is_all or each["by"]["kind"] == "staff"]
        if is_all or len(found) >= _ENOUGH or not cursor:
            break
    return found, cursor
