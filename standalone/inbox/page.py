"""The inbox as a page: a list and one message, all of it escaped text, usable without any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any
from urllib.parse import quote

_NAMES = {"email": "E-mail", "sms": "SMS", "push": "Push"}
_FACTS = (
    ("at", "Came"),
    ("to", "To"),
    ("from", "From"),
    ("language", "Language"),
    ("attachments", "Files"),
    ("message_id", "Message-ID"),
    ("reference", "Reference"),
    ("request_id", "X-Request-ID"),
    ("auto_submitted", "Auto-Submitted"),
    ("provider", "Provider"),
    ("provider_id", "Provider's name"),
    ("urgency", "Urgency"),
    ("ttl_s", "Kept for (s)"),
    ("topic", "Topic"),
)
_INVITATION = (
    ("method", "Method"),
    ("start", "Start"),
    ("uid", "UID"),
    ("sequence", "Sequence"),
    ("status", "Status"),
)
_STYLE = """
:root{color-scheme:light dark;--ink:#1b1f24;--soft:#57606a;--line:#d8dee4;--paper:#fff;--back:#f6f8fa;--link:#0550ae;
--email:#0550ae;--sms:#116329;--push:#8250df}
@media(prefers-color-scheme:dark){:root{--ink:#e6edf3;--soft:#9198a1;--line:#30363d;--paper:#161b22;--back:#0d1117;
--link:#79b8ff;--email:#79b8ff;--sms:#56d364;--push:#d2a8ff}}
*{box-sizing:border-box}
body{font:16px/1.5 system-ui,sans-serif;margin:0;color:var(--ink);background:var(--back)}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 4rem}
h1{font-size:1.5rem;line-height:1.25;margin:.25rem 0;overflow-wrap:anywhere}
p{margin:.25rem 0 1rem;color:var(--soft)}
a{color:var(--link)}
nav{display:flex;flex-wrap:wrap;gap:.5rem;margin:1rem 0}
nav a{padding:.35rem .8rem;border:1px solid var(--line);border-radius:2rem;background:var(--paper);color:inherit;
text-decoration:none}
nav a[aria-current]{background:var(--ink);color:var(--paper);border-color:var(--ink)}
ol,.sheet{list-style:none;margin:0;padding:0;background:var(--paper);border:1px solid var(--line);border-radius:.5rem}
li{display:grid;grid-template-columns:5rem minmax(8rem,15rem) minmax(0,1fr) auto;gap:.25rem 1rem;align-items:baseline;
padding:.6rem 1rem}
li+li{border-top:1px solid var(--line)}
li a{font-weight:600;text-decoration:none;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
li a:hover{text-decoration:underline}
.link{min-width:0}.link a{display:block}
.to{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
time{color:var(--soft);font-size:.875rem;font-variant-numeric:tabular-nums;white-space:nowrap}
.kind{font-size:.875rem;font-weight:600;white-space:nowrap}
.kind::before{content:"";display:inline-block;width:.6em;height:.6em;border-radius:50%;background:currentColor;
margin-inline-end:.5em}
.email{color:var(--email)}.sms{color:var(--sms)}.push{color:var(--push)}
.sheet{padding:1rem;margin:1rem 0}
.text{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:plaintext}
dl{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:.25rem 1.5rem;margin:0}
dt{color:var(--soft)}
dd{margin:0;overflow-wrap:anywhere}
h2{font-size:1rem;margin:0 0 .5rem}
@media(max-width:40rem){
li{grid-template-columns:minmax(0,1fr) auto}
li .kind{order:1}li time{order:2}li .link{order:3;grid-column:1/-1}li .to{order:4;grid-column:1/-1;color:var(--soft)}
li a{white-space:normal;overflow-wrap:anywhere}
dl{grid-template-columns:minmax(0,1fr)}dd{margin-bottom:.5rem}
}
"""


def listing(messages: Sequence[Mapping[str, Any]], *, counts: Mapping[str, int], kind: str | None) -> bytes:
    """The last messages, newest first, and how many there were of each kind."""
    links = [_tab("All", sum(counts.values()), kind=None, is_here=kind is None)]
    links += [_tab(_NAMES[each], count, kind=each, is_here=kind == each) for each, count in counts.items()]
    rows = "".join(map(_row, messages))
    shown = f"<ol>{rows}</ol>" if rows else "<p>Nothing has been sent yet.</p>"
    asked = sum(counts.values()) if kind is None else counts.get(kind, 0)
    rest = f"<p>The last {len(messages)} of {asked}.</p>" if 0 < len(messages) < asked else ""
    return _page(
        "Inbox",
        "<h1>Inbox</h1><p>What this house would have sent. Nothing here has left the machine.</p>"
        f'<nav aria-label="Kinds">{"".join(links)}</nav>{shown}{rest}',
    )


def one(message: Mapping[str, Any] | None) -> bytes:
    """One message with its text."""
    back = '<p><a href="/">All messages</a></p>'
    if message is None:
        return _page("No such message", f"<h1>No such message</h1>{back}")
    kind = str(message["kind"])
    title = _text(message["subject"]) or _NAMES.get(kind, kind)
    invitation = message.get("invitation")
    event = f'<div class="sheet"><h2>Calendar</h2>{_facts(invitation, _INVITATION)}</div>' if invitation else ""
    language = escape(_text(message.get("language")))
    is_same = message.get("reference") == message.get("message_id")
    facts = {**message, "at": _moment(_text(message["at"])), "reference": "" if is_same else message.get("reference")}
    return _page(
        title,
        f'{back}<span class="kind {escape(kind)}">{escape(_NAMES.get(kind, kind))}</span>'
        f'<h1 dir="auto">{escape(title)}</h1>'
        f'<div class="sheet text" dir="auto" lang="{language}">{escape(_text(message["text"]))}</div>{event}'
        f'<div class="sheet">{_facts(facts, _FACTS)}</div>',
    )


def _tab(name: str, count: int, *, kind: str | None, is_here: bool) -> str:
    address = "/" if kind is None else f"/?kind={quote(kind)}"
    here = ' aria-current="page"' if is_here else ""
    return f'<a href="{address}"{here}>{escape(name)} {count}</a>'


def _row(message: Mapping[str, Any]) -> str:
    kind, at = str(message["kind"]), _text(message["at"])
    title = _text(message["subject"]) or _text(message["text"])[:120] or "(empty)"
    return (
        f'<li><span class="kind {escape(kind)}">{escape(_NAMES.get(kind, kind))}</span>'
        f'<span class="to"><bdi>{escape(_text(message["to"]))}</bdi></span>'
        f'<span class="link"><a href="/messages/{int(message["number"])}"><bdi>{escape(title)}</bdi></a></span>'
        f'<time datetime="{escape(at)}">{escape(_moment(at))}</time></li>'
    )


def _facts(message: Mapping[str, Any], names: Sequence[tuple[str, str]]) -> str:
    shown = [(label, _text(message.get(name))) for name, label in names if _text(message.get(name))]
    rows = "".join(f"<dt>{escape(label)}</dt><dd><bdi>{escape(value)}</bdi></dd>" for label, value in shown)
    return f"<dl>{rows}</dl>"


def _moment(at: str) -> str:
    """Day and time to the second, in UTC as it is kept."""
    return f"{at[:10]} {at[11:19]} UTC"


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)


def _page(title: str, body: str) -> bytes:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )
    return page.encode("utf-8", "replace")
