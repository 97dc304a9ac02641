"""Rebuild: what the tables should be, from the landing zone alone, in memory. Nothing is written anywhere.

Not by the way that nights take: no table is read, no date waits for another, nothing is restated or merged. All ids first,
then all lines by themselves, then all outcomes; profiles are plain sums over the signals that stand.
"""

from collections.abc import Callable
from datetime import date
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import ledger
from jobs.night import STORED, Night, Setting
from jobs.policy import policy_on
from jobs.reference import read_all
from jobs.stale import neighbours
from jobs.withdraw import withdrawn
from schemas.arrivals import ARRIVALS
from schemas.contract import AMOUNT
from schemas.lines import RAW_LINES
from schemas.profiles import PROFILES
from schemas.signals import SIGNALS


def rebuild(
    setting: Setting, dates: list[date], progress: Callable[[str, float], None], tombstones: DataFrame | None = None
) -> dict[str, DataFrame]:
    """By table name the rows of these landing dates, judged by each other alone. Raises as a night would."""
    reference = read_all(setting.spark, setting.landing, setting.key, tombstones)
    nights = settled_nights(setting, dates, reference, progress).values()
    stages = (ledger.ARRIVALS_STAGE, *STORED)
    tables = {stage.gives.name: _all([night.runner.transform(stage) for night in nights]) for stage in stages}
    tables[SIGNALS.name] = _standing(tables[SIGNALS.name], reference, setting, dates).persist()
    return {**tables, PROFILES.name: profiles(tables[SIGNALS.name])}


def settled_nights(
    setting: Setting, dates: list[date], reference: dict[str, DataFrame], progress: Callable[[str, float], None]
) -> dict[date, Night]:
    """These landing dates, each with its lines settled."""
    nothing = setting.spark.createDataFrame([], ARRIVALS.schema)

    def beside(day: date, frames: dict[date, DataFrame]) -> DataFrame:
        return _all([nothing, *(frames[other] for other in neighbours(day, dates, setting.policies))])

    nights = {day: Night(setting, day, progress) for day in dates}
    for night in nights.values():
        night.read()
    ids = {day: ledger.ids(n.runner.frames[RAW_LINES.name], landing_date=day) for day, n in nights.items()}
    for day, night in nights.items():
        night.fly(reference, beside(day, ids))
    arrivals = {day: night.runner.transform(ledger.ARRIVALS_STAGE) for day, night in nights.items()}
    for day, night in nights.items():
        night.runner.frames["elsewhere"] = beside(day, arrivals)
        night.settle()
    return nights


def profiles(signals: DataFrame) -> DataFrame:
    """One row per profile and topic: the sum of its signals."""
    summed = signals.groupBy("profile_id", "topic_id").agg(
        F.sum("amount").cast(AMOUNT).alias("weight"),
        F.count(F.lit(1)).alias("signals"),
        F.min("day").alias("first_day"),
        F.max("day").alias("last_day"),
    )
    return summed.select(PROFILES.names)


def _standing(signals: DataFrame, reference: dict[str, DataFrame], setting: Setting, dates: list[date]) -> DataFrame:
    """The signals that hold at the end of every later date."""
    nights = [(day, policy_on(setting.policies, day)) for day in dates]
    gone = withdrawn(signals, **reference, landing_date=dates[-1], restated=dates, nights=nights)
    return signals.join(gone, on=list(SIGNALS.key), how="left_anti").select(SIGNALS.names)


def _all(frames: list[DataFrame]) -> DataFrame:
    return reduce(DataFrame.unionByName, frames)
