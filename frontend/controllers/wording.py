"""The words of messages, by event, channel and language; what a facility sends; and whether a channel works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from frontend.api import Refused
from frontend.area import Area
from frontend.desk import Desk
from frontend.forms import Form, Wrong
from frontend.labels import CHANNELS
from frontend.sayings import N_, RULES
from frontend.versions import Show, differing, plain

area = Area("wording", at="/message-texts")
_PLACE: Final = "/<event>/<channel>/<language>"
_WITHOUT_SUBJECT: Final = "sms"
_TESTED: Final = ("email", "sms", "in_app")
"""What a test can be sent by from here; a push goes to a browser that has asked for it."""


@area.get("", "notifications.manage")
def list_all(desk: Desk) -> Any:
    """The texts of one language, by event and channel."""
    form = Form()
    form.values["language"] = desk.query.get("language") or desk.words.language
    for name in ("event", "channel"):
        if desk.query.get(name):
            form.values[name] = desk.query[name]
    query = form.picked(["event", "channel"])
    items = desk.api.call("list_notification_templates", query=query, within_s=5).body["items"]
    languages = sorted({each["language"] for each in items})
    shown = [each for each in items if each["language"] == form.value("language")]
    return desk.page("wording/list.html", form=form, items=shown, written=languages)


@area.get("/other", "notifications.manage")
def other(desk: Desk) -> Any:
    """A text in a language that has none yet."""
    form = Form()
    for name in ("event", "channel", "language"):
        form.values[name] = desk.query.get(name, "")
    if "language" not in desk.query:
        return desk.page("wording/other.html", form=form)
    try:
        found = _template(desk, **form.picked(["event", "channel", "language"]))
    except (Refused, Wrong) as error:
        return desk.again("wording/other.html", error, form=form)
    return desk.go("wording.edit", event=found["event"], channel=found["channel"], language=found["language"])


@area.get(_PLACE, "notifications.manage")
def edit(desk: Desk, event: str, channel: str, language: str) -> Any:
    """One text as it is now."""
    template = _template(desk, event=event, channel=channel, language=language)
    form = desk.drafted(Form.of(template, name=_draft(template, template["version"])))
    return desk.page("wording/edit.html", form=form, wording=template, preview=_preview(desk, template, form))


@area.post(_PLACE, "notifications.manage")
def send_edit(desk: Desk, event: str, channel: str, language: str) -> Any:
    """Words of the house's own."""
    form = Form.sent(desk.form)
    place: dict[str, Any] = {"event": event, "channel": channel, "language": language}
    try:
        desk.send("set_notification_template", body=_words(form, channel), **place)
    except Refused as error:
        template, shown = _template(desk, **place), None
        if error.status == 412:
            form.other, form.version = template, template["version"]
            shown = _preview(desk, place, Form(values=form.values))
        return desk.again("wording/edit.html", error, form=form, wording=template, preview=shown)
    desk.drop_draft(_draft(place, form.version))
    desk.said(N_("The text is saved. Messages from now on use it."))
    return desk.go("wording.edit", **place)


@area.post(f"{_PLACE}/reset", "notifications.manage")
def reset(desk: Desk, event: str, channel: str, language: str) -> Any:
    """Back to the words that came with the house."""
    place: dict[str, Any] = {"event": event, "channel": channel, "language": language}
    try:
        desk.send("reset_notification_template", **place)
    except Refused as error:
        template = _template(desk, **place)
        return desk.again("wording/edit.html", error, form=Form.of(template), wording=template, preview=None)
    desk.drop_draft(_draft(place, Form.sent(desk.form).version))
    desk.said(N_("The built-in text holds again."))
    return desk.go("wording.edit", **place)


@area.post(f"{_PLACE}/preview", "notifications.manage")
def preview(desk: Desk, event: str, channel: str, language: str) -> Any:
    """How it would read, while somebody writes."""
    form = Form.sent(desk.form)
    place: dict[str, Any] = {"event": event, "channel": channel, "language": language}
    return desk.page("wording/_preview.html", form=form, wording=place, preview=_preview(desk, place, form))


@area.get("/settings", "notifications.manage")
def settings(desk: Desk) -> Any:
    """What the facility sends, by which way and when."""
    form = desk.drafted(_settings(desk))
    return desk.page("wording/settings.html", form=form, both=())


