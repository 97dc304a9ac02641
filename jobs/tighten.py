"""Tighten: what the stricter policy of a later landing date forbids of what earlier dates have given.

A loosened policy is never retroactive, a tightened one is: a signal of landing date D stands while D, judged anew by the
policy of each later date that is run, would give it too. The raw lines are asked again, for nothing that is stored
tells how near to a threshold a text came. A date whose raw files are gone can't be asked: nothing of it stands.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date
from functools import reduce

import msgspec
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import accrue
from jobs.landing import landing_dates
from jobs.night import Setting
from jobs.policy import Policy, policy_on, tightens
from jobs.stale import neighbours
from jobs.together import all_of, settled_nights
from schemas.signals import SIGNALS


def judged_anew(
    dates: Iterable[date], before: Iterable[date], stated: Iterable[date], policies: list[Policy]
) -> list[tuple[Policy, list[date]]]:
    """The stricter versions, each with the landing dates that it has to judge now.

    `dates` are all that are run by now, `before` those that were run already, `stated` those whose signals are new.
    """
    found = {policy.version: (policy, []) for policy in policies}
    for day in sorted(dates):
        had = set() if day in stated else _stricter_after(day, before, policies)
        for version in _stricter_after(day, dates, policies) - had:
            found[version][1].append(day)
    return [(policy, days) for policy, days in found.values() if days]


def forbidden(
    accrued: DataFrame,
    setting: Setting,
    reference: dict[str, DataFrame],
    judges: list[tuple[Policy, list[date]]],
    dates: Iterable[date],
) -> DataFrame:
    """One row (landing_date, signal_key) per signal that one of these versions doesn't give, beside all dates run."""
    present = set(landing_dates(setting.landing)).intersection(dates)
    found = (_not_given(accrued, setting, reference, policy, days, present) for policy, days in judges)
    return reduce(DataFrame.unionByName, found).distinct()


def _not_given(
    accrued: DataFrame,
    setting: Setting,
    reference: dict[str, DataFrame],
    policy: Policy,
    days: list[date],
    present: set[date],
) -> DataFrame:
    alone, key = msgspec.structs.replace(policy, valid_from=date.min, valid_to=None), list(SIGNALS.key)
    theirs = accrued.where(F.col("landing_date").isin(*days)).select(key)
    asked = present.intersection(days) & _dates_of(theirs)
    # A neighbour's conversation may be withheld for an id that only its own neighbour has.
    for _ in ("conversations", "ids"):
        asked |= {other for day in asked for other in neighbours(day, present, [alone])}
    nights = settled_nights(replace(setting, policies=[alone]), sorted(asked), reference, lambda *_: None)
    given = [nights[day].runner.transform(accrue.STAGE).select(key) for day in days if day in nights]
    return theirs.join(all_of(given), on=key, how="left_anti") if given else theirs


def _dates_of(signals: DataFrame) -> set[date]:
    """The landing dates that have any of these signals: of an expired one nothing has to be asked."""
    return {row["landing_date"] for row in signals.select("landing_date").distinct().collect()}


def _stricter_after(day: date, dates: Iterable[date], policies: list[Policy]) -> set[str]:
    """Versions of later dates that forbid something that the day's own allows."""
    own = policy_on(policies, day)
    later = {policy.version: policy for policy in (policy_on(policies, other) for other in dates if other > day)}
    return {version for version, policy in later.items() if tightens(policy, own)}
