"""Sets: labelled texts to evaluate on. Public ones are read from where they lie and never copied; our own lie beside."""

import gzip
import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from jobs.scoring.examples import examples
from jobs.scoring.text import normalise
from schemas.words import SENSITIVE_CATEGORIES

OWN = Path(__file__).parent / "own"
# Which category a label of a public set is about, by set and label (* = every label).
SENSITIVE = {
    ("crows_pairs", "race-color"): "racial_or_ethnic_origin",
    ("crows_pairs", "religion"): "religion",
    ("crows_pairs", "sexual-orientation"): "sexual_orientation",
    ("bold", "political_ideology"): "political_views",
    ("bold", "religious_ideology"): "religion",
    ("medquad_q", "*"): "health",
    ("userhealth_q", "*"): "health",
    ("counselchat", "*"): "health",
    ("issuebench_prompts", "*"): "political_views",
}
# Sets that are one set whatever their labels say.
WHOLE = ("t2i_compbench", "counselchat", "medquad_q", "userhealth_q", "issuebench_prompts")
# Everyday texts: none is there for being sensitive, though some few are.
HARMLESS = ("clinc150", "banking77", "taskmaster", "t2i_compbench", "own_requests")


@dataclass(frozen=True)
class Labelled:
    """Texts of one set and label.

    category: what they are sensitive of, or None; tiers: the tier-1 topics that are right for them, or none known;
    parts: for each text 0 (thresholds are chosen on it) or 1 (it is reported), by a digest of the text; our own sets are
    reported whole: nothing is chosen on them.
    """

    name: str
    label: str
    texts: list[str]
    category: str | None
    tiers: tuple[str, ...]

    @property
    def parts(self) -> list[int]:
        if self.name.startswith("own_"):
            return [1] * len(self.texts)
        return [hashlib.sha256(text.encode()).digest()[0] & 1 for text in self.texts]


def all_sets(data: Path | None) -> list[Labelled]:
    """Our own sets, and the public ones below `data` where there is such a folder; without what is trained on."""
    trained = {normalise(text) for text, _ in examples()}
    found = [*_public(data), *_own()] if data and data.is_dir() else list(_own())
    return [
        Labelled(s.name, s.label, [text for text in s.texts if normalise(text) not in trained], s.category, s.tiers)
        for s in found
    ]


def _public(data: Path) -> Iterator[Labelled]:
    right = json.loads((data / "topics.json").read_text())
    for file in sorted((data / "tune").glob("*.jsonl.gz")):
        name, labels = file.name.partition(".")[0], {}
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            for row in map(json.loads, lines):
                labels.setdefault("*" if name in WHOLE else row["label"], []).append(row["text"])
        for label, texts in sorted(labels.items()):
            yield Labelled(name, label, texts, SENSITIVE.get((name, label)), tuple(right.get(name, {}).get(label, ())))


def _own() -> Iterator[Labelled]:
    for tiers, texts in _read("requests").items():
        yield Labelled("own_requests", tiers, texts.splitlines(), None, tuple(tiers.split("|")))
    yield Labelled("own_look_alikes", "*", _read("look_alikes")["harmless"].splitlines(), None, ())
    for category, texts in _read("sensitive").items():
        if category not in SENSITIVE_CATEGORIES:
            raise ValueError(f"evaluation: {category} is no sensitive category")
        yield Labelled("own_sensitive", category, texts.splitlines(), category, ())


def _read(name: str) -> dict[str, str]:
    return yaml.safe_load((OWN / f"{name}.yaml").read_text(encoding="utf-8"))
