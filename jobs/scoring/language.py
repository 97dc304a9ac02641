"""Language: whether a text is English enough to be screened. What can't be screened isn't used.

A language is told by its function words, which stand in almost every sentence; a text none of whose words are known is
no English either.
"""

from functools import lru_cache

import numpy as np

from jobs.scoring.text import normalise
from jobs.scoring.words import FOREIGN_WORDS, FUNCTION_WORDS, SHARED_WORDS

# From this many words on, this share of them unknown (in 1/10) is no English.
FEWEST_WORDS, MOST_UNKNOWN = 3, 6


def supported(row: np.ndarray, english: np.ndarray, foreign: np.ndarray, known: np.ndarray, rows: int) -> np.ndarray:
    """(rows,) whether each text reads as English, from what is known of each of its words.

    row: (W,) the text of each word; english and known: (W,) bool; foreign: (W,) bit i for language i of FOREIGN_WORDS.
    """
    words, own = np.bincount(row, minlength=rows), np.bincount(row[english], minlength=rows)
    strongest = np.zeros(rows, dtype=np.int64)
    of_them, theirs = row[foreign > 0], foreign[foreign > 0]
    for bit in range(len(FOREIGN_WORDS)) if len(of_them) else ():
        strongest = np.maximum(strongest, np.bincount(of_them[theirs >> bit & 1 > 0], minlength=rows))
    reads_foreign = (strongest > own) & ~((strongest == 1) & (words > 4))
    unknown = words - np.bincount(row[known], minlength=rows)
    return ~reads_foreign & ~((words >= FEWEST_WORDS) & (unknown * 10 > words * MOST_UNKNOWN))


@lru_cache(maxsize=1)
def foreign_bits() -> dict[str, int]:
    """Word → languages whose function word it is, as bits; without accents and without what English also has."""
    found: dict[str, int] = {}
    for bit, words in enumerate(FOREIGN_WORDS.values()):
        for word in {normalise(word) for word in words.split()} - FUNCTION_WORDS - SHARED_WORDS:
            found[word] = found.get(word, 0) | 1 << bit
    return found
