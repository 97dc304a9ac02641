"""Session: a JVM of its own for what there is to read."""

import subprocess
import sys

import pytest

from jobs.session import COMPILED_WELL_BYTES

ASK = """
import sys
from jobs.session import start
spark = start(int(sys.argv[1]))
arguments = spark._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()
print([one for one in arguments if "TieredStopAtLevel" in one][-1])
"""


@pytest.mark.parametrize(("size", "level"), [(COMPILED_WELL_BYTES, 4), (COMPILED_WELL_BYTES - 1, 1)])
def test_only_a_large_night_is_compiled_by_the_second_compiler_too(size, level):
    done = subprocess.run([sys.executable, "-c", ASK, str(size)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"-XX:TieredStopAtLevel={level}"
