"""Lexicon: words and phrases that by themselves are a sign of a sensitive category."""

from dataclasses import dataclass
from functools import lru_cache

from jobs.scoring.taxonomy import sensitive_categories
from jobs.scoring.text import normalise, unleet, words_of
from schemas.words import SENSITIVE_CATEGORIES


@dataclass(frozen=True)
class Lexicon:
    """Phrases by their first word: (the other words, bit of the category)."""

    by_first: dict[str, tuple[tuple[tuple[str, ...], int], ...]]
    harmless: dict[str, tuple[tuple[str, ...], ...]]

    def signs(self, words: list[str]) -> int:
        """Bit i is set where a phrase of category i stands among the words, outside every harmless phrase."""
        forms = [_singular(unleet(word)) for word in words]
        bits, at = 0, 0
        while at < len(forms):
            skip = self._harmless_at(forms, at)
            if skip:
                at += skip
                continue
            for rest, bit in self.by_first.get(forms[at], ()):
                if tuple(forms[at + 1 : at + 1 + len(rest)]) == rest:
                    bits |= bit
            at += 1
        return bits

    def _harmless_at(self, forms: list[str], at: int) -> int:
        """Length of the harmless phrase that starts here ("doctor who"), 0 if none does."""
        lengths = [
            1 + len(rest)
            for rest in self.harmless.get(forms[at], ())
            if tuple(forms[at + 1 : at + 1 + len(rest)]) == rest
        ]
        return max(lengths, default=0)


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The lexicon of schemas/taxonomy/sensitive.yaml."""
    by_first: dict[str, list] = {}
    harmless: dict[str, list] = {}
    for bit, name in enumerate(SENSITIVE_CATEGORIES):
        category = sensitive_categories()[name]
        for phrase in category.lexicon:
            first, *rest = _forms(phrase)
            by_first.setdefault(first, []).append((tuple(rest), 1 << bit))
        for phrase in category.harmless:
            first, *rest = _forms(phrase)
            harmless.setdefault(first, []).append(tuple(rest))
    return Lexicon(
        {first: tuple(found) for first, found in by_first.items()},
        {first: tuple(found) for first, found in harmless.items()},
    )


def _forms(phrase: str) -> list[str]:
    return [_singular(word) for word in words_of(normalise(phrase))]


@lru_cache(maxsize=100_000)
def _singular(word: str) -> str:
    """A word without possessive and plural endings; the same for both sides, so it need not be a word."""
    word = word.removesuffix("'s").removesuffix("’s")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if len(word) > 4 and word.endswith(("sses", "ches", "shes", "xes")):
        return word[:-2]
    if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return word[:-1]
    return word
