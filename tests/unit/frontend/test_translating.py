"""Every text of the web UI can be read in every language, and none is lost when the texts change."""

from __future__ import annotations

from pathlib import Path

import pytest

from frontend import translating
from frontend.words import LANGUAGES, Words

PO = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Language: de\\n"\n\n'


@pytest.fixture
def house(tmp_path: Path) -> Path:
    """A small web UI with one template and one file of Python."""
    (tmp_path / "templates" / "ui").mkdir(parents=True)
    (tmp_path / "translations").mkdir()
    (tmp_path / "templates" / "ui" / "page.html").write_text(
        '{% macro shown(name) %}<b aria-label="{{ _("Close") }}">{% trans %}Good day{% endtrans %}</b>'
        '{{ ngettext("%(num)d bed", "%(num)d beds", 3) }}{% endmacro %}'
    )
    (tmp_path / "said.py").write_text('desk.said("Hello %(name)s", name=1)\nTEXT = N_("Later")\n')
    for language in LANGUAGES:
        if language != "en":
            (tmp_path / "translations" / f"{language}.po").write_text(PO.replace(": de", f": {language}"))
    return tmp_path


def left(house: Path) -> list[str]:
    """What is to be done in German."""
    return [each.partition(": ")[2] for each in translating.findings(house) if each.startswith("de:")]


def written(house: Path, *entries: str) -> None:
    (house / "translations" / "de.po").write_text(PO + "\n\n".join(entries) + "\n", encoding="utf-8")


WHOLE = (
    'msgid "Close"\nmsgstr "Schließen"',
    'msgid "Good day"\nmsgstr "Guten Tag"',
    'msgid "%(num)d bed"\nmsgid_plural "%(num)d beds"\nmsgstr[0] "%(num)d Bett"\nmsgstr[1] "%(num)d Betten"',
    'msgid "Hello %(name)s"\nmsgstr "Hallo %(name)s"',
    'msgid "Later"\nmsgstr "Später"',
)


def test_nothing_of_the_web_ui_is_left_to_translate():
    assert translating.findings() == []


def test_the_files_of_the_web_ui_are_as_the_tool_writes_them():
    texts = translating.gathered()
    folder = translating.HERE / "translations"
    assert (folder / "messages.pot").read_text(encoding="utf-8") == translating.written(texts)
    for language in LANGUAGES:
        if language != "en":
            made = translating.written(translating.updated(language, texts))
            assert (folder / f"{language}.po").read_text(encoding="utf-8") == made


def test_texts_are_gathered_from_templates_and_from_python(house):
    assert {each.id for each in translating.gathered(house) if each.id} == {
        "Close",
        "Good day",
        ("%(num)d bed", "%(num)d beds"),
        "Hello %(name)s",
        "Later",
    }


def test_a_whole_translation_leaves_nothing_to_do(house):
    written(house, *WHOLE)
    assert left(house) == []


def test_a_text_without_a_translation_is_missing(house):
    written(house, *WHOLE[1:])
    assert left(house) == ["missing: Close"]


def test_a_plural_that_lacks_one_of_its_forms_is_missing(house):
    written(house, *WHOLE[:2], *WHOLE[3:], WHOLE[2].replace('"%(num)d Betten"', '""'))
    assert left(house) == ["missing: %(num)d bed"]


def test_a_doubtful_translation_is_named(house):
    written(house, f"#, fuzzy\n{WHOLE[0]}", *WHOLE[1:])
    assert left(house) == ["doubtful: Close"]


def test_a_translation_of_a_text_that_is_gone_is_named_and_taken_out(house):
    written(house, *WHOLE, 'msgid "Gone"\nmsgstr "Weg"')
    assert left(house) == ["not said any more: Gone"]
    translating.update(house)
    assert left(house) == []


@pytest.mark.parametrize("text", ["Hallo", "Hallo %(nmae)s", "Hallo %(name)s %(other)s", "Hallo %(name)s, 5 %"])
def test_a_translation_with_other_placeholders_is_named(house, text):
    written(house, *WHOLE[:3], f'msgid "Hello %(name)s"\nmsgstr "{text}"', WHOLE[4])
    assert left(house) == ["other placeholders: Hello %(name)s"]


def test_a_form_for_one_may_leave_the_number_out(house):
    written(house, *WHOLE[:2], WHOLE[2].replace("%(num)d Bett", "ein Bett", 1), *WHOLE[3:])
    assert left(house) == []


def test_words_that_stand_bare_in_a_template_are_found(house):
    (house / "templates" / "bare.html").write_text(
        '<p title="Read me">{{ name }} and {% trans %}this{% endtrans %}</p>'
    )
    assert list(translating.bare(house)) == [("bare.html", "Read me"), ("bare.html", "and")]


def test_an_update_keeps_translations_and_says_where_they_are_missing(house):
    written(house, *WHOLE[:2])
    translating.update(house)
    kept = (house / "translations" / "de.po").read_text(encoding="utf-8")
    assert 'msgstr "Schließen"' in kept
    assert 'msgid "Later"\nmsgstr ""' in kept
    translating.update(house)
    assert (house / "translations" / "de.po").read_text(encoding="utf-8") == kept


@pytest.mark.parametrize("count", [0, 1, 2, 3, 10, 11, 99, 100, 101, 102, 103])
def test_arabic_has_a_form_for_every_number(count):
    said = Words("ar").ngettext("%(num)d minute", "%(num)d minutes", count) % {"num": count}
    assert "minute" not in said
    assert (str(count) in said) == (count > 2)
