"""Daemon: the parent of all Python workers. Spark's own, but for what it and its workers do again and again.

Spark puts an archive of itself before all else on Python's path, and every start compiles anew what it takes from one:
0.7 s, where the package that the archive came with lies beside it, compiled. Before a task a worker invalidates Python's
import caches, and for each archive on its path that means reading the archive's whole directory: 0.15 s, for files that don't
change while Spark runs. After a task it collects garbage, among all that was ever imported.
"""

import gc
import sys
import zipimport
from pathlib import Path


def without_packed(path: list[str]) -> list[str]:
    """A search path without the archives that PySpark's installed package (`PATH/pyspark/python/lib/*.zip`) brings along
    of itself and of what it needs. Spark's own, which came otherwise, stay: they may be of another version."""
    return [entry for entry in path if not any(_brings(Path(folder), Path(entry)) for folder in path)]


def _brings(folder: Path, entry: Path) -> bool:
    return entry.suffix == ".zip" and entry.parent == folder / "pyspark" / "python" / "lib"


if __name__ == "__main__":
    sys.path[:] = without_packed(sys.path)
    from pyspark.daemon import manager

    zipimport.zipimporter.invalidate_caches = lambda importer: None
    # What every worker imports, once and before they are forked from this process.
    import jobs.score  # noqa: F401

    gc.freeze()
    manager()
