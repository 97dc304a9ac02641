"""Taxonomy: the interests that a line may show, the signs that it must not, and how every IAB node is marked."""

import csv
from functools import lru_cache
from pathlib import Path

import msgspec
import yaml

from schemas.words import SENSITIVE_CATEGORIES

FOLDER = Path(__file__).parent.parent.parent / "schemas" / "taxonomy"
MARKS = ("interest", "sensitive", "blocked")


class Topic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An interest: an IAB node, what it is about, words that stand for it, and things people say of it."""

    id: str
    name: str
    about: str
    words: list[str]
    examples: list[str] = []


class Sensitive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sensitive category: words and examples to learn from, phrases that are a sign alone, and harmless ones."""

    about: str
    words: list[str]
    examples: list[str]
    lexicon: list[str]
    harmless: list[str] = []


class Node(msgspec.Struct, frozen=True):
    """An IAB Content Taxonomy 3.1 node, its parent ('' at tier 1) and our mark."""

    id: str
    parent: str
    name: str
    mark: str


@lru_cache(maxsize=1)
def nodes() -> dict[str, Node]:
    """Every node by id. An unmarked one is blocked."""
    with open(FOLDER / "iab_content_3_1.tsv", encoding="utf-8", newline="") as handle:
        rows = csv.DictReader(handle, delimiter="\t")
        found = {row["id"]: Node(row["id"], row["parent"], row["name"], row["mark"] or "blocked") for row in rows}
    if bad := [
        node.id for node in found.values() if node.mark not in MARKS or node.parent and node.parent not in found
    ]:
        raise ValueError(f"taxonomy: nodes {bad} are marked or placed wrongly")
    return found


@lru_cache(maxsize=1)
def topics() -> dict[str, Topic]:
    """The scored interests by id; each must be a node marked interest, below no sensitive one."""
    found = {topic.id: topic for topic in msgspec.convert(_read("topics.yaml"), list[Topic])}
    for topic in found.values():
        node = nodes().get(topic.id)
        if node is None or node.name != topic.name or any(n.mark != "interest" for n in lineage(topic.id)):
            raise ValueError(f"taxonomy: topic {topic.id} is no interest node of that name")
    return found


@lru_cache(maxsize=1)
def sensitive_categories() -> dict[str, Sensitive]:
    """The seven categories by name."""
    found = msgspec.convert(_read("sensitive.yaml"), dict[str, Sensitive])
    if set(found) != set(SENSITIVE_CATEGORIES):
        raise ValueError("taxonomy: sensitive.yaml must have exactly the seven categories")
    return found


@lru_cache(maxsize=1)
def neither() -> Topic:
    """What is about no interest and nothing sensitive: small talk, arithmetic, requests without a topic."""
    return msgspec.convert(_read("neither.yaml"), Topic)


def lineage(topic_id: str) -> list[Node]:
    """A node and its ancestors, tier 1 first."""
    chain = []
    while topic_id:
        chain.append(nodes()[topic_id])
        topic_id = chain[-1].parent
    return chain[::-1]


def path(topic_id: str) -> list[str]:
    """Names from tier 1 down to the node."""
    return [node.name for node in lineage(topic_id)]


def _read(name: str):
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
