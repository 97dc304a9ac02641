"""People by id: frames that name a profile without its id ever standing in a plan, and who asked about one."""

import os
import pwd
import uuid

from pyspark.sql import DataFrame, SparkSession

from jobs.guard import check_rows, require
from jobs.lake import Lake, now
from jobs.lines import profile_digest
from schemas.accesses import ACCESSES


def people(spark: SparkSession, ids: list[str]) -> DataFrame:
    """One row (profile_id) per id. From an RDD: a local relation's rows, like a literal, would stand in the plan."""
    return spark.createDataFrame(spark.sparkContext.parallelize([(one,) for one in ids], 1), "profile_id string")


def record_access(lake: Lake, command: str, ids: list[str], key: bytes) -> None:
    """Keep who ran a command on these profiles, and when. Nothing is answered or done before this is written."""
    who, at = pwd.getpwuid(os.getuid()).pw_name, now()
    rows = [(str(uuid.uuid4()), at, who, command, profile_digest(key, one)) for one in ids]
    frame = lake.spark.createDataFrame(rows, ACCESSES.schema)
    require(check_rows(ACCESSES, frame, len(ids)))
    lake.create()
    lake.append(ACCESSES, frame.coalesce(1))
