"""Activate: the strongest interests of each profile for each placement of the apps that it is linked to; none for AI products."""

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.accrue import exactly
from jobs.audience import apps, countries, floors_on
from jobs.landing import end_of
from jobs.policy import Policy
from jobs.stage import Stage
from schemas.activations import ACTIVATIONS
from schemas.profiles import PROFILES
from schemas.reference import ACCOUNT_LINKS, PROFILE_REGIONS


def activations(
    profiles: DataFrame, account_links: DataFrame, profile_regions: DataFrame, *, newest: date, policy: Policy
) -> DataFrame:
    """One row per profile, app and placement, as of the end of the newest landing date; of who is eligible there."""
    at = end_of(newest)
    reach = apps(account_links, at=at).join(
        countries(profile_regions, at=at, policy=policy), on="profile_id", how="left_semi"
    )
    return activated(profiles, reach, newest=newest, policy=policy)


def activated(profiles: DataFrame, reach: DataFrame, *, newest: date, policy: Policy) -> DataFrame:
    """One row per (profile_id, app) of `reach` and placement. Equal weights go by topic id, so no order is left to chance."""
    floors = floors_on(newest, policy)
    ranked = F.array_sort(F.collect_list(F.struct((-F.col("weight")).alias("last"), "topic_id")))
    lowest = exactly(min(floors.values()))
    people = profiles.where(F.col("weight") >= lowest).groupBy("profile_id").agg(ranked.alias("interests"))

    def best(placement: str) -> Column:
        reached = F.filter("interests", lambda interest: interest["last"] <= exactly(-floors[placement]))
        topics = F.slice(F.transform(reached, lambda interest: interest["topic_id"]), 1, policy.top_interests)
        return F.struct(F.lit(placement).alias("placement"), topics.alias("topic_ids"))

    # One sorting a person serves all placements: what reaches a floor comes before what doesn't.
    placed = people.select("profile_id", F.inline(F.array(*map(best, floors))))
    return placed.where(F.size("topic_ids") > 0).join(reach, on="profile_id").select(ACTIVATIONS.names)


STAGE = Stage("activate", reads=(PROFILES, ACCOUNT_LINKS, PROFILE_REGIONS), transform=activations, gives=ACTIVATIONS)
