"""Generated lives of small groups of people, played through one lake in any order, against the rules in plain Python.

Groups share no id, account or conversation, so each is a history of its own, and one lake plays them all at once: in a
drawn order nights, one that crashes at a drawn point, an erasure and files that come late; people who move and unlink, a
policy that is tightened for the second landing date and loosened again for the third. In the end outcomes, signals,
profiles, audiences and activations are compared, whole, with what `tests/model.py` makes of the landing zone.
NIGHTJAR_PLAYS plays as many orders, NIGHTJAR_HISTORIES as many groups in each; NIGHTJAR_SEED plays others.
"""

import os
import random
from collections import Counter

import msgspec
import pyarrow as pa
import pytest

from jobs import decay
from jobs.batch import settings_of
from jobs.erase import erase
from jobs.policy import policy_on
from jobs.run import run_night
from jobs.scoring.model import DEFAULT
from jobs.scoring.scorer import Scorer
from jobs.verify import replayed
from schemas.profiles import PROFILES
from tests import model
from tests.groups import AT_ONCE, DAYS, LATE, LATER, TEXTS, Group

PLAYS = int(os.environ.get("NIGHTJAR_PLAYS", "1"))
HISTORIES = int(os.environ.get("NIGHTJAR_HISTORIES", "20"))
SEED = int(os.environ.get("NIGHTJAR_SEED", "1"))
# In the middle of a date, in the middle of what all dates are merged into, and when everything else is written.
CRASHES = ("jobs.lake.Lake.replace", "jobs.lake.Lake.overwrite", "jobs.run.run_row")


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


def versions(policy) -> list:
    """One that is tightened for the second landing date, in what is sensitive and where, and loosened for the third."""
    policy = msgspec.structs.replace(policy, minimum_audience=2, top_interests=1)
    stricter = {**policy.sensitive_thresholds, "religion": 300, "health": 100}
    regions = msgspec.structs.replace(policy.regions, cautious=[*policy.regions.cautious, "CA"])
    tight = msgspec.structs.replace(policy, sensitive_thresholds=stricter, regions=regions)
    return [
        msgspec.structs.replace(one, version=name, valid_from=since, valid_to=until)
        for one, name, since, until in (
            (policy, "first", policy.valid_from, DAYS[1]),
            (tight, "tight", DAYS[1], DAYS[2]),
            (policy, "loose", DAYS[2], None),
        )
    ]


def expected(landing, policies):
    """(lines by landing date, source and outcome; signals without their digests; how many a tighter policy took)."""
    lines, signals, taken = Counter(), [], 0

    def excluded(day):
        return model.EXCLUDED | ({"CA"} if policy_on(policies, day).version == "tight" else set())

    judges, left_out = {day: Judge(policy_on(policies, day)) for day in DAYS}, {day: excluded(day) for day in DAYS}
    # All dates by the rules of one, for what a tighter policy of that date takes from the others.
    by = {
        day: model.judged(landing, dict.fromkeys(DAYS, judges[day]), dict.fromkeys(DAYS, left_out[day])) for day in DAYS
    }
    for (day, source), items in model.judged(landing, judges, left_out).items():
        policy, later = policy_on(policies, day), [other for other in DAYS if other > day]
        for at, (item, outcome) in enumerate(items):
            lines[day, source, outcome] += 1
            profile = outcome == "used" and model.standing(landing, DAYS, item, day, excluded)
            if profile and any(by[other][day, source][at][1] != "used" for other in later):
                profile, taken = None, taken + 1
            for topic, score in judges[day].topics(item) if profile else ():
                kind = item["surface" if source == "interactions" else "kind"]
                happened, weight = model.moment(item["occurred_at"]).date(), policy.weights[kind]
                amount = score * weight * decay.factor(happened, policy.landmark, policy.half_life_days)
                signals.append((day, profile, topic, kind, happened, score, weight, amount))
    return lines, sorted(signals), taken


def crash(runs, dice, monkeypatch):
    """A landing date stated anew that fails at some point: for readers nothing has happened."""
    before = runs.tables()
    with monkeypatch.context() as patch:
        patch.setattr(dice.choice(CRASHES), lambda *_, **__: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            run_night(runs.setting(), runs.lake, dice.choice(DAYS), key_file=runs.key_file, again=True)
    assert runs.tables() == before


@pytest.mark.parametrize("play", range(PLAYS))
def test_any_order_of_nights_late_files_moves_erasures_and_crashes_ends_in_what_the_rules_say(
    play, zone, runs, policy, monkeypatch
):
    dice, runs.policies = random.Random(SEED + play), versions(policy)
    groups = [Group(f"g{n}", random.Random(f"{SEED + play}/{n}")) for n in range(HISTORIES)]
    nights = iter(dice.sample(DAYS, len(DAYS)))

    def deliver(part):
        for group in groups:
            group.add(zone, part)
        zone.write(*DAYS)

    def erase_them():
        erase(runs.lake, runs.setting(), [(one["profile_id"], model.moment(one["requested_at"])) for one in asked])

    steps = {
        "night": lambda: runs.night(next(nights)),
        "crash": lambda: crash(runs, dice, monkeypatch),
        "erase": erase_them,
        "late": lambda: deliver(LATE),
    }
    for group in groups:
        group.settle_in(zone)
    asked = [request for group in groups for request in group.asked]
    deliver(AT_ONCE)
    for step in ["night", *dice.sample(["night", "night", "crash", "erase", "late"], 5)]:
        steps[step]()
    # Whatever was stated before an erasure, or a later policy, is stated anew.
    deliver(LATER)
    for day in dice.sample(DAYS, len(DAYS)):
        runs.night(day)

    # Of what was asked of us only tombstones are left: the model has to be told.
    zone.erasures += asked
    zone.write(*DAYS)
    lines, signals, taken = expected(zone.folder, runs.policies)
    counted = Counter()
    for day, source, _, outcome, count in runs.rows("outcomes"):
        counted[day, source, outcome] += count
    assert counted == lines
    stored = [(*row[:-1], int(row[-1])) for row in runs.rows("signals", "signal_key", "account_digest")]
    assert sorted(stored) == signals
    profiles = {row[:2]: (int(row[2]), *row[3:]) for row in runs.rows("profiles")}
    assert profiles == model.sums((profile, topic, day, amount) for _, profile, topic, _, day, *_, amount in signals)
    weights = {key: weight for key, (weight, *_) in profiles.items()}
    one = 10_000 * decay.factor(DAYS[-1], policy.landmark, policy.half_life_days)
    rules = zone.folder, DAYS[-1], {placement: floor * one for placement, floor in policy.floors.items()}
    audiences = model.audiences(weights, *rules, 2)
    assert set(runs.rows("segment_members")) == {(name, who) for name, people in audiences.items() for who in people}
    sizes = {row[0]: row[4] for row in runs.rows("segments")}
    assert sizes == {name: len(people) // 2 * 2 for name, people in audiences.items()}
    assert {row[:3]: row[3] for row in runs.rows("activations")} == model.activated(weights, *rules, 1)
    last = runs.lake.last_run()
    standing = replayed(runs.lake, last)
    assert standing.exceptAll(runs.lake.read(PROFILES, last)).isEmpty() and standing.count() == len(profiles)
    # A generator that draws nothing of interest proves nothing.
    assert len(signals) > HISTORIES and len({outcome for _, _, outcome in lines}) > 12
    assert len(audiences) > 4 and asked and taken
