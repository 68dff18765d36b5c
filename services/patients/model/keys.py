"""Search keys: short texts under which a record is found, and what a search asks of them.

A key is a letter for its kind and a text. Of a word of a name: `=` the word, `~` the word and the word with one letter
left out (two words with a slip between them share one), `^` its first one or two letters, `#` each three letters in a
row; of names written without blanks `#` each character and each two. Of numbers: `t` phone with the country's digits,
`n` within the country, `s` its last seven digits; `m` MRN; `i` identifier by its value, `u` with type and issuer; `b`
birth date, `y` birth year, `e` birth year where it is estimated.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from services.patients.model.contacts import dialled, digits_of
from services.patients.model.identifiers import bare
from services.patients.model.names import fold, is_unspaced, words, words_for_index
from services.patients.model.person import Demographics, House, Patient

SUFFIX = 7
_SLIPS_FROM, _SLIPS_TO = 4, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One thing that must fit: one of the keys `any_of`, or all keys of one of the groups `all_of`."""

    any_of: tuple[str, ...] = ()
    all_of: tuple[tuple[str, ...], ...] = ()


def keys_of(patient: Patient, *, house: House) -> list[str]:
    """All keys under which a record is found.

    Source: none, plain arithmetic.
    """
    person = patient.person
    born = person.birth
    keys = {f"m{patient.mrn}", f"y{born.year}", f"e{born.year}" if born.date is None else f"b{born.date.isoformat()}"}
    for phone in person.phones:
        keys.update(phone_keys(phone.e164 or phone.number, house=house))
    for each in person.identifiers:
        keys.update((f"i{bare(each.value)}", f"u{each.key}"))
    keys.update(_name_keys(person))
    return sorted(keys)


def sort_name(person: Demographics) -> str:
    """A name as lists are put in order: family name first, as it is compared.

    Source: none, plain arithmetic.
    """
    return " ".join(words_for_index(person.family_name, person.given_name, person.middle_name))


def phone_keys(number: str, *, house: House) -> list[str]:
    """The keys of a phone number, the same for each way to write it.

    Source:  as contacts.dialled.
    """
    read = dialled(number, country=house.country)
    if read is None:
        return []
    keys = [f"n{read.national}"]
    if read.international is not None:
        keys.append(f"t{digits_of(read.international)}")
    if len(read.national) >= SUFFIX:
        keys.append(f"s{read.national[-SUFFIX:]}")
    return keys


def phone_term(number: str, *, house: House) -> Term:
    """What a phone number asks: the same number, whether or not the country's digits were written.

    A number of seven or eight digits fits the end of a longer one, because people leave the area out.

    Source:  as contacts.dialled.
    """
    whole = [key for key in phone_keys(number, house=house) if key[0] != "s"]
    digits = digits_of(number)
    if len(digits) in {SUFFIX, SUFFIX + 1}:
        whole.append(f"s{digits[-SUFFIX:]}")
    return Term(any_of=tuple(whole) or (f"n{digits}",))


def birth_date_term(day: str) -> Term:
    """What a birth date asks: that very day.

    Source: none, plain arithmetic.
    """
    return Term(any_of=(f"b{day}",))


def mrn_term(mrn: str) -> Term:
    """What an MRN asks, with or without blanks and strokes.

    Source: none, plain arithmetic.
    """
    return Term(any_of=(f"m{digits_of(mrn)}",))


def identifier_term(value: str) -> Term:
    """What an identifier asks, of whatever type.

    Source: none, plain arithmetic.
    """
    return Term(any_of=(f"i{bare(value)}",))


def word_term(word: str) -> Term:
    """What a word of a name asks: a word like it, a word that begins with it, or one that holds it.

    Source: none, plain arithmetic.
    """
    if is_unspaced(word):
        return Term(all_of=(tuple(f"#{each}" for each in _pieces(word, 2)) or (f"#{word}",),))
    if len(word) <= 2:
        return Term(any_of=(f"^{word}", f"={word}"))
    return Term(
        any_of=tuple(f"~{each}" for each in _slips(word)), all_of=(tuple(f"#{each}" for each in _pieces(word, 3)),)
    )


def exact_keys(asked: Iterable[str]) -> tuple[str, ...]:
    """The keys that a record has when it holds all these words as they are.

    Source: none, plain arithmetic.
    """
    return tuple(f"={word}" for word in asked if not is_unspaced(word))


def name_hints(person: Demographics) -> tuple[str, ...]:
    """Keys of which anybody with nearly the same name has at least one.

    Source: none, plain arithmetic.
    """
    hints: set[str] = set()
    for word in words(f"{person.family_name} {person.given_name}"):
        hints.update(f"#{each}" for each in _pieces(word, 2)) if is_unspaced(word) else hints.update(
            f"~{each}" for each in _slips(word)
        )
        if is_unspaced(word) and len(word) == 1:
            hints.add(f"#{word}")
    return tuple(sorted(hints))


def _name_keys(person: Demographics) -> set[str]:
    keys: set[str] = set()
    for word in words_for_index(person.given_name, person.middle_name, person.family_name):
        if is_unspaced(word):
            continue
        keys.add(f"={word}")
        keys.update((f"^{word[:1]}", f"^{word[:2]}"))
        keys.update(f"~{each}" for each in _slips(word))
        keys.update(f"#{each}" for each in _pieces(word, 3))
    for joined in unspaced_forms(person.family_name, person.given_name):
        keys.update(f"#{each}" for each in joined)
        keys.update(f"#{each}" for each in _pieces(joined, 2))
    return keys


def unspaced_forms(family_name: str, given_name: str) -> tuple[str, ...]:
    """A name without blanks in both orders, where its script is written so; nothing otherwise.

    Source:  as names.is_unspaced.
    """
    family, given = "".join(fold(family_name).split()), "".join(fold(given_name).split())
    return (family + given, given + family) if is_unspaced(family + given) else ()


def _slips(word: str) -> list[str]:
    """The word and, when it is long enough to bear it, the word with each one letter left out."""
    short = word[:_SLIPS_TO]
    if len(short) < _SLIPS_FROM:
        return [short]
    return sorted({short, *(short[:place] + short[place + 1 :] for place in range(len(short)))})


def _pieces(word: str, length: int) -> list[str]:
    return sorted({word[place : place + length] for place in range(len(word) - length + 1)})
