"""Scorer: a batch of texts in; a verdict, interests and signs for each out.

A text is used only when it is confidently about an interest and shows no sign of a sensitive category. Signs are
independent of each other, and one is enough: a phrase of the lexicon, or a category's share of any window of the text
or of the whole. A text without a clear sign is still not used where the categories together have too large a share.
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
from jobs.scoring.reading import LABELS, Reading, in_text_order, read, wholes, windows
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
    interest_threshold: int
    most_sensitive: int
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
    categories that a phrase of the lexicon is a sign of; categories: (N, 7) each category's largest share, of any
    window or the whole, in 1/10,000; topics: (N, topics) their odds in the whole, and total: (N,) those of all classes.
    """

    anything: np.ndarray
    readable: np.ndarray
    signs: np.ndarray
    categories: np.ndarray
    topics: np.ndarray
    total: np.ndarray


class Scorer:
    """Scores texts by one model under one policy's thresholds."""

    def __init__(self, model: Model, settings: Settings):
        self.model, self.settings = model, settings
        self._vocabulary, self._network = Vocabulary(model), Network(model)
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
        above = view.categories >= np.array(settings.thresholds)
        seen = view.signs | above @ (1 << np.arange(len(SENSITIVE_CATEGORIES)))
        clean = (seen == 0) & (view.categories.sum(axis=1) < settings.most_sensitive)
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

    def _shares(self, reading: Reading, word: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Categories, topics and total of a View."""
        rows = len(reading.anything)
        categories = np.zeros((rows, len(SENSITIVE_CATEGORIES)), dtype=np.int64)
        topics, total = np.zeros((rows, self._topics), dtype=np.float32), np.ones(rows)
        whole, part = wholes(reading), windows(reading)
        parts = np.bincount(part.row, minlength=rows)
        # A text of one window is its own whole.
        part = part._replace(**{name: getattr(part, name)[parts[part.row] > 1] for name in part._fields})
        for window, order in ((whole, in_text_order(reading)), (part, None)):
            words = word if order is None else word[order]
            hidden = self._network.hidden(self._vocabulary.vectors, words, window.start, window.length)
            for at, odds in self._network.odds(hidden):
                of, among = window.row[at], odds.sum(axis=1, dtype=np.float32).astype(np.float64)
                share = odds[:, self._topics : -1].astype(np.float64) * SCORE_UNIT // among[:, None]
                np.maximum.at(categories, of, share.astype(np.int64))
                if order is not None:
                    topics[of], total[of] = odds[:, : self._topics], among
        return categories, topics, total

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
