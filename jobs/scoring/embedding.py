"""Words as whole-number vectors, and texts as unit vectors of them.

The vectors are WordLlama's (256 dimensions; the weights ship in its wheel, nothing is downloaded), rounded to whole
numbers. Sums of whole numbers are exact in any order, a root and a quotient are correctly rounded by IEEE 754, and a
matrix product of whole numbers below 2^53 is exact again: so a text's scores don't depend on the batch it stands in.
"""

from functools import lru_cache
from importlib.resources import files

import numpy as np
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from jobs.scoring.words import FUNCTION_WORDS

DIMENSIONS = 256
# A vector's entries in 1/1,024; a unit vector's in 1/4,096.
TOKEN_UNIT, TEXT_UNIT = 1_024, 4_096
# Function words say little of what a text is about.
CONTENT_WEIGHT, FUNCTION_WEIGHT = 4, 1
MOST_CACHED_WORDS = 200_000
LONGEST_WORD = 64


class Words:
    """Vectors of words, each tokenised once and remembered."""

    def __init__(self):
        package = files("wordllama")
        self._tokenizer = Tokenizer.from_file(str(package / "tokenizers" / "l2_supercat_tokenizer_config.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        weights = load_file(str(package / "weights" / "l2_supercat_256.safetensors"))["embedding.weight"]
        self._tokens = np.rint(weights.astype(np.float64) * TOKEN_UNIT).astype(np.int32)
        self._forget()

    def unit_vectors(self, texts: list[list[str]]) -> np.ndarray:
        """Shape (texts, DIMENSIONS), float64 with whole entries in 1/TEXT_UNIT; a text without words is all zeros."""
        if len(self._row) > MOST_CACHED_WORDS:
            self._forget()
        rows = [self._row.get(word) if word in self._row else self._learn(word) for text in texts for word in text]
        sums = np.zeros((len(texts), DIMENSIONS))
        lengths = np.array([len(text) for text in texts])
        filled = np.flatnonzero(lengths)
        if len(filled):
            starts = (np.cumsum(lengths) - lengths)[filled]
            sums[filled] = np.add.reduceat(self._vectors[rows], starts, axis=0)
        norms = np.sqrt((sums * sums).sum(axis=1, keepdims=True))
        return np.rint(np.divide(sums * TEXT_UNIT, norms, out=np.zeros_like(sums), where=norms > 0))

    def _forget(self):
        self._row: dict[str, int] = {}
        self._vectors = np.zeros((1_024, DIMENSIONS))

    def _learn(self, word: str) -> int:
        ids = self._tokenizer.encode(word[:LONGEST_WORD], add_special_tokens=False).ids
        weight = FUNCTION_WEIGHT if word in FUNCTION_WORDS else CONTENT_WEIGHT
        row = len(self._row)
        if row == len(self._vectors):
            self._vectors = np.concatenate([self._vectors, np.zeros_like(self._vectors)])
        if ids:
            # A word of several tokens counts once: their rounded mean.
            self._vectors[row] = weight * np.rint(self._tokens[ids].sum(axis=0) / len(ids))
        self._row[word] = row
        return row


@lru_cache(maxsize=1)
def words() -> Words:
    """The process's one cache of word vectors."""
    return Words()
