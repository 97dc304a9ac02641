"""Daemon: what Python workers don't do again for every start or task."""

from jobs.daemon import without_packed


def test_a_worker_does_not_read_the_directories_of_archives_again(spark):
    def unchanged(_):
        import importlib
        import zipimport

        read = {archive: id(directory) for archive, directory in zipimport._zip_directory_cache.items()}
        importlib.invalidate_caches()
        return len(read), read == {archive: id(again) for archive, again in zipimport._zip_directory_cache.items()}

    (archives, same), *_ = spark.sparkContext.parallelize([1], 1).map(unchanged).collect()
    assert archives and same


def test_workers_take_pyspark_as_it_is_installed_not_from_the_archive_that_it_brings(spark):
    def home(_):
        import pyspark

        return pyspark.__file__

    (taken,) = spark.sparkContext.parallelize([1], 1).map(home).collect()
    assert taken.endswith("site-packages/pyspark/__init__.py")


def test_only_archives_that_lie_in_the_installed_package_leave_the_path():
    ours = ["/env/site-packages/pyspark/python/lib/pyspark.zip", "/env/site-packages/pyspark/python/lib/py4j-0-src.zip"]
    others = ["/opt/spark/python/lib/pyspark.zip", "/env/site-packages", "/env/site-packages/pyspark/jars/core.jar"]
    assert without_packed([*ours, *others]) == others
    assert without_packed([*ours, "/elsewhere"]) == [*ours, "/elsewhere"]
