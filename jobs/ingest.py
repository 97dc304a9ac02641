"""Ingest: read every raw line without its text, and settle what a line or its copies decide alone."""

from datetime import date

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.landing import LandingFile, open_lines
from jobs.lines import LineRules, facts_of
from jobs.rows import frame_of
from jobs.session import tasks_at_once
from jobs.stage import Stage
from jobs.workers import batches_of, value_free
from schemas.arrivals import ARRIVALS
from schemas.contract import INT
from schemas.lines import INGESTED, RAW_LINES, REPEATED
from schemas.words import UNKNOWN_SURFACE

FILES = T.StructType([T.StructField("task", INT, False), T.StructField("file", INT, False)])


def repeated(raw_lines: DataFrame, elsewhere: DataFrame) -> DataFrame:
    """One row (id_hash) per id that a line of this landing date shares with another, of this date or of a neighbour.

    By a hash, which is narrow: two ids that share one are looked at more closely for nothing.
    """
    here = raw_lines.select(id_hash(), F.lit(True).alias("here"))
    there = elsewhere.select(id_hash(), F.lit(False).alias("here"))
    return (
        here.unionByName(there)
        .where("id_hash is not null")
        .groupBy("id_hash")
        .agg(F.count(F.lit(1)).alias("lines"), F.max("here").alias("here"))
        .where("here and lines > 1")
        .select("id_hash")
    )


def ingest(raw_lines: DataFrame, elsewhere: DataFrame, repeated: DataFrame, *, landing_date: date) -> DataFrame:
    """One row per raw line, with its `outcome` if it is malformed, misdated, in conflict or a copy.

    Copies are looked for among the well-formed lines of the landing date and of its neighbours (`elsewhere`, their
    arrivals), misdated ones too. Which of equal lines of a date counts as the first makes no difference to any table:
    what is equal in content is equal at every gate. Only lines whose id is among the `repeated` are compared at all.
    """
    lines = raw_lines.where("position > 0").withColumn("id_hash", id_hash())
    alone = lines.join(repeated, on="id_hash", how="left_anti").withColumn("outcome", by_itself())
    several = _compared(
        lines.join(repeated, on="id_hash", how="left_semi"),
        elsewhere.withColumn("id_hash", id_hash()).join(repeated, on="id_hash", how="left_semi"),
        landing_date,
    )
    return alone.select(INGESTED.names).unionByName(several.select(INGESTED.names))


def by_itself() -> Column:
    """The outcome that a line has whatever others say."""
    return F.when(F.col("reason").isNotNull(), "malformed").when(F.col("misdated"), "misdated")


def _compared(lines: DataFrame, elsewhere: DataFrame, landing_date: date) -> DataFrame:
    """The same lines, each with its outcome beside those that share its id."""
    copies = Window.partitionBy("source", "id_digest")
    known = elsewhere.groupBy("source", "id_digest").agg(
        F.min("content_digest").alias("least"),
        F.max("content_digest").alias("greatest"),
        F.min("landing_date").alias("since"),
    )
    least = F.least(F.min("content_digest").over(copies), "least")
    greatest = F.greatest(F.max("content_digest").over(copies), "greatest")
    # Where contents don't differ, an earlier date that knows the id had this very line.
    earlier = F.coalesce(F.col("since") < F.lit(landing_date), F.lit(False))
    return (
        lines.join(known, on=["source", "id_digest"], how="left")
        .withColumn("differing", least != greatest)
        .withColumn("rank", F.row_number().over(copies.orderBy("file", "position")))
        .withColumn(
            "outcome",
            by_itself().when(F.col("differing"), "conflicting").when((F.col("rank") > 1) | earlier, "duplicate"),
        )
    )


def id_hash() -> Column:
    """A number for a line's id, null where it has none."""
    return F.when(F.col("id_digest").isNotNull(), F.xxhash64("source", "id_digest")).alias("id_hash")


REPEATED_STAGE = Stage("repeated", reads=(RAW_LINES, ARRIVALS), transform=repeated, gives=REPEATED, counted=True)
STAGE = Stage("ingest", reads=(RAW_LINES, ARRIVALS, REPEATED), transform=ingest, gives=INGESTED)


def read_raw_lines(spark: SparkSession, files: list[LandingFile], rules: LineRules) -> DataFrame:
    """RAW_LINES of these files: the first of the two times they are read. Text is looked at and left behind."""

    @value_free
    def read(batches):
        indices = (index for batch in batches for index in batch.column("file").to_pylist())
        return batches_of((row for index in indices for row in _rows(files[index], rules)), RAW_LINES.schema)

    return dealt(spark, files).mapInArrow(read, RAW_LINES.schema)


def dealt(spark: SparkSession, files: list[LandingFile]) -> DataFrame:
    """One row (task, file) per file, by its index, in the partition of the task that is to read it."""
    tasks = spread(files, tasks_at_once(spark))
    listed = frame_of(spark, ((task, index) for index, task in tasks.items()), FILES)
    return listed.repartitionById(max(1, len(set(tasks.values()))), "task")


def spread(files: list[LandingFile], tasks: int) -> dict[int, int]:
    """File index → task, the largest files first, each to the task that has least to read."""
    load = [0] * max(1, min(tasks, len(files)))
    given = {}
    for file in sorted(files, key=lambda file: (-file.size, file.index)):
        task = load.index(min(load))
        load[task] += file.size
        given[file.index] = task
    return given


def _rows(file: LandingFile, rules: LineRules):
    opened = open_lines(file)
    for position, raw in opened.lines:
        yield (file.source, file.index, position, *facts_of(file.source, raw, rules), None)
    manifest = {"lines": opened.count, "sha256": opened.sha256, "error": opened.error}
    yield (file.source, file.index, 0, None, False, *(None,) * 5, UNKNOWN_SURFACE, None, None, manifest)
