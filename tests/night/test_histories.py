"""Generated lives of small groups of people, played through one lake in any order, against the rules in plain Python.

Groups share no id, account or conversation, so each is a history of its own, and one lake plays them all at once. Hypothesis
draws who they are and what happens: nights run and run again in any order, crashes at several points, erasures, files that come
late; people move and unlink, and the policy is tightened for the second landing date and loosened again for the third. In the
end outcomes, signals, profiles, audiences and activations are compared, whole, with what `tests/model.py` makes of the landing
zone. NIGHTJAR_PLAYS plays as many orders, NIGHTJAR_HISTORIES as many groups in each; NIGHTJAR_SEED plays others.
"""

import os
import random
import sys
from collections import Counter
from itertools import count

import msgspec
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, Phase, assume, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

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
from tests.conftest import Runs
from tests.groups import AT_ONCE, DAYS, LATE, LATER, TEXTS, Group
from tests.zone import Zone

PLAYS = int(os.environ.get("NIGHTJAR_PLAYS", "1"))
STEPS = 6
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


class Play(RuleBasedStateMachine):
    """A lake and its landing zone, and what may happen to them; at the end the tables are what the rules say."""

    def __init__(self, spark, folder, policy):
        super().__init__()
        self.zone = Zone(folder / "landing")
        self.runs = Runs(spark, folder / "lake", self.zone.folder, versions(policy))
        self.asked, self.erased, self.late = [], [], False

    @initialize(lives=st.integers(0, 2**32 - 1), first=st.sampled_from(DAYS))
    def begin(self, lives, first):
        # Hypothesis always begins with the plainest play, which is not worth its minutes.
        assume(lives)
        self.groups = [Group(f"g{n}", random.Random(f"{SEED}/{lives}/{n}")) for n in range(HISTORIES)]
        for group in self.groups:
            group.settle_in(self.zone)
        self.asked = [request for group in self.groups for request in group.asked]
        self._deliver(AT_ONCE)
        self._night(first)

    @rule(day=st.sampled_from(DAYS))
    def night(self, day):
        self._night(day)

    @rule(day=st.sampled_from(DAYS), where=st.sampled_from(CRASHES))
    def crash(self, day, where):
        """A landing date stated anew that fails at some point: for readers nothing has happened."""
        runs, before = self.runs, self.runs.tables()
        with pytest.MonkeyPatch.context() as patch, pytest.raises(ZeroDivisionError):
            patch.setattr(where, lambda *_, **__: 1 / 0)
            run_night(runs.setting(), runs.lake, day, key_file=runs.key_file, again=True)
        assert runs.tables() == before

    @precondition(lambda self: not self.late)
    @rule()
    def late_files(self):
        self.late = True
        self._deliver(LATE)

    @precondition(lambda self: self.asked)
    @rule()
    def erase_some(self):
        half = len(self.asked) // 2
        now, self.asked = self.asked[half:], self.asked[:half]
        self._erase(now)

    def _erase(self, now):
        self.erased += now
        requests = [(one["profile_id"], model.moment(one["requested_at"])) for one in now]
        erase(self.runs.lake, self.runs.setting(), requests)

    def teardown(self):
        # A step that failed has said enough.
        if sys.exc_info()[0] is None:
            # Whoever asked and was not drawn is erased now. Every date gets a file, so what was stated before an
            # erasure, or a later policy, is stated anew.
            if self.asked:
                self._erase(self.asked)
            self._deliver(LATER)
            for day in DAYS:
                self._night(day)
            # Of what was asked of us only tombstones are left: the model has to be told.
            self.zone.erasures += self.erased
            self.zone.write(*DAYS)
            ends_as_the_rules_say(self.runs, self.zone.folder)

    def _deliver(self, part):
        for group in self.groups:
            group.add(self.zone, part)
        self.zone.write(*DAYS)

    def _night(self, day):
        self.runs.night(day)


def ends_as_the_rules_say(runs, landing):
    """Every table, whole, is what the model makes of the landing zone."""
    policy = runs.policies[-1]
    lines, signals, _ = expected(landing, runs.policies)
    counted = Counter()
    for day, source, _, outcome, found in runs.rows("outcomes"):
        counted[day, source, outcome] += found
    assert counted == lines
    stored = [(*row[:-1], int(row[-1])) for row in runs.rows("signals", "signal_key", "account_digest")]
    assert stored and sorted(stored) == signals
    accounts = Counter()
    for profile, ai, number in runs.rows("signal_accounts", "account_digest"):
        accounts[profile, ai] += number
    assert accounts == Counter((profile, kind in model.SURFACES) for _, profile, _, kind, *_ in signals)
    profiles = {row[:2]: (int(row[2]), *row[3:]) for row in runs.rows("profiles")}
    assert profiles == model.sums((profile, topic, day, amount) for _, profile, topic, _, day, *_, amount in signals)
    weights = {key: weight for key, (weight, *_) in profiles.items()}
    one = 10_000 * decay.factor(DAYS[-1], policy.landmark, policy.half_life_days)
    rules = landing, DAYS[-1], {placement: floor * one for placement, floor in policy.floors.items()}
    audiences = model.audiences(weights, *rules, 2)
    assert set(runs.rows("segment_members")) == {(name, who) for name, people in audiences.items() for who in people}
    sizes = {row[0]: row[4] for row in runs.rows("segments")}
    assert sizes == {name: len(people) // 2 * 2 for name, people in audiences.items()}
    assert {row[:3]: row[3] for row in runs.rows("activations")} == model.activated(weights, *rules, 1)
    last = runs.lake.log.history().last
    standing = replayed(runs.lake, last)
    assert standing.exceptAll(runs.lake.read(PROFILES, last)).isEmpty() and standing.count() == len(profiles)


def test_nights_late_files_moves_erasures_policies_and_crashes_in_any_order_end_in_what_the_rules_say(
    forgetful, policy, tmp_path
):
    numbers = count()

    @seed(SEED)
    def play():
        return Play(forgetful, tmp_path / str(next(numbers)), policy)

    # A play takes minutes: it is drawn, and told step by step if it fails, but not made smaller.
    drawn = settings(
        max_examples=PLAYS, stateful_step_count=STEPS, phases=[Phase.generate], deadline=None, database=None
    )
    run_state_machine_as_test(play, settings=settings(drawn, suppress_health_check=list(HealthCheck)))


def test_what_is_drawn_is_worth_playing(zone, policy):
    for number in range(40):
        group = Group(f"g{number}", random.Random(f"{SEED}/{number}"))
        group.settle_in(zone)
        for part in (AT_ONCE, LATE, LATER):
            group.add(zone, part)
        zone.erasures += group.asked
    zone.write(*DAYS)
    lines, signals, taken = expected(zone.folder, versions(policy))
    assert len(signals) > 30 and len({outcome for _, _, outcome in lines}) > 12 and taken
