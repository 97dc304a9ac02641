"""`make bench-steady`: what night 60 of a steady sample costs beside night 5, in one session, on copies of the same lake.

The lake is built night by night; after nights 4 and 59 it is set aside. Then nights 5 and 60 are run in turn, each on a fresh
copy, and the medians compared, by stage. Nights that were built before are not built again, so it may be stopped.
"""

import platform
import shutil
import statistics
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path

import click

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

FIRST, ROUNDS = date(2025, 12, 17), 5
EARLY, LATE = 5, 60


@click.command()
@click.option("--lines", type=int, default=3_000, show_default=True, help="Interactions a night.")
@click.option("--people", type=int, default=2_000, show_default=True)
@click.option("--work", type=click.Path(path_type=Path), default=Path("build/steady"), show_default=True)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("benchmarks/results/steady.txt"), show_default=True
)
def main(lines: int, people: int, work: Path, out: Path):
    """Time the two nights side by side; write the report."""
    landing = work / "landing"
    if not landing.exists():
        work.mkdir(parents=True, exist_ok=True)
        make(landing, Recipe(FIRST, LATE, lines, people, seed=5))
    spark = start()
    aside = {number: _built(spark, landing, work, number) for number in (EARLY, LATE)}
    found: dict[int, list[dict]] = {EARLY: [], LATE: []}
    for _ in range(ROUNDS):
        for number, lake in aside.items():
            found[number].append(_timed(spark, landing, lake, number))
    report = _report(found, lines, people)
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
    setting = Setting(spark, str(landing), read_policies(), key, DEFAULT)
    return run_night(setting, Lake(spark, lake), FIRST + timedelta(night - 1), key_file=key_file)


@contextmanager
def _copied(kept: Path) -> Iterator[Path]:
    lake = kept.with_name("timed")
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


def _report(found: dict[int, list[dict]], lines: int, people: int) -> str:
    medians = {
        number: {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
        for number, rounds in found.items()
    }
    head = f"{lines:,} interactions a night of {people:,} people, median of {ROUNDS}, {platform.machine()}"
    rows = [head, "", f"{'':<22}{f'night {EARLY}':>12}{f'night {LATE}':>12}{'ratio':>9}"]
    for name in medians[EARLY]:
        one, other = medians[EARLY][name], medians[LATE].get(name, 0)
        rows.append(f"{name:<22}{one:>12.2f}{other:>12.2f}" + (f"{other / one:>9.2f}" if one else ""))
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
