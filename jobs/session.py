"""Session: the only place where Spark is started. Every setting is in conf/spark-defaults.conf."""

import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pyspark import SparkConf, SparkContext
from pyspark.sql import SparkSession

from jobs.errors import Exit, NightjarError

SETTINGS = Path(__file__).parent.parent / "conf" / "spark-defaults.conf"
# What `make setup` made ready for a JVM of ours (jobs/making_ready.py): Delta's jars, and an archive of a night's classes.
JARS, CLASSES = (Path(sys.prefix) / "nightjar" / name for name in ("jars", "classes.jsa"))
PARTITIONS, TASKS_OF_LITTLE = "spark.sql.shuffle.partitions", 1
JAVA_OPTIONS = "spark.driver.extraJavaOptions"
# Files of a night and its reference data, compressed as they lie. At twice as many lines both ways took the same time.
INTERPRETED_BYTES = 2 << 20
# From here on code runs for long enough to be compiled twice: the better compiler's time comes back.
COMPILED_WELL_BYTES = 8 << 20
COMPILED_WELL = [
    "-XX:TieredStopAtLevel=4",
    *("-XX:+UnlockDiagnosticVMOptions", f"-XX:CompilerDirectivesFile={SETTINGS.with_name('compiler.json')}"),
]


def start(bytes_to_read: int = 0, *, java_options: Sequence[str] = ()) -> SparkSession:
    """The process's session: the one that spark-submit made, or a new one with our settings.

    A JVM that is started for much to read may use its second compiler too. `java_options` are for a new JVM alone.
    """
    silence_query_logger()
    # Workers take the system's Python unless told.
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("PYSPARK_DRIVER_PYTHON", sys.executable)
    if "PYSPARK_GATEWAY_PORT" not in os.environ:
        compiler = COMPILED_WELL if bytes_to_read >= COMPILED_WELL_BYTES else []
        _launch([*compiler, *java_options])
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
    # What a task of a handful of rows costs is to be sent, read and begun; a Python worker, to be started.
    # To unset it would be to have Spark's own default, not what the settings say.
    spark.conf.set(PARTITIONS, TASKS_OF_LITTLE if little else spark.sparkContext.getConf().get(PARTITIONS, "200"))


def works_on_little(spark: SparkSession) -> bool:
    """Whether the session is fitted to little data."""
    return spark.conf.get("spark.sql.codegen.factoryMode") == "NO_CODEGEN"


def tasks_at_once(spark: SparkSession) -> int:
    """Into how many tasks a stage is divided."""
    return int(spark.conf.get(PARTITIONS))


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


def _launch(java_options: list[str]) -> None:
    from pyspark.java_gateway import launch_gateway

    submit = ["--properties-file", str(SETTINGS)]
    if JARS.exists():
        # They stand on the JVM's own path, where its archive finds their classes, and no start resolves them.
        submit += ["--conf", "spark.jars.packages=", "--driver-class-path", f"{JARS}/*"]
        if CLASSES.exists():
            # Of another Java, or of other jars, it is passed over.
            java_options = [f"-XX:SharedArchiveFile={CLASSES}", "-Xshare:auto", "-Xlog:disable", *java_options]
    if java_options:
        submit += ["--conf", f"{JAVA_OPTIONS}={_setting(JAVA_OPTIONS)} {shlex.join(java_options)}"]
    os.environ["PYSPARK_SUBMIT_ARGS"] = shlex.join([*submit, "pyspark-shell"])
    try:
        # What the JVM and its dependency resolver print belongs to nobody's terminal or log.
        gateway = launch_gateway(SparkConf(), {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL})
    except Exception as error:
        raise NightjarError(
            Exit.CONFIGURATION, f"Spark's JVM did not start ({type(error).__name__})", fix="nightjar doctor"
        ) from None
    SparkContext(gateway=gateway, conf=SparkConf(_jvm=gateway.jvm))


def _setting(name: str) -> str:
    """What the settings say, of what can't be added to but only replaced."""
    return next(line.split(None, 1)[1] for line in SETTINGS.read_text().splitlines() if line.startswith(f"{name} "))
