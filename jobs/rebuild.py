"""Rebuild: what the tables should be, from the landing zone alone, in memory. Nothing is written anywhere.

Not by the way that nights take: no table is read, no date waits for another, nothing is restated or merged. All ids first,
then all lines by themselves, then all outcomes; profiles are plain sums over the signals that stand.
"""

from collections.abc import Callable
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import ledger, tighten
from jobs.attribute import accounts_of
from jobs.night import DELIVERED, STORED, Setting
from jobs.policy import policy_on
from jobs.reference import read_all
from jobs.runner import Runner
from jobs.together import all_of, settled_nights
from jobs.withdraw import withdrawn
from schemas.contract import AMOUNT
from schemas.profiles import PROFILES
from schemas.signal_accounts import SIGNAL_ACCOUNTS
from schemas.signals import SIGNALS


def rebuild(
    setting: Setting, dates: list[date], progress: Callable[[str, float], None], tombstones: DataFrame | None = None
) -> dict[str, DataFrame]:
    """By table name the rows of these landing dates, judged by each other alone. Raises as a night would."""
    reference = read_all(setting.spark, setting.landing, setting.key, tombstones).frames
    nights = settled_nights(setting, dates, reference, progress).values()
    stages = (ledger.ARRIVALS_STAGE, *STORED)
    tables = {stage.gives.name: all_of([night.runner.transform(stage) for night in nights]) for stage in stages}
    tables[SIGNALS.name] = _standing(tables[SIGNALS.name], reference, setting, dates).persist()
    tables[PROFILES.name] = profiles(tables[SIGNALS.name]).persist()
    tables[SIGNAL_ACCOUNTS.name] = accounts_of(tables[SIGNALS.name])
    return {**tables, **_delivered(tables[PROFILES.name], reference, setting, dates[-1])}


def profiles(signals: DataFrame) -> DataFrame:
    """One row per profile and topic: the sum of its signals."""
    summed = signals.groupBy("profile_id", "topic_id").agg(
        F.sum("amount").cast(AMOUNT).alias("weight"),
        F.count(F.lit(1)).alias("signals"),
        F.min("day").alias("first_day"),
        F.max("day").alias("last_day"),
    )
    return summed.select(PROFILES.names)


def _delivered(
    interests: DataFrame, reference: dict[str, DataFrame], setting: Setting, newest: date
) -> dict[str, DataFrame]:
    """Audiences and activations, by table name."""
    runner = Runner(setting.spark, newest, lambda *_: None)
    runner.frames |= {**reference, PROFILES.name: interests}
    runner.values |= {"newest": newest, "policy": policy_on(setting.policies, newest)}
    for stage in DELIVERED:
        runner.frames[stage.gives.name] = runner.transform(stage)
    return {stage.gives.name: runner.frames[stage.gives.name] for stage in DELIVERED}


def _standing(signals: DataFrame, reference: dict[str, DataFrame], setting: Setting, dates: list[date]) -> DataFrame:
    """The signals that hold at the end of every later date, and under its policy."""
    nights = [(day, policy_on(setting.policies, day)) for day in dates]
    gone = withdrawn(signals, **reference, landing_date=dates[-1], restated=dates, nights=nights)
    judges = tighten.judged_anew(dates, before=(), stated=dates, policies=setting.policies)
    if judges:
        gone = gone.unionByName(tighten.forbidden(signals, setting, reference, judges, dates))
    return signals.join(gone, on=list(SIGNALS.key), how="left_anti").select(SIGNALS.names)
