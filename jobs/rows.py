"""Rows: what this process knows as a frame of Spark's."""

from collections.abc import Iterable

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

from jobs.workers import batches_of


def frame_of(spark: SparkSession, rows: Iterable[tuple], schema: T.StructType) -> DataFrame:
    """One row per tuple. They stand in the plan, like literals: never rows that name somebody.

    By Arrow: for tuples as they are PySpark starts Python workers, of other settings than ours and with a daemon of their
    own, which does nothing but to pickle them anew.
    """
    arrow, batches = to_arrow_schema(schema), list(batches_of(rows, schema))
    # PySpark takes a column of no rows, but none of no batches.
    table = pa.Table.from_batches(batches, arrow) if batches else arrow.empty_table()
    return spark.createDataFrame(table, schema)
