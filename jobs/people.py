"""People by id: frames that name a profile without its id ever standing in a plan, and who asked about one."""

import os
import pwd
import uuid

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from jobs.digests import profile_digest
from jobs.guard import check_rows, require
from jobs.lake import Lake, now
from jobs.workers import value_free
from schemas.accesses import ACCESSES
from schemas.contract import DIGEST


def people(spark: SparkSession, ids: list[str]) -> DataFrame:
    """One row (profile_id) per id. From an RDD: a local relation's rows, like a literal, would stand in the plan."""
    return spark.createDataFrame(spark.sparkContext.parallelize([(one,) for one in ids], 1), "profile_id string")


def digested(frame: DataFrame, key: bytes) -> DataFrame:
    """The frame with each row's `profile_digest`."""
    schema = T.StructType([*frame.schema.fields, T.StructField("profile_digest", DIGEST, False)])

    @value_free
    def add(batches):
        for batch in batches:
            ids = batch.column("profile_id").to_pylist()
            digests = pa.array([profile_digest(key, one) for one in ids], pa.binary())
            yield pa.RecordBatch.from_arrays([*batch.columns, digests], names=[*batch.schema.names, "profile_digest"])

    return frame.mapInArrow(add, schema)


def record_access(lake: Lake, command: str, ids: list[str], key: bytes) -> None:
    """Keep who ran a command on these profiles, and when. Nothing is answered or done before this is written."""
    who, at = pwd.getpwuid(os.getuid()).pw_name, now()
    rows = [(str(uuid.uuid4()), at, who, command, profile_digest(key, one)) for one in ids]
    frame = lake.spark.createDataFrame(rows, ACCESSES.schema)
    require(check_rows(ACCESSES, frame, len(ids)))
    lake.log.create()
    lake.append(ACCESSES, frame.coalesce(1))
