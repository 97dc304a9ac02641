"""Looks for planted strings in everything a night leaves behind, decoded."""

import gzip
from pathlib import Path

import pyarrow.parquet as pq


def findings(strings: list[str], *roots: Path) -> dict[str, list[str]]:
    """String → files under the roots that hold it: as bytes, inside gzip, or in any value or statistic of Parquet."""
    found: dict[str, list[str]] = {}
    for file in (file for root in roots for file in root.rglob("*") if file.is_file()):
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
