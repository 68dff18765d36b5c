"""Names as people write them: in any script, compared without the differences that nobody types."""

from __future__ import annotations

import functools
import unicodedata

# Latin letters that have no accent to take off: o with stroke, l with stroke, and their kind.
_BARE = str.maketrans(
    {
        "\u00f8": "o",
        "\u0142": "l",
        "\u0111": "d",
        "\u00f0": "d",
        "\u00fe": "th",
        "\u00e6": "ae",
        "\u0153": "oe",
        "\u0131": "i",
        "\u0127": "h",
        "\u0167": "t",
    }
)
# Apostrophes and the letters and marks that stand for one: ' ` and acute, single quotes, modifier letters, prime, wide.
_APOSTROPHES = frozenset("'`\u00b4\u2018\u2019\u201b\u02b9\u02bb\u02bc\u02bd\u02be\u02bf\u02c8\u2032\uff07")
_HYPHENS = frozenset("-\u2010\u2011\u2012\u2013\u2014\u2212\uff0d")
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "THAI", "LAO", "KHMER", "MYANMAR")
_TURNING = frozenset({"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"})
MOST_WORDS = 16
LONGEST_WORD = 40


def tidy(text: str) -> str:
    """A name as it is kept: composed characters, single blanks, none at the ends.

    Source:  Unicode Standard Annex 15, normalization form C.
    """
    return " ".join(unicodedata.normalize("NFC", text).split())


def is_visible(text: str) -> bool:
    """Whether anything of it can be seen: not only blanks, marks and format characters.

    Source:  Unicode Standard, general categories.
    """
    return any(unicodedata.category(each)[0] in "LNPS" and each not in "\u115f\u1160\u3164\uffa0" for each in text)


def is_plain(text: str) -> bool:
    """Whether it is free of control characters, lone surrogates and what turns the direction of writing.

    Source:  Unicode Standard Annex 9, explicit directional formatting characters.
    """
    return not any(
        unicodedata.category(each) in {"Cc", "Cs"} or unicodedata.bidirectional(each) in _TURNING for each in text
    )


def fold(text: str) -> str:
    """A name as it is compared: no case, no width, Latin letters without accents; other scripts keep their marks.

    Source:  Unicode Standard, section 3.13 (caseless matching) and Annex 15 (form KC).
    """
    if text.isascii():
        return text.lower()
    folded = unicodedata.normalize("NFKC", text).casefold()
    kept: list[str] = []
    base_is_latin = False
    for each in unicodedata.normalize("NFD", folded):
        if not unicodedata.combining(each):
            base_is_latin = _script(each) == "LATIN"
        elif base_is_latin:
            continue
        kept.append(each)
    return unicodedata.normalize("NFC", "".join(kept)).translate(_BARE)


def words(text: str) -> tuple[str, ...]:
    """The words of a name as they are compared; `O'Brien` is one word, `Anne-Marie` are two.

    Source: none, plain arithmetic.
    """
    return _split(text, hyphens_join=False)


def words_for_index(*names: str | None) -> tuple[str, ...]:
    """All words under which a person is found: those of each name, and hyphenated ones written together as well.

    Source: none, plain arithmetic.
    """
    found: dict[str, None] = {}
    for name in names:
        if name:
            found.update(dict.fromkeys(_split(name, hyphens_join=False)))
            if any(each in _HYPHENS for each in name):
                found.update(dict.fromkeys(_split(name, hyphens_join=True)))
    return tuple(found)[:MOST_WORDS]


def is_unspaced(word: str) -> bool:
    """Whether a word is in a script that writes names without blanks, as Chinese or Thai.

    Source:  Unicode Standard Annex 14, section 5.1, and names of the characters.
    """
    return not word.isascii() and any(_script(each) in _UNSPACED for each in word)


def _split(text: str, *, hyphens_join: bool) -> tuple[str, ...]:
    out: list[str] = []
    for each in fold(text):
        # Joiners (Cf) only shape the letters beside them, as in Persian and Hindi.
        if each in _APOSTROPHES or (hyphens_join and each in _HYPHENS) or unicodedata.category(each) == "Cf":
            continue
        out.append(each if unicodedata.category(each)[0] in "LMN" else " ")
    return tuple(word[:LONGEST_WORD] for word in "".join(out).split())


@functools.lru_cache(maxsize=8192)
def _script(character: str) -> str:
    return unicodedata.name(character, "").split(" ")[0].split("-")[0]
