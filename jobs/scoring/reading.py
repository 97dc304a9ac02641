"""Reading: a batch of texts with labels as one flat array of words, cut into segments and windows. All in Arrow and numpy.

A segment is a sentence or a label: each is judged by itself, whatever stands around it. A long segment is judged in
overlapping windows, so that a sign isn't thinned by the words around it.
"""

import re
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.scoring.text import NEEDS_MORE, normalise

WINDOW, STRIDE = 8, 4
LABELS = pa.list_(pa.string())
_SENTENCE_END = r"[.!?;\n\r]+(?:\s+|\z)|[\n\r]+"
_BETWEEN_WORDS = r"[^\p{L}\p{N}'\x{2190}-\x{2bff}\x{1f000}-\x{1faff}]+"
_LETTER = re.compile(r"[^\W\d_]")


class Reading(NamedTuple):
    """Texts as words.

    words: distinct words, str; word: (W,) index into `words` of every word in order; segment: (W,) its segment;
    row: (S,) the text of every segment; anything: (N,) whether a text has any character but white space;
    foreign_letters: (N,) whether a fifth of a text's letters or more are not Latin.
    """

    words: list[str]
    word: np.ndarray
    segment: np.ndarray
    row: np.ndarray
    anything: np.ndarray
    foreign_letters: np.ndarray


def read(texts: pa.StringArray, labels: pa.ListArray) -> Reading:
    """Read texts, each with its list of label names; either may be null."""
    count = len(texts)
    label_row = np.asarray(pc.list_parent_indices(labels), dtype=np.int64)
    pieces = pa.concat_arrays([pc.fill_null(texts, ""), pc.fill_null(labels.flatten().cast(pa.string()), "")])
    piece_row = np.concatenate([np.arange(count), label_row])
    plain, foreign = _normalised(pieces)
    anything, foreign_letters = np.zeros(count, bool), np.zeros(count, bool)
    anything[piece_row[np.asarray(pc.greater(pc.binary_length(pc.utf8_trim_whitespace(plain)), 0))]] = True
    foreign_letters[piece_row[foreign]] = True
    sentences = pc.split_pattern_regex(plain, _SENTENCE_END)
    row = piece_row[np.asarray(pc.list_parent_indices(sentences), dtype=np.int64)]
    found = pc.split_pattern_regex(sentences.flatten(), _BETWEEN_WORDS)
    segment = np.asarray(pc.list_parent_indices(found), dtype=np.int64)
    encoded = found.flatten().dictionary_encode()
    word = np.asarray(encoded.indices, dtype=np.int64)
    words = [word.strip("'") for word in encoded.dictionary.to_pylist()]
    filled = np.array([bool(word) for word in words], dtype=bool)[word] if len(word) else np.zeros(0, bool)
    return Reading(words, word[filled], segment[filled], row, anything, foreign_letters)


def unlabelled(texts: list[str | None]) -> tuple[pa.StringArray, pa.ListArray]:
    """Texts and, for each, no labels: what `read` takes."""
    return pa.array(texts, pa.string()), pa.array([[]] * len(texts), LABELS)


class Runs(NamedTuple):
    """Runs of words to be judged: start and length (in words) of each, and the segment or text that it is of."""

    start: np.ndarray
    length: np.ndarray
    of: np.ndarray


def windows(reading: Reading) -> Runs:
    """One run per segment of up to WINDOW words, overlapping ones for a longer segment, none for an empty one."""
    length = np.bincount(reading.segment, minlength=len(reading.row))
    start = np.cumsum(length) - length
    count = np.where(length <= WINDOW, length > 0, -(-(length - WINDOW) // STRIDE) + 1)
    of = np.repeat(np.arange(len(length)), count)
    nth = np.arange(len(of)) - np.repeat(np.cumsum(count) - count, count)
    first = nth * STRIDE
    return Runs(start[of] + first, np.minimum(length[of] - first, WINDOW), of)


def segments(reading: Reading) -> Runs:
    """One run per segment of a text that has several with words in them: a text of one is its own whole."""
    length = np.bincount(reading.segment, minlength=len(reading.row))
    start = np.cumsum(length) - length
    several = np.bincount(reading.row[length > 0], minlength=len(reading.anything)) > 1
    of = np.flatnonzero((length > 0) & several[reading.row])
    return Runs(start[of], length[of], of)


def wholes(reading: Reading) -> Runs:
    """One run per text that has any word: all of it, labels included (their words follow in another place)."""
    row = reading.row[reading.segment]
    length = np.bincount(row, minlength=len(reading.anything))
    rows = np.flatnonzero(length)
    return Runs((np.cumsum(length) - length)[rows], length[rows], rows)


def in_text_order(reading: Reading) -> np.ndarray:
    """(W,) places of all words, those of a text (its sentences, then its labels) next to each other."""
    return np.argsort(reading.row[reading.segment], kind="stable")


def _normalised(pieces: pa.StringArray) -> tuple[pa.StringArray, np.ndarray]:
    """Normalised pieces, and which of them are written in other letters.

    Most texts are plain ASCII, for which lower case is all there is to do; the others go through Python.
    """
    plain = pc.ascii_lower(pieces)
    slow = pc.or_(pc.invert(pc.string_is_ascii(pieces)), pc.match_substring_regex(pieces, NEEDS_MORE))
    places = np.flatnonzero(np.asarray(slow))
    if not len(places):
        return plain, places
    mended = [normalise(text) for text in pieces.take(pa.array(places)).to_pylist()]
    foreign = places[[_mostly_foreign(text) for text in mended]]
    return pc.replace_with_mask(plain, slow, pa.array(mended, pa.string())), foreign


def _mostly_foreign(plain: str) -> bool:
    """Whether a fifth of the letters or more are not Latin. Normalised Latin letters have lost their accents."""
    if plain.isascii():
        return False
    letters = _LETTER.findall(plain)
    return sum(letter > "\u024f" for letter in letters) * 5 > len(letters)
