"""Scorer: a batch of texts in; a verdict, interests and signs for each out.

A text is used only when it is confidently about an interest and shows no sign of a sensitive category. Three judges look
independently: the lexicon at phrases, one network at the whole text, a smaller one at every few words of it. A phrase is a
sign alone, and so is a large share of a category in a few words, or less of it where both networks see it. A text without
a clear sign is still not used where the categories together have too large a share.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from jobs.scoring.language import supported
from jobs.scoring.model import Model, read_model
from jobs.scoring.network import Network
from jobs.scoring.reading import LABELS, Reading, Runs, in_text_order, read, segments, wholes, windows
from jobs.scoring.rollup import SCORE_UNIT, Rollup
from jobs.scoring.vocabulary import Vocabulary
from schemas.words import SENSITIVE_CATEGORIES

TOPIC_SCORES = pa.list_(pa.struct([("topic_id", pa.string()), ("score", pa.int32())]))
_VERDICTS = pa.array(["unsupported_language", "empty", "sensitive", "no_interest", "used"])
_UNSUPPORTED, _EMPTY, _SENSITIVE, _NO_INTEREST, _USED = range(5)


@dataclass(frozen=True)
class Settings:
    """What a scorer needs: the model's file, and the policy's thresholds in 1/10,000."""

    model: Path
    thresholds: tuple[int, ...]
    few_words_threshold: int
    interest_threshold: int
    most_sensitive: int
    most_sensitive_few_words: int
    most_topics: int


class Verdicts(NamedTuple):
    """One entry per text: the verdict, (topic id, score) best first, and the signs seen, bit i for category i."""

    verdict: pa.StringArray
    topics: pa.ListArray
    categories: pa.Int32Array


_WITHHELD = Verdicts(pa.array(["sensitive"]), pa.array([[]], TOPIC_SCORES), pa.array([0], pa.int32()))


class View(NamedTuple):
    """What can be seen of texts, whatever the policy.

    anything: (N,) whether there is a character to judge; readable: (N,) whether it is English; signs: (N,) bits of the
    categories that a phrase of the lexicon is a sign of; categories: (N, 7) each category's share in the whole, and
    few_words: (N, 7) its largest share in any window, in 1/10,000; evidence: (N, 7) its share and half of its largest in a
    window, where that is most: in the whole, or in any sentence or label alone; topics: (N, topics) their odds in the whole, and total:
    (N,) those of all classes.
    """

    anything: np.ndarray
    readable: np.ndarray
    signs: np.ndarray
    categories: np.ndarray
    few_words: np.ndarray
    evidence: np.ndarray
    topics: np.ndarray
    total: np.ndarray


class Scorer:
    """Scores texts by one model under one policy's thresholds."""

    def __init__(self, model: Model, settings: Settings):
        self.model, self.settings = model, settings
        self._vocabulary = Vocabulary(model)
        self._network, self._screen = Network(model.topics), Network(model.screen)
        self._topics = len(model.classes) - len(SENSITIVE_CATEGORIES) - 1
        self._rollup = Rollup(model.classes[: self._topics])

    @classmethod
    @lru_cache(maxsize=4)
    def cached(cls, settings: Settings) -> "Scorer":
        """The process's scorer for these settings, loaded once."""
        return cls(read_model(settings.model), settings)

    def judge(self, texts: pa.StringArray, labels: list[list[str]] | pa.ListArray) -> Verdicts:
        """A verdict per text with its label names. A null text is judged by its labels, and empty without any.

        A text that can't be judged, whatever the error, is sensitive, without costing the others their verdict.
        """
        labels = labels if isinstance(labels, pa.ListArray) else pa.array(labels, LABELS)
        try:
            return self._judge(texts, labels)
        except Exception:
            if len(texts) < 2:
                return Verdicts(*(column[: len(texts)] for column in _WITHHELD))
            half = len(texts) // 2
            parts = self.judge(texts[:half], labels[:half]), self.judge(texts[half:], labels[half:])
            return Verdicts(*(pa.concat_arrays(columns) for columns in zip(*parts, strict=True)))

    def _judge(self, texts: pa.StringArray, labels: pa.ListArray) -> Verdicts:
        return self.decide(self.view(texts, labels), self.settings)

    def view(self, texts: pa.StringArray, labels: pa.ListArray) -> View:
        """All that is seen of texts with their label names."""
        reading = read(texts, labels)
        word = self._vocabulary.rows(reading.words)[reading.word]
        signs, shares = self._signs(reading, word), self._shares(reading, word)
        return View(reading.anything, self._readable(reading, word), signs, *shares)

    def decide(self, view: View, settings: Settings) -> Verdicts:
        """What a policy makes of it."""
        above = view.evidence >= np.array(settings.thresholds)
        above |= view.few_words >= settings.few_words_threshold
        seen = view.signs | above @ (1 << np.arange(len(SENSITIVE_CATEGORIES)))
        clean = (seen == 0) & (view.categories.sum(axis=1) < settings.most_sensitive)
        clean &= view.few_words.sum(axis=1) < settings.most_sensitive_few_words
        least, most = settings.interest_threshold, settings.most_topics
        found = self._rollup.topics(view.topics, view.total, clean, threshold=least, most_topics=most)
        verdict = np.select(
            [~view.anything, ~view.readable, seen != 0, ~clean | (found.count == 0)],
            [_EMPTY, _UNSUPPORTED, _SENSITIVE, _NO_INTEREST],
            _USED,
        )
        return Verdicts(
            _VERDICTS.take(pa.array(verdict)),
            found.keep(verdict == _USED),
            pa.array(np.where(verdict == _SENSITIVE, seen, 0), pa.int32()),
        )

    def _shares(self, reading: Reading, word: np.ndarray) -> tuple[np.ndarray, ...]:
        """Categories, few_words, evidence, topics and total of a View."""
        rows, kinds, known = len(reading.anything), len(SENSITIVE_CATEGORIES), self._vocabulary
        categories, few_words, evidence = (np.zeros((rows, kinds), dtype=np.int64) for _ in range(3))
        alone, few_alone = (np.zeros((len(reading.row), kinds), dtype=np.int64) for _ in range(2))
        topics, total = np.zeros((rows, self._topics), dtype=np.float32), np.ones(rows)
        for of, odds, among in _judged(self._network, known.topics, word[in_text_order(reading)], wholes(reading)):
            topics[of], total[of] = odds[:, : self._topics], among
            categories[of] = _shares_of(odds[:, self._topics : -1], among)
        for of, odds, among in _judged(self._network, known.topics, word, segments(reading)):
            alone[of] = _shares_of(odds[:, self._topics : -1], among)
        for of, odds, among in _judged(self._screen, known.screen, word, windows(reading)):
            np.maximum.at(few_alone, of, _shares_of(odds[:, :-1], among))
        np.maximum.at(few_words, reading.row, few_alone)
        np.maximum.at(evidence, reading.row, alone + few_alone // 2)
        return categories, few_words, np.maximum(evidence, categories + few_words // 2), topics, total

    def _signs(self, reading: Reading, word: np.ndarray) -> np.ndarray:
        """(N,) bits of the categories that a phrase of the lexicon is a sign of, anywhere in each text."""
        known = self._vocabulary
        bits = self.model.lexicon.signs(known.form[word], known.ending[word], reading.segment)
        found, at = np.zeros(len(reading.anything), dtype=np.int64), np.flatnonzero(bits)
        np.bitwise_or.at(found, reading.row[reading.segment[at]], bits[at])
        return found

    def _readable(self, reading: Reading, word: np.ndarray) -> np.ndarray:
        known, rows = self._vocabulary, len(reading.anything)
        row = reading.row[reading.segment]
        english = supported(row, known.english[word], known.foreign[word], known.known[word], rows)
        return english & ~reading.foreign_letters & (np.bincount(row, minlength=rows) > 0)


def _judged(network: Network, vectors: np.ndarray, word: np.ndarray, runs: Runs):
    """Slice by slice: what each run is of, the odds of its classes, and their sum."""
    hidden = network.hidden(vectors, word, runs.start, runs.length)
    for at, odds in network.odds(hidden):
        yield runs.of[at], odds, odds.sum(axis=1, dtype=np.float32).astype(np.float64)


def _shares_of(odds: np.ndarray, among: np.ndarray) -> np.ndarray:
    """Odds as whole 1/10,000 of their sum."""
    return (odds.astype(np.float64) * SCORE_UNIT // among[:, None]).astype(np.int64)
