"""Whether a lake and what the peer wrote are the same tables, row for row. What only names a run is left out."""

from pathlib import Path

import polars as pl
from deltalake import DeltaTable
from polars.testing import assert_frame_equal

from schemas.tables import PUBLISHED

OF_A_RUN = ("run_id",)


def require_equal(lake: Path, peer: Path) -> int:
    """How many rows both have; AssertionError names the first table that differs."""
    rows = 0
    for contract in PUBLISHED:
        ours, theirs = (_rows(folder / contract.name, contract.names) for folder in (lake, peer))
        try:
            assert_frame_equal(ours, theirs, check_column_order=False)
        except AssertionError as error:
            raise AssertionError(f"{contract.name} differs: {error}") from None
        rows += len(ours)
    return rows


def _rows(table: Path, names: list[str]) -> pl.DataFrame:
    kept = [name for name in names if name not in OF_A_RUN]
    rows = pl.from_arrow(DeltaTable(table).to_pyarrow_table(columns=kept))
    lists = [name for name, kind in rows.schema.items() if isinstance(kind, pl.List)]
    plain = rows.with_columns(pl.col(name).list.join("\n") for name in lists)
    return plain.sort(kept)
