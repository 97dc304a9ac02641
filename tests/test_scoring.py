"""The scorer: an answer depends on the text alone, and nothing sensitive ever shows an interest."""

import json
import subprocess
import sys

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.batch import settings_of
from jobs.policy import read_policies
from jobs.scoring import taxonomy
from jobs.scoring.lexicon import lexicon
from jobs.scoring.model import DEFAULT, read_model
from jobs.scoring.scorer import Scorer
from jobs.scoring.text import normalise, words_of
from jobs.scoring.train import train
from schemas.words import SENSITIVE_CATEGORIES

SCORER = Scorer.cached(settings_of(read_policies()[0]))
INTERESTS = [topic.examples[0] for topic in taxonomy.topics().values()]
SENSITIVE = [text for category in taxonomy.sensitive_categories().values() for text in category.examples]


def judge(*texts, labels=None):
    verdicts = SCORER.judge(pa.array(texts, pa.string()), labels or [[]] * len(texts))
    return list(zip(*(column.to_pylist() for column in verdicts), strict=True))


def outcome(text, *labels):
    return judge(text, labels=[list(labels)])[0][0]


@pytest.mark.parametrize(
    ("text", "tier_1"),
    [
        ("how do i sear a steak", "Food & Drink"),
        ("book a flight to denver", "Travel"),
        ("transfer fifty dollars to my savings account", "Personal Finance"),
        ("who won the baseball game last night", "Sports"),
        ("how do i teach my puppy to fetch", "Pets"),
        ("play some slow jazz", "Entertainment"),
    ],
)
def test_a_plain_request_shows_its_interest(text, tier_1):
    verdict, topics, _ = judge(text)[0]
    assert verdict == "used"
    assert taxonomy.path(topics[0]["topic_id"])[0] == tier_1
    assert topics == sorted(topics, key=lambda topic: -topic["score"])


@pytest.mark.parametrize("category", SENSITIVE_CATEGORIES)
def test_every_category_is_recognised_in_its_own_words(category):
    texts = taxonomy.sensitive_categories()[category].lexicon
    assert {verdict for verdict, _, _ in judge(*texts)} <= {"sensitive", "unsupported_language"}


@pytest.mark.parametrize(
    "text",
    [
        "I p r a y every night",
        "is he g​ay",
        "i am de\u00adpressed",
        "the chur\u0441h choir",
        "my d1abetes and dinner recipes",
        "DEMOCRATS or REPUBLICANS?",
        "roast chicken recipe 🙏 for dinner",
    ],
)
def test_disguised_signs_are_seen(text):
    assert outcome(text) == "sensitive"


@pytest.mark.parametrize(
    "text", ["western union exchange rate", "union of two sets", "red state of matter", "party dress", "turkey recipes"]
)
def test_what_merely_looks_sensitive_need_not_be(text):
    assert outcome(text) != "sensitive"


def test_labels_are_screened_too():
    caption = "a recipe for tomato soup and garlic bread"
    assert outcome(caption, "soup") == "used"
    assert outcome(caption, "soup", "pill bottle") == "sensitive"
    assert outcome(None, "church") == "sensitive"
    assert outcome("", "golden retriever") == "used"


def test_no_text_and_no_labels_is_empty_and_other_languages_are_not_supported():
    assert [outcome(text) for text in (None, "", "  ​ ")] == ["empty", "empty", "empty"]
    for text in (
        "¿dónde puedo comprar una bicicleta para mi hijo?",
        "wo kann ich ein fahrrad für mein kind kaufen",
        "где купить велосипед",
        "自転車はどこで買えますか",
        "!!! ???",
    ):
        assert outcome(text) == "unsupported_language"


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from(INTERESTS + SENSITIVE + [""]), min_size=1, max_size=12), st.data())
def test_an_answer_does_not_depend_on_its_batch(texts, data):
    whole = judge(*texts)
    cut = data.draw(st.integers(0, len(texts)))
    assert (judge(*texts[:cut]) if cut else []) + (judge(*texts[cut:]) if cut < len(texts) else []) == whole
    assert [judge(text)[0] for text in texts] == whole


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(INTERESTS), st.sampled_from(SENSITIVE), st.booleans())
def test_adding_a_sensitive_sentence_never_makes_a_text_used(interest, sensitive, first):
    if outcome(sensitive) == "used":
        return
    text = f"{sensitive}. {interest}" if first else f"{interest}. {sensitive}"
    assert outcome(text) != "used" or outcome(sensitive) != "sensitive"


def test_the_projects_own_sensitive_examples_never_show_an_interest():
    used = [text for text, (verdict, _, _) in zip(SENSITIVE, judge(*SENSITIVE), strict=True) if verdict == "used"]
    assert used == []


def test_every_topic_is_an_interest_and_no_sensitive_node_can_be_one():
    assert len(taxonomy.topics()) >= 60
    marks = {node.mark for node in taxonomy.nodes().values()}
    assert marks == {"interest", "sensitive", "blocked"}
    for name in ("Medical Health", "Religion & Spirituality", "Politics", "Sensitive Topics"):
        (node,) = [node for node in taxonomy.nodes().values() if node.name == name]
        assert node.mark == "sensitive"


def test_a_harmless_phrase_hides_only_itself():
    assert lexicon().signs(words_of(normalise("doctor who"))) == 0
    assert lexicon().signs(words_of(normalise("doctor who said i am ill"))) != 0


def test_training_again_gives_the_same_model(tmp_path):
    assert train(tmp_path / "again.safetensors") == read_model(DEFAULT).digest


def test_the_scorer_knows_nothing_of_spark():
    code = "import sys, jobs.batch, jobs.scoring.train; sys.exit(any(name.split('.')[0] in ('pyspark', 'delta') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_command_scores_lines_in_order():
    lines = [{"text": "how do i sear a steak"}, {"text": "my diabetes"}, {"labels": []}, {"text": "hello there"}]
    done = subprocess.run(
        [sys.executable, "-m", "jobs.cli", "score"],
        input="".join(json.dumps(line) + "\n" for line in lines),
        capture_output=True,
        text=True,
        check=True,
    )
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["outcome"] for answer in answers] == ["used", "sensitive", "empty", "no_interest"]
    assert answers[0]["topics"][0]["path"] == ["Food & Drink", "Cooking"] and 0 < answers[0]["topics"][0]["score"] <= 1
