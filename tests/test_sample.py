"""The sample: the same seed gives the same bytes, and its truth is the rules'."""

import hashlib
import json
from datetime import date

import pytest

from jobs.errors import Exit, NightjarError
from jobs.sample import FRAMES, Recipe, make
from jobs.scoring import taxonomy
from schemas.words import SENSITIVE_CATEGORIES, SURFACES
from tests.model import gates, read

DAY = date(2025, 12, 16)
RECIPE = Recipe(first=DAY, days=1, lines=3_000, people=200, seed=3)


def digest(folder):
    hasher = hashlib.sha256()
    for file in sorted(folder.rglob("*.gz")):
        hasher.update(str(file.relative_to(folder)).encode() + file.read_bytes())
    return hasher.hexdigest()


def test_the_same_seed_gives_the_same_bytes(tmp_path):
    make(tmp_path / "a", RECIPE)
    make(tmp_path / "b", RECIPE)
    assert digest(tmp_path / "a") == digest(tmp_path / "b")
    assert digest(tmp_path / "a.truth") == digest(tmp_path / "b.truth")


def test_its_truth_is_line_by_line_what_the_rules_say(tmp_path):
    make(tmp_path / "a", RECIPE)
    for source, lines in gates(tmp_path / "a", DAY).items():
        truth = [json.loads(line)["outcome"] for line in read(tmp_path / "a.truth" / source / f"date={DAY}")]
        scored = ("used", "sensitive", "no_interest", "empty")
        assert [outcome for _, outcome in lines] == [None if outcome in scored else outcome for outcome in truth]


def test_it_has_every_surface_and_every_category_in_hundreds_of_texts(tmp_path):
    make(tmp_path / "a", Recipe(first=DAY, days=1, lines=8_000, people=200, seed=3))
    texts, kinds = {}, set()
    for (item, _), line in zip(
        gates(tmp_path / "a", DAY)["interactions"],
        read(tmp_path / "a.truth" / "interactions" / f"date={DAY}"),
        strict=True,
    ):
        kinds.add(json.loads(line)["name"])
        if item:
            texts.setdefault(item["surface"], set()).add(item["text"])
    assert set(texts) == set(SURFACES) == set(FRAMES)
    assert all(len(found) > 200 for found in texts.values())
    assert set(SENSITIVE_CATEGORIES) <= kinds
    drawn = set(taxonomy.topics()) & kinds
    assert len(drawn) > 500
    assert {taxonomy.path(topic)[0] for topic in drawn} == {taxonomy.path(topic)[0] for topic in taxonomy.topics()}


def test_texts_can_be_drawn_from_a_corpus(tmp_path):
    (tmp_path / "corpus.jsonl").write_text('{"text": "one of ours"}\n{"text": "another"}\n')
    make(tmp_path / "a", Recipe(DAY, 1, 50, 20, 1, tmp_path / "corpus.jsonl"))
    found = {item["text"] for item, _ in gates(tmp_path / "a", DAY)["interactions"] if item}
    assert found <= {"one of ours", "another", ""}


def test_it_never_writes_over_anything(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "precious").touch()
    with pytest.raises(NightjarError) as caught:
        make(tmp_path / "a", RECIPE)
    assert caught.value.code == Exit.USAGE
