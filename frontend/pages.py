"""The Flask application: what happens around every page, and what is shown instead of one."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import lru_cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final
from urllib.parse import SplitResult

import flask
from jinja2 import Environment
from markupsafe import Markup
from werkzeug.exceptions import HTTPException

from frontend import kept, shield, violations
from frontend.addresses import assets, url_for
from frontend.api import Api, Refused, SignInNeeded, StepUpNeeded
from frontend.area import OPEN, may_open
from frontend.controllers import AREAS
from frontend.controllers.step import ask
from frontend.desk import Desk
from frontend.entrance import ROUTE
from frontend.forms import said
from frontend.labels import COLOURS, STATUSES, functions
from frontend.names import Known, Names, Things, person_name
from frontend.navigation import navigation
from frontend.sayings import N_
from frontend.session import IDLE_S, Session, Sessions
from frontend.words import LANGUAGES, Words, best
from services.chassis import logs
from services.chassis.bridge import EXTENSIONS
from services.chassis.client import Client
from services.chassis.entrance import REQUEST_ID
from services.chassis.stores import StoreError
from services.kernel.errors import Unavailable

_PERSON_S: Final = 30
_PERSON_AGAIN_S: Final = 5
_STATIC_S: Final = 31_536_000
_REPORTS: Final = "violations"
_NOBODYS: Final = {"static", _REPORTS, None}
"""Endpoints that ask for no session."""
_ON_THE_WAY: Final = {"entry", "step"}
"""Areas that stay open to whoever has to do something first."""
_SIGN_IN_AWAY: Final = N_("Sign-in is away for a moment. Nothing was lost: try again shortly.")


def application(
    *, sessions: Sessions, client: Client, known: Known, public: SplitResult, provider: str | None, root: Path
) -> flask.Flask:
    """All pages.

    public: the address that browsers show. provider: what the outside provider of sign-ins is called, where there is
    one. root: the folder of templates and static files.
    """
    app = flask.Flask("frontend", root_path=str(root), static_folder="static", template_folder="templates")
    app.config.update(
        MAX_CONTENT_LENGTH=1 << 20,
        SEND_FILE_MAX_AGE_DEFAULT=_STATIC_S,
        IS_SECURE=public.scheme == "https",
        PUBLIC_URL=public.geturl().rstrip("/"),
        PROVIDER=provider,
    )
    app.jinja_options = {**app.jinja_options, "extensions": ["jinja2.ext.i18n", "jinja2.ext.do"]}
    is_secure = public.scheme == "https"
    for area in AREAS:
        area.register(app)
    app.add_url_rule(violations.PATH, _REPORTS, violations.noted, methods=["POST"])
    app.before_request(_arrive(sessions, client, known, public=public))
    app.after_request(_leave(sessions, is_secure=is_secure))
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.install_gettext_callables(_gettext, _ngettext, newstyle=True)  # type: ignore[attr-defined]
    status_badge = app.jinja_env.filters["status_badge"] = _status_badges(app.jinja_env)  # a filter is cheaper in rows
    app.jinja_env.globals.update(
        _=_gettext,
        gettext=_gettext,  # as new-style texts of Jinja are, and what nothing is put into is made once
        may_open=may_open,
        asset=assets(root / "static"),
        languages=LANGUAGES,
        idle_s=IDLE_S,
        person_name=person_name,
        navigation=navigation,
        url_for=url_for,
        colours=COLOURS,
        once=lru_cache(maxsize=256, typed=True),  # a text and markup of the same letters are not the same
        status_badge=status_badge,
        named=_named,
        doctor_names=_doctor_names,
        **functions(_words),
    )
    _refusals(app)
    _failures(app)
    return app


def _status_badges(templates: Environment) -> Callable[[str], Markup]:
    """How an appointment stands, as a badge in the language of the page; lists ask in every row."""
    known: dict[tuple[str, str], Markup] = {}

    def badge(status: str) -> Markup:
        words = _words()
        if (words.language, status) not in known:
            macros: Any = templates.get_template("ui/macros.html").module
            known[words.language, status] = macros.badge(words.gettext(STATUSES[status]), COLOURS[status])
        return known[words.language, status]

    return badge


def _arrive(sessions: Sessions, client: Client, known: Known, *, public: SplitResult) -> Callable[[], Any]:
    is_secure = public.scheme == "https"

    def arrive() -> Any:
        request = flask.request
        extensions = request.environ.get(EXTENSIONS, {})
        if request.url_rule is not None:
            extensions[ROUTE] = (str(request.endpoint), request.url_rule.rule)
        flask.g.request_id, flask.g.nonce = extensions.get(REQUEST_ID, ""), shield.nonce()
        if request.endpoint in _NOBODYS:
            return None
        session = sessions.load(request.cookies.get(shield.cookie_name(is_secure=is_secure)))
        source = request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip() or request.remote_addr or ""
        api = Api(client, sessions, session, source=source)
        desk = flask.g.desk = _desk(session, sessions, api, known)
        own = public.netloc
        given: Any = request.headers
        shield.check(request.method, own=own, given=given, form=request.form, session=session)
        if kept.MARK in request.form:
            kept.drop(desk)
        if request.endpoint in flask.current_app.config[OPEN]:
            return None
        return _admitted(desk)

    return arrive


def _desk(session: Session, sessions: Sessions, api: Api, known: Known) -> Desk:
    language = session.get("language") or best(flask.request.headers.get("Accept-Language"))
    account = str((session.get("person") or {}).get("id", ""))
    names = Names(known, api, account=account)
    return Desk(session=session, sessions=sessions, api=api, words=Words(language), names=names, nonce=flask.g.nonce)


def _admitted(desk: Desk) -> Any:
    """Who is signed in, as the API says it now; who has to do something first is led there."""
    if time.time() - desk.session.get("person_at", 0) > _PERSON_S:
        _ask_who(desk)
    if desk.facility:
        desk.words.zone = str(desk.facility["zone"])
    if desk.owed and flask.request.blueprint not in _ON_THE_WAY and not _is_at(desk.owed):
        return desk.go(desk.owed)
    if flask.request.method in shield.SAFE:
        _check_opens(desk)
    return None


def _ask_who(desk: Desk) -> None:
    """Ask who is signed in; while nobody can say, what was said last holds: the services look at the token anyway."""
    now = time.time()
    try:
        desk.session.set("person", desk.api.call("get_own_account").body)
    except Unavailable:
        if not desk.person:
            raise
        now -= _PERSON_S - _PERSON_AGAIN_S
    desk.session.set("person_at", now)
    desk.sessions.hold(desk.session)


def _check_opens(desk: Desk) -> None:
    """What is not linked to is not shown by its address either: a form that the API would not take helps nobody.

    Changes are left to the API, which refuses them, so that the form stands there again with all that was typed.
    """
    endpoint = str(flask.request.endpoint)
    if flask.request.url_rule is None or may_open(endpoint, desk):
        return
    _ask_who(desk)  # what was given a moment ago counts
    if not may_open(endpoint, desk):
        raise Refused(HTTPStatus.FORBIDDEN)


def _is_at(endpoint: str) -> bool:
    """Whether the page that is asked for is this one, or one of its steps."""
    path = flask.url_for(endpoint)
    return flask.request.path == path or flask.request.path.startswith(f"{path}/")


def _leave(sessions: Sessions, *, is_secure: bool) -> Callable[[flask.Response], flask.Response]:
    name, options = shield.cookie_name(is_secure=is_secure), shield.cookie_options(is_secure=is_secure)

    def leave(response: flask.Response) -> flask.Response:
        desk = flask.g.get("desk")
        if desk is not None and (desk.session.changed or desk.session.is_signed_in):
            try:
                if sessions.save(desk.session) and _is_to_know(desk.session.cookie, flask.request.cookies.get(name)):
                    response.set_cookie(name, desk.session.cookie, **options)  # type: ignore[arg-type]
            except StoreError:  # what was answered cannot be gone on with; an error stays as it is
                response = response if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR else _store_away()
        for header, value in shield.headers(flask.g.get("nonce", ""), is_secure=is_secure).items():
            if header != "Cache-Control" or flask.request.endpoint != "static":
                response.headers.setdefault(header, value)
        return response

    return leave


def _is_to_know(cookie: str, brought: str | None) -> bool:
    """Whether the browser is told its cookie: with each page, because it ends in a day, and after a change that had
    another one.

    What a page looks up by itself neither prolongs nor exchanges it: such an answer may come after that to a sign-out,
    and would take the place of the cookie that was given there.
    """
    given = flask.request.headers
    is_page = given.get("Sec-Fetch-Mode", "navigate") == "navigate" and "HX-Request" not in given
    return is_page or (cookie != brought and flask.request.method not in shield.SAFE)


def _refusals(app: flask.Flask) -> None:
    """What is shown when something did not go as it should: what happened, what to do, and the request's id."""

    @app.errorhandler(SignInNeeded)
    def sign_in(_: SignInNeeded) -> Any:
        desk: Desk = flask.g.desk
        kept.keep(desk, desk.session.holder["person"])
        return kept.to_sign_in(desk)

    @app.errorhandler(StepUpNeeded)
    def step_up(_: StepUpNeeded) -> Any:
        return ask(flask.g.desk)

    @app.errorhandler(Refused)
    def refused(error: Refused) -> Any:
        return _error(error.status, said(error, _words()), request_id=error.request_id)


