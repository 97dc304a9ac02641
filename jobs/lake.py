"""Lake: the only reads and writes of tables.

Readers open every table at the version that the last row of `runs` names. So whatever a run writes is invisible until
its own row is, and what a killed run left is taken back by the next command that writes.
"""

import json
import os
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.errors import AnalysisException
from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from jobs import profile
from jobs.abreast import abreast
from jobs.errors import Exit, NightjarError
from schemas.contract import Contract
from schemas.profiles import PROFILES
from schemas.runs import RUNS
from schemas.signals import SIGNALS
from schemas.tables import PUBLISHED, TABLES
from schemas.tombstones import TOMBSTONES

DOCS, RECEIPTS = "data_docs", "receipts"


class Lake:
    """A folder of Delta tables, one for each contract that is stored."""

    def __init__(self, spark: SparkSession, path: Path):
        self.spark, self.path = spark, Path(path).absolute()

    def create(self) -> None:
        """Make the tables that don't exist yet, empty."""
        missing = [one for one in TABLES.values() if not (self._folder(one) / "_delta_log").is_dir()]
        abreast(self.spark, *(partial(self._create, contract) for contract in missing))

    def runs(self) -> DataFrame:
        """Every run that is visible."""
        return self._open(RUNS, None)

    def dates_run(self, upto: Row | None = None) -> list[date]:
        """Every landing date that some visible run stated; up to a run, if one is given."""
        found = self._runs_upto(upto).select(F.explode("landing_dates").alias("day")).distinct().collect()
        return sorted(row["day"] for row in found)

    def newest_runs(self, dates: list[date], upto: Row | None = None) -> dict[date, Row]:
        """By landing date, the newest run that stated it; those never run are left out."""
        wanted = F.array(*map(F.lit, dates)).cast("array<date>")
        runs = self._runs_upto(upto).where(F.arrays_overlap("landing_dates", wanted)).orderBy("run_number").collect()
        return {day: run for run in runs for day in run["landing_dates"] if day in dates}

    def run(self, number: int) -> Row | None:
        """A run by its number."""
        return self.runs().where(F.col("run_number") == F.lit(number)).first()

    def last_run(self) -> Row | None:
        """The run whose versions readers see."""
        return self.runs().orderBy(F.desc("run_number")).first()

    def read(self, contract: Contract, run: Row | None) -> DataFrame:
        """A table as a run made it visible; before the first run, as it was created."""
        return self._open(contract, visible_version(contract, run))

    def read_written(self, contract: Contract) -> DataFrame:
        """A table as its newest commit left it: what is about to be visible. For guards."""
        return self._open(contract, self.version(contract))

    def version(self, contract: Contract) -> int:
        """Number of the table's newest commit."""
        commits = self._commits(contract)
        if not commits:
            raise _bad_table(contract, "has no commits")
        return max(commits)

    def restore(self, run: Row | None) -> list[str]:
        """Take every table back to what a run made visible; the names of those that had moved on."""
        moved = []
        for contract in PUBLISHED:
            wanted = visible_version(contract, run)
            current = self.version(contract)
            if current == wanted or self._shows(contract, current, wanted):
                continue
            if current < wanted:
                raise _bad_table(contract, "is older than the last run says")
            self._table(contract).restoreToVersion(wanted)
            moved.append(contract.name)
        return moved

    def replace(self, contract: Contract, frame: DataFrame, landing_date: date) -> int:
        """Write a landing date's rows in place of those that it had; how many, as Delta's own writer counted."""
        if not (self._folder(contract) / f"landing_date={landing_date.isoformat()}").exists():
            # No file of this date was ever written, so there is none to look for and take away.
            return self.append(contract, frame)
        before = self.version(contract)
        (
            frame.write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", f"landing_date = '{landing_date.isoformat()}'")
            .save(str(self._folder(contract)))
        )
        return self._rows_written(contract, before)

    def overwrite(self, contract: Contract, frame: DataFrame) -> int:
        """Write rows in place of all that there were; how many, as Delta's own writer counted."""
        before = self.version(contract)
        frame.write.format("delta").mode("overwrite").save(str(self._folder(contract)))
        return self._rows_written(contract, before)

    def append(self, contract: Contract, frame: DataFrame) -> int:
        """Add rows; how many, as Delta's own writer counted."""
        before = self.version(contract)
        frame.write.format("delta").mode("append").save(str(self._folder(contract)))
        return self._rows_written(contract, before)

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
        return self.version(PROFILES)

    def withdraw(self, gone: DataFrame) -> int:
        """Delete the signals of these landing dates and keys; how many there were. By a join: no key becomes a literal."""
        (
            self._table(SIGNALS)
            .alias("s")
            .merge(gone.alias("g"), "s.landing_date = g.landing_date and s.signal_key = g.signal_key")
            .whenMatchedDelete()
            .execute()
        )
        metrics = self._commit_info(SIGNALS, self.version(SIGNALS)).get("operationMetrics", {})
        return int(metrics.get("numTargetRowsDeleted", 0))

    def changed(self, contract: Contract, version: int) -> DataFrame:
        """The change data feed of one commit."""
        return (
            self.spark.read.format("delta")
            .option("readChangeFeed", "true")
            .option("startingVersion", version)
            .option("endingVersion", version)
            .load(str(self._folder(contract)))
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

    def forget_history(self) -> None:
        """Remove what a table without history doesn't show. For a lake that stands at what readers see, only.

        Whoever holds the lake is its only writer, so a file that the newest version doesn't name is nobody's: it is
        simply deleted. A VACUUM would do the same in seconds, and leave two commits.
        """
        for contract in PUBLISHED:
            if not contract.history:
                for file in self._leftovers(contract):
                    _remove(file)

    def docs(self) -> Path:
        return self.path / DOCS

    def receipts(self) -> Path:
        return self.path / RECEIPTS

    def _runs_upto(self, run: Row | None) -> DataFrame:
        return self.runs() if run is None else self.runs().where(F.col("run_number") <= run["run_number"])

    def _folder(self, contract: Contract) -> Path:
        return self.path / contract.name

    def _table(self, contract: Contract) -> DeltaTable:
        return DeltaTable.forPath(self.spark, str(self._folder(contract)))

    def _create(self, contract: Contract) -> None:
        folder = self._folder(contract)
        if folder.exists() and any(folder.iterdir()):
            raise _bad_table(contract, "is a folder without a Delta log")
        builder = (
            DeltaTable.create(self.spark)
            .location(str(folder))
            .addColumns(contract.schema)
            .comment(contract.row)
            .property("delta.enableChangeDataFeed", str(contract.change_feed).lower())
        )
        # Statistics go into the log in clear and outlive a deletion: only the columns that may carry them.
        if contract.statistics:
            builder = builder.property("delta.dataSkippingStatsColumns", ",".join(contract.statistics))
        else:
            builder = builder.property("delta.dataSkippingNumIndexedCols", "0")
        if contract.partition_by:
            builder = builder.partitionedBy(*contract.partition_by)
        builder.execute()

    def _open(self, contract: Contract, version: int | None) -> DataFrame:
        reader = self.spark.read.format("delta")
        if version is not None:
            reader = reader.option("versionAsOf", version)
        try:
            frame = reader.load(str(self._folder(contract)))
        except AnalysisException as error:
            raise _bad_table(contract, f"can't be opened ({error.getCondition()})") from None
        found = [(field.name, field.dataType.simpleString()) for field in frame.schema]
        wanted = [(field.name, field.dataType.simpleString()) for field in contract.schema]
        if found != wanted:
            raise _bad_table(contract, "has other columns than its contract")
        return frame

    def _commits(self, contract: Contract) -> list[int]:
        log = self._folder(contract) / "_delta_log"
        try:
            return [int(name[:20]) for name in os.listdir(log) if name.endswith(".json") and name[:20].isdigit()]
        except FileNotFoundError:
            return []

    def _shows(self, contract: Contract, current: int, wanted: int) -> bool:
        """Whether the newest version shows the wanted one's rows: but for purges it is that one, or went back to it."""
        while current > wanted:
            info = self._commit_info(contract, current)
            if not info["operation"].startswith("VACUUM"):
                return info["operation"] == "RESTORE" and int(info["operationParameters"]["version"]) == wanted
            current -= 1
        return current == wanted

    def _leftovers(self, contract: Contract) -> list[Path]:
        """Data files that the newest version doesn't know."""
        known = {Path(file).name for file in self.read_written(contract).inputFiles()}
        return [file for file in self._folder(contract).glob("*.parquet") if file.name not in known]

    def _rows_written(self, contract: Contract, before: int) -> int:
        """Rows of the commits since a version. Writing none may make no commit, or one that says nothing of rows."""
        commits = range(before + 1, self.version(contract) + 1)
        metrics = [self._commit_info(contract, version).get("operationMetrics", {}) for version in commits]
        return sum(int(found.get("numOutputRows", 0)) for found in metrics)

    def _commit_info(self, contract: Contract, version: int) -> dict:
        log = self._folder(contract) / "_delta_log" / f"{version:020d}.json"
        for line in log.read_text().splitlines():
            if "commitInfo" in (action := json.loads(line)):
                return action["commitInfo"]
        raise _bad_table(contract, "has a commit without its record")


def visible_version(contract: Contract, run: Row | None) -> int:
    if run is None:
        return 0
    if contract.name not in run["tables"]:
        raise NightjarError(
            Exit.TABLE,
            f"table {contract.name} is not one that the last run wrote: the lake is of an earlier build",
            fix="nightjar backfill into a new lake, with the same key file",
        )
    return run["tables"][contract.name]


def _remove(file: Path) -> None:
    """A data file, after the checksum that Hadoop keeps beside it: killed in between, the file is found again."""
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
    file.unlink()


def now() -> datetime:
    """The wall clock, for the record of a run only: nothing is judged by it."""
    return datetime.now(UTC)


def _bad_table(contract: Contract, how: str) -> NightjarError:
    return NightjarError(Exit.TABLE, f"table {contract.name} {how}", fix="restore the lake from its backup")
