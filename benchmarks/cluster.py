"""`make bench-cluster`: the same nights on a standalone Spark cluster that is started here, by `spark-submit`.

A master and two workers of one core each, and the packages of our Python workers in one file (pex) that Spark hands to its
executors. Each night is run locally and on the cluster, over a landing zone as it comes and over one where a single account
has half of all interactions; all tables must be the same, row for row.
"""

import gzip
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import py4j
import pyspark

from benchmarks.equal import require_equal
from benchmarks.process import measure
from benchmarks.report import where
from benchmarks.setting import anew, key_in, landing_of, night_of, nightjar, say

ROOT = Path(__file__).parent.parent
SPARK_HOME = Path(pyspark.__file__).parent
SIZES, WORKERS = (100_000, 300_000), 2
# What our Python workers import; Spark brings its own.
OF_WORKERS = ("msgspec", "numpy", "pandas", "pyarrow", "tokenizers", "safetensors", "scipy", "PyYAML")
SETTINGS = {
    "spark.executor.memory": "1500m",
    "spark.executor.cores": "1",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.task.maxFailures": "3",
    "spark.pyspark.driver.python": sys.executable,
    "spark.pyspark.python": "./workers.pex",
}
STARTING_SECONDS = 60


@click.command()
@click.option("--sizes", help="Interactions, separated by commas.", default=",".join(map(str, SIZES)))
@click.option("--work", type=click.Path(path_type=Path), default=Path("build/bench"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("benchmarks/results"), show_default=True)
def main(sizes: str, work: Path, out: Path):
    """Time nights on one machine and on a cluster; write cluster.txt."""
    key = key_in(work)
    packed, sparks = pack(work / "workers.pex"), pack_spark(work / "pyspark.zip")
    lines = [f"{'interactions':>12}  {'accounts':<24}{'local s':>10}{'cluster s':>10}{'rows':>12}"]
    with cluster(work / "cluster", sparks) as master:
        for size in map(int, sizes.split(",")):
            plain = landing_of(work, size)
            for accounts, landing in (("as they come", plain), ("one has half of them", half_of_one(plain))):
                local, there = anew(work / "lake"), anew(work / "lake-cluster")
                here = nightjar(landing, local, key).seconds
                seconds = submit(master, packed, landing, there, key)
                rows = require_equal(local, there)
                lines.append(f"{size:>12,}  {accounts:<24}{here:>10.1f}{seconds:>10.1f}{rows:>12,}")
                say(lines[-1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "cluster.txt").write_text("\n".join([where(1), "", *lines]) + "\n")


def pack(file: Path) -> Path:
    """One file with our modules and the packages of our Python workers, as pinned."""
    command = [str(Path(sys.executable).with_name("pex")), *OF_WORKERS, "--constraints", "requirements.txt"]
    # Spark's own modules come by the path that Spark sets.
    how = ["--inherit-path=fallback", "--python", sys.executable, "-o", str(file.absolute())]
    subprocess.run([*command, "-P", "jobs", "-P", "schemas", *how], cwd=ROOT, check=True)
    return file


def pack_spark(file: Path) -> Path:
    """Spark's own Python modules, as a distribution carries them in python/lib and Spark's wheel doesn't."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for package in (SPARK_HOME, Path(py4j.__file__).parent):
            for module in package.rglob("*.py"):
                archive.write(module, module.relative_to(package.parent))
    return file


@contextmanager
def cluster(folder: Path, sparks: Path) -> Iterator[str]:
    """A standalone cluster for as long as it is needed: its master's URL. Its workers find Spark's Python in `sparks`."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    port = _free_port()
    master = f"spark://127.0.0.1:{port}"
    started = [_daemon("master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0")]
    try:
        _wait_for(port)
        for number in range(WORKERS):
            own = ["--host", "127.0.0.1", "--cores", "1", "--memory", "2g", "--webui-port", "0"]
            own += ["--work-dir", str(folder / f"work-{number}")]
            started.append(_daemon("worker", *own, master, PYTHONPATH=str(sparks.absolute())))
        yield master
    finally:
        for daemon in reversed(started):
            daemon.terminate()
            daemon.wait()


def submit(master: str, packed: Path, landing: Path, lake: Path, key: Path) -> float:
    """Seconds of a night on the cluster, start to exit."""
    settings = [word for name, value in SETTINGS.items() for word in ("--conf", f"{name}={value}")]
    night = ["run", *night_of(landing), "--lake", str(lake), "--key-file", str(key)]
    command = [
        *(str(Path(sys.executable).with_name("spark-submit")), "--master", master),
        *("--properties-file", str(ROOT / "conf" / "spark-defaults.conf"), *settings, "--files", str(packed)),
        *(str(ROOT / "jobs" / "cli.py"), *night),
    ]
    return measure(command).seconds


def half_of_one(landing: Path) -> Path:
    """The same landing zone, but every other interaction is of one account: one that says something that is used."""
    skewed = landing.with_name(landing.name + "-skewed")
    made = landing.with_name(landing.name + "-skewed.made")
    if made.exists():
        return skewed
    shutil.rmtree(skewed, ignore_errors=True)
    shutil.copytree(landing, skewed)
    account = _account_of_a_used_line(landing)
    for file in (skewed / "interactions").rglob("*.jsonl*"):
        lines = [_of(line, account) if at % 2 else line for at, line in enumerate(_lines(file))]
        with (gzip.open if file.suffix == ".gz" else open)(file, "wb") as out:
            out.write(b"".join(line + b"\n" for line in lines))
    made.touch()
    return skewed


def _account_of_a_used_line(landing: Path) -> str:
    """By the sample's own truth, which names each line's file and position."""
    truth = landing.with_name(landing.name + ".truth") / "interactions"
    file = min(truth.rglob("*.jsonl*"))
    used = next(line["position"] for line in map(json.loads, _lines(file)) if line["outcome"] == "used")
    return json.loads(_lines(landing / "interactions" / file.relative_to(truth))[used - 1])["account_id"]


def _of(line: bytes, account: str) -> bytes:
    """A line as another account's; one that is no JSON object stays what it is."""
    try:
        item = json.loads(line)
    except ValueError:
        return line
    return json.dumps({**item, "account_id": account}).encode() if isinstance(item, dict) else line


def _lines(file: Path) -> list[bytes]:
    with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as stream:
        return stream.read().removesuffix(b"\n").split(b"\n")


def _daemon(kind: str, *arguments: str, **environment: str) -> subprocess.Popen:
    command = [str(SPARK_HOME / "bin" / "spark-class"), f"org.apache.spark.deploy.{kind}.{kind.title()}", *arguments]
    environment |= {**os.environ, "SPARK_HOME": str(SPARK_HOME), "SPARK_DAEMON_MEMORY": "256m", **environment}
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