def _failures(app: flask.Flask) -> None:
    """What is shown when a part is away, or nobody thought of it."""

    @app.errorhandler(Unavailable)
    def away(_: Unavailable) -> Any:
        return _error(
            503,
            _words().say("A part of the house is away for a moment. Nothing was lost: try again shortly."),
            sent=kept.of_request(),
        )

    @app.errorhandler(StoreError)
    def store_away(_: StoreError) -> Any:
        return _store_away()

    _mistakes(app)


def _mistakes(app: flask.Flask) -> None:
    """The same for what no service has said no to."""

    @app.errorhandler(shield.Forged)
    def forged(error: shield.Forged) -> Any:
        answer = kept.from_former(flask.g.desk) if isinstance(error, shield.Outdated) else None
        if answer is not None:
            return answer
        return _error(403, _words().say("This page was too old to be sent. Go back, load it anew and send it again."))

    @app.errorhandler(HTTPException)
    def other(error: HTTPException) -> Any:
        texts = {
            404: N_("There is no such page."),
            405: N_("This page cannot be used like that."),
            413: N_("This is too large to be sent. Choose a smaller file."),
        }
        return _error(error.code or 500, _words().say(texts.get(error.code or 500, N_("This did not work."))))

    @app.errorhandler(Exception)
    def unexpected(error: Exception) -> Any:
        logs.logger().error("request.failed", code="unexpected", exc_info=error)
        return _error(
            500, _words().say("Something went wrong here. It was noted; tell us the number below if you call.")
        )


