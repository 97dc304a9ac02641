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
    """An interest: an IAB node, what it is about, words that stand for it, and things people say of it (a line each)."""

    id: str
    name: str
    about: str
    words: list[str]
    examples: str

    @property
    def sayings(self) -> list[str]:
        return self.examples.splitlines()


class Sensitive(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A sensitive category.

    lists: terms by kind; signs: the lists whose every term is a sign by itself; frames: sentences about a term of a
    list, a line each; patterns: signs made of lists; endings: of words that are signs, with exceptions; lexicon: further
    signs; harmless: phrases in which a sign means something else; examples: things people say, a line each.
    """

    about: str
    signs: list[str]
    lists: dict[str, list[str]]
    frames: dict[str, str]
    lexicon: list[str]
    examples: str
    harmless: list[str] = []
    patterns: str = ""
    endings: list[str] = []
    not_endings: list[str] = []

    @property
    def sayings(self) -> list[str]:
        return self.examples.splitlines()

    @property
    def words(self) -> list[str]:
        """Every term that is a sign by itself."""
        return [term for name in self.signs for term in self.lists[name]]


class Neither(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is about no interest and nothing sensitive; `look_alikes` by topic id, or `neither`, only look sensitive."""

    about: str
    lists: dict[str, list[str]]
    frames: dict[str, str]
    examples: str
    look_alikes: dict[str, list[str]]

    @property
    def sayings(self) -> list[str]:
        return self.examples.splitlines()


class Requests(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Entities by kind, and frames about them by topic id (or `neither`), a line each."""

    lists: dict[str, list[str]]
    frames: dict[str, str]


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
    listed = [topic for file in sorted((FOLDER / "topics").glob("*.yaml")) for topic in _read(file, list[Topic])]
    # In the taxonomy's own order, so that what is below a node follows it.
    place = {node: at for at, node in enumerate(nodes())}
    listed.sort(key=lambda topic: [place[node.id] for node in lineage(topic.id)])
    found = {topic.id: topic for topic in listed}
    if len(found) != len(listed):
        raise ValueError("taxonomy: a topic stands twice")
    for topic in found.values():
        node = nodes()[topic.id]
        if node.name != topic.name or any(n.mark != "interest" for n in lineage(topic.id)):
            raise ValueError(f"taxonomy: topic {topic.id} is no interest node of that name")
    return found


@lru_cache(maxsize=1)
def sensitive_categories() -> dict[str, Sensitive]:
    """The seven categories by name."""
    found = {file.stem: _read(file, Sensitive) for file in sorted((FOLDER / "sensitive").glob("*.yaml"))}
    if set(found) != set(SENSITIVE_CATEGORIES):
        raise ValueError("taxonomy: there must be exactly the seven sensitive categories")
    return found


@lru_cache(maxsize=1)
def neither() -> Neither:
    """Small talk, commands, arithmetic, captions of things, and look-alikes."""
    return _read(FOLDER / "neither.yaml", Neither)


@lru_cache(maxsize=1)
def requests() -> Requests:
    """Everyday requests by topic."""
    return _read(FOLDER / "requests.yaml", Requests)


@lru_cache(maxsize=1)
def frames() -> dict[str, list[str]]:
    """Frames that any term may stand in, and those that decide a class by themselves, by kind."""
    return {kind: text.splitlines() for kind, text in _read(FOLDER / "frames.yaml", dict[str, str]).items()}


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


def _read(file: Path, kind):
    return msgspec.convert(yaml.safe_load(file.read_text(encoding="utf-8")), kind)
