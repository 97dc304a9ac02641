"""Audience: whom an interest may reach as of the end of a landing date: strong enough, somewhere eligible, on which apps."""

from datetime import date, datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs import decay
from jobs.accrue import exactly
from jobs.admit import among, country_code
from jobs.periods import holds
from jobs.policy import Policy
from schemas.words import PERSONALISED_APPS


def strong(profiles: DataFrame, *, newest: date, policy: Policy) -> DataFrame:
    """One row (profile_id, topic_id, weight, placement) per interest and placement whose floor it reaches by that day.

    Compared in exact sums: strength is computed on no row.
    """
    floors = F.array(
        *(
            F.struct(F.lit(name).alias("placement"), exactly(floor).alias("floor"))
            for name, floor in floors_on(newest, policy).items()
        )
    )
    reached = F.filter(floors, lambda placement: F.col("weight") >= placement["floor"])
    return profiles.select("profile_id", "topic_id", "weight", F.explode(reached).alias("reached")).select(
        "profile_id", "topic_id", "weight", F.col("reached.placement").alias("placement")
    )


def floors_on(newest: date, policy: Policy) -> dict[str, int]:
    """The sum that an interest must have by that day for each placement, by name."""
    one = 10_000 * decay.factor(newest, policy.landmark, policy.half_life_days)
    return {name: floor * one for name, floor in sorted(policy.floors.items())}


def countries(profile_regions: DataFrame, *, at: datetime, policy: Policy) -> DataFrame:
    """One row (profile_id, country) per profile in one known, eligible country at that instant."""
    return (
        profile_regions.where(_holds(at))
        .groupBy("profile_id")
        .agg(F.collect_set(country_code("country", policy)).alias("codes"))
        .where(F.size("codes") == 1)
        .select("profile_id", F.get("codes", F.lit(0)).alias("country"))
        .where(~among("country", {"", *policy.regions.excluded}))
    )


def apps(account_links: DataFrame, *, at: datetime) -> DataFrame:
    """One row (profile_id, app) per personalised app that a profile has an account of at that instant."""
    return (
        account_links.where(F.col("app").isin(*PERSONALISED_APPS) & _holds(at)).select("profile_id", "app").distinct()
    )


def _holds(at: datetime) -> Column:
    return holds(F.col("valid_from"), F.col("valid_to"), F.lit(at))
