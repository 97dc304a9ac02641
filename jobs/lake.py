"""Lake: the only reads and writes of tables.

Readers open every table at the version that the last row of `runs` names. So whatever a run writes is invisible until
its own row is, and what a killed run left is taken back by the next command that writes.
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from jobs import profile
from jobs.lake_log import LakeLog, bad_table, visible_version
from jobs.rows import frame_of
from schemas.contract import Contract
from schemas.profiles import PROFILES
from schemas.runs import RUNS
from schemas.signals import SIGNALS
from schemas.tombstones import TOMBSTONES

DOCS = "data_docs"
# Delta's own reader finds a table's files with Spark jobs, three for each version that is opened and two for each query: for
# few files that is more than reading them. For many it is the right thing.
MOST_FILES_LISTED = 1_000


class Lake:
    """A folder of Delta tables, one for each contract that is stored."""

    def __init__(self, spark: SparkSession, path: Path):
        self.spark, self.log = spark, LakeLog(path)
        self.path = self.log.path

    def runs(self) -> DataFrame:
        """Every run that is visible."""
        return self._open(RUNS, None)

    def read(self, contract: Contract, run: dict | None, days: Iterable[date] | None = None) -> DataFrame:
        """A table, or these landing dates of it, as a run made it visible; before the first run, as it was created."""
        return self._open(contract, visible_version(contract, run), days)

    def read_written(self, contract: Contract, days: Iterable[date] | None = None) -> DataFrame:
        """A table, or these landing dates of it, as its newest commit left it: what is about to be visible. For guards."""
        return self._open(contract, self.log.version(contract), days)

    def restore(self, run: dict | None) -> list[str]:
        """Take every table back to what a run made visible; the names of those that had moved on."""
        moved = self.log.moved(run)
        for contract in moved:
            self._table(contract).restoreToVersion(visible_version(contract, run))
        return [contract.name for contract in moved]

    def replace(self, contract: Contract, frame: DataFrame, landing_date: date) -> int:
        """Write a landing date's rows in place of those that it had; how many, as Delta's own writer counted."""
        if not (self.log.folder(contract) / f"landing_date={landing_date.isoformat()}").exists():
            # No file of this date was ever written, so there is none to look for and take away.
            return self.append(contract, frame)
        before = self.log.version(contract)
        (
            frame.write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", f"landing_date = '{landing_date.isoformat()}'")
            .save(str(self.log.folder(contract)))
        )
        return self.log.rows_written(contract, before)

    def overwrite(self, contract: Contract, frame: DataFrame) -> int:
        """Write rows in place of all that there were; how many, as Delta's own writer counted."""
        before = self.log.version(contract)
        if not before:
            # As it was created: there is no file to look for and take away.
            return self.append(contract, frame)
        frame.write.format("delta").mode("overwrite").save(str(self.log.folder(contract)))
        return self.log.rows_written(contract, before)

    def append(self, contract: Contract, frame: DataFrame) -> int:
        """Add rows; how many, as Delta's own writer counted."""
        before = self.log.version(contract)
        frame.write.format("delta").mode("append").save(str(self.log.folder(contract)))
        return self.log.rows_written(contract, before)

    def merge(self, changes: DataFrame) -> int:
        """Apply a night's changes to profiles in one MERGE; the new version."""
        key = " and ".join(f"p.{name} = c.{name}" for name in PROFILES.key)
        (
            self._table(PROFILES)
            .alias("p")
            .merge(changes.alias("c"), key)
            .whenMatchedDelete(condition=profile.MERGE_GONE)
            .whenMatchedUpdate(set=profile.MERGE_SET)
            .whenNotMatchedInsert(values=profile.MERGE_NEW)
            .execute()
        )
        return self.log.version(PROFILES)

    def withdraw(self, gone: DataFrame) -> int:
        """Delete the signals of these landing dates and keys; how many there were. By a join: no key becomes a literal."""
        (
            self._table(SIGNALS)
            .alias("s")
            .merge(gone.alias("g"), "s.landing_date = g.landing_date and s.signal_key = g.signal_key")
            .whenMatchedDelete()
            .execute()
        )
        metrics = self.log.commit_info(SIGNALS, self.log.version(SIGNALS)).get("operationMetrics", {})
        return int(metrics.get("numTargetRowsDeleted", 0))

    def changed(self, contract: Contract, version: int) -> DataFrame:
        """The change data feed of one commit."""
        return (
            self.spark.read.format("delta")
            .option("readChangeFeed", "true")
            .option("startingVersion", version)
            .option("endingVersion", version)
            .load(str(self.log.folder(contract)))
        )

    def tombstones(self) -> DataFrame:
        """Everybody who was ever erased."""
        return self.read_written(TOMBSTONES)

    def replace_people(self, contract: Contract, people: DataFrame, rows: DataFrame) -> None:
        """Delete every row of these profiles, by a join, and add what is left of them."""
        table = self._table(contract).alias("s")
        table.merge(people.alias("g"), "s.profile_id = g.profile_id").whenMatchedDelete().execute()
        if not rows.isEmpty():
            self.append(contract, rows.select(contract.names))

    def purge(self, contract: Contract) -> None:
        """Remove every file that the newest version doesn't need: older versions, change feeds, what killed runs left."""
        check = "spark.databricks.delta.retentionDurationCheck.enabled"
        self.spark.conf.set(check, "false")
        try:
            self._table(contract).vacuum(0)
        finally:
            self.spark.conf.unset(check)

    def docs(self) -> Path:
        return self.path / DOCS

    def _table(self, contract: Contract) -> DeltaTable:
        return DeltaTable.forPath(self.spark, str(self.log.folder(contract)))

    def _open(self, contract: Contract, version: int | None, days: Iterable[date] | None = None) -> DataFrame:
        files = self.log.files(contract, version, days)
        if files == []:
            return nothing(self.spark, contract)
        reader, folder = self.spark.read, str(self.log.folder(contract))
        try:
            if files is not None and len(files) <= MOST_FILES_LISTED:
                reader = reader.schema(contract.schema).options(basePath=folder, __globPaths__="false")
                rows = reader.parquet(*files).select(contract.names)
            else:
                rows = (
                    reader.options(**{} if version is None else {"versionAsOf": version}).format("delta").load(folder)
                )
        except AnalysisException as error:
            raise bad_table(contract, f"can't be opened ({error.getCondition()})") from None
        return rows if days is None else rows.where(F.col("landing_date").isin(*days))


def nothing(spark: SparkSession, contract: Contract) -> DataFrame:
    """No row of a contract. Spark is told so, and plans nothing for what is joined with it, grouped or added to it."""
    return frame_of(spark, [], contract.schema)


def now() -> datetime:
    """The wall clock, for the record of a run only: nothing is judged by it."""
    return datetime.now(UTC)
