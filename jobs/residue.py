"""Residue: whether any file of a lake still holds somebody who was erased. Files are read as files, not as tables."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame

from jobs.digests import profile_digest
from jobs.lake import Lake


def residue(lake: Lake, key: bytes, stones: DataFrame) -> tuple[int, int]:
    """(Parquet files searched, files in which some text is the id of a profile with one of these tombstones).

    Every text column of every Parquet file under the lake, whether a table knows the file or not, and the texts that its
    footer keeps as statistics.
    """
    wanted = {bytes(row["profile_digest"]) for row in stones.select("profile_digest").collect()}
    files = [file for file in sorted(lake.path.rglob("*")) if file.is_file() and _is_parquet(file)]
    return len(files), sum(_holds(file, key, wanted) for file in files)


def _is_parquet(file: Path) -> bool:
    with file.open("rb") as handle:
        return handle.read(4) == b"PAR1"


def _holds(file: Path, key: bytes, wanted: set[bytes]) -> bool:
    """Column by column and batch by batch, so that a large file needs little memory."""
    parquet = pq.ParquetFile(file)
    texts = [field.name for field in parquet.schema_arrow if pa.types.is_string(field.type)]
    for batch in parquet.iter_batches(columns=texts, batch_size=65_536) if texts else ():
        for column in batch.columns:
            if any(profile_digest(key, text) in wanted for text in column.unique().to_pylist() if text):
                return True
    return any(
        profile_digest(key, bound) in wanted
        for group in range(parquet.metadata.num_row_groups)
        for at in range(parquet.metadata.num_columns)
        for bound in _bounds(parquet.metadata.row_group(group).column(at))
    )


def _bounds(column) -> list[str]:
    statistics = column.statistics
    if statistics is None or not statistics.has_min_max:
        return []
    return [bound for bound in (statistics.min, statistics.max) if isinstance(bound, str)]
