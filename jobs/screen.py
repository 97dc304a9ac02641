"""Screen: a conversation is used whole or not at all, so one sensitive line drops the rest of it."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.policy import Policy
from jobs.stage import Stage
from jobs.whole import forget_unless, marked, named
from schemas.lines import SCORED, SCREENED, TAINTED

# A line that could not be screened counts as sensitive for the others of its conversation; an empty one doesn't.
UNSAFE = "coalesce(verdict in ('sensitive', 'unsupported_language'), false)"


def tainted(scored: DataFrame) -> DataFrame:
    """One row (conversation_digest) per conversation of which a line is sensitive or could not be screened."""
    return named(scored, UNSAFE)


def screen(scored: DataFrame, tainted: DataFrame, *, policy: Policy) -> DataFrame:
    """One row per raw line with the outcome that its own landing date gives it; profile and interests only where used."""
    outcome = (
        F.when(F.col("outcome").isNotNull(), F.col("outcome"))
        .when(F.col("verdict").isin("unsupported_language", "empty"), F.col("verdict"))
        .when(F.col("tainted"), "sensitive")
        .when((F.col("verdict") == "used") & (line_weight(policy) == 0), "no_interest")
        .otherwise(F.col("verdict"))
    )
    lines = (
        marked(scored, tainted, "tainted")
        .withColumn("withholds", F.col("withholds") | F.expr(UNSAFE))
        .withColumn("outcome", outcome)
    )
    return forget_unless_used(lines).select(SCREENED.names)


def forget_unless_used(lines: DataFrame) -> DataFrame:
    """The same lines; whose they are and what they show only where they are used."""
    used = F.col("outcome") == "used"
    return forget_unless(lines, used).withColumn(
        "topics", F.when(used, F.col("topics")).otherwise(F.slice("topics", 1, 0))
    )


def line_weight(policy: Policy) -> Column:
    """What the policy gives a line, in 1/1,000: its source's weight, and for a video the share of it that was watched.

    A video without a dwell time was not seen to be watched: nothing.
    """
    full = policy.full_dwell_seconds * 1_000
    watched = F.least(F.coalesce(F.col("dwell_milli"), F.lit(0)), F.lit(full))
    weight = F.when(
        F.col("surface") == "vibes", F.floor(F.lit(policy.weights["vibes"]) * watched / F.lit(full)).cast("int")
    )
    for source, value in sorted(policy.weights.items()):
        if source != "vibes":
            weight = weight.when(F.col("surface") == source, value)
    return weight.otherwise(0)


TAINTED_STAGE = Stage("tainted", reads=(SCORED,), transform=tainted, gives=TAINTED, counted=True)
STAGE = Stage("screen", reads=(SCORED, TAINTED), transform=screen, gives=SCREENED, kept=True)
