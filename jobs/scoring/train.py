"""Training is code: `python -m jobs.scoring.train` builds the model from the project's own words and examples.

Multinomial logistic regression on unit text vectors, full batch, from zero, a fixed number of steps: the same input
gives the same weights, which are then rounded to whole numbers.
"""

import sys
from pathlib import Path

import numpy as np

from jobs.scoring import embedding, taxonomy
from jobs.scoring.model import DEFAULT, LOGIT_UNIT, NEITHER, write_model
from jobs.scoring.text import normalise, words_of
from schemas.words import SENSITIVE_CATEGORIES

# How people put a word into a request, a prompt or a caption. Each word is seen in some of them.
FRAMES = (
    "{}",
    "{}",
    "tell me about {}",
    "how do i choose {}",
    "i am looking for {}",
    "what is the best {}",
    "a photo of {}",
    "a video of {}",
    "show me {}",
    "questions about {}",
    "i like {} a lot",
    "where can i find {}",
    "a painting of {} at sunset",
    "what should i know about {}",
    "any tips for {}",
    "my friend told me about {}",
    "hey, can you help me with {}",
    "why is {} so popular",
    "new {} this week",
    "{} near me",
    "my {}",
    "{} on a table",
    "something with {} for everyone",
)
FRAMES_PER_WORD = 6
STEPS, STEP_SIZE, MOMENTUM, DECAY = 500, 4.0, 0.9, 2e-5
# A vector's length in training: logits of a unit vector would be too small to be sure of anything.
GAIN = 8.0
# What one example of these counts beside one of a topic: it is worse to miss a sign than an interest.
SENSITIVE_WEIGHT, NEITHER_WEIGHT = 2.0, 1.5


def examples() -> list[tuple[str, str]]:
    """(text, class) for every word in some frames and every example as it stands."""
    sources = {**taxonomy.topics(), **taxonomy.sensitive_categories(), NEITHER: taxonomy.neither()}
    found = []
    for name, source in sources.items():
        found += [(example, name) for example in source.examples] * 2
        for at, word in enumerate(source.words):
            # 7 and 23 have no divisor in common, so every frame is used as often.
            chosen = {FRAMES[(at * FRAMES_PER_WORD + 7 * turn) % len(FRAMES)] for turn in range(FRAMES_PER_WORD)}
            found += [(frame.format(word), name) for frame in sorted(chosen)]
    return found


def classes() -> list[str]:
    """Topic ids, then the sensitive categories, then neither: the model's columns."""
    return [*taxonomy.topics(), *SENSITIVE_CATEGORIES, NEITHER]


def fit(texts: list[str], labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (DIMENSIONS, count) and bias (count,) that minimise weighted cross-entropy with a little decay."""
    x = embedding.words().unit_vectors([words_of(normalise(text)) for text in texts]) * (GAIN / embedding.TEXT_UNIT)
    target = np.eye(count)[labels]
    weight = np.ones(count)
    weight[-1 - len(SENSITIVE_CATEGORIES) : -1] = SENSITIVE_WEIGHT
    weight[-1] = NEITHER_WEIGHT
    each = weight[labels][:, None] / weight[labels].sum()
    w, b = np.zeros((x.shape[1], count)), np.zeros(count)
    speed_w, speed_b = np.zeros_like(w), np.zeros_like(b)
    for _ in range(STEPS):
        logits = x @ w + b
        odds = np.exp(logits - logits.max(axis=1, keepdims=True))
        error = (odds / odds.sum(axis=1, keepdims=True) - target) * each
        speed_w = MOMENTUM * speed_w - STEP_SIZE * (x.T @ error + DECAY * w)
        speed_b = MOMENTUM * speed_b - STEP_SIZE * error.sum(axis=0)
        w, b = w + speed_w, b + speed_b
    return w * GAIN, b


def train(file: Path = DEFAULT) -> str:
    """Train, round and write the model; its digest."""
    names = classes()
    texts, labels = zip(*examples(), strict=True)
    place = {name: index for index, name in enumerate(names)}
    weights, bias = fit(list(texts), np.array([place[label] for label in labels]), len(names))
    return write_model(file, names, np.rint(weights * LOGIT_UNIT), np.rint(bias * LOGIT_UNIT))


if __name__ == "__main__":
    sys.stdout.write(f"model {train()}\n")
