"""Reference: links, regions, notices and erasures as frames. One row that isn't what it should be stops the night.

A dropped link could make an ambiguous account look like a clear one, so nothing is dropped.
"""

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T

from jobs.errors import Exit, NightjarError
from jobs.ingest import FILES, spread
from jobs.landing import LandingFile, list_reference, open_lines
from jobs.lines import Malformed, account_digest, decode, instant, optional, profile_digest, required
from jobs.workers import batches_of, value_free
from schemas.contract import INT, LONG, TEXT, TIME, Contract
from schemas.reference import ACCOUNT_LINKS, ERASURES, NOTICES, PROFILE_REGIONS
from schemas.words import LINKABLE_APPS

FOLDERS = {
    ACCOUNT_LINKS: "reference/account_links",
    PROFILE_REGIONS: "reference/profile_regions",
    NOTICES: "reference/notices",
    ERASURES: "erasures",
}


def list_all(landing: str) -> dict[Contract, list[LandingFile]]:
    """The files of each reference table; a missing one is an error, but nobody need ever have asked for erasure."""
    return {
        contract: list_reference(landing, folder, optional=contract is ERASURES) for contract, folder in FOLDERS.items()
    }


def read_all(
    spark: SparkSession, landing: str, key: bytes, tombstones: DataFrame | None = None
) -> dict[str, DataFrame]:
    """Every reference table's rows, by name; a lake's tombstones count as requests for erasure."""
    listed = list_all(landing)
    found = {contract.name: read_reference(spark, contract, files, key) for contract, files in listed.items()}
    if tombstones is not None:
        people = found[ACCOUNT_LINKS.name].select("profile_digest", "profile_id").distinct()
        gone = people.join(tombstones, on="profile_digest").select(ERASURES.names)
        found[ERASURES.name] = found[ERASURES.name].unionByName(gone)
    return found


def read_reference(spark: SparkSession, contract: Contract, files: list[LandingFile], key: bytes) -> DataFrame:
    """A reference table's rows, cached and checked; `key` is the lake's, for digests of accounts."""
    schema = T.StructType(
        [T.StructField(f.name, f.dataType, True) for f in contract.schema]
        + [T.StructField("bad_file", INT), T.StructField("bad_position", LONG), T.StructField("bad_reason", TEXT)]
    )
    tasks = spread(files, spark.sparkContext.defaultParallelism)
    listed = spark.createDataFrame([(task, index) for index, task in tasks.items()], FILES)

    @value_free
    def read(batches):
        indices = [index for batch in batches for index in batch.column("file").to_pylist()]
        return batches_of((row for index in indices for row in _rows(contract, files[index], key)), schema)

    rows = listed.repartitionById(max(1, len(set(tasks.values()))), "task").mapInArrow(read, schema).persist()
    bad = rows.where("bad_reason is not null").orderBy("bad_file", "bad_position").first()
    if bad is not None:
        file = files[bad["bad_file"]]
        where = f" at row {bad['bad_position']}" if bad["bad_position"] else ""
        raise NightjarError(
            Exit.INPUT, f"{contract.name}/{file.name} is {bad['bad_reason']}{where}", fix="deliver the file again"
        )
    return rows.select(contract.names)


def _rows(contract: Contract, file: LandingFile, key: bytes):
    nothing = (None,) * len(contract.columns)
    opened = open_lines(file)
    for position, raw in opened.lines:
        try:
            yield (*_row(contract, decode(raw) if isinstance(raw, bytes) else raw, key), None, None, None)
        except Malformed as error:
            yield (*nothing, file.index, position, error.reason)
    if opened.error:
        yield (*nothing, file.index, None, opened.error)


def _row(contract: Contract, item: dict, key: bytes) -> tuple:
    values = []
    for column in contract.columns:
        if column.name == "account_digest":
            values.append(account_digest(key, item["app"], item["account_id"]))
        elif column.name == "profile_digest":
            values.append(profile_digest(key, item["profile_id"]))
        elif column.type == TIME:
            value = item.get(column.name)
            if value is None and not column.nullable:
                raise Malformed("missing_field")
            values.append(None if value is None else instant(value))
        else:
            values.append(optional(item, column.name, str) if column.nullable else required(item, column.name))
        if column.name == "app" and values[-1] not in LINKABLE_APPS:
            raise Malformed("unknown_app")
    return tuple(values)
