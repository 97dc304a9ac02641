"""Accrue: turn each used line into signals, one per interest it shows, with exact forward-decayed amounts."""

from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.decay import factor
from jobs.policy import Policy
from jobs.screen import line_weight
from jobs.stage import Stage
from schemas.contract import AMOUNT
from schemas.lines import SETTLED
from schemas.signals import SIGNALS


def accrue(settled: DataFrame, *, landing_date: date, policy: Policy) -> DataFrame:
    """One row per used line and topic. A used line happened within the lateness window, so its days are known."""
    days = [landing_date - timedelta(days=late) for late in range(policy.lateness_days + 1)]
    factors = F.create_map(
        *(
            item
            for day in days
            for item in (
                F.lit(day),
                exactly(factor(day, policy.landmark, policy.half_life_days)),
            )
        )
    )
    return (
        settled.where("outcome = 'used'")
        .withColumn("weight", line_weight(policy))
        .withColumn("day", F.to_date("occurred_at"))
        .withColumn("topic", F.explode("topics"))
        .withColumn("score", F.col("topic.score"))
        .withColumn("topic_id", F.col("topic.topic_id"))
        # Whole numbers of at most 18 digits first, so that the product with the day's factor loses none.
        .withColumn("shown", (F.col("score").cast("long") * F.col("weight")).cast("decimal(18,0)"))
        .withColumn("amount", (F.col("shown") * factors[F.col("day")]).cast(AMOUNT))
        .withColumn("landing_date", F.lit(landing_date))
        .withColumn("source", F.col("surface"))
        .withColumn("signal_key", signal_key())
        .select(SIGNALS.names)
    )


def exactly(amount: int) -> Column:
    """A whole number that may have more digits than a long."""
    return F.lit(str(amount)).cast(AMOUNT)


def signal_key():
    """Digest of a line's keyed digests and the topic: 128 bits that mean nothing without the lake's key."""
    line = F.concat(F.hex("id_digest"), F.hex("content_digest"), F.lit("/"), F.col("topic_id"))
    return F.substring(F.unhex(F.sha2(line.cast("binary"), 256)), 1, 16)


STAGE = Stage("accrue", reads=(SETTLED,), transform=accrue, gives=SIGNALS)
