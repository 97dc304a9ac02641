"""Vocabulary: what a process has learned of each word it met, once: its vectors, its place in phrases, its language."""

import numpy as np

from jobs.scoring.language import foreign_bits
from jobs.scoring.model import NETWORKS, WORD_LIMIT, Model
from jobs.scoring.pieces import Pieces
from jobs.scoring.words import FUNCTION_WORDS

MOST_WORDS = 100_000
# An English word is one MiniLM piece, or one with an ending; names and foreign words are more.
MOST_KNOWN_PIECES = 2


class Vocabulary:
    """Arrays with one row per known word; a row is learned when its word is first met."""

    def __init__(self, model: Model):
        self._pieces = Pieces(model.tokenizers, model.llama_pieces, model.minilm_pieces)
        self._networks = (model.topics, model.screen)
        self._projections = [layers.projection.astype(np.float64) for layers in self._networks]
        self._lexicon = model.lexicon
        self._forget()

    def rows(self, words: list[str]) -> np.ndarray:
        """(words,) the row of each; rows stay valid until the next call."""
        if len(self._row) + len(words) > MOST_WORDS:
            self._forget()
        unmet = [word for word in words if word not in self._row]
        if unmet:
            self._learn(list(dict.fromkeys(unmet)))
        return np.fromiter(map(self._row.__getitem__, words), dtype=np.int64, count=len(words))

    def _forget(self):
        self._row: dict[str, int] = {}
        self.topics, self.screen = (np.zeros((0, of.shape[1]), dtype=np.float32) for of in self._projections)
        self.form, self.ending, self.foreign = (np.zeros(0, dtype=np.int64) for _ in range(3))
        self.english, self.known = np.zeros(0, dtype=bool), np.zeros(0, dtype=bool)

    def _learn(self, words: list[str]):
        """Append a row for each word. Room doubles, so that words met one by one cost no copy each."""
        at, needed = len(self._row), len(self._row) + len(words)
        if needed > len(self.form):
            self._grow(max(needed, 2 * len(self.form), 4_096))
        vectors, pieces = self._pieces.vectors(words)
        for name, layers, projection in zip(NETWORKS, self._networks, self._projections, strict=True):
            projected = np.rint(vectors @ projection / layers.word_unit)
            getattr(self, name)[at:needed] = np.clip(projected, -WORD_LIMIT, WORD_LIMIT)
        foreign = foreign_bits()
        for place, word in enumerate(words, at):
            self.form[place], self.ending[place] = self._lexicon.form(word)
            self.foreign[place] = foreign.get(word, 0)
            self.english[place] = word in FUNCTION_WORDS
            self._row[word] = place
        is_form = self.form[at:needed] > 0
        self.known[at:needed] = (pieces <= MOST_KNOWN_PIECES) | is_form | [not word.isalpha() for word in words]

    def _grow(self, room: int):
        for name in ("topics", "screen", "form", "ending", "foreign", "english", "known"):
            old = getattr(self, name)
            new = np.zeros((room, *old.shape[1:]), dtype=old.dtype)
            new[: len(old)] = old
            setattr(self, name, new)
