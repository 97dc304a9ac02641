"""Daemon: the parent of all Python workers. Spark's own, but for what its workers do again before and after every task.

Before a task a worker invalidates Python's import caches, and for each archive on its path (Spark puts its own there) that
means reading the archive's whole directory: 0.15 s, for files that don't change while Spark runs. After a task it
collects garbage, among all that was ever imported.
"""

import gc
import zipimport

from pyspark.daemon import manager

if __name__ == "__main__":
    zipimport.zipimporter.invalidate_caches = lambda importer: None
    # What every worker imports, once and before they are forked from this process.
    import jobs.score  # noqa: F401

    gc.freeze()
    manager()
