"""Grammar: examples made of lists of terms and frames that put a term into a sentence. The same input gives the same."""

import re
from random import Random

_SLOT = re.compile(r"\{(\w+)\}")


def expand(lists: dict[str, list[str]], frames: dict[str, list[str]], *, per_term: int) -> list[str]:
    """Each term of a list that has frames, in `per_term` of them (in all, if there are fewer), other slots drawn.

    KeyError where a frame names a list that isn't there.
    """
    found = []
    for name, forms in frames.items():
        draw = Random(name)  # a text seed gives the same numbers everywhere
        for term in lists[name]:
            for form in draw.sample(forms, min(per_term, len(forms))):
                found.append(fill(form, lists, draw, {name: term}))
    return found


def fill(form: str, lists: dict[str, list[str]], draw: Random, first: dict[str, str]) -> str:
    """A frame with every slot filled: the first slot of a list by the given term, if there is one, others at random."""
    left = dict(first)
    return _SLOT.sub(lambda slot: left.pop(slot[1], None) or draw.choice(lists[slot[1]]), form)


def combinations(pattern: str, lists: dict[str, list[str]]) -> list[str]:
    """Every phrase of a pattern: `{list}` stands for a term of the list, `(one|or another)` for one of these."""
    phrases = [""]
    for slot, bars, words in re.findall(r"\{(\w+)\}|\(([^)]*)\)|([^{}()]+)", pattern):
        options = lists[slot] if slot else bars.split("|") if bars else [words]
        phrases = [f"{phrase} {option.strip()}" for phrase in phrases for option in options]
    return [" ".join(phrase.split()) for phrase in phrases]