@area.post("/settings", "notifications.manage")
def send_settings(desk: Desk) -> Any:
    """Other settings from now on."""
    form = Form.sent(desk.form)
    quiet = form.picked(["quiet_hours.from", "quiet_hours.until"])
    body = {
        "quiet_hours": {name.partition(".")[2]: value for name, value in quiet.items()} or None,
        "from_name": form.text("from_name"),
        "language": form.text("language"),
        "channels": form.many("channels"),
        "may_name_details": form.is_on("may_name_details"),
    }
    try:
        desk.send("set_notification_settings", body=body, facility_id=desk.facility_id)
    except Refused as error:
        if any(each.get("pointer") == "/quiet_hours" for each in error.errors):  # one end without the other
            form.errors["quiet_hours.until"] = desk.words.say(RULES["required"])
        both: Sequence[Any] = ()
        if error.status == 412:
            stands = _settings(desk)
            form.version, both = stands.version, differing(form, stands, _compared(desk))
        return desk.again("wording/settings.html", error, form=form, both=both)
    desk.drop_draft(form.name)
    desk.said(N_("The settings are saved."))
    return desk.go("wording.settings")


@area.get("/test", "notifications.test")
def test(desk: Desk) -> Any:
    """Whether a channel works."""
    return desk.page("wording/test.html", form=Form(), delivery=None, tested=_TESTED)


@area.post("/test", "notifications.test")
def send_test(desk: Desk) -> Any:
    """One message, now; a message in the house goes to whoever tries it."""
    form = Form.sent(desk.form)
    body = form.picked(["channel", "to"]) | {"language": desk.words.language}
    if form.text("channel") == "in_app":
        body["to"] = str(desk.person["id"])
    try:
        made = desk.send("send_test_message", body=body, within_s=8).body
    except Refused as error:
        return desk.again("wording/test.html", error, form=form, delivery=None, tested=_TESTED)
    return desk.page("wording/test.html", form=form, delivery=made, tested=_TESTED)


def _settings(desk: Desk) -> Form:
    """What the facility sends, as it stands."""
    found = desk.api.call("get_notification_settings", facility_id=desk.facility_id).body
    return Form.of(found, name=f"settings.{desk.facility_id}")


def _compared(desk: Desk) -> Mapping[str, tuple[str, Show]]:
    """The fields of the settings, as people read them."""
    say = desk.words.say
    return {
        "channels": (say(N_("Channels")), lambda values: ", ".join(say(CHANNELS.get(each, each)) for each in values)),
        "quiet_hours.from": (say(N_("Quiet from")), plain),
        "quiet_hours.until": (say(N_("Quiet until")), plain),
        "from_name": (say(N_("Sender")), plain),
        "language": (say(N_("Language")), plain),
    }


def _template(desk: Desk, **place: Any) -> Mapping[str, Any]:
    missing = [name for name in ("event", "channel", "language") if name not in place]
    if missing:
        raise Wrong(dict.fromkeys(missing, "required"))
    found: Mapping[str, Any] = desk.api.call("get_notification_template", **place).body
    return found


def _draft(place: Mapping[str, Any], version: int | None) -> str:
    """The name of the draft, which the page carries too; what was typed from another version is not gone on with."""
    return f"text.{place['event']}.{place['channel']}.{place['language']}.{version}"


def _words(form: Form, channel: str) -> dict[str, Any]:
    """What was written; lines end as the API counts them, not as forms send them."""
    made: dict[str, Any] = {
        "text": form.value("text").replace("\r\n", "\n"),
        "names_details": form.value("names_details") == "true",
    }
    if channel != _WITHOUT_SUBJECT:
        made["subject"] = form.text("subject")
    return made


def _preview(desk: Desk, template: Mapping[str, Any], form: Form) -> Mapping[str, Any] | None:
    place: dict[str, Any] = {name: str(template[name]) for name in ("event", "channel", "language")}
    try:
        body = _words(form, place["channel"])
        made: Mapping[str, Any] = desk.api.call("preview_notification_template", body=body, **place).body
    except Refused as error:
        form.take(error, desk.words)
        return None
    return made
