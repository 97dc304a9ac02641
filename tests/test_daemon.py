"""Daemon: what Python workers don't do again for every task."""


def test_a_worker_does_not_read_the_directories_of_archives_again(spark):
    def unchanged(_):
        import importlib
        import zipimport

        read = {archive: id(directory) for archive, directory in zipimport._zip_directory_cache.items()}
        importlib.invalidate_caches()
        return len(read), read == {archive: id(again) for archive, again in zipimport._zip_directory_cache.items()}

    (archives, same), *_ = spark.sparkContext.parallelize([1], 1).map(unchanged).collect()
    assert archives and same
