"""Session: the only place where Spark is started. Every setting is in conf/spark-defaults.conf."""

import logging
import os
import subprocess
import sys
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from jobs.errors import Exit, NightjarError

SETTINGS = Path(__file__).parent.parent / "conf" / "spark-defaults.conf"
# Files of a night and its reference data, compressed as they lie. At twice as many lines both ways took the same time.
INTERPRETED_BYTES = 2 << 20
# From here on code runs for long enough to be compiled twice: the better compiler's time comes back.
COMPILED_WELL_BYTES = 8 << 20


def start(bytes_to_read: int = 0) -> SparkSession:
    """The process's session: the one that spark-submit made, or a new one with our settings.

    A JVM that is started for much to read may use its second compiler too.
    """
    silence_query_logger()
    # Workers take the system's Python unless told.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        _launch(well_compiled=bytes_to_read >= COMPILED_WELL_BYTES)
    return SparkSession.builder.getOrCreate()


def fit_to(spark: SparkSession, bytes_to_read: int) -> None:
    """Interpret the queries over little data, generate code for those over much.

    Half of what a small night costs is code that is generated, formatted and compiled for a handful of rows.
    """
    little = bytes_to_read <= INTERPRETED_BYTES
    spark.conf.set("spark.sql.codegen.wholeStage", str(not little).lower())
    spark.conf.set("spark.sql.codegen.factoryMode", "NO_CODEGEN" if little else "FALLBACK")
    # Planning the rest of a query anew after each of its shuffles pays off where these are large.
    spark.conf.set("spark.sql.adaptive.enabled", str(not little).lower())


def jvm_pid(spark: SparkSession) -> int:
    """The process that writes."""
    return spark.sparkContext._jvm.java.lang.ProcessHandle.current().pid()


def silence_query_logger() -> None:
    """PySpark's own logger prints the query and the offending value of an ANSI error, however log4j is set."""
    logger = logging.getLogger("DataFrameQueryContextLogger")
    logger.handlers[:] = [logging.NullHandler()]
    logger.propagate = False
    logger.disabled = True
    logger.setLevel(logging.CRITICAL + 1)


def _launch(*, well_compiled: bool) -> None:
    from pyspark.java_gateway import launch_gateway

    os.environ["PYSPARK_SUBMIT_ARGS"] = f"--properties-file {SETTINGS} pyspark-shell"
    if well_compiled:
        # The JVM reads this variable last, after what the settings say.
        os.environ["_JAVA_OPTIONS"] = f"{os.environ.get('_JAVA_OPTIONS', '')} -XX:TieredStopAtLevel=4".strip()
    try:
        # What the JVM and its dependency resolver print belongs to nobody's terminal or log.
        gateway = launch_gateway(SparkConf(), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL})
    except Exception as error:
        raise NightjarError(
            Exit.CONFIGURATION, f"Spark's JVM did not start ({type(error).__name__})", fix="nightjar doctor"
        ) from None
    SparkContext(gateway=gateway, conf=SparkConf(_jvm=gateway.jvm))
