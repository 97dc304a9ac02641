"""The bound: what no night on this machine can be faster than. Both cores read the files twice and score what is admitted.

No gate, no join, no table: which lines are admitted is told beforehand.
"""

from multiprocessing import Process, cpu_count
from pathlib import Path

import click
import msgspec
import polars as pl
import pyarrow as pa

from benchmarks.peer import AT_ONCE, Words, read_lines, shared_out
from jobs.batch import settings_of
from jobs.policy import policy_on, read_policies
from jobs.scoring.scorer import Scorer


@click.command()
@click.option("--landing", type=click.Path(path_type=Path), required=True)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--admitted", type=click.Path(path_type=Path), required=True, help="(source, file, position), Parquet.")
def main(landing: Path, day, admitted: Path):
    """Read everything twice, score what is admitted, forget it."""
    policy = policy_on(read_policies(), day.date())
    workers = [
        Process(target=_work, args=(share, admitted, policy)) for share in shared_out(landing, day.date(), cpu_count())
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        if worker.exitcode:
            raise SystemExit(worker.exitcode)


def _work(share: list[tuple[str, Path]], admitted: Path, policy) -> None:
    scorer, decode = Scorer.cached(settings_of(policy)), msgspec.json.Decoder(Words).decode
    wanted = pl.read_parquet(admitted)
    for source, file in share:
        read_lines(file)
        lines = read_lines(file)
        own = wanted.filter(pl.col("source") == source, pl.col("file") == file.name)["position"].sort().to_list()
        for at in range(0, len(own), AT_ONCE):
            words = [decode(lines[position - 1]) for position in own[at : at + AT_ONCE]]
            scorer.judge(pa.array([one.said for one in words], pa.string()), [one.names for one in words])


if __name__ == "__main__":
    main()
