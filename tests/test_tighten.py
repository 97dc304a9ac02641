"""Tighten: which versions forbid something, which dates they judge anew, and what then no longer stands."""

import random
from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from jobs.policy import tightens
from jobs.rebuild import rebuild
from jobs.reference import read_all
from jobs.tighten import forbidden, judged_anew
from jobs.together import all_of, settled_nights
from schemas.lines import SETTLED
from schemas.signals import SIGNALS
from tests.groups import AT_ONCE, Group
from tests.groups import DAYS as DATES
from tests.zone import HARMLESS, NIGHT

MARATHON, NEXT = "how do i train for a marathon", NIGHT + timedelta(days=1)
DAYS = [date(2026, 1, day) for day in (1, 2, 3)]


@pytest.fixture
def tight(policy):
    return replace(policy, sensitive_thresholds={**policy.sensitive_thresholds, "religion": 300, "health": 100})


def stricter(policy, dice):
    """The policy with its rules drawn tighter."""

    def lower(value):
        return dice.choice([value, value, max(value * dice.randint(2, 9) // 10, 1)])

    interest = policy.interest
    changes = {
        "sensitive_thresholds": {name: lower(value) for name, value in policy.sensitive_thresholds.items()},
        "few_words_threshold": lower(policy.few_words_threshold),
        "interest": replace(
            interest,
            threshold=interest.threshold + dice.choice([0, 2000, 3000]),
            most_sensitive=lower(interest.most_sensitive),
            most_sensitive_few_words=lower(interest.most_sensitive_few_words),
        ),
        "max_line_bytes": lower(policy.max_line_bytes),
        "notice_from": policy.notice_from + timedelta(days=dice.choice([0, 0, 40])),
        "effective_from": policy.effective_from + timedelta(hours=dice.choice([20, 30])),
        "regions": replace(policy.regions, cautious=[*policy.regions.cautious, dice.choice(["BR", "CA", "JP"])]),
    }
    return replace(policy, **changes)


def since(policy, name, first, until=None):
    return replace(policy, version=name, valid_from=first, valid_to=until)


def test_a_policy_tightens_where_it_forbids_anything_that_another_allows(policy):
    interest, thresholds, weights = policy.interest, policy.sensitive_thresholds, policy.weights
    pairs = [
        ({"sensitive_thresholds": {**thresholds, "health": thresholds["health"] + d}} for d in (-1, 1)),
        ({"few_words_threshold": policy.few_words_threshold + d} for d in (-1, 1)),
        ({"interest": replace(interest, threshold=interest.threshold - d)} for d in (-1, 1)),
        ({"interest": replace(interest, most_sensitive=interest.most_sensitive + d)} for d in (-1, 1)),
        (
            {"interest": replace(interest, most_sensitive_few_words=interest.most_sensitive_few_words + d)}
            for d in (-1, 1)
        ),
        ({"interest": replace(interest, most_topics=interest.most_topics + d)} for d in (-1, 1)),
        ({"lateness_days": policy.lateness_days + d} for d in (-1, 1)),
        ({"max_line_bytes": policy.max_line_bytes + d} for d in (-1, 1)),
        ({"effective_from": policy.effective_from - timedelta(d)} for d in (-1, 1)),
        ({"notice_from": policy.notice_from - timedelta(d)} for d in (-1, 1)),
        ({"weights": {**weights, "vibes": weight}} for weight in (0, 1)),
        (
            {"regions": replace(policy.regions, cautious=countries)}
            for countries in ([*policy.regions.cautious, "CA"], policy.regions.cautious[1:])
        ),
    ]
    for stricter, looser in pairs:
        assert tightens(replace(policy, **stricter), policy)
        assert not tightens(replace(policy, **looser), policy)
    assert not tightens(replace(policy, half_life_days=31, retention_days=1, minimum_audience=2), policy)


def test_a_stricter_version_judges_earlier_dates_once_and_those_that_are_stated_anew(policy, tight):
    first, second, third = DAYS
    policies = [since(policy, "a", policy.valid_from, second), since(tight, "b", second, third)]
    policies.append(since(policy, "c", third))

    def versions(before, stated):
        dates = {*before, *stated}
        return [(by.version, days) for by, days in judged_anew(dates, before, stated, policies)]

    assert versions([], [first]) == []
    assert versions([first], [second]) == [("b", [first])]
    assert versions([first, second], [third]) == []
    assert versions([first, second], [first]) == [("b", [first])]
    assert versions([second], [first]) == [("b", [first])]
    assert versions([], DAYS) == [("b", [first])]


def test_what_a_stricter_version_does_not_give_falls_with_its_conversation_and_all_of_a_date_without_files(
    zone, runs, policy, tight, tmp_path
):
    zone.person().say(conversation="c").say(HARMLESS, conversation="d").say(MARATHON, day=NEXT, conversation="c")
    zone.like("Baseball").write(NIGHT, NEXT)
    loose = [since(policy, "a", policy.valid_from)]
    strict = [since(policy, "a", policy.valid_from, NEXT), since(tight, "b", NEXT)]

    def signals(policies):
        runs.policies = policies
        return rebuild(runs.setting(), [NIGHT, NEXT], lambda *_: None)[SIGNALS.name]

    def shown(frame):
        return sorted((row["landing_date"], row["source"]) for row in frame.collect())

    before = signals(loose)
    assert shown(before) == [(NIGHT, "chat"), (NIGHT, "chat"), (NIGHT, "like"), (NEXT, "chat")]
    assert shown(signals(strict)) == [(NIGHT, "chat"), (NIGHT, "like")]

    setting, reference = runs.setting(), read_all(runs.spark, str(zone.folder), runs.setting().key).frames
    judges = judged_anew([NIGHT, NEXT], [], [NIGHT, NEXT], strict)
    for source in ("interactions", "engagements"):
        (zone.folder / source / f"date={NIGHT}").rename(tmp_path / source)
    gone = forbidden(before, setting, reference, judges, [NIGHT, NEXT])
    assert {row["landing_date"] for row in gone.collect()} == {NIGHT} and gone.count() == 3


def test_a_stricter_policy_never_uses_a_line_that_a_looser_one_leaves_out(zone, runs, policy):
    dice = random.Random(3)
    for n in range(20):
        group = Group(f"s{n}", random.Random(f"stricter/{n}"))
        group.settle_in(zone)
        group.add(zone, AT_ONCE)
    zone.write(*DATES)
    reference, used = read_all(runs.spark, str(zone.folder), runs.setting().key).frames, []
    for _ in range(3):
        runs.policies = [policy]
        nights = settled_nights(runs.setting(), DATES, reference, lambda *_: None)
        lines = [night.runner.frames[SETTLED.name].where("outcome = 'used'") for night in nights.values()]
        used.append({bytes(row["id_digest"]) for row in all_of(lines).select("id_digest").collect()})
        tighter = stricter(policy, dice)
        assert tightens(tighter, policy)
        policy = tighter
    assert used[0] >= used[1] >= used[2] and used[0] > used[2]
