"""Making ready: what `make setup` does for Spark, once: Delta's jars fetched, and what a night loads archived.

Most of what a small night costs is a JVM that reads, checks and links some 12,000 classes. An archive of them (class data
sharing) is mapped instead. Without jars or archive everything works, later.
"""

import shutil
import sys
import tempfile
from datetime import date
from pathlib import Path

from jobs import session
from jobs.key import new_key
from jobs.lake import Lake
from jobs.night import Setting
from jobs.policy import read_policies
from jobs.run import run_night
from jobs.sample import Recipe, make
from jobs.scoring.model import DEFAULT

DAY, LINES, PEOPLE, SEED = date(2025, 12, 17), 200, 20, 1
SLOWEST_DUMP_SECONDS = 300


def fetch_jars(folder: Path) -> None:
    """Delta's jars, as the settings name them, in a folder of ours: from then on no start resolves them."""
    shutil.rmtree(folder, ignore_errors=True)
    spark = session.start()
    part = folder.with_name(folder.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    for jar in spark.conf.get("spark.jars").split(","):
        shutil.copy(jar.removeprefix("file://"), part)
    part.rename(folder)
    _end(spark)


def archive_classes(file: Path) -> None:
    """An archive of all classes that a night loads, written by the JVM of a small one as it ends."""
    file.unlink(missing_ok=True)
    part = file.with_name(file.name + ".part")
    with tempfile.TemporaryDirectory() as folder:
        landing, lake = Path(folder) / "landing", Path(folder) / "lake"
        make(landing, Recipe(DAY, 1, LINES, PEOPLE, SEED))
        spark = session.start(java_options=(f"-XX:ArchiveClassesAtExit={part}",))
        setting = Setting(spark, str(landing), read_policies(), new_key(), DEFAULT)
        run_night(setting, Lake(spark, lake), DAY, key_file=Path(folder) / "key")
        _end(spark)
    part.rename(file)


def _end(spark) -> None:
    """End the session and its JVM, and wait for it."""
    jvm = spark.sparkContext._gateway
    spark.stop()
    jvm.shutdown()
    jvm.proc.stdin.close()
    jvm.proc.wait(SLOWEST_DUMP_SECONDS)


if __name__ == "__main__":
    if sys.argv[1] == "jars":
        fetch_jars(session.JARS)
    else:
        archive_classes(session.CLASSES)
