"""The texts of the web UI and their translations: gathered, brought up to date, and checked.

`python -m frontend.translating` reads every text out of the templates and the Python files, writes them to
`translations/messages.pot`, and brings the catalogue of each language up to date: what is new waits there for its
translation, what nobody says any more is taken out. Then it lists what is left to do. Entries are sorted and carry
neither dates nor line numbers: a change of the files shows the texts that have changed, and no more.
"""

from __future__ import annotations

import ast
import io
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import IO, Any, Final

import jinja2
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from frontend.words import HERE, LANGUAGES

SOURCE: Final = next(iter(LANGUAGES))
_TEMPLATES: Final = "**/templates/**.html"
_OPTIONS: Final[dict[str, Any]] = {
    "extensions": "jinja2.ext.do",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
    "newstyle_gettext": "true",
    "silent": "false",
}
_KEYWORDS: Final[Mapping[str, tuple[int, ...] | None]] = {
    "_": None,
    "gettext": None,
    "ngettext": (1, 2),
    "N_": None,
    "say": None,
    "said": None,
}
_PLACEHOLDER: Final = re.compile(r"%\((\w+)\)[a-z]")
_ATTRIBUTE: Final = re.compile(r'[\w-]+="[^"]*"')
"""What a macro that makes attributes looks like where it stands alone."""
_WORD: Final = re.compile(r"[^\W\d_]{2,}")
_SHOWN_ATTRIBUTES: Final = frozenset({"alt", "aria-label", "placeholder", "title", "data-ask"})
_NAMES: Final = frozenset({"Infirmary", "Ctrl"})
"""Words that are the same everywhere: what a product and the keys of a keyboard are called."""
_DOOR: Final = "errors/door.html"
"""Shown before a page is reached, where no language is known: in the source language, like a problem document."""


