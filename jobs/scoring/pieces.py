"""Pieces: words as vectors, made of the word pieces of two tokenizers: WordLlama's and MiniLM's.

A word's vector is the rounded mean of its pieces' in either, side by side. Function words count a quarter: they say
little of what a text is about.
"""

import numpy as np
from tokenizers import Tokenizer

from jobs.scoring.text import unleet
from jobs.scoring.words import FUNCTION_WORDS

CONTENT_WEIGHT, FUNCTION_WEIGHT = 4, 1
LONGEST_WORD = 64


class Pieces:
    """Vectors of words from the vectors of their pieces."""

    def __init__(self, tokenizers: tuple[str, str], llama: np.ndarray, minilm: np.ndarray):
        self._tokenizers = [Tokenizer.from_str(text) for text in tokenizers]
        for tokenizer in self._tokenizers:
            tokenizer.no_padding()
            tokenizer.no_truncation()
        self._vectors = (llama, minilm)

    def vectors(self, words: list[str]) -> tuple[np.ndarray, np.ndarray]:
        """(words, D) float64, D the two widths together, with whole entries, and how many MiniLM pieces each word has (few in English words)."""
        spelled = [unleet(word)[:LONGEST_WORD] for word in words]
        halves, count = [], np.zeros(len(words), dtype=np.int64)
        for tokenizer, vectors in zip(self._tokenizers, self._vectors, strict=True):
            ids = [found.ids for found in tokenizer.encode_batch(spelled, add_special_tokens=False)]
            count = np.array([len(of) for of in ids], dtype=np.int64)
            flat = np.fromiter((piece for of in ids for piece in of), dtype=np.int64, count=int(count.sum()))
            sums = np.zeros((len(words), vectors.shape[1]))
            filled = np.flatnonzero(count)
            if len(filled):
                starts = (np.cumsum(count) - count)[filled]
                sums[filled] = np.add.reduceat(vectors[flat].astype(np.float64), starts, axis=0)
            halves.append(np.rint(sums / np.maximum(count, 1)[:, None]))
        weight = np.array([FUNCTION_WEIGHT if word in FUNCTION_WORDS else CONTENT_WEIGHT for word in words])
        return np.concatenate(halves, axis=1) * weight[:, None], count
