"""`make bench-steady`: what late nights of a steady sample cost beside early ones, in one session, on copies of one lake.

Every tenth commit of a table costs more: Delta writes a checkpoint with it. So night 60 is compared with night 10, and
night 61 with night 5; night 60 beside night 5 compares one that writes checkpoints with one that doesn't. The lake is
built night by night and set aside before each of them; then they are run in turn, each on a fresh copy, and the medians
compared, by stage. Nights that were built before are not built again, so it may be stopped.
"""

import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import click
from msgspec import structs

from jobs.key import new_key, read_key
from jobs.lake import Lake
from jobs.marker import read_marker
from jobs.night import Setting
from jobs.policy import read_policies
from jobs.run import Finished, run_night
from jobs.sample import Recipe, make
from jobs.scoring.model import DEFAULT
from jobs.session import start
from schemas.profiles import PROFILES

FIRST, ROUNDS = date(2025, 12, 17), 3
# Of 2,000 people no audience would reach the policy's minimum in the early nights, and some would in the late ones.
MINIMUM_AUDIENCE = 20
NIGHTS = (5, 10, 60, 61)
RATIOS = ((60, 5), (60, 10), (61, 5))


@click.command()
@click.option("--lines", type=int, default=3_000, show_default=True, help="Interactions a night.")
@click.option("--people", type=int, default=2_000, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("build/steady"), show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("benchmarks/results/steady.txt"), show_default=True
)
def main(lines: int, people: int, work: Path, out: Path):
    """Time the nights side by side; write the report."""
    landing = work / "landing"
    if not landing.exists():
        work.mkdir(parents=True, exist_ok=True)
        make(landing, Recipe(FIRST, max(NIGHTS), lines, people, seed=5))
    spark = start()
    aside = {number: _built(spark, landing, work, number) for number in NIGHTS}
    found: dict[int, list[dict]] = {number: [] for number in NIGHTS}
    for _ in range(ROUNDS):
        for number, lake in aside.items():
            found[number].append(_timed(spark, landing, lake, number))
    report = (
        f"{lines:,} interactions a night of {people:,} people, median of {ROUNDS}\n{_where(spark)}\n\n{_table(found)}"
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(report)
    sys.stdout.write(report)


def _built(spark, landing: Path, work: Path, number: int) -> Path:
    """The lake as it stands before a night."""
    kept = work / f"before-{number}"
    if not kept.exists():
        lake = work / "lake"
        for night in range(1, number):
            if _run(spark, landing, lake, night).did_something:
                sys.stderr.write(f"built night {night}\n")
        _copy(lake, kept)
    return kept


def _timed(spark, landing: Path, kept: Path, number: int) -> dict:
    """Seconds of one night on a copy of a lake: whole, and by stage; and how many files of `profiles` it wrote anew."""
    with _copied(kept) as lake:
        before = _files(spark, lake)
        started = time.monotonic()
        run = _run(spark, landing, lake, number).run
        seconds = {"whole night": time.monotonic() - started, **run["seconds"]}
        return {**seconds, "files of profiles": len(before), "of these rewritten": len(before - _files(spark, lake))}


def _run(spark, landing: Path, lake: Path, night: int) -> Finished:
    marker, key_file = read_marker(lake), _key_file(lake)
    key = read_key(key_file, expected_id=marker["key_id"]) if marker else new_key()
    policies = [structs.replace(policy, minimum_audience=MINIMUM_AUDIENCE) for policy in read_policies()]
    setting = Setting(spark, str(landing), policies, key, DEFAULT)
    return run_night(setting, Lake(spark, lake), FIRST + timedelta(night - 1), key_file=key_file)


@contextmanager
def _copied(kept: Path) -> Iterator[Path]:
    # Delta remembers a table by its path, so no two lakes may have had the same one.
    lake = kept.with_name(f"timed-{uuid.uuid4()}")
    _copy(kept, lake)
    try:
        yield lake
    finally:
        shutil.rmtree(lake)
        _key_file(lake).unlink()


def _copy(lake: Path, to: Path) -> None:
    """The folder comes last and at once: a copy that was interrupted is none."""
    part = to.with_name(to.name + ".part")
    for leftover in (part, to):
        shutil.rmtree(leftover, ignore_errors=True)
    shutil.copy2(_key_file(lake), _key_file(to))
    shutil.copytree(lake, part)
    part.rename(to)


def _key_file(lake: Path) -> Path:
    return lake.with_name(lake.name + ".key")


def _files(spark, lake: Path) -> set[str]:
    return {Path(file).name for file in Lake(spark, lake).read_written(PROFILES).inputFiles()}


def _where(spark) -> str:
    """What it was timed on: machine, compiler, commit."""
    arguments = spark._jvm.java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments()
    tier = [argument for argument in arguments if "TieredStopAtLevel" in argument][-1:]
    commit = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=True)
    return f"{platform.machine()}, {os.cpu_count()} cores; {' '.join(tier)}; commit {commit.stdout.strip()}"


def _table(found: dict[int, list[dict]]) -> str:
    medians = {
        number: {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        for number, rounds in found.items()
    }
    nights = "".join(f"{f'night {number}':>10}" for number in NIGHTS)
    rows = [f"{'':<22}{nights}" + "".join(f"{f'{late}/{early}':>9}" for late, early in RATIOS)]
    for name in medians[NIGHTS[0]]:
        seconds = {number: found.get(name, 0) for number, found in medians.items()}
        ratios = (f"{seconds[late] / seconds[early]:>9.2f}" if seconds[early] else f"{'':>9}" for late, early in RATIOS)
        rows.append(f"{name:<22}" + "".join(f"{one:>10.2f}" for one in seconds.values()) + "".join(ratios))
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