def gathered(root: Path = HERE) -> Catalog:
    """Every text that templates and Python files mark, by what it is in the source language."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    methods: list[tuple[str, Any]] = [(_TEMPLATES, "jinja2"), ("**.py", _spoken)]
    found = extract_from_dir(root, method_map=methods, options_map={_TEMPLATES: _OPTIONS}, keywords=_KEYWORDS)
    for _file, _line, text, _comments, _context in found:
        catalogue.add(text)
    return catalogue


def read(language: str, root: Path = HERE) -> Catalog:
    """The translations into a language as they stand; empty where there are none yet."""
    path = root / "translations" / f"{language}.po"
    if not path.exists():
        return Catalog(locale=language, charset="utf-8", fuzzy=False)
    with path.open("rb") as source:
        return read_po(source, locale=language)


def updated(language: str, texts: Catalog, root: Path = HERE) -> Catalog:
    """The translations of these texts, as far as there are any."""
    known, made = read(language, root), Catalog(locale=language, charset="utf-8", fuzzy=False)
    for message in _all(texts):
        old = known.get(message.id)
        if old is not None and bool(old.pluralizable) == bool(message.pluralizable):
            made.add(message.id, old.string, flags=old.flags)
        else:
            made.add(message.id)
    return made


def written(catalogue: Catalog) -> str:
    """A catalogue as the text of its file."""
    head = ["Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: 8bit"]
    if catalogue.locale:
        head += [f"Language: {catalogue.locale_identifier}", f"Plural-Forms: {catalogue.plural_forms}"]
    lines = "".join(f'"{each}\\n"\n' for each in head)
    rest = io.BytesIO()
    write_po(rest, catalogue, width=0, no_location=True, omit_header=True, sort_output=True)
    return f'msgid ""\nmsgstr ""\n{lines}\n{rest.getvalue().decode().strip()}\n'


def update(root: Path = HERE) -> None:
    """Write the texts and the catalogues of all languages anew."""
    folder, texts = root / "translations", gathered(root)
    folder.mkdir(exist_ok=True)
    (folder / "messages.pot").write_text(written(texts), encoding="utf-8")
    for language in LANGUAGES:
        if language != SOURCE:
            (folder / f"{language}.po").write_text(written(updated(language, texts, root)), encoding="utf-8")


def findings(root: Path = HERE) -> list[str]:
    """What is not right: in a language a text that is missing, doubtful, not said any more, or that lost a placeholder;
    and words in a template that nobody can translate.
    """
    texts = gathered(root)
    found = [f"{where}: bare words: {words}" for where, words in bare(root)]
    for language in LANGUAGES:
        if language != SOURCE:
            found += [f"{language}: {each}" for each in _of_language(texts, read(language, root))]
    return found


def bare(root: Path = HERE) -> Iterator[tuple[str, str]]:
    """Words that stand in a template as they are: the file, and the words."""
    environment = jinja2.Environment(extensions=["jinja2.ext.i18n", "jinja2.ext.do"], autoescape=True)
    folder = root / "templates"
    for path in sorted(each for each in folder.rglob("*.html") if each != folder / _DOOR):
        shown = _Shown()
        shown.feed(_without_code(environment, path.read_text(encoding="utf-8")))
        for text in shown.texts:
            words = [each for each in _WORD.findall(_ATTRIBUTE.sub("", text)) if each not in _NAMES]
            if words:
                yield path.relative_to(folder).as_posix(), " ".join(words)


def _spoken(
    source: IO[bytes], keywords: Collection[str], *_: Any, **__: Any
) -> Iterator[tuple[int, str, Any, list[str]]]:
    """The texts of a Python file, as Babel wants them; its own reader takes the keys of tables for texts."""
    for node in ast.walk(ast.parse(source.read())):
        if isinstance(node, ast.Call) and node.args and _called(node) in keywords:
            texts = [text for each in node.args[:2] for text in _texts(each)]
            if _called(node) == "ngettext":
                yield node.lineno, "ngettext", tuple(texts), []
            else:
                yield from ((node.lineno, _called(node), text, []) for text in _texts(node.args[0]))


def _called(node: ast.Call) -> str:
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def _texts(node: ast.expr) -> list[str]:
    """A text that stands there as it is, or either of two that are chosen from."""
    if isinstance(node, ast.IfExp):
        return [*_texts(node.body), *_texts(node.orelse)]
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def _of_language(texts: Catalog, known: Catalog) -> Iterator[str]:
    ids = {_key(each) for each in _all(texts)}
    for message in _all(known):
        if _key(message) not in ids:
            yield f"not said any more: {_first(message)}"
    for message in _all(texts):
        translated = known.get(message.id)
        strings = _strings(translated) if translated is not None else []
        if not strings or not all(strings) or len(strings) != (known.num_plurals if message.pluralizable else 1):
            yield f"missing: {_first(message)}"
        elif translated is not None and translated.fuzzy:
            yield f"doubtful: {_first(message)}"
        elif not _keeps_placeholders(message, strings):
            yield f"other placeholders: {_first(message)}"


def _keeps_placeholders(message: Message, strings: list[str]) -> bool:
    """Whether all that is filled in has its place, and nothing else; only forms for few may leave the number out."""
    wanted = {name for text in _ids(message) for name in _PLACEHOLDER.findall(text)}
    found = [set(_PLACEHOLDER.findall(each)) for each in strings]
    if wanted and any(_PLACEHOLDER.sub("", each).replace("%%", "").count("%") for each in strings):
        return False
    return found[-1] == wanted and all(each <= wanted for each in found)


def _without_code(environment: jinja2.Environment, source: str) -> str:
    """A template without its expressions, statements, and the texts that are translated."""
    made, is_translated = [], False
    for _line, kind, value in environment.lex(source):
        if kind == "name" and value in {"trans", "endtrans"}:
            is_translated = value == "trans"
        elif kind == "data" and not is_translated:
            made.append(value)
    return "".join(made)


class _Shown(HTMLParser):
    """Collects what a page shows or reads out."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._inside = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._inside = tag
        self.texts += [value for name, value in attrs if name in _SHOWN_ATTRIBUTES and value]

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser names it
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside not in {"script", "style"}:
            self.texts.append(data)


def _all(catalogue: Catalog) -> list[Message]:
    """Its texts, without the head of the file."""
    return [each for each in catalogue if each.id]


def _ids(message: Message) -> list[str]:
    return [message.id] if isinstance(message.id, str) else list(message.id)


def _strings(message: Message) -> list[str]:
    return [message.string] if isinstance(message.string, str) else list(message.string or ())


def _key(message: Message) -> tuple[str, ...]:
    return tuple(_ids(message))


def _first(message: Message) -> str:
    return _ids(message)[0]


def main() -> int:
    """Bring the files up to date and say what is left to do; the exit code is 1 while there is something."""
    update()
    left = findings()
    sys.stdout.writelines(f"{each}\n" for each in left)
    sys.stdout.write(f"{len(_all(gathered()))} texts, {len(left)} things to do\n")
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
