"""Reading, lexicon and rollup, each against the plainest Python that says the same."""

import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jobs.scoring import taxonomy
from jobs.scoring.lexicon import _trie
from jobs.scoring.reading import LABELS, STRIDE, WINDOW, read, wholes, windows
from jobs.scoring.rollup import Rollup
from jobs.scoring.text import normalise

WORD = re.compile(
    "(?:[^\\W_]|[\u2190-\u2bff\U0001f000-\U0001faff])+(?:'+(?:[^\\W_]|[\u2190-\u2bff\U0001f000-\U0001faff])+)*"
)
SENTENCE = re.compile(r"[.!?;\n\r]+(?:[ \t\n\r\f]+|\Z)|[\n\r]+")
TEXT = st.text(st.sampled_from("aB z'3.!?;\n@$-_`’é🙏Я"), max_size=30)


def plainly(text):
    """The words of each sentence that has any, by Python's own regular expressions."""
    return [words for words in (WORD.findall(part) for part in SENTENCE.split(normalise(text))) if words]


def segments(reading, row):
    found = [[] for _ in reading.row]
    for word, segment in zip(reading.word, reading.segment, strict=True):
        found[segment].append(reading.words[word])
    return [words for words, of in zip(found, reading.row, strict=True) if of == row and words]


@settings(max_examples=400, deadline=None)
@given(st.lists(TEXT, min_size=1, max_size=4))
def test_arrow_reads_texts_as_plain_python_does(texts):
    reading = read(pa.array(texts, pa.string()), pa.array([[]] * len(texts), LABELS))
    assert [segments(reading, row) for row in range(len(texts))] == [plainly(text) for text in texts]


def test_labels_are_segments_of_their_own_and_nulls_are_nothing():
    reading = read(pa.array(["Two words", None], pa.string()), pa.array([["Pill bottle"], [None, "dog"]], LABELS))
    assert segments(reading, 0) == [["two", "words"], ["pill", "bottle"]]
    assert segments(reading, 1) == [["dog"]]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 70), min_size=1, max_size=5))
def test_windows_cover_every_word_and_none_is_longer_than_it_may_be(lengths):
    texts = [" ".join(f"w{n}" for n in range(length)) for length in lengths]
    reading = read(pa.array(texts, pa.string()), pa.array([[]] * len(texts), LABELS))
    found = windows(reading)
    for row, length in enumerate(lengths):
        own = reading.row[found.of] == row
        begun = sum(lengths[:row])
        covered = {
            at - begun for s, n in zip(found.start[own], found.length[own], strict=True) for at in range(s, s + n)
        }
        assert covered == set(range(length))
        assert all(found.length[own] <= WINDOW)
        # Any run of a stride and one more words lies whole in some window.
        starts = sorted(found.start[own] - begun)
        assert all(b - a == STRIDE for a, b in zip(starts, starts[1:], strict=False))
    assert wholes(reading).length.tolist() == [length for length in lengths if length]


PHRASE = st.lists(st.sampled_from("abc"), min_size=1, max_size=3).map(tuple)


@settings(max_examples=400, deadline=None)
@given(
    st.dictionaries(PHRASE, st.sampled_from([1, 2]), min_size=1, max_size=6),
    st.sets(PHRASE, max_size=3),
    st.lists(st.lists(st.sampled_from("abcd"), max_size=7), min_size=1, max_size=3),
)
def test_the_trie_finds_what_a_plain_search_finds(signs, harmless, texts):
    lexicon = _trie(signs, harmless, (), frozenset())
    words = [word for text in texts for word in text]
    segment = np.array([at for at, text in enumerate(texts) for _ in text], dtype=np.int64)
    forms = np.array([lexicon.form(word)[0] for word in words], dtype=np.int64)
    bits = lexicon.signs(forms, np.zeros(len(words), dtype=np.int64), segment)
    got = [int(np.bitwise_or.reduce(bits[segment == at], initial=0)) for at in range(len(texts))]

    def plain(text):
        spots = [(at, at + len(p)) for p in harmless for at in range(len(text)) if tuple(text[at : at + len(p)]) == p]
        hidden = {at for start, end in spots for at in range(start, end)}
        seen = 0
        for phrase, bit in signs.items():
            for at in range(len(text)):
                there = tuple(text[at : at + len(phrase)]) == phrase
                if there and not set(range(at, at + len(phrase))) <= hidden:
                    seen |= bit
        return seen

    assert got == [plain(text) for text in texts]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 9), min_size=60, max_size=60), min_size=1, max_size=4), st.integers(1, 9_999))
def test_the_rollup_goes_down_as_long_as_one_child_holds_half(rows, threshold):
    topics = tuple(taxonomy.topics())[:60]
    total = np.array([sum(row) + 7.0 for row in rows])
    everything = np.ones(len(rows), bool)
    found = Rollup(topics).topics(
        np.array(rows, dtype=np.float32), total, everything, threshold=threshold, most_topics=99
    )
    got = [{t["topic_id"]: t["score"] for t in row} for row in found.keep(everything).to_pylist()]

    def plain(row, among):
        share = {}
        for topic, odd in zip(topics, row, strict=True):
            for node in taxonomy.lineage(topic):
                share[node.id] = share.get(node.id, 0) + odd
        named = {}
        for node in [node for node in share if not taxonomy.nodes()[node].parent]:
            if share[node] * 10_000 < among * threshold:
                continue
            while True:
                children = [other for other in share if taxonomy.nodes()[other].parent == node]
                best = max(children, key=lambda child: share[child], default=None)
                if best is None or share[best] * 2 < share[node]:
                    break
                node = best
            named[node] = int(share[node] * 10_000 // among)
        return named

    assert got == [plain(row, among) for row, among in zip(rows, total, strict=True)]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("a🙏 b", "a 🙏  b"),
        ("d1et gr@ss", "d1et grass"),
        ("it’s", "it's"),
        ("ﬁne", "fine"),
        ("chur\u0441h", "church"),
        ("p r a y", "pray pra ray"),
        ("i\u200bll", "ill"),
        ("naïve", "naive"),
        ("a🙏b", "a 🙏 b"),
    ],
)
def test_normalising(text, plain):
    assert normalise(text) == plain
