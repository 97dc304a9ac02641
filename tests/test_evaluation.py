"""The evaluation: what it counts is right, and no text ever leaves it."""

import gzip
import json

import pytest
import yaml
from click.testing import CliRunner

from evaluation.measure import look, measure
from evaluation.report import main
from evaluation.sets import OWN, Labelled, all_sets
from jobs.batch import settings_of
from jobs.policy import read_policies
from jobs.scoring.examples import examples
from jobs.scoring.scorer import Scorer
from jobs.scoring.text import normalise
from schemas.words import SENSITIVE_CATEGORIES
from tests.conftest import ROOT

SETTINGS = settings_of(read_policies()[0])
SCORER = Scorer.cached(SETTINGS)


def test_a_row_counts_what_is_flagged_used_and_right():
    texts = ["how do i roast a chicken with garlic", "who won the baseball game", "my diabetes", "hello there"]
    row = measure(SCORER, look(SCORER, Labelled("set", "label", texts, None, ("Food & Drink",))), SETTINGS)
    assert (row.count, row.flagged, row.used, row.right) == (4, 1, 2, 1)


@pytest.mark.parametrize(("count", "used", "leaks"), [(299, 3, False), (299, 4, True), (500, 5, False), (500, 6, True)])
def test_small_sets_may_leak_three_and_large_ones_one_in_a_hundred(count, used, leaks):
    row = measure(SCORER, look(SCORER, Labelled("set", "*", ["hello there"] * count, "health", ())), SETTINGS)
    assert type(row)(row.labelled, 0, used, 0).leaks_too_much is leaks


def test_the_two_parts_of_a_set_are_all_of_it_and_share_nothing():
    labelled = Labelled("set", "*", [f"text number {n}" for n in range(200)], None, ())
    seen = look(SCORER, labelled)
    one, other = (seen.part(number).labelled.texts for number in (0, 1))
    assert sorted(one + other) == sorted(labelled.texts) and 60 < len(one) < 140


def test_nothing_that_is_trained_on_is_evaluated_on():
    trained = {normalise(text) for text, _ in examples()}
    sets = all_sets(None)
    assert not trained & {normalise(text) for labelled in sets for text in labelled.texts}
    held = [
        text
        for file in OWN.glob("*.yaml")
        for of in yaml.safe_load(file.read_text()).values()
        for text in of.splitlines()
    ]
    # A held-out text that is also an example would silently shrink the set.
    assert sum(len(labelled.texts) for labelled in sets) > 0.97 * len(held)


def test_the_report_has_every_category_and_no_text(tmp_path):
    (tmp_path / "tune").mkdir()
    (tmp_path / "topics.json").write_text('{"clinc150": {"kitchen_and_dining": ["Food & Drink"]}}')
    rows = [{"text": f"zqcanary how do i cook rice number {n}", "label": "kitchen_and_dining"} for n in range(40)]
    with gzip.open(tmp_path / "tune" / "clinc150.jsonl.gz", "wt") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in rows)
    done = CliRunner().invoke(
        main, ["--data", str(tmp_path), "--out", str(tmp_path / "page.html")], catch_exceptions=False
    )
    page = (tmp_path / "page.html").read_text()
    assert "clinc150" in done.output and "kitchen_and_dining" in page and page.count("<img") == 3
    assert all(name in done.output and name in page for name in SENSITIVE_CATEGORIES)
    assert "zqcanary" not in done.output + page


def test_no_text_of_the_public_sets_is_an_example_of_ours():
    data = ROOT.parent / "shared" / "data"
    if not data.is_dir():
        pytest.skip("no public sets here")
    ours = {normalise(text) for text, _ in examples()}
    theirs = set()
    for file in (data / "tune").glob("*.gz"):
        with gzip.open(file, "rt", encoding="utf-8") as lines:
            theirs |= {normalise(json.loads(line)["text"]).strip(" ?.!") for line in lines}
    # Short everyday questions meet by chance ("what time is it"); long ones don't.
    assert [text for text in ours & theirs if len(text.split()) > 10] == []
    assert len(ours & theirs) < 0.02 * len(theirs)
