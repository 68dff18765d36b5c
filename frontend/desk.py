"""What a controller works with in one request: who asks, the API, the words of the language, and how to answer."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import flask
from werkzeug.datastructures import MultiDict

from frontend import shield
from frontend.api import RUNNING, Answer, Api, Refused
from frontend.forms import Form, Wrong
from frontend.names import Names, active
from frontend.session import Session, Sessions
from frontend.words import Words
from services.kernel.errors import Unavailable

KEY: Final = "_key"
VERSION: Final = "_version"
_FIRST_S: Final = 3.0
_PAUSE_S: Final = 0.2
Page = flask.Response | tuple[str, int] | str


class Desk:
    """One request of one browser."""

    def __init__(
        self, *, session: Session, sessions: Sessions, api: Api, words: Words, names: Names, nonce: str
    ) -> None:
        self.session, self.sessions, self.api, self.words, self.names = session, sessions, api, words, names
        self.nonce = nonce

    # ---- who asks ----------------------------------------------------------------------------------------------------

    @property
    def person(self) -> Mapping[str, Any]:
        """The account that is signed in; empty while nobody is."""
        found: Mapping[str, Any] = (self.session.get("person") or {}) if self.session.is_signed_in else {}
        return found

    def may(self, *permissions: str) -> bool:
        """Whether the account holds all of these; what it does not hold is not shown, and the API refuses it anyway."""
        held = self.person.get("permissions", ())
        return all(each in held for each in permissions)

    @property
    def owed(self) -> str | None:
        """The page of what has to be done before anything else: a password of one's own, then a second factor.

        An account with roles that may do nothing but this has a role that wants one.
        """
        if self.person.get("must_change_password"):
            return "account.password"
        if self.person.get("roles") and self.person.get("permissions") == ["account.open"]:
            return "account.second_factor"
        return None

    @property
    def own_patient(self) -> str | None:
        """The record that an account of a patient is about: the one chosen, else the own."""
        links = self.person.get("links", ())
        chosen = self.session.get("patient")
        ids = [each["patient_id"] for each in sorted(links, key=lambda link: link["relation"] != "self")]
        return chosen if chosen in ids else (ids[0] if ids else None)

    @property
    def is_patient(self) -> bool:
        """Whether the account belongs to somebody who is treated here, and to nobody who works here."""
        return self.person.get("roles") == ["patient"]

    @property
    def facilities(self) -> Mapping[str, Mapping[str, Any]]:
        """Those that one can work in: by id, none that is out of use."""
        return active(self.names.facilities())

    @property
    def own_doctor(self) -> str | None:
        """The profile of the doctor who is signed in; None for everybody else, and while nobody can say."""
        if not self.may("doctors.read", "schedules.manage_own"):
            return None
        try:
            doctors = self.names.doctors()
        except Unavailable:
            return None
        own = str(self.person.get("id"))
        return next((doctor_id for doctor_id, each in doctors.items() if each["user_id"] == own), None)

    @property
    def facility(self) -> Mapping[str, Any] | None:
        """The facility that is worked in: the one chosen, or the first there is."""
        known = self.facilities
        chosen = known.get(self.session.get("facility") or "")
        return chosen or next(iter(known.values()), None)

    @property
    def facility_id(self) -> str:
        """Its id; empty where there is none yet."""
        return str(self.facility["id"]) if self.facility else ""

    def called(self, ids: Iterable[str | None]) -> Mapping[str, str]:
        """What those are called who did something, as far as this person may know it."""
        if not self.may("users.name"):
            return {}
        of_a_patient = self.words.say("a patient or guardian")
        return {key: name or of_a_patient for key, name in self.names.users(ids).items()}

    # ---- what is asked -----------------------------------------------------------------------------------------------

    @property
    def form(self) -> MultiDict[str, str]:
        """The fields that were sent."""
        return flask.request.form

    @property
    def query(self) -> MultiDict[str, str]:
        """What stands behind the question mark."""
        return flask.request.args

    @property
    def version(self) -> int | None:
        """The version that the form was made from."""
        version = self.form.get(VERSION, "")
        return int(version) if version.isdigit() else None

    def typed(self) -> dict[str, list[str]]:
        """What was typed and chosen, to be kept as a draft: no passwords, and nothing that only one sending needs."""
        names = [name for name in self.form if not name.startswith("_") and "password" not in name]
        return {name: self.form.getlist(name) for name in names}

    @property
    def is_part(self) -> bool:
        """Whether htmx asks for a part of a page."""
        return flask.request.headers.get("HX-Request") == "true"

    def send(
        self,
        operation: str,
        *,
        body: object = None,
        query: Mapping[str, object] | None = None,
        within_s: float = 5.0,
        **path: Any,
    ) -> Answer:
        """A change, with the key of its form and the version that the form was made from.

        What was sent twice at once waits for the first, and shows what became of it.
        Raises:  Refused. Unavailable. SignInNeeded. StepUpNeeded.
        """
        key, until = self.form.get(KEY) or str(uuid.uuid4()), time.monotonic() + _FIRST_S
        given: dict[str, Any] = {"body": body, "query": query, "key": key, "version": self.version, **path}
        while True:
            try:
                return self.api.call(operation, within_s=within_s, **given)
            except Refused as refused:
                if refused.code != RUNNING or time.monotonic() > until:
                    raise
            time.sleep(_PAUSE_S)

    def drafted(self, form: Form) -> Form:
        """A form with what was typed into it and not sent, from the version of then: what changed meanwhile is shown
        beside it when it is sent. `?anew` drops it.
        """
        if "anew" in self.query:
            self.drop_draft(form.name)
            return form
        draft = self.sessions.draft(str(self.person["id"]), form.name)
        if draft:
            form.values, flask.g.draft_at = MultiDict(draft["values"]), draft["at"]
            form.version = draft.get("version") or form.version
        return form

    def ask_anew(self) -> None:
        """The account was changed: the next page asks what it is."""
        self.session.set("person_at", 0)
        self.names.forget()

    def drop_draft(self, name: str) -> None:
        """What was typed was sent, or is not wanted."""
        self.sessions.drop_draft(str(self.person["id"]), name)

    # ---- how it is answered ------------------------------------------------------------------------------------------

    def page(self, template: str, *, status: int = 200, **values: Any) -> flask.Response:
        """A page, or a part of one where the template's name begins with an underscore."""
        text = flask.render_template(template, desk=self, **values)
        return flask.Response(text, status=status, mimetype="text/html")

    def go(self, endpoint: str, **values: Any) -> flask.Response:
        """To another page: a redirect, which htmx is told in its own way."""
        address = flask.url_for(endpoint, **values)
        if self.is_part:
            return flask.Response("", status=204, headers={"HX-Redirect": address})
        return flask.redirect(address, code=303)  # type: ignore[return-value]  # werkzeug's class is the base of Flask's

    def go_back(self, address: str) -> flask.Response:
        """To a page of this house, by its address; home where it is none."""
        if not shield.is_ours(address):
            return self.go("home.show")
        return flask.redirect(address, code=303)  # type: ignore[return-value]  # werkzeug's class is the base of Flask's

    def said(self, text: str, kind: str = "success", **values: Any) -> None:
        """What the next page begins with."""
        self.session.say(kind, self.words.say(text, **values))

    def again(self, template: str, error: Refused | Wrong, *, form: Form, **values: Any) -> flask.Response:
        """The same form once more, with all that was typed and what was wrong with it."""
        status = error.status if isinstance(error, Refused) else 422
        form.take(error, self.words)
        return self.page(template, status=status, form=form, **values)

    def new_key(self) -> str:
        """For a form: whatever is sent twice with it happens once."""
        return str(uuid.uuid4())

    @property
    def csrf(self) -> str:
        """For a form."""
        return shield.masked(self.session.csrf)

    @property
    def csrf_field(self) -> str:
        """The name of that field."""
        return shield.TOKEN

    def take_said(self) -> Sequence[Sequence[str]]:
        """What was to be said on this page, once."""
        found: Sequence[Sequence[str]] = self.session.pop("said", [])
        return found
