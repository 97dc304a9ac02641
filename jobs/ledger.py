"""Ledger: count every line once, say where the malformed ones are, and remember digests for later nights."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.landing import LandingFile
from jobs.stage import Stage
from schemas.arrivals import ARRIVALS
from schemas.lines import SCREENED, SETTLED
from schemas.outcomes import OUTCOME_COUNTS
from schemas.rejects import REJECTS
from schemas.words import SENSITIVE_CATEGORIES, UNKNOWN_SURFACE


def rejects(settled: DataFrame, *, landing_date: date, files: list[LandingFile]) -> DataFrame:
    """One row per malformed line: where it is and why, never what it says."""
    names = F.array(*(F.lit(file.name) for file in files)).cast("array<string>")
    return (
        settled.where("outcome = 'malformed'")
        .withColumn("landing_date", F.lit(landing_date))
        .withColumn("file", F.get(names, F.col("file")))
        .select(REJECTS.names)
    )


def outcomes(settled: DataFrame, *, landing_date: date) -> DataFrame:
    """One row per source, surface and outcome, with its count of lines."""
    surface = F.when(F.col("outcome") == "malformed", UNKNOWN_SURFACE).otherwise(F.col("surface"))
    return (
        settled.withColumn("surface", surface)
        .groupBy("source", "surface", "outcome")
        .agg(F.count(F.lit(1)).alias("lines"))
        .withColumn("landing_date", F.lit(landing_date))
        .select(OUTCOME_COUNTS.names)
    )


def arrivals(screened: DataFrame, *, landing_date: date) -> DataFrame:
    """One row per distinct id and content of a well-formed line, and per conversation of an oversize one.

    What a line withholds by itself: never what another date made of it, so no two dates wait for each other.
    """
    oversize = F.coalesce(F.col("reason") == "oversize", F.lit(False)) & F.col("conversation_digest").isNotNull()
    return (
        screened.where(F.col("id_digest").isNotNull() | oversize)
        .groupBy("source", "id_digest", "content_digest", "conversation_digest")
        .agg(F.count(F.lit(1)).alias("lines"), F.max("withholds").alias("withholds"))
        .withColumn("landing_date", F.lit(landing_date))
        .select(ARRIVALS.names)
    )


def ids(raw_lines: DataFrame, *, landing_date: date) -> DataFrame:
    """`arrivals` before anything is judged: ids and contents are right, and nothing withholds yet."""
    unjudged = raw_lines.where("position > 0").withColumn("withholds", F.lit(False))
    return arrivals(unjudged, landing_date=landing_date).where("id_digest is not null")


def totals(screened: DataFrame) -> tuple[int, dict[str, int]]:
    """How many lines, and how many of each sensitive category, over everybody: small counts are not to be shown or kept."""
    bits = [
        F.count_if(F.col("categories").bitwiseAND(1 << bit) != 0).alias(name)
        for bit, name in enumerate(SENSITIVE_CATEGORIES)
    ]
    counted = screened.agg(F.count(F.lit(1)).alias("lines"), *bits).first().asDict()
    return counted.pop("lines"), counted


ARRIVALS_STAGE = Stage("arrivals", reads=(SCREENED,), transform=arrivals, gives=ARRIVALS)
STAGES = (
    Stage("rejects", reads=(SETTLED,), transform=rejects, gives=REJECTS),
    Stage("outcomes", reads=(SETTLED,), transform=outcomes, gives=OUTCOME_COUNTS),
)
