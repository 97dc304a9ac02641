"""`make bench`: a whole night, start to exit, beside a hand-written Polars script and the bound of this machine.

Everything runs as a process of its own, one after the other, in turn; figures are medians of three rounds. Both write the
same tables, which is checked row for row. A size's landing zone is made once and kept.
"""

import json
import os
import shutil
import statistics
import sys
from datetime import date
from pathlib import Path

import click
from deltalake import DeltaTable

from benchmarks import events, report
from benchmarks.equal import require_equal
from benchmarks.process import Measured, measure
from jobs.key import new_key, write_key
from jobs.sample import Recipe, make
from schemas.runs import RUNS

DAY, SEED = date(2025, 12, 17), 6
SIZES, ROUNDS = (300_000, 1_000_000, 3_000_000), 3
# A night so small that all it costs is what every night costs; and one to see whether memory grows.
SMALL, LARGEST = 1_000, 6_000_000
LINES_A_PERSON = 10
CONTENDERS = ("nightjar", "peer", "bound")


@click.command()
@click.option("--sizes", help="Interactions, separated by commas.", default=",".join(map(str, SIZES)))
@click.option("--rounds", type=int, default=ROUNDS, show_default=True)
@click.option(
    "--largest", type=int, default=LARGEST, show_default=True, help="One night more, for its memory; 0: none."
)
@click.option("--work", type=click.Path(path_type=Path), default=Path("build/bench"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("benchmarks/results"), show_default=True)
def main(sizes: str, rounds: int, largest: int, work: Path, out: Path):
    """Time whole nights side by side; write night.txt and night.html."""
    work.mkdir(parents=True, exist_ok=True)
    if not _key(work).exists():
        write_key(_key(work), new_key())
    found = report.Found(rounds, _fixed(work, rounds), {}, None)
    for lines in map(int, sizes.split(",")):
        found.sizes[lines] = _side_by_side(work, lines, rounds)
        _say(f"{lines:,} interactions are done")
    if largest:
        _landing(work, largest)
        found.largest = (largest, _nightjar(work, largest, work / "lake"))
    out.mkdir(parents=True, exist_ok=True)
    (out / "night.txt").write_text(report.text(found))
    (out / "night.html").write_text(report.html(found))
    sys.stdout.write(report.text(found))


def _fixed(work: Path, rounds: int) -> report.Fixed:
    """What a night of next to nothing costs, and one with nothing to do."""
    _landing(work, SMALL)
    first, again = [], []
    for _ in range(rounds):
        lake = _anew(work / "lake")
        first.append(_nightjar(work, SMALL, lake))
        again.append(_nightjar(work, SMALL, lake))
    return report.Fixed(SMALL, report.middle(first), report.middle(again))


def _side_by_side(work: Path, lines: int, rounds: int) -> report.Size:
    """Medians of every contender over one landing zone, and what Spark did in one night more."""
    _landing(work, lines)
    admitted = work / "admitted.parquet"
    _peer(work, lines, _anew(work / "peer"), "--admitted", str(admitted))
    found: dict[str, list[Measured]] = {name: [] for name in CONTENDERS}
    kept = []
    for _ in range(rounds):
        lake, peer = _anew(work / "lake"), _anew(work / "peer")
        found["nightjar"].append(_nightjar(work, lines, lake))
        kept.append(_seconds_kept(lake))
        found["peer"].append(_peer(work, lines, peer))
        bound = [*_module("bound"), *_night_of(work, lines), "--admitted", str(admitted)]
        found["bound"].append(measure(bound))
    seconds = _seconds(kept)
    rows = require_equal(work / "lake", work / "peer")
    logged, lake = _anew(work / "events"), _anew(work / "lake")
    _nightjar(work, lines, lake, {**os.environ, **events.environment(logged)})
    return report.Size(
        raw_lines=_raw_lines(found["nightjar"][0]),
        rows=rows,
        contenders={name: report.middle(runs) for name, runs in found.items()},
        seconds=seconds,
        work=events.read(logged, {*seconds, "runs"}),
        lake_mib=sum(file.stat().st_size for file in lake.rglob("*") if file.is_file()) / 2**20,
    )


def _raw_lines(run: Measured) -> int:
    """By the night's own summary, its last line."""
    said = json.loads(run.output.splitlines()[-1])
    return sum(said["outcomes"].values()) + sum(said["engagements"].values())


def _seconds(kept: list[dict[str, float]]) -> dict[str, float]:
    """Median seconds by stage of the night, as its row of `runs` says. Stages that run side by side overlap: there is no sum."""
    found = {name: statistics.median(one[name] for one in kept) for name in kept[0]}
    guards = found.pop("guards", 0)
    return {**found, "guards (in the stages)": guards}


def _seconds_kept(lake: Path) -> dict[str, float]:
    return dict(DeltaTable(lake / RUNS.name).to_pyarrow_table(columns=["seconds"])["seconds"][-1].as_py())


def _nightjar(work: Path, lines: int, lake: Path, environment: dict[str, str] | None = None) -> Measured:
    command = [str(Path(sys.executable).with_name("nightjar")), "run", *_night_of(work, lines)]
    return measure([*command, "--lake", str(lake), "--key-file", str(_key(work))], environment)


def _peer(work: Path, lines: int, out: Path, *more: str) -> Measured:
    key = ["--key-file", str(_key(work))]
    return measure([*_module("peer"), *_night_of(work, lines), "--out", str(out), *key, *more])


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}"]


def _night_of(work: Path, lines: int) -> list[str]:
    return ["--landing", str(work / f"landing-{lines}"), "--date", DAY.isoformat()]


def _landing(work: Path, lines: int) -> None:
    """Make a landing zone of one date if there is none."""
    landing, made = work / f"landing-{lines}", work / f"landing-{lines}.made"
    if not made.exists():
        _anew(landing), _anew(work / f"landing-{lines}.truth")
        make(landing, Recipe(DAY, 1, lines, max(10, lines // LINES_A_PERSON), SEED))
        made.touch()
        _say(f"made {lines:,} interactions")


def _anew(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder


def _key(work: Path) -> Path:
    return work / "key"


def _say(what: str) -> None:
    sys.stderr.write(what + "\n")


if __name__ == "__main__":
    main()
