"""Generated lives of small groups of people, played through one lake in any order, against the rules in plain Python.

Groups share no id, account or conversation, so each is a history of its own, and one lake plays them all at once: nights
in a drawn order, one of them crashing, files that come late, people who move, unlink and ask for erasure. In the end
outcomes, signals and profiles are compared, whole, with what `tests/model.py` makes of the landing zone.
NIGHTJAR_HISTORIES and NIGHTJAR_SEED play more of them, or others.
"""

import os
import random
from collections import Counter
from datetime import timedelta

import pyarrow as pa
import pytest

from jobs import decay
from jobs.batch import settings_of
from jobs.lake import Lake
from jobs.scoring.model import DEFAULT
from jobs.scoring.scorer import Scorer
from jobs.verify import replayed
from schemas.profiles import PROFILES
from tests import model
from tests.zone import HARMLESS, NIGHT, SENSITIVE

HISTORIES = int(os.environ.get("NIGHTJAR_HISTORIES", "20"))
SEED = int(os.environ.get("NIGHTJAR_SEED", "1"))
# The last is a whole window after the second, and beyond that of the first.
DAYS = [NIGHT, NIGHT + timedelta(days=1), NIGHT + timedelta(days=8)]
TEXTS = [
    HARMLESS,
    HARMLESS,
    "play some jazz",
    "how do i train for a marathon",
    SENSITIVE,
    "",
    "wo kann ich ein fahrrad kaufen",
]


class Group:
    """Two people and what they do, drawn from a seed; `early` and `late` add their lines to a landing zone."""

    def __init__(self, name: str, dice: random.Random):
        self.name, self.dice = name, dice
        self.people = [f"{name}a", f"{name}b"]
        self.lines = []
        for number in range(dice.randint(6, 14)):
            self.lines.append(self._again() if self.lines and dice.random() < 0.15 else self._line(number))

    def settle_in(self, zone) -> None:
        """Their links, regions, notices and requests, changes of mind included."""
        dice = self.dice
        for who in self.people:
            told = dice.choice(["2025-10-08T09:00:00Z"] * 8 + [None, self._moment()])
            zone.person(who, country=dice.choice(["US"] * 9 + ["DE", " br ", "??"]), told=told)
            if dice.random() < 0.25:
                moved = self._moment()
                zone.regions[-1]["valid_to"] = moved
                zone.regions.append(
                    {"profile_id": f"p-{who}", "country": dice.choice(["FR", "CA", "uk"]), "valid_from": moved}
                )
            if dice.random() < 0.25:
                moved, link = self._moment(), zone.links[dice.choice([-1, -2])]
                link["valid_to"] = moved
                if dice.random() < 0.5:
                    zone.link(link["account_id"], link["app"], f"p-{dice.choice(self.people)}", since=moved)
            if dice.random() < 0.1:
                zone.erasures.append({"profile_id": f"p-{who}", "requested_at": self._moment()})

    def early(self, zone) -> None:
        self._add(zone, late=False)

    def late(self, zone) -> None:
        self._add(zone, late=True)

    def _add(self, zone, *, late: bool) -> None:
        for is_late, say, arguments in self.lines:
            if is_late == late:
                getattr(zone, say)(**arguments)

    def _line(self, number: int):
        """(whether it comes late, how it is said, and what)."""
        dice = self.dice
        day, who, text = dice.choice(DAYS), dice.choice(self.people), dice.choice(TEXTS)
        happened = f"{day - timedelta(days=dice.choice([0] * 8 + [1, 7, 9]))}T{dice.randint(13, 23)}:30:00Z"
        is_late = dice.random() < 0.25
        if dice.random() < 0.2:
            given = {"text": text or "Rock Music", "engagement_id": f"{self.name}-{number}", "occurred_at": happened}
            return is_late, "like", {**given, "who": who, "day": day}
        # Some ids are said twice with other words.
        identity = f"{self.name}-{number if dice.random() < 0.85 else 'x'}"
        talk = dice.choice([None, None, f"{self.name}1", f"{self.name}1", f"{self.name}2"])
        given = {"text": text, "at": happened, "identity": identity, "conversation": talk}
        return is_late, "say", {**given, "who": who, "day": day}

    def _again(self):
        """An earlier line once more, under any landing date."""
        _, say, given = self.dice.choice(self.lines)
        return self.dice.random() < 0.25, say, {**given, "day": self.dice.choice(DAYS)}

    def _moment(self) -> str:
        day = self.dice.choice(DAYS) - timedelta(days=self.dice.choice([0, 0, 3]))
        return f"{day}T{self.dice.randint(0, 23):02}:00:00Z"


