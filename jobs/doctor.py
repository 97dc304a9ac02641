"""Doctor: what a night needs of this machine, each failure with how to mend it."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import NamedTuple

from jobs.errors import NightjarError
from jobs.key import read_key
from jobs.landing import landing_dates
from jobs.marker import read_marker
from jobs.policy import read_policies
from jobs.scoring.model import DEFAULT, read_model

REQUIREMENTS = Path(__file__).parent.parent / "requirements.txt"
JAVA = (17, 21)


class Finding(NamedTuple):
    """What was looked at; `fix` says how to mend it, None where nothing is wrong."""

    what: str
    fix: str | None = None


def examine(lake: str | None, landing: str | None, key_file: str | None, policy: str | None) -> Iterator[Finding]:
    """Every check in turn, the cheap ones first; the last starts Spark and asks a worker."""
    yield _python()
    java = _java()
    yield java
    yield from _packages()
    yield _tried("policy", lambda: f"{len(read_policies(policy))} version(s)")
    yield _tried("model", lambda: read_model(DEFAULT).digest[:12])
    if landing:
        yield _tried("landing zone", lambda: f"{len(landing_dates(landing))} landing date(s)")
    if lake:
        yield from _lake(Path(lake), key_file)
    if java.fix is None:
        yield from _spark()


def _python() -> Finding:
    found = ".".join(map(str, sys.version_info[:3]))
    return Finding(
        f"Python {found}", None if sys.version_info[:2] == (3, 11) else "install Python 3.11, then make setup"
    )


def _java() -> Finding:
    home = os.environ.get("JAVA_HOME")
    java = f"{home}/bin/java" if home else shutil.which("java")
    fix = f"install a JRE {' or '.join(map(str, JAVA))}, or set JAVA_HOME"
    if not java or not Path(java).exists():
        return Finding("Java is not found", fix)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    major = re.search(r'version "(\d+)', said)
    found = int(major.group(1)) if major else 0
    return Finding(f"Java {found}", None if found in JAVA else fix)


def _packages() -> Iterator[Finding]:
    wrong = []
    for line in REQUIREMENTS.read_text().splitlines():
        name, _, wanted = line.partition("==")
        if not wanted:
            continue
        try:
            found = version(name)
        except PackageNotFoundError:
            found = "missing"
        if found != wanted:
            wrong.append(f"{name} {found}, not {wanted}")
    yield Finding(f"packages: {', '.join(wrong) or 'as pinned'}", "make setup" if wrong else None)


def _lake(lake: Path, key_file: str | None) -> Iterator[Finding]:
    parent = next(folder for folder in (lake, *lake.absolute().parents) if folder.exists())
    writable = os.access(parent, os.W_OK)
    yield Finding(
        f"lake folder is {'' if writable else 'not '}writable", None if writable else f"chown or chmod {parent.name}"
    )
    marker = None
    try:
        marker = read_marker(lake)
        yield Finding("lake: " + ("present" if marker else "to be made by the first night"))
    except NightjarError as error:
        yield Finding(error.what, error.fix)
    file = Path(key_file or f"{lake}.key")
    if marker or file.exists():
        yield _tried(
            "digest key", lambda: read_key(file, expected_id=marker and marker["key_id"]) and "as it should be"
        )


def _spark() -> Iterator[Finding]:
    from delta.tables import DeltaTable

    from jobs.session import CLASSES, start

    try:
        spark = start()
        loaded = spark._jvm.io.delta.package.VERSION()
        agree = loaded == version("delta-spark") and not DeltaTable.isDeltaTable(spark, str(REQUIREMENTS))
        yield Finding(
            f"Delta jar {loaded}",
            None if agree else "make spark.jars.packages and requirements.txt agree, then make setup",
        )
        worker = spark.sparkContext.parallelize([0], 1).map(lambda _: sys.executable).first()
        same = os.path.realpath(worker) == os.path.realpath(sys.executable)
        yield Finding(f"classes: {'archived' if CLASSES.exists() else 'not archived: every start takes longer'}")
        yield Finding(f"workers' Python is {'ours' if same else 'another'}", None if same else "set PYSPARK_PYTHON")
    except NightjarError as error:
        yield Finding(error.what, "check Java, and the network on the first start: Delta's jars are fetched once")


def _tried(what: str, look) -> Finding:
    try:
        return Finding(f"{what}: {look()}")
    except NightjarError as error:
        return Finding(f"{what}: {error.what}", error.fix)
