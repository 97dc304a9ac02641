"""Segment: audiences by interest, and by interest and country. Never fewer people than the policy's minimum, never a count.

All as of the end of the newest landing date that was run, so the order of nights makes no difference.
"""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.audience import countries, strong
from jobs.landing import end_of
from jobs.policy import Policy
from jobs.stage import Stage
from schemas.profiles import PROFILES
from schemas.reference import PROFILE_REGIONS
from schemas.segment_members import SEGMENT_MEMBERS
from schemas.segments import SEGMENTS


def members(profiles: DataFrame, profile_regions: DataFrame, *, newest: date, policy: Policy) -> DataFrame:
    """One row per person and audience that is large enough to be published."""
    where = countries(profile_regions, at=end_of(newest), policy=policy)
    everywhere = F.lit(None).cast("string")
    candidates = (
        strong(profiles, newest=newest, policy=policy)
        .join(where, on="profile_id")
        .withColumn("country", F.explode(F.array(everywhere, "country")))
        .select(F.concat_ws("/", "placement", "topic_id", "country").alias("segment_id"), "profile_id")
    )
    return _published(candidates, policy)


def remaining(segment_members: DataFrame, profiles: DataFrame, *, newest: date, policy: Policy) -> DataFrame:
    """One row per person who stays in an audience after evidence was taken away, and nothing else has changed."""
    audience = F.concat_ws("/", "placement", "topic_id")
    still = strong(profiles, newest=newest, policy=policy).select("profile_id", audience.alias("audience"))
    kept = segment_members.withColumn("audience", F.substring_index("segment_id", "/", 2))
    return _published(kept.join(still, on=["profile_id", "audience"], how="left_semi"), policy)


def segments(segment_members: DataFrame, *, newest: date, policy: Policy) -> DataFrame:
    """One row per published audience, its size rounded down: a step tells of many people, never of one."""
    parts, minimum = F.split("segment_id", "/"), F.lit(policy.minimum_audience).cast("long")
    counted = segment_members.groupBy("segment_id").agg(F.count(F.lit(1)).alias("people"))
    return counted.select(
        "segment_id",
        F.get(parts, F.lit(0)).alias("placement"),
        F.get(parts, F.lit(1)).alias("topic_id"),
        F.get(parts, F.lit(2)).alias("country"),
        (F.col("people") - F.col("people") % minimum).alias("size"),
        minimum.alias("minimum"),
        F.lit(newest).alias("as_of"),
    ).select(SEGMENTS.names)


def _published(candidates: DataFrame, policy: Policy) -> DataFrame:
    large = candidates.groupBy("segment_id").count().where(F.col("count") >= policy.minimum_audience)
    return candidates.join(large, on="segment_id", how="left_semi").select(SEGMENT_MEMBERS.names)


MEMBERS_STAGE = Stage("members", reads=(PROFILES, PROFILE_REGIONS), transform=members, gives=SEGMENT_MEMBERS)
STAGE = Stage("segment", reads=(SEGMENT_MEMBERS,), transform=segments, gives=SEGMENTS)
