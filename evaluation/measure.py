"""Measures: what a scorer under given thresholds makes of labelled sets. Figures only, never a text."""

from dataclasses import dataclass, replace

import numpy as np

from evaluation.sets import HARMLESS, Labelled
from jobs.scoring import taxonomy
from jobs.scoring.reading import unlabelled
from jobs.scoring.scorer import SCORE_UNIT, Scorer, Settings, View
from schemas.words import SENSITIVE_CATEGORIES

AT_ONCE = 4_000
FEW = 300
MOST_LEAKS_OF_FEW = 3
CANDIDATES = (2_500, 3_000, 3_500, 4_000, 4_500, 5_000, 5_500, 6_000)
MOST_FLAGGED = 0.005
MOST_SENSITIVE = (500, 1_000, 1_500, 2_000, 2_500)
INTEREST = (3_000, 3_500, 4_000, 4_500, 5_000)


@dataclass(frozen=True)
class Seen:
    """A set with what the scorer sees of each text."""

    labelled: Labelled
    views: list[View]

    def part(self, number: int) -> "Seen":
        """The texts of one part alone."""
        wanted = np.array(self.labelled.parts) == number
        texts = [text for text, keep in zip(self.labelled.texts, wanted, strict=True) if keep]
        views, at = [], 0
        for view in self.views:
            mask = wanted[at : at + len(view.anything)]
            views.append(View(*(column[mask] for column in view)))
            at += len(view.anything)
        return Seen(replace(self.labelled, texts=texts), views)


@dataclass(frozen=True)
class Row:
    """One set and label: how many texts, and how many of them are flagged, used, and used with a right tier-1 topic."""

    labelled: Labelled
    flagged: int
    used: int
    right: int

    @property
    def count(self) -> int:
        return len(self.labelled.texts)

    def share(self, number: int) -> float:
        return number / self.count if self.count else 0.0

    @property
    def leaks_too_much(self) -> bool:
        """Whether more than one in a hundred leaks; of a small set, more than three."""
        return self.used > (MOST_LEAKS_OF_FEW if self.count < FEW else self.count / 100)


def look(scorer: Scorer, labelled: Labelled) -> Seen:
    """Let the scorer see a set, once, whatever thresholds are tried later."""
    pieces = [labelled.texts[at : at + AT_ONCE] for at in range(0, len(labelled.texts), AT_ONCE)]
    return Seen(
        labelled,
        [scorer.view(*unlabelled(texts)) for texts in pieces],
    )


def measure(scorer: Scorer, seen: Seen, settings: Settings) -> Row:
    """What is made of a set under these thresholds."""
    flagged = used = right = 0
    for view in seen.views:
        verdicts = scorer.decide(view, settings)
        flagged += verdicts.verdict.to_pylist().count("sensitive")
        topics = [found for found in verdicts.topics.to_pylist() if found]
        used += len(topics)
        right += sum(taxonomy.path(found[0]["topic_id"])[0] in seen.labelled.tiers for found in topics)
    return Row(seen.labelled, flagged, used, right)


def chosen(scorer: Scorer, sets: list[Seen], settings: Settings) -> Settings:
    """Thresholds chosen on these sets: the screen as strict as everyday sets bear, then as much used as may be.

    A category's threshold is the lowest at which it alone flags half a hundredth or less of every public everyday set (the
    highest tried, where none does); `most_sensitive` the largest at which the fewest sensitive sets leak too much; the
    interest threshold the lowest at which 92 % of the used texts of every large set with a known topic are right.
    """

    def rows(**changes):
        return [measure(scorer, seen, replace(settings, **changes)) for seen in sets]

    everyday = [seen for seen in sets if seen.labelled.name in HARMLESS[:4]]
    thresholds = tuple(_lowest_borne(everyday, number) for number in range(len(SENSITIVE_CATEGORIES)))
    settings = replace(settings, thresholds=thresholds)
    leaks = {
        most: sum(row.leaks_too_much for row in rows(most_sensitive=most) if row.labelled.category)
        for most in MOST_SENSITIVE
    }
    least = min(leaks.values())
    settings = replace(settings, most_sensitive=max(most for most, count in leaks.items() if count == least))
    for threshold in INTEREST:
        settings = replace(settings, interest_threshold=threshold)
        if all(row.right >= 0.92 * row.used for row in rows() if row.labelled.tiers and row.count >= FEW):
            break
    return settings


def _lowest_borne(everyday: list[Seen], category: int) -> int:
    """The lowest candidate at which one category alone flags MOST_FLAGGED or less of each everyday set."""
    shares: dict[str, list[np.ndarray]] = {}
    for seen in everyday:
        shares.setdefault(seen.labelled.name, []).extend(view.evidence[:, category] for view in seen.views)
    for threshold in CANDIDATES:
        if all((np.concatenate(found) >= threshold).mean() <= MOST_FLAGGED for found in shares.values()):
            return threshold
    return CANDIDATES[-1]


def flags_by_set(rows: list[Row]) -> dict[str, float]:
    """Share of flagged texts by set, all its labels together."""
    names = dict.fromkeys(row.labelled.name for row in rows)
    of = {name: [row for row in rows if row.labelled.name == name] for name in names}
    return {name: sum(r.flagged for r in found) / max(sum(r.count for r in found), 1) for name, found in of.items()}


def sweep(scorer: Scorer, sets: list[Seen], settings: Settings) -> dict[str, list[tuple[float, float]]]:
    """By category (share of everyday texts flagged, share of its own used) for one threshold after the other."""
    points = {category: [] for category in SENSITIVE_CATEGORIES}
    for threshold in range(500, 8_001, 500):
        tried = replace(
            settings, thresholds=(threshold,) * len(SENSITIVE_CATEGORIES), most_sensitive=min(threshold, 10_000)
        )
        rows = [measure(scorer, seen, tried) for seen in sets]
        flagged = _share([row for row in rows if row.labelled.name in HARMLESS], "flagged")
        for category, found in points.items():
            own = [row for row in rows if row.labelled.category == category]
            found.append((flagged, _share(own, "used")))
    return points


def calibration(scorer: Scorer, sets: list[Seen], settings: Settings) -> list[tuple[float, float, int]]:
    """(mean score, share right, texts) of the best topic of used texts whose topic is known, by tenths of the score."""
    scores, rights = [], []
    loose = replace(settings, interest_threshold=1_000)
    for seen in sets:
        if not seen.labelled.tiers:
            continue
        for view in seen.views:
            for found in scorer.decide(view, loose).topics.to_pylist():
                if found:
                    scores.append(found[0]["score"] / SCORE_UNIT)
                    rights.append(taxonomy.path(found[0]["topic_id"])[0] in seen.labelled.tiers)
    tenth, rights = np.minimum((np.array(scores) * 10).astype(int), 9), np.array(rights)
    return [
        (float(np.array(scores)[tenth == at].mean()), float(rights[tenth == at].mean()), int((tenth == at).sum()))
        for at in range(10)
        if (tenth == at).any()
    ]


def _share(rows: list[Row], what: str) -> float:
    return sum(getattr(row, what) for row in rows) / max(sum(row.count for row in rows), 1)
