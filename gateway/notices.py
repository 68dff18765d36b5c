"""What somebody with a browser is shown when the gateway itself says no where a page should be: a page of few words.

It stands alone, without a file of the web UI, which may be what is away; and in the languages of the web UI, because
nobody is there to be asked which one it shall be.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any, Final

from gateway import ui
from gateway.problems import CEL, mapper, status

_AWAY: Final = {
    "en": "Infirmary is away for a moment. What you have typed is not lost: go back, and try again shortly.",
    "de": "Infirmary ist gerade nicht erreichbar. Was Sie eingegeben haben, ist nicht verloren: Gehen Sie zurück und "
    "versuchen Sie es gleich noch einmal.",
    "ar": "النظام غير متاح للحظة. لم يضِع ما كتبته: ارجع إلى الصفحة السابقة وحاول مرة أخرى بعد قليل.",
}
_OFTEN: Final = {
    "en": "That was too often in a short time. Wait a moment, and try again.",
    "de": "Das war zu oft in kurzer Zeit. Warten Sie einen Augenblick und versuchen Sie es noch einmal.",
    "ar": "طلبات كثيرة في وقت قصير. انتظر لحظة ثم حاول مرة أخرى.",
}
_LARGE: Final = {
    "en": "This is too large to be sent. Go back, and choose a smaller file.",
    "de": "Das ist zu groß zum Senden. Gehen Sie zurück und wählen Sie eine kleinere Datei.",
    "ar": "الحجم كبير جدًا ولا يمكن إرساله. ارجع واختر ملفًا أصغر.",
}
_TEXTS: Final[Mapping[int, Mapping[str, str]]] = {413: _LARGE, 429: _OFTEN, 502: _AWAY, 503: _AWAY, 504: _AWAY}
_STYLE: Final = (
    ":root{color-scheme:light dark;font:1.1rem/1.6 system-ui,sans-serif}"
    "main{max-inline-size:34rem;margin:12vh auto;padding:0 1.5rem}small{opacity:.75}"
)
_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; frame-ancestors 'none'"
_FOR_PEOPLE: Final = (
    f"xds.route_name.startsWith('{ui.NAME}.') && 'accept' in request.headers"
    " && request.headers['accept'].contains('text/html')"
)


def mappers() -> list[dict[str, Any]]:
    """For Envoy's `local_reply_config`, before those that answer programs."""
    return [_mapper(code, texts) for code, texts in _TEXTS.items()]


def _mapper(code: int, texts: Mapping[str, str]) -> dict[str, Any]:
    person = {"extension_filter": {"name": "person", "typed_config": {"@type": CEL, "expression": _FOR_PEOPLE}}}
    answered = 503 if code == 502 else code
    again = (("retry-after", "1"),) if code != 413 else ()
    headers = (("content-security-policy", POLICY), *again)
    body = {"content_type": "text/html; charset=utf-8", "text_format_source": {"inline_string": _page(texts)}}
    both = {"and_filter": {"filters": [status("EQ", code, runtime="notices"), person]}}
    return mapper(both, answered, headers=headers, body=body)


def _page(texts: Mapping[str, str]) -> str:
    """The request's id stands below: who calls about it reads it out."""
    said = "".join(
        f'<p lang="{each}" dir="{"rtl" if each == "ar" else "ltr"}">{text}</p>' for each, text in texts.items()
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Infirmary</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head>'
        f"<body><main><h1>Infirmary</h1>{said}<p><small>%RESPONSE_HEADER(X-REQUEST-ID)%</small></p></main></body></html>\n"
    )
