"""Allergies and problems of a patient: what holds, what is over, what was an error, and each change with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from frontend.api import Refused
from frontend.area import Area
from frontend.controllers.patients import allergies, opened
from frontend.desk import Desk
from frontend.forms import Form
from frontend.sayings import N_

area = Area("history", at="/patients/<uuid:patient_id>/history")
_FILTERS: Final[Mapping[str, Mapping[str, str]]] = {
    "now": {"status": "active"},
    "over": {},
    "errors": {"include_errors": "true"},
}
_REACTIONS: Final = 2  # rows that an empty form has
_TERM: Final = ("display", "system", "code")
_REACTION: Final = ("manifestation.display", "severity")


@dataclass(frozen=True)
class Kind:
    """One of the two lists: its operations, the name of its ids, what its terms are, and their code systems."""

    list: str
    get: str
    add: str
    resolve: str
    mark: str
    id: str
    term: str
    systems: Sequence[tuple[str, str]]
    plain: Sequence[str]


_ICD: Final = (
    ("http://hl7.org/fhir/sid/icd-10", "ICD-10"),
    ("http://hl7.org/fhir/sid/icd-10-cm", "ICD-10-CM"),
    ("http://id.who.int/icd/release/11/mms", "ICD-11"),
)
_SUBSTANCES: Final = (
    ("http://snomed.info/sct", "SNOMED CT"),
    ("http://www.nlm.nih.gov/research/umls/rxnorm", "RxNorm"),
    ("http://www.whocc.no/atc", "ATC"),
    ("http://fdasis.nlm.nih.gov", "UNII"),
)
KINDS: Final[Mapping[str, Kind]] = {
    "allergies": Kind(
        list="list_allergies",
        get="get_allergy",
        add="add_allergy",
        resolve="resolve_allergy",
        mark="mark_allergy_entered_in_error",
        id="allergy_id",
        term="substance",
        systems=_SUBSTANCES,
        plain=("category", "criticality", "certainty", "onset", "note"),
    ),
    "problems": Kind(
        list="list_problems",
        get="get_problem",
        add="add_problem",
        resolve="resolve_problem",
        mark="mark_problem_entered_in_error",
        id="problem_id",
        term="condition",
        systems=_ICD,
        plain=("certainty", "onset", "note"),
    ),
}


@area.get("", "history.read")
def show(desk: Desk, patient_id: str) -> Any:
    """Both lists."""
    return desk.page("history/show.html", form=Form(), **_lists(desk, patient_id))


@area.get("/<any(allergies, problems):kind>/new", "history.write")
def new(desk: Desk, patient_id: str, kind: str) -> Any:
    """An empty form, or one that was left."""
    form = desk.drafted(Form(name=f"{kind}.{patient_id}"))
    form.values.setdefault("certainty", "confirmed")
    return desk.page(f"history/new_{kind}.html", form=form, **_to_add(desk, patient_id, kind, form))


@area.post("/<any(allergies, problems):kind>/new", "history.write")
def add(desk: Desk, patient_id: str, kind: str) -> Any:
    """One more entry; or one more row for a reaction, with nothing lost that was typed."""
    form = Form.sent(desk.form)
    if form.is_on("more"):
        return desk.page(f"history/new_{kind}.html", form=form, **_to_add(desk, patient_id, kind, form, more=1))
    try:
        made = desk.send(KINDS[kind].add, body=entry_of(form, KINDS[kind]), patient_id=patient_id).body
    except Refused as error:
        shown = _to_add(desk, patient_id, kind, form)
        return desk.again(f"history/new_{kind}.html", error, form=form, **shown)
    desk.drop_draft(f"{kind}.{patient_id}")
    desk.said("%(what)s is on the list.", what=made[KINDS[kind].term]["display"])
    return desk.go("history.show", patient_id=patient_id)


@area.get("/<any(allergies, problems):kind>/<uuid:entry_id>", "history.read")
def entry(desk: Desk, patient_id: str, kind: str, entry_id: str) -> Any:
    """One entry whole, with who wrote it and who changed it."""
    return desk.page("history/entry.html", form=Form(), **_entry(desk, patient_id, kind, entry_id))


@area.post("/<any(allergies, problems):kind>/<uuid:entry_id>/resolution", "history.write")
def resolve(desk: Desk, patient_id: str, kind: str, entry_id: str) -> Any:
    """It is over."""
    fields = {"reason": "reason", "resolved_on": "resolved_on"}
    return _changed(desk, KINDS[kind].resolve, patient_id, kind, entry_id, fields)


@area.post("/<any(allergies, problems):kind>/<uuid:entry_id>/error", "history.correct")
def mark(desk: Desk, patient_id: str, kind: str, entry_id: str) -> Any:
    """It should never have been written."""
    return _changed(desk, KINDS[kind].mark, patient_id, kind, entry_id, {"reason": "error_reason"})


@area.post("/none-known", "history.write")
def declare(desk: Desk, patient_id: str) -> Any:
    """Somebody asked, and the patient knows of none."""
    return _stated(desk, "declare_no_known_allergies", patient_id, None, N_("It is noted that no allergies are known."))


@area.post("/none-known/error", "history.correct")
def withdraw(desk: Desk, patient_id: str) -> Any:
    """That none are known was wrong."""
    reason = Form.sent(desk.form).picked(["reason"])
    return _stated(desk, "withdraw_no_known_allergies", patient_id, reason, N_("The statement is withdrawn."))


def entry_of(form: Form, kind: Kind) -> dict[str, Any]:
    """What the API is sent: a term, what is plain, and the reactions in which something stands.

    Rows between them that are empty go from the form as well: what the API says of the second row is about the second.
    """
    body: dict[str, Any] = {kind.term: _under(form, kind.term, _TERM), **form.picked(kind.plain)}
    if kind.term == "substance":
        found = [_under(form, f"reactions.{row}", _REACTION) for row in _rows(form)]
        filled = [each for each in found if each]
        for at, row in enumerate([*filled, *({} for _ in range(len(found) - len(filled)))]):
            for member in _REACTION:
                form.values[f"reactions.{at}.{member}"] = row.get(member, "")
        body["reactions"] = [_reaction(each) for each in filled]
    return body


def _under(form: Form, name: str, members: Sequence[str]) -> dict[str, str]:
    return {each: text for each in members if (text := form.text(f"{name}.{each}")) is not None}


def _rows(form: Form) -> range:
    return range(form.count("reactions", _REACTIONS))


def _reaction(row: Mapping[str, str]) -> dict[str, Any]:
    words = {"display": row["manifestation.display"]} if "manifestation.display" in row else {}
    return {"manifestation": words, **({"severity": row["severity"]} if "severity" in row else {})}


def _changed(desk: Desk, operation: str, patient_id: str, kind: str, entry_id: str, fields: Mapping[str, str]) -> Any:
    """fields: of the form, by what the API calls them; two forms stand on the page."""
    form = Form.sent(desk.form)
    body = {name: text for name, field in fields.items() if (text := form.text(field)) is not None}
    try:
        desk.send(operation, body=body, patient_id=patient_id, **_at(kind, entry_id))
    except Refused as error:
        form.take(error, desk.words)
        form.errors = {fields.get(name, name): text for name, text in form.errors.items()}
        shown = _entry(desk, patient_id, kind, entry_id)
        return desk.page("history/entry.html", status=error.status, form=form, **shown)
    desk.said("The change is saved.")
    return desk.go("history.entry", patient_id=patient_id, kind=kind, entry_id=entry_id)


def _at(kind: str, entry_id: str) -> dict[str, Any]:
    return {KINDS[kind].id: entry_id}


def _stated(desk: Desk, operation: str, patient_id: str, body: object, text: str) -> Any:
    form = Form.sent(desk.form)
    try:
        desk.send(operation, body=body, patient_id=patient_id)
    except Refused as error:
        return desk.again("history/show.html", error, form=form, **_lists(desk, patient_id))
    desk.said(text)
    return desk.go("history.show", patient_id=patient_id)


def _lists(desk: Desk, patient_id: str) -> dict[str, Any]:
    chosen = desk.query.get("shown", "now")
    shown = chosen if chosen in _FILTERS else "now"
    found = {
        name: list(desk.api.every(kind.list, query=_FILTERS[shown], patient_id=patient_id))
        for name, kind in KINDS.items()
    }
    statement = desk.api.call("get_allergy_statement", patient_id=patient_id).body
    by = [each["changed_by"] for entries in found.values() for each in entries] + [statement["stated_by"]]
    return {
        "lists": found,
        "shown": shown,
        "statement": statement,
        "users": _users(desk, by),
        **_of_patient(desk, patient_id),
    }


def _entry(desk: Desk, patient_id: str, kind: str, entry_id: str) -> dict[str, Any]:
    found = desk.api.call(KINDS[kind].get, patient_id=patient_id, **_at(kind, entry_id)).body
    users = _users(desk, [found["recorded_by"], found["changed_by"]])
    term = found[KINDS[kind].term]
    systems = dict((*_SUBSTANCES, *_ICD))
    return {
        "entry": found,
        "term": term,
        "kind": kind,
        "users": users,
        "systems": systems,
        **_of_patient(desk, patient_id),
    }


def _to_add(desk: Desk, patient_id: str, kind: str, form: Form, *, more: int = 0) -> dict[str, Any]:
    rows = range(len(_rows(form)) + more)
    return {"kind": kind, "rows": rows, "systems": KINDS[kind].systems, **_of_patient(desk, patient_id)}


def _of_patient(desk: Desk, patient_id: str) -> dict[str, Any]:
    return {"patient": opened(desk, patient_id), "allergies": allergies(desk, patient_id)}


def _users(desk: Desk, ids: Sequence[str | None]) -> Mapping[str, str]:
    """What those are called who wrote; oneself is `you`."""
    own = str(desk.person["id"])
    return {**desk.called(each for each in ids if each != own), own: desk.words.say("you")}
