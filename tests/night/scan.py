"""Looks for planted strings in everything a night leaves behind, decoded."""

import gzip
import os
from pathlib import Path

import pyarrow.parquet as pq


def _files(roots):
    """Every file below the roots. A running Spark removes folders: os.walk passes over those that are gone, rglob raises."""
    for root in roots:
        for folder, _, names in os.walk(root):
            yield from (file for file in (Path(folder) / name for name in names) if file.is_file())


def findings(strings: list[str], *roots: Path) -> dict[str, list[str]]:
    """String → files under the roots that hold it: as bytes, inside gzip, or in any value or statistic of Parquet."""
    found: dict[str, list[str]] = {}
    for file in _files(roots):
        try:
            content = _decoded(file)
        except FileNotFoundError:
            continue  # a temporary file that is gone again
        for string in strings:
            if any(string.encode(encoding) in content for encoding in ("utf-8", "utf-16-le")):
                found.setdefault(string, []).append(str(file))
    return found


def _decoded(file: Path) -> bytes:
    raw = file.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        return raw + gzip.decompress(raw)
    if raw[:4] == b"PAR1" and raw[-4:] == b"PAR1":
        parquet = pq.ParquetFile(file)
        values = [str(value) for row in parquet.read().to_pylist() for value in row.values()]
        return raw + "\n".join([*values, str(parquet.metadata.to_dict())]).encode("utf-8", "replace")
    return raw
