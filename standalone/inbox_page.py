"""The inbox as a page: a list and one message, all of it escaped text, usable without any script."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem;color:#1b1f24;background:#fff}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.4rem .6rem;border-bottom:1px solid #d0d7de}
td{overflow-wrap:anywhere}pre{white-space:pre-wrap;overflow-wrap:anywhere;background:#f6f8fa;padding:1rem}
@media(prefers-color-scheme:dark){body{color:#e6edf3;background:#0d1117}pre{background:#161b22}a{color:#79b8ff}
th,td{border-color:#30363d}}
"""


def listing(messages: Sequence[Mapping[str, Any]]) -> bytes:
    """All messages, newest first."""
    rows = "".join(_row(message) for message in messages)
    table = (
        "<table><thead><tr><th scope=col>When</th><th scope=col>Kind</th><th scope=col>To</th>"
        f"<th scope=col>Subject</th></tr></thead><tbody>{rows}</tbody></table>"
    )
    nothing = "<p>Nothing has been sent yet.</p>"
    return _page("Inbox", f"<h1>Inbox</h1><p>What this house would have sent.</p>{table if rows else nothing}")


def one(message: Mapping[str, Any] | None) -> bytes:
    """One message with its text."""
    if message is None:
        return _page("No such message", '<h1>No such message</h1><p><a href="/">All messages</a></p>')
    facts = "".join(
        f"<tr><th scope=row>{label}</th><td><bdi>{escape(_text(message.get(name)))}</bdi></td></tr>"
        for name, label in (("at", "When"), ("kind", "Kind"), ("from", "From"), ("to", "To"), ("attachments", "Files"))
        if message.get(name)
    )
    title = _text(message["subject"]) or "Without a subject"
    return _page(
        title,
        f'<p><a href="/">All messages</a></p><h1><bdi>{escape(title)}</bdi></h1><table>{facts}</table>'
        f'<pre dir="auto">{escape(_text(message["text"]))}</pre>',
    )


def _row(message: Mapping[str, Any]) -> str:
    title = _text(message["subject"]) or _text(message["text"])[:80] or "(empty)"
    link = f'<a href="/messages/{int(message["number"])}"><bdi>{escape(title)}</bdi></a>'
    cells = "".join(f"<td><bdi>{escape(_text(message[name]))}</bdi></td>" for name in ("at", "kind", "to"))
    return f"<tr>{cells}<td>{link}</td></tr>"


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")


def _page(title: str, body: str) -> bytes:
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
        f'content="width=device-width,initial-scale=1"><title>{escape(title)}</title><style>{_STYLE}</style></head>'
        f"<body><main>{body}</main></body></html>"
    )
    return page.encode("utf-8", "replace")