class Judge:
    """The scorer's word on an object of the landing zone, asked once for each text."""

    def __init__(self, policy):
        scorer, texts = Scorer.cached(settings_of(policy, DEFAULT)), [*dict.fromkeys([*TEXTS, "Rock Music"])]
        found = scorer.judge(pa.array(texts, pa.string()), [[] for _ in texts])
        self.words = dict(zip(texts, found.verdict.to_pylist(), strict=True))
        self.shown = dict(zip(texts, found.topics.to_pylist(), strict=True))

    def __call__(self, item: dict) -> str:
        return self.words[self.text(item)]

    def topics(self, item: dict) -> list[tuple[str, int]]:
        return [(topic["topic_id"], topic["score"]) for topic in self.shown[self.text(item)]]

    @staticmethod
    def text(item: dict) -> str:
        return item["text"] if "interaction_id" in item else item["target_text"]


def expected(landing, policy):
    """(lines by landing date, source and outcome; signals without their digests), by the model."""
    judge, lines, signals = Judge(policy), Counter(), []
    for (day, source), items in model.judged(landing, DAYS, judge).items():
        for item, outcome in items:
            lines[day, source, outcome] += 1
            profile = outcome == "used" and model.standing(landing, DAYS, item, day)
            for topic, score in judge.topics(item) if profile else ():
                kind = item["surface" if source == "interactions" else "kind"]
                happened, weight = model.moment(item["occurred_at"]).date(), policy.weights[kind]
                amount = score * weight * decay.factor(happened, policy.landmark, policy.half_life_days)
                signals.append((day, profile, topic, kind, happened, score, weight, amount))
    return lines, sorted(signals)


def test_any_order_of_nights_late_files_moves_and_crashes_ends_in_what_the_rules_say(zone, runs, policy, monkeypatch):
    dice = random.Random(SEED)
    groups = [Group(f"g{n}", random.Random(f"{SEED}/{n}")) for n in range(HISTORIES)]
    for group in groups:
        group.settle_in(zone)
        group.early(zone)
    zone.write(*DAYS)
    first, *rest = dice.sample(DAYS, len(DAYS))
    runs.night(first)
    before = runs.tables()
    with monkeypatch.context() as patch:
        patch.setattr(Lake, "changed", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            runs.night(rest[0])
    assert runs.tables() == before
    for day in rest:
        runs.night(day)
    for group in groups:
        group.late(zone)
    zone.write(*DAYS)
    for day in dice.sample(DAYS, len(DAYS)):
        runs.night(day)

    lines, signals = expected(zone.folder, policy)
    counted = Counter()
    for day, source, _, outcome, count in runs.rows("outcomes"):
        counted[day, source, outcome] += count
    assert counted == lines
    stored = [(*row[:-1], int(row[-1])) for row in runs.rows("signals", "signal_key", "account_digest")]
    assert sorted(stored) == signals
    profiles = {row[:2]: (int(row[2]), *row[3:]) for row in runs.rows("profiles")}
    assert profiles == model.sums((profile, topic, day, amount) for _, profile, topic, _, day, *_, amount in signals)
    last = runs.lake.last_run()
    standing = replayed(runs.lake, last)
    assert standing.exceptAll(runs.lake.read(PROFILES, last)).isEmpty() and standing.count() == len(profiles)
    # A generator that draws nothing of interest proves nothing.
    assert len(signals) > HISTORIES and len({outcome for _, _, outcome in lines}) > 12