def _store_away() -> flask.Response:
    return _error(503, _words().say(_SIGN_IN_AWAY))


def _error(status: int, text: str, *, request_id: str = "", sent: kept.Sent | None = None) -> flask.Response:
    desk = flask.g.get("desk")
    is_part = flask.request.headers.get("HX-Request") == "true"
    template = "errors/_error.html" if is_part else "errors/error.html"
    page = flask.render_template(
        template,
        desk=desk,
        words=_words(),
        status=status,
        text=text,
        request_id=request_id or flask.g.request_id,
        sent=sent,
    )
    return flask.Response(page, status=status, mimetype="text/html")


def _words() -> Words:
    desk = flask.g.get("desk")
    return desk.words if desk is not None else Words(best(flask.request.headers.get("Accept-Language")))


def _gettext(text: str, **values: Any) -> Markup:
    return _words().marked(text, **values)


def _ngettext(one: str, many: str, count: int) -> str:
    return _words().ngettext(one, many, count)


def _named(things: Things) -> list[tuple[str, str]]:
    """For a choice: id and name, by name."""
    return sorted(((key, str(each["name"])) for key, each in things.items()), key=lambda pair: pair[1].casefold())


def _doctor_names(things: Things) -> list[tuple[str, str]]:
    """For a choice: id and whole name, by family name."""
    by_name = sorted(things.items(), key=lambda pair: str(pair[1]["family_name"]).casefold())
    return [(key, person_name(each)) for key, each in by_name]
