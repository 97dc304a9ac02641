"""Whole: a conversation is used whole or not at all, so a line that is stopped stops those that it stands among."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.stage import Stage
from schemas.lines import ADMITTED, DIVIDED


def divided(admitted: DataFrame) -> DataFrame:
    """One row (conversation_digest) per conversation of which one line is admitted and another withholds the rest."""
    return both(admitted, admitted, going_on="outcome is null", stopping="withholds")


def keep_whole(admitted: DataFrame, divided: DataFrame) -> DataFrame:
    """One row per raw line; `outcome` is null where it and its whole conversation may be scored."""
    lines = marked(admitted, divided, "withheld")
    stopped = F.when(F.col("outcome").isNull() & F.col("withheld"), "conversation").otherwise(F.col("outcome"))
    return forget_stopped(lines.withColumn("outcome", stopped)).select(ADMITTED.names)


def forget_stopped(lines: DataFrame) -> DataFrame:
    """The same lines; whose they are only where nothing stops them."""
    return forget_unless(lines, F.col("outcome").isNull())


def forget_unless(lines: DataFrame, known: Column) -> DataFrame:
    """The same lines; whose they are only where that may be known."""
    return lines.withColumns({name: F.when(known, F.col(name)) for name in ("profile_id", "account_digest")})


def both(lines: DataFrame, others: DataFrame, *, going_on: str, stopping: str) -> DataFrame:
    """One row per conversation with a line that would go on and, among the others, one that stops it.

    Each side is first brought down to a row for each conversation, for one may have half of all lines. There are few, so
    what is planned around them need not move the lines.
    """
    return named(lines, going_on).join(named(others, stopping), on="conversation_digest", how="left_semi")


def named(lines: DataFrame, condition: str) -> DataFrame:
    """One row (conversation_digest) per conversation of which a line meets a condition."""
    met = lines.where(f"conversation_digest is not null and ({condition})")
    return met.select("conversation_digest").distinct()


def marked(lines: DataFrame, conversations: DataFrame, name: str) -> DataFrame:
    """The lines, and whether their conversation is one of these: true or null."""
    return lines.join(conversations.withColumn(name, F.lit(True)), on="conversation_digest", how="left")


STAGE = Stage("divided", reads=(ADMITTED,), transform=divided, gives=DIVIDED, counted=True)
