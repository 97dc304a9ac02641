"""Activate: the strongest interests of each profile for each placement of the apps that it is linked to; none for AI products."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.audience import apps, countries, strong
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
    ranked = F.array_sort(F.collect_list(F.struct((-F.col("weight")).alias("last"), "topic_id")))
    best = (
        strong(profiles, newest=newest, policy=policy)
        .groupBy("profile_id", "placement")
        .agg(F.slice(ranked["topic_id"], 1, policy.top_interests).alias("topic_ids"))
    )
    return best.join(reach, on="profile_id").select(ACTIVATIONS.names)


STAGE = Stage("activate", reads=(PROFILES, ACCOUNT_LINKS, PROFILE_REGIONS), transform=activations, gives=ACTIVATIONS)
