"""Session: a JVM of its own for what there is to read."""

import subprocess
import sys
from importlib.metadata import version

import pytest

from jobs.session import COMPILED_WELL_BYTES, INTERPRETED_BYTES, fit_to, tasks_at_once

READY = """
import sys
from jobs import session
if sys.argv[1] == "unready":
    session.JARS = session.CLASSES = session.SETTINGS.parent / "nowhere"
spark = session.start()
arguments = spark._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()
print(spark.conf.get("spark.jars.packages") == "", any("SharedArchiveFile" in one for one in arguments))
print(spark.range(3).count(), spark._jvm.io.delta.package.VERSION())
"""

ASK = """
import sys
from jobs.session import start
spark = start(int(sys.argv[1]))
arguments = spark._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()
print([one for one in arguments if "TieredStopAtLevel" in one][-1])
# A JVM that is given directives which it doesn't understand doesn't start.
print(any("CompilerDirectivesFile" in one for one in arguments))
"""


@pytest.mark.parametrize(
    ("size", "level", "kept"), [(COMPILED_WELL_BYTES, 4, True), (COMPILED_WELL_BYTES - 1, 1, False)]
)
def test_only_a_large_night_is_compiled_by_the_second_compiler_too_but_not_what_plans_it(size, level, kept):
    done = subprocess.run([sys.executable, "-c", ASK, str(size)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [f"-XX:TieredStopAtLevel={level}", str(kept)]


@pytest.mark.parametrize(("setup", "ready"), [("ready", True), ("unready", False)])
def test_what_setup_made_ready_is_used_and_without_it_spark_starts_as_well(setup, ready):
    done = subprocess.run([sys.executable, "-c", READY, setup], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [str(ready), str(ready), "3", version("delta-spark")]


def test_little_data_are_one_task_and_more_are_as_many_as_the_settings_say(spark, monkeypatch):
    monkeypatch.setattr("jobs.session.TASKS_OF_LITTLE", 1)
    try:
        fit_to(spark, INTERPRETED_BYTES)
        assert tasks_at_once(spark) == 1
        fit_to(spark, INTERPRETED_BYTES + 1)
        assert tasks_at_once(spark) == 2
    finally:
        monkeypatch.undo()
        fit_to(spark, 0)
    assert tasks_at_once(spark) == 2
