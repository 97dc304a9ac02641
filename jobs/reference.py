"""Reference: links, regions, notices and erasures as frames. One row that isn't what it should be stops the night.

A dropped link could make an ambiguous account look like a clear one, so nothing is dropped.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from jobs.abreast import abreast
from jobs.content import Malformed, decode
from jobs.digests import account_digest, profile_digest
from jobs.errors import Exit, NightjarError
from jobs.ingest import dealt
from jobs.landing import LandingFile, inputs_changed, list_reference, open_lines
from jobs.lines import optional, required, required_instant
from jobs.workers import batches_of, value_free
from schemas.contract import INT, LONG, TEXT, TIME, Column, Contract
from schemas.reference import ACCOUNT_LINKS, ERASURES, NOTICES, PROFILE_REGIONS
from schemas.words import LINKABLE_APPS

FOLDERS = {
    ACCOUNT_LINKS: "reference/account_links",
    PROFILE_REGIONS: "reference/profile_regions",
    NOTICES: "reference/notices",
    ERASURES: "erasures",
}


class Reference(NamedTuple):
    """What one reading of the reference tables gave: their rows as frames by name, the files as they were listed, and the
    same files as a run remembers them: (table, name, bytes, SHA-256)."""

    frames: dict[str, DataFrame]
    listed: dict[Contract, list[LandingFile]]
    files: list[tuple[str, str, int, str]]

    def require_unchanged(self, landing: str) -> None:
        """INPUT if the files are not those that were read: what half a run judged by, the other half must too."""
        for contract, files in list_all(landing).items():
            then, now = ({file._replace(index=0) for file in listed} for listed in (self.listed[contract], files))
            # A request for erasure may come at any time: the next command answers it.
            if then - now or (now - then and contract is not ERASURES):
                raise inputs_changed(None, f"reference table {contract.name}")


def list_all(landing: str) -> dict[Contract, list[LandingFile]]:
    """The files of each reference table; a missing one is an error, but nobody need ever have asked for erasure."""
    return {
        contract: list_reference(landing, folder, optional=contract is ERASURES) for contract, folder in FOLDERS.items()
    }


def read_all(spark: SparkSession, landing: str, key: bytes, tombstones: DataFrame | None = None) -> Reference:
    """Every reference table; a lake's tombstones count as requests for erasure."""
    listed = list_all(landing)
    readings = abreast(
        spark, *(partial(read_reference, spark, contract, files, key) for contract, files in listed.items())
    )
    read = dict(zip(listed, readings, strict=True))
    found = {contract.name: rows for contract, (rows, _) in read.items()}
    if tombstones is not None:
        people = found[ACCOUNT_LINKS.name].select("profile_digest", "profile_id").distinct()
        gone = people.join(tombstones, on="profile_digest").select(ERASURES.names)
        found[ERASURES.name] = found[ERASURES.name].unionByName(gone)
    return Reference(found, listed, [file for _, files in read.values() for file in files])


def read_reference(
    spark: SparkSession, contract: Contract, files: list[LandingFile], key: bytes
) -> tuple[DataFrame, list[tuple[str, str, int, str]]]:
    """A reference table's rows, cached and checked, and the files they came from; `key` is the lake's, for digests."""
    schema = T.StructType(
        [T.StructField(f.name, f.dataType, True) for f in contract.schema]
        + [T.StructField("of_file", INT), T.StructField("position", LONG), T.StructField("reason", TEXT)]
        + [T.StructField("sha256", TEXT)]
    )

    @value_free
    def read(batches):
        indices = [index for batch in batches for index in batch.column("file").to_pylist()]
        return batches_of((row for index in indices for row in _rows(contract, files[index], key)), schema)

    rows = dealt(spark, files).mapInArrow(read, schema).persist()
    # What is wrong comes first, so the first row tells.
    order = F.isnull("reason"), "of_file", "position"
    said = rows.where("of_file is not null").orderBy(*order).limit(max(1, len(files))).collect()
    if said and said[0]["reason"]:
        raise _bad(contract, files[said[0]["of_file"]], said[0]["position"], said[0]["reason"])
    digests = {row["of_file"]: row["sha256"] for row in said}
    read = [(file.source, file.name, file.size, digests[file.index]) for file in files]
    return rows.where("of_file is null").select(contract.names), read


def rows_here(contract: Contract, files: list[LandingFile], key: bytes) -> Iterator[tuple]:
    """A small reference table's rows, checked likewise, read in this process; instants in microseconds since 1970.

    `key` is the lake's, for digests.
    """
    width = len(contract.columns)
    for file in files:
        for row in _rows(contract, file, key):
            of_file, position, reason, _ = row[width:]
            if reason:
                raise _bad(contract, file, position, reason)
            if of_file is None:
                yield row[:width]


def _bad(contract: Contract, file: LandingFile, position: int | None, reason: str) -> NightjarError:
    where = f" at row {position}" if position else ""
    return NightjarError(Exit.INPUT, f"{contract.name}/{file.name} is {reason}{where}", fix="deliver the file again")


def _rows(contract: Contract, file: LandingFile, key: bytes):
    nothing, sound = (None,) * len(contract.columns), (None,) * 4
    readers = [_reader(column, key) for column in contract.columns]
    opened = open_lines(file)
    for position, raw in opened.lines:
        try:
            item = decode(raw) if isinstance(raw, bytes) else raw
            yield (*[read(item) for read in readers], *sound)
        except Malformed as error:
            yield (*nothing, file.index, position, error.reason, None)
    yield (*nothing, file.index, None, opened.error, opened.sha256)


def _reader(column: Column, key: bytes) -> Callable[[dict], object]:
    """What gives a column's value of a row; digests come after the columns that they are of, which are sound by then."""
    name = column.name
    if name == "account_digest":
        return lambda item: account_digest(key, item["app"], item["account_id"])
    if name == "profile_digest":
        return lambda item: profile_digest(key, item["profile_id"])
    if name == "app":
        return _app
    if column.type == TIME and column.nullable:
        return lambda item: None if item.get(name) is None else required_instant(item, name)
    if column.type == TIME:
        return lambda item: required_instant(item, name)
    return (lambda item: optional(item, name, str)) if column.nullable else (lambda item: required(item, name))


def _app(item: dict) -> str:
    app = required(item, "app")
    if app not in LINKABLE_APPS:
        raise Malformed("unknown_app")
    return app
