"""`make bench-cluster`: the same nights on one machine and on a standalone cluster that is started for them.

Over a landing zone as it comes, and over one where a single account has half of all interactions. Both lakes must hold the
same rows.
"""

from pathlib import Path

import click

from benchmarks.equal import require_equal
from benchmarks.report import where
from benchmarks.setting import anew, key_in, landing_of, nightjar, say
from benchmarks.skew import half_of_one
from benchmarks.standalone import cluster, pack

SIZES = (100_000, 300_000)


@click.command()
@click.option("--sizes", help="Interactions, separated by commas.", default=",".join(map(str, SIZES)))
@click.option("--work", type=click.Path(path_type=Path), default=Path("build/bench"), show_default=True)
@click.option("--out", type=click.Path(path_type=Path), default=Path("benchmarks/results"), show_default=True)
def main(sizes: str, work: Path, out: Path):
    """Time nights on one machine and on a cluster; write cluster.txt."""
    key, packed = key_in(work), pack(work)
    lines = [f"{'interactions':>12}  {'accounts':<20}{'local s':>10}{'cluster s':>11}{'rows':>12}"]
    with cluster(work / "cluster", packed) as running:
        for size in map(int, sizes.split(",")):
            plain = landing_of(work, size)
            for accounts, landing in (("as they come", plain), ("one has half of it", half_of_one(plain))):
                local, there = anew(work / "lake"), anew(work / "lake-cluster")
                here, beside = nightjar(landing, local, key), running.night(landing, there, key)
                rows = require_equal(local, there)
                lines.append(f"{size:>12,}  {accounts:<20}{here.seconds:>10.1f}{beside.seconds:>11.1f}{rows:>12,}")
                say(lines[-1])
    out.mkdir(parents=True, exist_ok=True)
    (out / "cluster.txt").write_text("\n".join([where(1), "", *lines]) + "\n")


if __name__ == "__main__":
    main()
