"""A standalone Spark cluster on this machine, for as long as it is needed, and a night submitted to it.

A master and two workers of one core each. The packages of our Python workers travel in one file (pex) that Spark hands to its
executors; all that crosses the network is authenticated and encrypted, as what is spilled is.
"""

import os
import secrets
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import py4j
import pyspark

from benchmarks.process import Measured, measure
from benchmarks.setting import anew, run_of
from jobs.session import SETTINGS

ROOT = Path(__file__).parent.parent
SPARK_HOME = Path(pyspark.__file__).parent
WORKERS = 2
# What our Python workers import; Spark brings its own.
OF_WORKERS = ("msgspec", "numpy", "pandas", "pyarrow", "tokenizers", "safetensors", "scipy", "PyYAML")
STARTING_SECONDS = 60


class Packed(NamedTuple):
    """What executors need of Python: our modules and packages, and Spark's own modules."""

    workers: Path
    spark: Path


def pack(folder: Path) -> Packed:
    """Both, made anew: packages as they are pinned."""
    workers, spark = folder.absolute() / "workers.pex", folder.absolute() / "pyspark.zip"
    command = [str(Path(sys.executable).with_name("pex")), *OF_WORKERS, "--constraints", "requirements.txt"]
    # Spark's own modules come by the path that Spark sets.
    how = ["--inherit-path=fallback", "--python", sys.executable, "-o", str(workers)]
    subprocess.run([*command, "-P", "jobs", "-P", "schemas", *how], cwd=ROOT, check=True)
    # As a distribution of Spark carries them in python/lib; its wheel doesn't.
    with zipfile.ZipFile(spark, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in (SPARK_HOME, Path(py4j.__file__).parent):
            for module in package.rglob("*.py"):
                archive.write(module, module.relative_to(package.parent))
    return Packed(workers, spark)


class Cluster(NamedTuple):
    """A cluster that runs: its master's URL, the settings of whoever submits to it, and what executors need of Python."""

    master: str
    settings: Path
    packed: Packed

    def night(self, landing: Path, lake: Path, key: Path) -> Measured:
        """A night on the cluster by spark-submit, start to exit."""
        submit = [str(Path(sys.executable).with_name("spark-submit")), "--master", self.master]
        how = ["--properties-file", str(self.settings), "--files", str(self.packed.workers)]
        environment = {**os.environ, "SPARK_HOME": str(SPARK_HOME)}
        return measure([*submit, *how, str(ROOT / "jobs" / "cli.py"), *run_of(landing, lake, key)], environment)


@contextmanager
def cluster(folder: Path, packed: Packed) -> Iterator[Cluster]:
    """A cluster whose executors work in `folder`."""
    anew(folder).mkdir(parents=True)
    port, secret = _free_port(), secrets.token_hex(32)
    master = f"spark://127.0.0.1:{port}"
    daemons = _settings(folder / "daemons.conf", _network(secret))
    theirs = _settings(folder / "night.conf", SETTINGS.read_text() + _network(secret) + _executors())
    own = ["--properties-file", str(daemons), "--host", "127.0.0.1", "--webui-port", "0"]
    started = [_daemon("master", *own, "--port", str(port))]
    try:
        _wait_for(port)
        for number in range(WORKERS):
            work = ["--work-dir", str(folder.absolute() / f"work-{number}"), "--cores", "1", "--memory", "2g"]
            started.append(_daemon("worker", *own, *work, master, PYTHONPATH=str(packed.spark)))
        yield Cluster(master, theirs, packed)
    finally:
        for daemon in reversed(started):
            daemon.terminate()
            daemon.wait()


def _network(secret: str) -> str:
    return f"\nspark.authenticate true\nspark.authenticate.secret {secret}\nspark.network.crypto.enabled true\n"


def _executors() -> str:
    wanted = {
        "spark.executor.memory": "1500m",
        "spark.executor.cores": "1",
        "spark.scheduler.minRegisteredResourcesRatio": "1.0",
        "spark.pyspark.driver.python": sys.executable,
        "spark.pyspark.python": "./workers.pex",
    }
    return "".join(f"{name} {value}\n" for name, value in wanted.items())


def _settings(file: Path, text: str) -> Path:
    """A file of settings that only its owner reads: a secret stands in it, and in no argument."""
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)
    return file.absolute()


def _daemon(kind: str, *arguments: str, **environment: str) -> subprocess.Popen:
    command = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}.{kind.title()}", *arguments]
    environment = {**os.environ, "SPARK_HOME": str(SPARK_HOME), "SPARK_DAEMON_MEMORY": "256m", **environment}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait_for(port: int) -> None:
    until = time.monotonic() + STARTING_SECONDS
    while time.monotonic() < until:
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.2)
    raise TimeoutError("the master did not start")
