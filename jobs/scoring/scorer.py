"""Scorer: a batch of texts in, a verdict, interests and signs for each out.

A text is used only when it is confidently about an interest and neither the lexicon nor the classifier sees a sign
of a sensitive category in any of its sentences or labels. Everything is whole numbers, so an answer depends on the
text alone: not on its batch, the engine or the processor.
"""

from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from jobs.decay import DIGITS
from jobs.scoring import embedding
from jobs.scoring.language import is_supported
from jobs.scoring.lexicon import lexicon
from jobs.scoring.model import LOGIT_UNIT, NEITHER, Model, read_model
from jobs.scoring.text import normalise, segments
from schemas.words import SENSITIVE_CATEGORIES

SCORE_UNIT = 10_000
TOPIC_SCORES = pa.list_(pa.struct([("topic_id", pa.string()), ("score", pa.int32())]))
# exp(-d / LOGIT_UNIT) in 1/10⁹ for every whole d: computed in decimal, so that it is the same everywhere.
_EXP = np.array(
    [int((DIGITS.exp(Decimal(-d) / LOGIT_UNIT) * 10**9).to_integral_value()) for d in range(0, 21 * LOGIT_UNIT)],
    dtype=np.float64,
)


@dataclass(frozen=True)
class Settings:
    """What a scorer needs: the model's file, and the policy's thresholds in 1/10,000."""

    model: Path
    thresholds: tuple[int, ...]
    interest_threshold: int
    most_topics: int


class Verdicts(NamedTuple):
    """One entry per text: the verdict, (topic id, score) best first, and the signs seen, bit i for category i."""

    verdict: pa.StringArray
    topics: pa.ListArray
    categories: pa.Int32Array


class Scorer:
    """Scores texts by one model under one policy's thresholds."""

    def __init__(self, model: Model, settings: Settings):
        self.model, self.settings = model, settings
        self._lexicon, self._words = lexicon(), embedding.words()
        place = {name: index for index, name in enumerate(model.classes)}
        self._sensitive = np.array([place[name] for name in SENSITIVE_CATEGORIES])
        self._neither = place[NEITHER]
        self._topics = np.array([i for i in range(len(place)) if i != self._neither and i not in self._sensitive])
        self._thresholds = np.array(settings.thresholds)

    @classmethod
    @lru_cache(maxsize=4)
    def cached(cls, settings: Settings) -> "Scorer":
        """The process's scorer for these settings, loaded once."""
        return cls(read_model(settings.model), settings)

    def judge(self, texts: pa.StringArray, labels: list[list[str]]) -> Verdicts:
        """A verdict per text with its label names. A null text is judged by its labels, and empty without any."""
        judged = [self._read(text, names) for text, names in zip(texts.to_pylist(), labels, strict=True)]
        pieces = [segment for item in judged for segment in item.segments]
        wholes = [[word for segment in item.segments for word in segment] for item in judged]
        signs = self._signs(pieces)
        shares = self.shares(wholes)
        verdicts, topics, categories, at = [], [], [], 0
        for item, share in zip(judged, shares, strict=True):
            seen = int(np.bitwise_or.reduce(signs[at : at + len(item.segments)], initial=0))
            seen |= self._above(share[None, :])[0]
            at += len(item.segments)
            verdict, found = self._decide(item, seen, share)
            verdicts.append(verdict)
            topics.append(found)
            categories.append(seen if verdict == "sensitive" else 0)
        return Verdicts(
            pa.array(verdicts, pa.string()), pa.array(topics, TOPIC_SCORES), pa.array(categories, pa.int32())
        )

    def shares(self, texts: list[list[str]]) -> np.ndarray:
        """Shape (texts, classes): each class's softmax share in 1/10,000, floored, for each text's words."""
        logits = np.floor(self._words.unit_vectors(texts) @ self.model.weights / embedding.TEXT_UNIT) + self.model.bias
        below = (logits.max(axis=1, keepdims=True) - logits).astype(np.int64)
        odds = np.where(below < len(_EXP), _EXP[np.minimum(below, len(_EXP) - 1)], 0)
        return (odds * SCORE_UNIT // odds.sum(axis=1, keepdims=True)).astype(np.int64)

    def _read(self, text: str | None, names: list[str]) -> "_Read":
        parts = [normalise(part) for part in (text, *names) if part is not None]
        found = [segment for part in parts for segment in segments(part)]
        supported = is_supported(" ".join(parts), [word for segment in found for word in segment])
        return _Read(found, supported, any(part.strip() for part in parts))

    def _signs(self, pieces: list[list[str]]) -> np.ndarray:
        by_lexicon = np.array([self._lexicon.signs(words) for words in pieces], dtype=np.int64)
        return by_lexicon | self._above(self.shares(pieces)) if pieces else by_lexicon

    def _above(self, shares: np.ndarray) -> np.ndarray:
        above = shares[:, self._sensitive] >= self._thresholds
        return above @ (1 << np.arange(len(SENSITIVE_CATEGORIES)))

    def _decide(self, item: "_Read", seen: int, share: np.ndarray) -> tuple[str, list[dict]]:
        if not item.anything:
            return "empty", []
        if not item.supported or not item.segments:
            return "unsupported_language", []
        if seen:
            return "sensitive", []
        best = self._topics[np.argsort(-share[self._topics], kind="stable")[: self.settings.most_topics]]
        sure = [i for i in best if share[i] >= self.settings.interest_threshold]
        if not sure:
            return "no_interest", []
        return "used", [{"topic_id": self.model.classes[i], "score": int(share[i])} for i in sure]


class _Read(NamedTuple):
    segments: list[list[str]]
    supported: bool
    anything: bool
