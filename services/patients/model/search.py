"""Searching: what somebody typed becomes terms, and what was found is put in order."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID

from rapidfuzz.distance import OSA

from services.kernel.errors import FieldError, Malformed
from services.patients.model.contacts import digits_of
from services.patients.model.errors import NothingToSearch
from services.patients.model.identifiers import bare
from services.patients.model.keys import (
    Term,
    birth_date_term,
    exact_keys,
    identifier_term,
    mrn_term,
    phone_term,
    word_term,
)
from services.patients.model.names import is_unspaced, words
from services.patients.model.person import House

MOST_RANKED = 500
_MOST_WORDS = 12
_LEAST_LIKE = 60
_DAY = re.compile(r"(?<!\d)(\d{4}-\d{2}-\d{2})(?!\d)", re.ASCII)
_NUMBER = re.compile(r"(?<![^\W\d_])\+?\(?\d[\d ()./-]{3,}\d(?![^\W\d_])", re.ASCII)
_MIXED = re.compile(r"(?=[A-Z./-]*\d)[A-Z0-9](?:[A-Z0-9./-]*[A-Z0-9])?", re.ASCII | re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What to look for: every term must fit; `words` are those of names, by which hits are ranked."""

    terms: tuple[Term, ...]
    words: tuple[str, ...] = ()
    include_inactive: bool = False

    @property
    def pieces(self) -> tuple[str, ...]:
        """Keys of the records that hold every word as a part of a name; they are ranked after the exact ones."""
        return tuple(key for term in self.terms for group in term.all_of for key in group)

    @property
    def exact(self) -> tuple[str, ...]:
        """Keys of the records that hold every word as it was typed; they are ranked before there are too many."""
        return exact_keys(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A record that fits all terms, with its name as names are compared."""

    id: UUID
    sort_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A record with how well it fits, 100 is exactly."""

    id: UUID
    score: int


def read_search(asked: Mapping[str, Any], *, house: House) -> Search:
    """What was asked, as terms.

    Raises:  NothingToSearch: nothing in it can be searched for.
    Source: none, plain arithmetic.
    """
    terms: list[Term] = []
    names = words(asked.get("name", ""))
    if "text" in asked:
        text, found = _numbers_of(asked["text"], house=house)
        terms += found
        names += words(text)
    if "phone" in asked:
        terms.append(phone_term(asked["phone"], house=house))
    if "mrn" in asked:
        terms.append(mrn_term(asked["mrn"]))
    if "identifier" in asked:
        terms.append(identifier_term(asked["identifier"]))
    if "birth_date" in asked:
        terms.append(birth_date_term(asked["birth_date"]))
    names = tuple(dict.fromkeys(names))[:_MOST_WORDS]
    terms += [word_term(word) for word in names]
    if not terms:
        raise NothingToSearch(errors=[FieldError(rule="required", pointer="/text")])
    return Search(terms=tuple(terms), words=names, include_inactive=bool(asked.get("include_inactive", False)))


def ranked(found: Sequence[Found], *, asked: Search) -> list[Hit]:
    """The records that really fit, best first; equal ones by name, then by the time of registration.

    Source: none, plain arithmetic.
    """
    scored = [(name_score(asked.words, each.sort_name.split()), each) for each in found]
    scored = [(score, each) for score, each in scored if score]
    scored.sort(key=lambda pair: (-pair[0], pair[1].sort_name, pair[1].id))
    return [Hit(id=each.id, score=score) for score, each in scored]


def hits_after(hits: Sequence[Hit], *, place: Hit | None) -> Sequence[Hit]:
    """The hits that follow after a place, all of them without one.

    Where the hit at the place no longer fits, those follow that fit equally well: better shown twice than never.

    Source: none, plain arithmetic.
    """
    if place is None:
        return hits
    for number, hit in enumerate(hits):
        if hit.id == place.id:
            return hits[number + 1 :]
    return [hit for hit in hits if hit.score <= place.score]


def hit_at(keys: Sequence[Any] | None) -> Hit | None:
    """The place that a cursor holds: score and id of a hit, nothing that was typed.

    Raises:  Malformed: it holds something else.
    Source: none, plain arithmetic.
    """
    match keys:
        case None:
            return None
        case [int() as score, str() as patient_id]:
            try:
                return Hit(id=UUID(patient_id), score=score)
            except ValueError:
                pass
    raise Malformed(errors=[FieldError(rule="cursor", parameter="cursor")])


def name_score(asked: Sequence[str], name: Sequence[str]) -> int:
    """How well the words that were typed fit the words of a name, from 0 (one does not fit at all) to 100.

    Source:  optimal string alignment distance (Boytsov 2011): a swap of neighbours counts as one slip.
    """
    if not asked:
        return 100
    left = list(name)
    total = 0.0
    for word in sorted(asked, key=len, reverse=True):
        likeness, used = _best(word, left)
        if likeness < _LEAST_LIKE:
            likeness, used = _best(word, name)  # two words may be in one: `o brien` in `obrien`
        if is_unspaced(word):
            likeness, used = _unspaced_likeness(word, name), ""
        if likeness < _LEAST_LIKE:
            return 0
        if used in left:
            left.remove(used)
        total += likeness * len(word)
    return max(1, round(total / sum(len(word) for word in asked)) - min(len(left), 5))


def _best(word: str, among: Sequence[str]) -> tuple[float, str]:
    return max(((_likeness(word, each), each) for each in among), default=(0.0, ""))


def _likeness(word: str, name_word: str) -> float:
    if word == name_word:
        return 100.0
    if name_word.startswith(word):
        return 88.0 + 10.0 * len(word) / len(name_word)
    if len(word) >= 3 and word in name_word:
        return 75.0
    return 95.0 * float(OSA.normalized_similarity(word, name_word))


def _unspaced_likeness(word: str, name: Sequence[str]) -> float:
    joined = "".join(each for each in name if is_unspaced(each))
    if sorted(word) == sorted(joined):
        return 100.0
    # Around the end, because the given name may have been typed first.
    return 90.0 if word in joined + joined else 0.0


def _numbers_of(text: str, *, house: House) -> tuple[str, list[Term]]:
    """Take dates, numbers and identifiers out of a text; what is left are words."""
    terms: list[Term] = []
    for day in _DAY.findall(text):
        if _is_day(day):
            terms.append(birth_date_term(day))
            text = text.replace(day, " ")
    for number in _NUMBER.findall(text):
        terms.append(_any_number(number, house=house))
        text = text.replace(number, " ")
    left: list[str] = []
    for word in text.split():
        if _MIXED.fullmatch(word) and len(bare(word)) >= 4:
            terms.append(identifier_term(word))
        else:
            left.append(word)
    return " ".join(left), terms


def _any_number(number: str, *, house: House) -> Term:
    """Digits alone may be a phone, an MRN or an identifier."""
    fits = (phone_term(number, house=house), mrn_term(digits_of(number)), identifier_term(number))
    return Term(any_of=tuple(key for term in fits for key in term.any_of))


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
