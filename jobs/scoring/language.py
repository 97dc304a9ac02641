"""Language: whether a text is English enough to be screened. What can't be screened isn't used."""

import unicodedata
from functools import lru_cache

from jobs.scoring.words import FUNCTION_WORDS, foreign_function_words

# From this share of letters outside Latin script on, a text can't be screened.
MOST_FOREIGN_LETTERS = 0.2


def is_supported(plain: str, words: list[str]) -> bool:
    """Whether normalised text reads as English: Latin script, and no other language's function words in the lead."""
    if not plain.isascii():
        letters = [c for c in plain if c.isalpha()]
        foreign = sum(not unicodedata.name(c, "").startswith("LATIN") for c in letters)
        if foreign > MOST_FOREIGN_LETTERS * max(len(letters), 1):
            return False
    english = sum(word in FUNCTION_WORDS for word in words)
    foreign = [_foreign().get(word, 0) for word in words]
    told = sum(1 for languages in foreign if languages)
    if not told:
        return True
    # A word may be several languages' own: the one language that most of them speak for.
    strongest = max(sum(bool(languages >> bit & 1) for languages in foreign) for bit in range(_languages()))
    return strongest <= english or (strongest == 1 and len(words) > 4)


@lru_cache(maxsize=1)
def _foreign() -> dict[str, int]:
    """Word → set of languages, as bits."""
    found: dict[str, int] = {}
    for bit, words in enumerate(foreign_function_words().values()):
        for word in words:
            found[word] = found.get(word, 0) | 1 << bit
    return found


@lru_cache(maxsize=1)
def _languages() -> int:
    return len(foreign_function_words())
