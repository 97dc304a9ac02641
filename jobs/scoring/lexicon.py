"""Lexicon: words and phrases that by themselves are a sign of a sensitive category, and phrases that only look it."""

from dataclasses import dataclass, field

import numpy as np

from jobs.scoring import taxonomy
from jobs.scoring.grammar import combinations
from jobs.scoring.reading import read, unlabelled
from jobs.scoring.text import unleet
from schemas.words import SENSITIVE_CATEGORIES

SHORTEST_ENDING_WORD = 7


@dataclass(frozen=True)
class Lexicon:
    """Phrases as paths through a trie whose edges are word forms.

    words: the words of all phrases; a word's form is its place, counted from 1, and 0 is any other word. A node of the
    trie is a number too, 0 the root. edges: (E,) sorted, an edge being node * (len(words) + 1) + form; following: (E,)
    the node that each leads to; bits: (nodes,) bit i where a phrase that is a sign of category i ends; harmless:
    (nodes,) whether a harmless phrase ends. endings: endings of words that are signs, with their bits; not_endings:
    words that end so and are none.
    """

    words: tuple[str, ...]
    edges: np.ndarray
    following: np.ndarray
    bits: np.ndarray
    harmless: np.ndarray
    endings: tuple[tuple[str, int], ...]
    not_endings: frozenset[str]
    _form: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        object.__setattr__(self, "_form", {word: at for at, word in enumerate(self.words, 1)})

    def form(self, word: str) -> tuple[int, int]:
        """A word's form, and the bits of the categories that its ending is a sign of."""
        owner = word.removesuffix("'s")
        for spelling in (word, owner, unleet(word)):
            if spelling in self._form:
                return self._form[spelling], 0
        plain = unleet(owner)
        return 0, self._by_ending(plain) | self._by_ending(plain.removesuffix("s"))

    def signs(self, forms: np.ndarray, endings: np.ndarray, segment: np.ndarray) -> np.ndarray:
        """(W,) bits of the signs that begin at each word; a sign wholly inside harmless phrases is none.

        forms: (W,); endings: (W,) bits of words by their endings; segment: (W,) no phrase reaches over its end.
        """
        hidden, found = np.zeros(len(forms) + 1, dtype=np.int64), []
        for start, length, node in self._phrases(forms, segment):
            harmless = self.harmless[node] > 0
            np.add.at(hidden, start[harmless], 1)
            np.add.at(hidden, start[harmless] + length, -1)
            sign = self.bits[node] > 0
            found.append((start[sign], length, self.bits[node[sign]]))
        # How many words up to each place lie in no harmless phrase.
        seen = np.concatenate([[0], np.cumsum(np.cumsum(hidden[:-1]) == 0)])
        bits = np.where(np.diff(seen) > 0, endings, 0)
        for start, length, of in found:
            open_to_view = seen[start + length] > seen[start]
            np.bitwise_or.at(bits, start[open_to_view], of[open_to_view])
        return bits

    def _phrases(self, forms: np.ndarray, segment: np.ndarray):
        """By length in words: the starts of all runs of that length that are paths in the trie, and their nodes."""
        at = np.flatnonzero(forms)
        node, length = np.zeros(len(at), dtype=np.int64), 0
        while len(at):
            edge = node * (len(self.words) + 1) + forms[at + length]
            place = np.minimum(np.searchsorted(self.edges, edge), len(self.edges) - 1)
            on = self.edges[place] == edge
            at, node, length = at[on], self.following[place[on]].astype(np.int64), length + 1
            yield at, length, node
            inside = at + length < len(forms)
            at, node = at[inside], node[inside]
            same = segment[at + length] == segment[at]
            at, node = at[same], node[same]

    def _by_ending(self, word: str) -> int:
        if len(word) < SHORTEST_ENDING_WORD or word in self.not_endings:
            return 0
        bits = 0
        for ending, bit in self.endings:
            if word.endswith(ending):
                bits |= bit
        return bits


def compiled() -> Lexicon:
    """The lexicon of schemas/taxonomy/sensitive."""
    signs: dict[tuple[str, ...], int] = {}
    harmless, endings, not_endings = set(), [], set()
    for bit, name in enumerate(SENSITIVE_CATEGORIES):
        category = taxonomy.sensitive_categories()[name]
        patterns = [phrase for line in category.patterns.splitlines() for phrase in combinations(line, category.lists)]
        for phrase in _split([*category.words, *category.lexicon, *patterns]):
            for form in _inflected(phrase):
                signs[form] = signs.get(form, 0) | 1 << bit
        harmless |= set(_split(category.harmless))
        endings += [(ending, 1 << bit) for ending in category.endings]
        not_endings |= set(category.not_endings)
    return _trie(signs, harmless, tuple(endings), frozenset(not_endings))


def _trie(signs: dict[tuple[str, ...], int], harmless: set[tuple[str, ...]], endings, not_endings) -> Lexicon:
    phrases = sorted(signs.keys() | harmless)
    words = tuple(sorted({word for phrase in phrases for word in phrase}))
    form = {word: at for at, word in enumerate(words, 1)}
    edges: dict[int, int] = {}
    ends: dict[tuple[str, ...], int] = {}
    for phrase in phrases:
        node = 0
        for word in phrase:
            node = edges.setdefault(node * (len(words) + 1) + form[word], len(edges) + 1)
        ends[phrase] = node
    bits, quiet = np.zeros(len(edges) + 1, dtype=np.uint8), np.zeros(len(edges) + 1, dtype=np.uint8)
    for phrase, node in ends.items():
        bits[node], quiet[node] = signs.get(phrase, 0), phrase in harmless
    order = sorted(edges)
    following = np.array([edges[edge] for edge in order], dtype=np.int32)
    return Lexicon(words, np.array(order, dtype=np.int64), following, bits, quiet, endings, not_endings)


def _split(phrases: list[str]) -> list[tuple[str, ...]]:
    """The words of each phrase, read as texts are."""
    reading = read(*unlabelled([phrase.replace(".", " ") for phrase in phrases]))
    found: list[list[str]] = [[] for _ in phrases]
    for word, segment in zip(reading.word, reading.segment, strict=True):
        found[reading.row[segment]].append(reading.words[word])
    return [tuple(words) for words in found if words]


def _inflected(phrase: tuple[str, ...]) -> list[tuple[str, ...]]:
    """A phrase, and its plural where adding an s makes one; never of less than four letters."""
    last = phrase[-1]
    if len(last) < 4 or not last.isascii() or last.endswith(("s", "'", "y")):
        return [phrase]
    return [phrase, (*phrase[:-1], last + "s")]
