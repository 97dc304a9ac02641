"""The scorer: an answer depends on the text alone, and nothing sensitive ever shows an interest."""

import dataclasses
import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.batch import settings_of
from jobs.policy import read_policies
from jobs.scoring import taxonomy
from jobs.scoring.model import DEFAULT, read_model
from jobs.scoring.reading import LABELS
from jobs.scoring.scorer import Scorer
from jobs.scoring.train import train
from schemas.words import SENSITIVE_CATEGORIES

SCORER = Scorer.cached(settings_of(read_policies()[0]))
INTERESTS = [text for topic in taxonomy.topics().values() for text in topic.sayings[:1]]
SENSITIVE = [text for category in taxonomy.sensitive_categories().values() for text in category.sayings]
ANY_TEXT = st.one_of(st.sampled_from(INTERESTS + SENSITIVE + [""]), st.text(max_size=60))


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
    texts = [*taxonomy.sensitive_categories()[category].lexicon, *taxonomy.sensitive_categories()[category].words]
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


@st.composite
def a_policy_and_a_stricter_one(draw):
    """Settings drawn at random, and the same with any of them moved towards using less."""
    share, up, down = st.integers(1, 10_000), st.integers(0, 3_000), st.integers(0, 3_000)
    loose = dataclasses.replace(
        SCORER.settings,
        thresholds=tuple(draw(share) for _ in SENSITIVE_CATEGORIES),
        few_words_threshold=draw(share),
        interest_threshold=draw(share),
        most_sensitive=draw(share),
        most_sensitive_few_words=draw(st.integers(1, 70_000)),
        most_topics=draw(st.integers(1, 4)),
    )
    strict = dataclasses.replace(
        loose,
        thresholds=tuple(max(1, of - draw(down)) for of in loose.thresholds),
        few_words_threshold=max(1, loose.few_words_threshold - draw(down)),
        interest_threshold=min(10_000, loose.interest_threshold + draw(up)),
        most_sensitive=max(0, loose.most_sensitive - draw(down)),
        most_sensitive_few_words=max(0, loose.most_sensitive_few_words - draw(down)),
        most_topics=draw(st.integers(1, loose.most_topics)),
    )
    return loose, strict


SEEN = [*INTERESTS, *SENSITIVE[::5], "", "wo kann ich ein fahrrad für mein kind kaufen"]
VIEW = SCORER.view(pa.array(SEEN, pa.string()), pa.array([[] for _ in SEEN], LABELS))


@settings(max_examples=100, deadline=None)
@given(a_policy_and_a_stricter_one())
def test_a_stricter_policy_never_uses_a_text_that_a_looser_one_leaves_out(policies):
    used = [
        {at for at, word in enumerate(SCORER.decide(VIEW, of).verdict.to_pylist()) if word == "used"} for of in policies
    ]
    assert used[1] <= used[0]


def test_the_policies_that_are_compared_do_use_something():
    assert SCORER.decide(VIEW, SCORER.settings).verdict.to_pylist().count("used") > len(SEEN) // 4


@settings(max_examples=100, deadline=None)
@given(st.lists(ANY_TEXT, min_size=1, max_size=12), st.data())
def test_an_answer_does_not_depend_on_its_batch(texts, data):
    whole = judge(*texts)
    cut = data.draw(st.integers(0, len(texts)))
    assert (judge(*texts[:cut]) if cut else []) + (judge(*texts[cut:]) if cut < len(texts) else []) == whole
    order = data.draw(st.permutations(range(len(texts))))
    assert judge(*(texts[at] for at in order)) == [whole[at] for at in order]
    assert [judge(text)[0] for text in texts] == whole


def test_an_answer_does_not_depend_on_what_the_process_has_seen(monkeypatch):
    texts = INTERESTS[::7] + SENSITIVE[::7]
    fresh = Scorer(SCORER.model, SCORER.settings)
    monkeypatch.setattr("jobs.scoring.vocabulary.MOST_WORDS", 50)
    again = [fresh.judge(pa.array([text]), [[]]) for text in texts]
    assert [(v.verdict[0].as_py(), v.topics[0].as_py(), v.categories[0].as_py()) for v in again] == judge(*texts)


@settings(max_examples=150, deadline=None)
@given(ANY_TEXT, st.sampled_from(SENSITIVE), st.booleans())
def test_adding_a_sensitive_sentence_never_makes_a_text_used(text, sensitive, first):
    # One that isn't seen as sensitive alone is a miss of the model's, and counted elsewhere.
    if outcome(sensitive) == "sensitive":
        assert outcome(f"{sensitive}. {text}" if first else f"{text}. {sensitive}") != "used"


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(INTERESTS), st.sampled_from(taxonomy.sensitive_categories()["health"].words))
def test_a_sign_is_seen_wherever_it_stands(text, sign):
    words = text.split()
    for at in range(len(words) + 1):
        assert outcome(" ".join([*words[:at], ",", sign, ",", *words[at:]])) != "used"
    assert outcome(text, sign) != "used"


