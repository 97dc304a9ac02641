"""Ledger: count every line once, say where the malformed ones are, and remember digests for later nights."""

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.ingest import id_hash
from jobs.landing import LandingFile
from jobs.session import tasks_at_once
from jobs.stage import Stage
from schemas.arrivals import ARRIVALS
from schemas.lines import REPEATED, SCREENED, SETTLED
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


def arrivals(screened: DataFrame, repeated: DataFrame, *, landing_date: date) -> DataFrame:
    """One row per distinct id and content of a well-formed line, and per conversation of an oversize one.

    What a line withholds by itself: never what another date made of it, so no two dates wait for each other. Only lines
    that share their id are brought together; any other is a row as it is, and stays where it was read.
    """
    known = screened.where("id_digest is not null").withColumn("id_hash", id_hash())
    alone = known.join(repeated, on="id_hash", how="left_anti").withColumn("lines", F.lit(1).cast("long"))
    several = known.join(repeated, on="id_hash", how="left_semi").drop("id_hash")
    oversize = screened.where("reason = 'oversize' and conversation_digest is not null")
    rows = _day(alone, landing_date).unionByName(_grouped(several.unionByName(oversize), landing_date))
    return rows.coalesce(tasks_at_once(screened.sparkSession))


def ids(raw_lines: DataFrame, *, landing_date: date) -> DataFrame:
    """`arrivals` before anything is judged: ids and contents are right, and nothing withholds yet."""
    return _grouped(raw_lines.where("id_digest is not null").withColumn("withholds", F.lit(False)), landing_date)


def _grouped(lines: DataFrame, landing_date: date) -> DataFrame:
    grouped = lines.groupBy("source", "id_digest", "content_digest", "conversation_digest")
    return _day(grouped.agg(F.count(F.lit(1)).alias("lines"), F.max("withholds").alias("withholds")), landing_date)


def _day(rows: DataFrame, landing_date: date) -> DataFrame:
    return rows.withColumn("landing_date", F.lit(landing_date)).select(ARRIVALS.names)


def totals(screened: DataFrame) -> tuple[int, dict[str, int]]:
    """How many lines, and how many of each sensitive category, over everybody: small counts are not to be shown or kept."""
    bits = [
        F.count_if(F.col("categories").bitwiseAND(1 << bit) != 0).alias(name)
        for bit, name in enumerate(SENSITIVE_CATEGORIES)
    ]
    counted = screened.agg(F.count(F.lit(1)).alias("lines"), *bits).first().asDict()
    return counted.pop("lines"), counted


ARRIVALS_STAGE = Stage("arrivals", reads=(SCREENED, REPEATED), transform=arrivals, gives=ARRIVALS)
STAGES = (
    Stage("rejects", reads=(SETTLED,), transform=rejects, gives=REJECTS),
    Stage("outcomes", reads=(SETTLED,), transform=outcomes, gives=OUTCOME_COUNTS),
)
