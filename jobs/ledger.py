"""Ledger: count every line once, say where the malformed ones are, and remember digests for later nights."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.landing import LandingFile
from jobs.stage import Stage
from schemas.arrivals import ARRIVALS
from schemas.lines import SCREENED
from schemas.outcomes import OUTCOME_COUNTS
from schemas.rejects import REJECTS
from schemas.words import SENSITIVE_CATEGORIES, UNKNOWN_SURFACE


def rejects(screened: DataFrame, *, landing_date: date, files: list[LandingFile]) -> DataFrame:
    """One row per malformed line: where it is and why, never what it says."""
    names = F.array(*(F.lit(file.name) for file in files)).cast("array<string>")
    return (
        screened.where("outcome = 'malformed'")
        .withColumn("landing_date", F.lit(landing_date))
        .withColumn("file", F.get(names, F.col("file")))
        .select(REJECTS.names)
    )


def outcomes(screened: DataFrame, *, landing_date: date) -> DataFrame:
    """One row per source, surface and outcome, with its count of lines."""
    surface = F.when(F.col("outcome") == "malformed", UNKNOWN_SURFACE).otherwise(F.col("surface"))
    return (
        screened.withColumn("surface", surface)
        .groupBy("source", "surface", "outcome")
        .agg(F.count(F.lit(1)).alias("lines"))
        .withColumn("landing_date", F.lit(landing_date))
        .select(OUTCOME_COUNTS.names)
    )


def arrivals(screened: DataFrame, *, landing_date: date) -> DataFrame:
    """One row per distinct id and content of a well-formed line, and per conversation of an oversize one."""
    oversize = F.coalesce(F.col("reason") == "oversize", F.lit(False)) & F.col("conversation_digest").isNotNull()
    return (
        screened.where(F.col("id_digest").isNotNull() | oversize)
        .groupBy("source", "id_digest", "content_digest", "conversation_digest")
        .agg(F.count(F.lit(1)).alias("lines"), F.max("withholds").alias("withholds"))
        .withColumn("landing_date", F.lit(landing_date))
        .select(ARRIVALS.names)
    )


def sensitive_counts(screened: DataFrame, *, minimum: int) -> dict[str, int]:
    """Lines by sensitive category, over everybody, from a minimum count up."""
    bits = [
        F.count_if(F.col("categories").bitwiseAND(1 << bit) != 0).alias(name)
        for bit, name in enumerate(SENSITIVE_CATEGORIES)
    ]
    counted = screened.agg(*bits).first().asDict()
    return {name: lines for name, lines in counted.items() if lines >= minimum}


STAGES = (
    Stage("rejects", reads=(SCREENED,), transform=rejects, gives=REJECTS),
    Stage("outcomes", reads=(SCREENED,), transform=outcomes, gives=OUTCOME_COUNTS),
    Stage("arrivals", reads=(SCREENED,), transform=arrivals, gives=ARRIVALS),
)