def test_the_projects_own_sensitive_examples_show_no_interest():
    assert len(SENSITIVE) > 3_000
    used = [text for text, (verdict, _, _) in zip(SENSITIVE, judge(*SENSITIVE), strict=True) if verdict == "used"]
    # Another processor may train to other last bits: two oblique ones in thousands may go either way.
    assert len(used) <= 2, used


def test_a_text_that_cannot_be_judged_is_sensitive_and_costs_the_others_nothing(monkeypatch):
    whole = SCORER._judge

    def fails(texts, labels):
        if "poison" in texts.to_pylist():
            raise ZeroDivisionError
        return whole(texts, labels)

    good = judge(*INTERESTS[:5])
    monkeypatch.setattr(SCORER, "_judge", fails)
    assert judge(*INTERESTS[:3], "poison", *INTERESTS[3:5]) == [*good[:3], ("sensitive", [], 0), *good[3:]]
    monkeypatch.setattr(SCORER, "_judge", lambda *_: 1 / 0)
    assert judge(None) == [("sensitive", [], 0)]
    assert SCORER.judge(pa.array([], pa.string()), pa.array([], LABELS)).verdict.to_pylist() == []


def test_an_empty_batch_has_no_verdicts():
    assert SCORER._judge(pa.array([], pa.string()), pa.array([], LABELS)).verdict.to_pylist() == []


def test_a_sign_that_only_the_network_sees_is_not_thinned_by_the_words_around_it():
    texts = [text for text in SENSITIVE if 5 <= len(text.split()) <= 8 and text.replace(" ", "").isalpha()]
    view = SCORER.view(pa.array(texts), pa.array([[]] * len(texts), LABELS))
    above = (view.evidence >= np.array(SCORER.settings.thresholds)).any(axis=1)
    network_alone = [text for text, sign, seen in zip(texts, view.signs, above, strict=True) if seen and not sign]
    filler = "how do i change the tires on my car and which oil does it need "
    assert len(network_alone) > 100 and outcome(filler * 6) == "used"
    long = judge(*(f"{filler * 12}{text} {filler * 12}" for text in network_alone))
    # Without the screen's few words at a time hardly one of them would be seen among three hundred other words.
    assert sum(verdict == "sensitive" for verdict, _, _ in long) > 0.4 * len(long)
    assert sum(verdict == "used" for verdict, _, _ in long) < 0.1 * len(long)
    blind = dataclasses.replace(SCORER.settings, few_words_threshold=10_001, most_sensitive_few_words=70_001)
    view = SCORER.view(
        pa.array([f"{filler * 12}{text} {filler * 12}" for text in network_alone]), pa.array([[]] * len(long), LABELS)
    )
    assert SCORER.decide(view, blind).verdict.to_pylist().count("used") > 0.5 * len(long)


def test_every_topic_is_an_interest_and_no_sensitive_node_can_be_one():
    assert len(taxonomy.topics()) >= 350
    assert all(len(topic.words) >= 4 and topic.sayings and topic.about for topic in taxonomy.topics().values())
    marks = {node.mark for node in taxonomy.nodes().values()}
    assert marks == {"interest", "sensitive", "blocked"}
    for name in ("Medical Health", "Religion & Spirituality", "Politics", "Sensitive Topics"):
        (node,) = [node for node in taxonomy.nodes().values() if node.name == name]
        assert node.mark == "sensitive"


def test_a_harmless_phrase_hides_only_itself():
    assert outcome("watch doctor who") != "sensitive"
    assert outcome("doctor who said i am ill") == "sensitive"


def test_a_topic_is_named_at_the_deepest_level_that_the_evidence_carries():
    deep, shallow = judge("who won the kentucky derby", "who won the game last night")
    assert taxonomy.path(deep[1][0]["topic_id"]) == ["Sports", "Horse Racing"]
    assert taxonomy.path(shallow[1][0]["topic_id"])[0] == "Sports"
    for _, topics, _ in judge(*INTERESTS):
        # Two interests of one text differ at the first tier: one isn't the other said less exactly.
        tiers = [taxonomy.path(topic["topic_id"])[0] for topic in topics]
        assert len(tiers) == len(set(tiers)) <= SCORER.settings.most_topics


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
