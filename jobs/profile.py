"""Profile: what a night changes in each interest, as restated signals minus visible ones, and the deltas of that."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.session import tasks_at_once
from jobs.stage import Stage
from schemas.contract import AMOUNT
from schemas.profile_deltas import PROFILE_DELTAS
from schemas.profiles import PROFILES
from schemas.signals import SIGNALS


def changes(restated: DataFrame, visible: DataFrame, signals: DataFrame, *, some_go: bool) -> DataFrame:
    """One row per profile and topic whose signals change: by how much, and the days of what is new.

    `restated` are the landing dates' signals now, `visible` those that readers still see; a signal in both cancels out.
    Sums shrink as easily as they grow, first and last days don't: where a signal goes, they are looked up among all that
    stand (`exact_days`), which `signals` are. Where none can go, there are none visible and any signals will do.
    """
    net = _net(restated, visible) if some_go else restated.withColumn("sign", F.lit(1))
    pairs = net.groupBy("profile_id", "topic_id").agg(
        F.sum(F.col("amount") * F.col("sign")).cast(AMOUNT).alias("weight"),
        F.sum("sign").alias("signals"),
        F.min(F.when(F.col("sign") > 0, F.col("day"))).alias("first_day"),
        F.max(F.when(F.col("sign") > 0, F.col("day"))).alias("last_day"),
        F.bool_or(F.col("sign") < 0).alias("exact_days"),
    )
    shrunk = pairs.where("exact_days").select("profile_id", "topic_id")
    standing = (
        signals.join(shrunk, on=["profile_id", "topic_id"], how="left_semi")
        .groupBy("profile_id", "topic_id")
        .agg(F.min("day").alias("standing_first"), F.max("day").alias("standing_last"))
    )
    return (
        pairs.join(standing, on=["profile_id", "topic_id"], how="left")
        .withColumn("first_day", F.coalesce("standing_first", "first_day"))
        .withColumn("last_day", F.coalesce("standing_last", "last_day"))
        .select("profile_id", "topic_id", "weight", "signals", "first_day", "last_day", "exact_days")
    )


def _net(restated: DataFrame, visible: DataFrame) -> DataFrame:
    """One row per signal that comes (`sign` 1) or goes (-1)."""
    moved = ["profile_id", "topic_id", "signal_key", "day", "amount"]
    return (
        restated.select(*moved, F.lit(1).alias("sign"))
        .unionByName(visible.select(*moved, F.lit(-1).alias("sign")))
        .groupBy(*moved)
        .agg(F.sum("sign").cast("int").alias("sign"))
        .where("sign <> 0")
    )


# MERGE of `changes` (c) into PROFILES (p), by key.
MERGE_GONE = "p.signals + c.signals = 0"
MERGE_SET = {
    "weight": f"cast(p.weight + c.weight as {AMOUNT.simpleString()})",
    "signals": "p.signals + c.signals",
    "first_day": "if(c.exact_days, c.first_day, least(p.first_day, c.first_day))",
    "last_day": "if(c.exact_days, c.last_day, greatest(p.last_day, c.last_day))",
}
MERGE_NEW = {name: f"c.{name}" for name in PROFILES.names}


def deltas(changed: DataFrame, *, run_id: str, landing_date: date) -> DataFrame:
    """One row per change, from the change data feed of the one commit that made them."""
    values = ("weight", "signals", "first_day", "last_day")
    before, updates = (
        F.col("_change_type").isin("delete", "update_preimage"),
        F.col("_change_type").startswith("update"),
    )
    sides = changed.select(
        *("profile_id", "topic_id"),
        updates.alias("updates"),
        *(F.when(before, F.col(name)).alias(f"{name}_before") for name in values),
        *(F.when(~before, F.col(name)).alias(f"{name}_after") for name in values),
    )
    # A commit changes a row once: only what it updates has two sides that have to meet.
    met = (
        sides.where("updates")
        .groupBy("profile_id", "topic_id")
        .agg(*(F.max(f"{name}_{side}").alias(f"{name}_{side}") for side in ("before", "after") for name in values))
        .where(" or ".join(f"not {name}_before <=> {name}_after" for name in values))
    )
    return (
        sides.where("not updates")
        .drop("updates")
        .unionByName(met)
        .withColumn(
            "change",
            F.when(F.col("weight_before").isNull(), "added")
            .when(F.col("weight_after").isNull(), "removed")
            .otherwise("changed"),
        )
        .withColumn("run_id", F.lit(run_id))
        .withColumn("landing_date", F.lit(landing_date))
        .select(PROFILE_DELTAS.names)
        .coalesce(tasks_at_once(changed.sparkSession))
    )


STAGE = Stage("profile", reads=(SIGNALS,), transform=changes, gives=PROFILES)
DELTAS_STAGE = Stage("deltas", reads=(PROFILES,), transform=deltas, gives=PROFILE_DELTAS)
