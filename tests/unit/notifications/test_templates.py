"""The words of messages: what may stand in them, which are used, and what the built-in ones never say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.model import templates
from services.notifications.model.errors import TemplateInvalid
from services.notifications.model.rendering import example
from services.notifications.model.templates import (
    DETAILS,
    MOST_CHARACTERS,
    Template,
    choose,
    filled,
    placeholders,
    read_words,
    used,
)
from services.notifications.model.texts import BUILT_IN, LANGUAGES, SUMMARIES, TEST
from services.notifications.model.words import TABLE, Kind, Way, template_name

NAMES = sorted({template_name(kind, topic) for kind, table in TABLE.items() for topic in table})


def read(text="{{date}}", *, way="sms", name="booked", language="en", **body):
    subject = {} if way == "sms" else {"subject": "A subject"}
    values = example(language=language, names_details=True)
    body = {"text": text, **subject, **body}
    return read_words(body, name=name, way=Way(way), language=language, example=values)


def refusal(**given):
    with pytest.raises(TemplateInvalid) as refused:
        read(**given)
    return refused.value


@pytest.mark.parametrize("language", sorted(LANGUAGES))
@pytest.mark.parametrize("name", NAMES)
def test_every_message_has_built_in_words_in_every_language_that_can_be_filled_in(language, name):
    values = example(language=language)
    for way in Way:
        found = templates.built_in_text(name, way, language)
        assert (found.subject is None) == (way is Way.SMS)
        for text in (found.subject or "", found.text):
            assert used(text) <= set(placeholders(name))
            shown = filled(text, values, language=language, way=way)
            assert "{" not in shown
            assert len(shown) <= MOST_CHARACTERS[way]


@pytest.mark.row("NOT-11")
def test_no_built_in_message_says_what_an_appointment_is_about():
    """Neither a placeholder for a diagnosis, a drug, a specialization, a type or a reason, nor any but the known ones."""
    for words in BUILT_IN.values():
        for name, each in words.items():
            names = used(f"{each.subject} {each.short} {each.long}")
            assert not names & set(DETAILS)
            assert names <= set(placeholders(name))
    assert not set(DETAILS) & {each for name in NAMES for each in placeholders(name)}
    for detail in DETAILS:
        assert refusal(text=f"{{{{{detail}}}}}").errors[0].rule == "unknown_placeholder"
        assert read(text=f"{{{{{detail}}}}}", names_details=True).names_details


def test_languages_have_the_same_messages_and_words_around_them():
    assert {frozenset(words) for words in BUILT_IN.values()} == {frozenset(NAMES)}
    assert SUMMARIES.keys() == TEST.keys() == LANGUAGES


def test_a_message_that_is_moved_says_both_times():
    for words in BUILT_IN.values():
        for name in ("moved", "staff_moved"):
            for text in (words[name].short, words[name].long):
                assert {"date", "time", "zone", "old_date", "old_time", "old_zone"} <= used(text)


@pytest.mark.parametrize(
    ("text", "rule", "at"),
    [
        ("Hello {{typo}}", "unknown_placeholder", 6),
        ("{{date}} {{ Date }}", "broken_placeholder", 9),
        ("{{date", "broken_placeholder", 0),
        ("date}}", "broken_placeholder", 4),
        ("{{}}", "broken_placeholder", 0),
        ("{{date.__class__}}", "broken_placeholder", 0),
        ("{{old_date}}", "unknown_placeholder", 0),  # nothing was moved
    ],
)
def test_what_cannot_be_filled_in_is_refused_with_its_place_and_not_repeated(text, rule, at):
    found = refusal(text=text)
    assert [(each.pointer, each.rule) for each in found.errors] == [("/text", rule)]
    assert found.facts["places"][0]["at"] == at
    assert found.facts["known"] == placeholders("booked")
    assert "typo" not in str(found.facts)


def test_each_field_with_a_bad_placeholder_is_named():
    found = refusal(text="{{a}} {{b}}", subject="{{c}}", way="email")
    assert {each.pointer for each in found.errors} == {"/text", "/subject"}
    assert [each["pointer"] for each in found.facts["places"]] == ["/subject", "/text", "/text"]


@pytest.mark.parametrize("way", [each.value for each in Way])
def test_a_text_over_the_limit_of_its_channel_is_refused(way):
    most = MOST_CHARACTERS[Way(way)]
    assert read(text="x" * most, way=way).text == "x" * most
    assert refusal(text="x" * (most + 1), way=way).errors[0].rule == "too_long"
    assert refusal(text="x" * (most - 1) + "{{date}}", way=way).errors[0].rule == "too_long"


def test_a_subject_stands_where_there_is_one():
    assert refusal(way="email", subject=None).errors[0].rule == "required"
    assert refusal(subject="Nowhere to put it").errors[0].rule == "not_wanted"


def own(*keys, **given):
    made = [Template(name="booked", way=Way.SMS, language=tag, text=f"own {tag}", **given) for tag in keys]
    return {(each.name, each.way, each.language): each for each in made}


@pytest.mark.parametrize(
    ("languages", "written", "found"),
    [
        (["de-AT"], [], "de"),
        (["de-AT"], ["de-AT"], "own de-AT"),
        (["de-AT"], ["de"], "own de"),
        (["pl"], [], "en"),
        (["pl"], ["pl"], "own pl"),
        (["pl", "tr"], [], "tr"),
        (["pl-PL", "tr-TR"], [], "tr"),
        ([None, None], [], "en"),
        ([None, "pl"], ["en"], "own en"),
        (["en-GB"], ["de"], "en"),
    ],
)
def test_words_are_looked_for_in_the_language_of_the_reader_then_of_the_facility_then_in_english(
    languages, written, found
):
    chosen = choose(own(*written), name="booked", way=Way.SMS, languages=languages, may_name_details=False)
    assert (chosen.text if chosen.is_own else chosen.language) == found


def test_a_template_without_words_is_the_built_in_one_again():
    bare = {("booked", Way.SMS, "en"): Template(name="booked", way=Way.SMS, language="en", version=3)}
    assert not choose(bare, name="booked", way=Way.SMS, languages=["en"], may_name_details=False).is_own


def test_what_names_details_is_passed_over_where_that_is_not_allowed():
    written = own("en", names_details=True)
    assert not choose(written, name="booked", way=Way.SMS, languages=["en"], may_name_details=False).is_own
    assert choose(written, name="booked", way=Way.SMS, languages=["en"], may_name_details=True).is_own


def test_a_message_that_nobody_knows_is_a_fault():
    with pytest.raises(LookupError):
        choose({}, name="nothing", way=Way.SMS, languages=[], may_name_details=False)


def test_a_value_in_arabic_is_one_unit_whatever_its_direction_is():
    shown = filled("{{doctor}}", {"doctor": "Dr. Example"}, language="ar", way=Way.EMAIL)
    assert shown == "\u2068Dr. Example\u2069"
    assert filled("{{doctor}}", {"doctor": "Dr. Example"}, language="ar", way=Way.SMS) == "Dr. Example"
    assert filled("{{doctor}}", {"doctor": "Dr. Example"}, language="de", way=Way.EMAIL) == "Dr. Example"


@given(st.text(), st.sampled_from(sorted(LANGUAGES)))
def test_a_value_is_never_taken_for_a_template(value, language):
    """Whatever a name holds, it stands in the message as it is."""
    shown = filled("<{{name}}>", {"name": value + "{{date}}", "date": "secret"}, language=language, way=Way.SMS)
    assert shown == f"<{value}{{{{date}}}}>"


def test_doctors_and_patients_have_words_of_their_own():
    assert {name for name in NAMES if name.startswith("staff_")} == {
        template_name(Kind.ACCOUNT, topic) for topic in TABLE[Kind.ACCOUNT]
    }
