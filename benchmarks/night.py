"""`make bench`: a whole night, start to exit, beside a hand-written Polars script and the bound of this machine.

Everything runs as a process of its own, one after the other, in turn; figures are medians of three rounds. Both write the
same tables, which is checked row for row. A size's landing zone is made once and kept.
"""

import json
import os
import statistics
import sys
from pathlib import Path

import click

from benchmarks import events, report
from benchmarks.equal import require_equal
from benchmarks.process import Measured, measure
from benchmarks.setting import anew, key_in, landing_of, night_of, nightjar, say
from jobs.lake_log import LakeLog

SIZES, ROUNDS = (300_000, 1_000_000, 3_000_000), 3
# A night so small that all it costs is what every night costs; and one to see whether memory grows.
SMALL, LARGEST = 1_000, 6_000_000
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
    key_in(work)
    found = report.Found(rounds, _fixed(work, rounds), {}, None)
    for lines in map(int, sizes.split(",")):
        found.sizes[lines] = _side_by_side(work, lines, rounds)
        say(f"{lines:,} interactions are done")
    if largest:
        found.largest = (largest, _night(work, largest, anew(work / "lake")))
    out.mkdir(parents=True, exist_ok=True)
    # Both before either is written: they name the commit, and whether anything differs from it.
    text, html = report.text(found), report.html(found)
    (out / "night.txt").write_text(text)
    (out / "night.html").write_text(html)
    sys.stdout.write(text)


def _fixed(work: Path, rounds: int) -> report.Fixed:
    """What a night of next to nothing costs, and one with nothing to do."""
    first, again = [], []
    for _ in range(rounds):
        lake = anew(work / "lake")
        first.append(_night(work, SMALL, lake))
        again.append(_night(work, SMALL, lake))
    return report.Fixed(SMALL, report.middle(first), report.middle(again))


def _side_by_side(work: Path, lines: int, rounds: int) -> report.Size:
    """Medians of every contender over one landing zone, and what Spark did in one night more."""
    admitted = work / "admitted.parquet"
    found: dict[str, list[Measured]] = {name: [] for name in CONTENDERS}
    kept = []
    for _ in range(rounds):
        lake, peer = anew(work / "lake"), anew(work / "peer")
        found["nightjar"].append(_night(work, lines, lake))
        kept.append(LakeLog(lake).history().last["seconds"])
        # The bound is told by its first run which lines are admitted: one small file more than the others write.
        told = [] if found["peer"] else ["--admitted", str(admitted)]
        found["peer"].append(_peer(work, lines, peer, *told))
        bound = [*_module("bound"), *night_of(landing_of(work, lines)), "--admitted", str(admitted)]
        found["bound"].append(measure(bound))
    seconds = _seconds(kept)
    rows = require_equal(work / "lake", work / "peer")
    logged, lake = anew(work / "events"), anew(work / "lake")
    _night(work, lines, lake, {**os.environ, **events.environment(logged)})
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


def _night(work: Path, lines: int, lake: Path, environment: dict[str, str] | None = None) -> Measured:
    return nightjar(landing_of(work, lines), lake, key_in(work), environment)


def _peer(work: Path, lines: int, out: Path, *more: str) -> Measured:
    key = ["--key-file", str(key_in(work))]
    return measure([*_module("peer"), *night_of(landing_of(work, lines)), "--out", str(out), *key, *more])


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"benchmarks.{name}"]


if __name__ == "__main__":
    main()
