"""Network: sums of words in, how each class shares a text among all classes out, in whole numbers throughout."""

import numpy as np
from scipy.sparse import csr_matrix

from jobs.scoring.model import HIDDEN_LIMIT, HIDDEN_UNIT, ODDS_UNIT, Layers

# Rows at once: their logits stay in the processor's cache.
ROWS = 512


class Network:
    """Layers, ready to multiply."""

    def __init__(self, layers: Layers):
        self._weights = layers.weights.astype(np.float32)
        self._hidden_bias = layers.hidden_bias.astype(np.float64)
        self._bias = layers.bias.astype(np.float32)
        self._odds = layers.odds.astype(np.float32)
        if ODDS_UNIT * len(self._bias) >= 1 << 24:
            raise ValueError("too many classes for exact sums")

    def hidden(self, vectors: np.ndarray, word: np.ndarray, start: np.ndarray, length: np.ndarray) -> np.ndarray:
        """(windows, H) float32: the sum of each window's words, brought to a root mean square of 1, biased, rectified."""
        ends = np.cumsum(length)
        if len(start) and (start[0] or (start[1:] != ends[:-1]).any()):
            word = word[np.arange(ends[-1]) + np.repeat(start - (ends - length), length)]
        ones = np.ones(len(word), dtype=np.float32)
        words = csr_matrix((ones, word, np.concatenate([[0], ends])), shape=(len(start), len(vectors)))
        sums = (words @ vectors).astype(np.float64)
        size = np.sqrt((sums * sums).sum(axis=1, keepdims=True) / sums.shape[1])
        unit = np.rint(np.divide(sums * HIDDEN_UNIT, size, out=np.zeros_like(sums), where=size > 0))
        return np.clip(unit + self._hidden_bias, 0, HIDDEN_LIMIT).astype(np.float32)

    def odds(self, hidden: np.ndarray):
        """Slices of rows and (rows, K) float32 with their odds: whole numbers, ODDS_UNIT for the likeliest class."""
        for at in range(0, len(hidden), ROWS):
            rows = slice(at, min(at + ROWS, len(hidden)))
            logits = hidden[rows] @ self._weights
            logits += self._bias
            np.subtract(logits.max(axis=1, keepdims=True), logits, out=logits)
            np.minimum(logits, len(self._odds) - 1, out=logits)
            yield rows, self._odds[logits.astype(np.int32)]
