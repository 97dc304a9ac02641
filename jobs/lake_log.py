"""Lake log: a lake's own logs, begun and read without Spark: where each table stands, which runs are visible, small tables.

Whether there is anything to do, and what was done, is known from these in a second; a JVM takes ten. Likewise all tables
are made in a twentieth of a second, each a first entry of its log; as jobs of Spark's they take three.
"""

import json
import os
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
from deltalake import DeltaTable, Schema
from deltalake.exceptions import DeltaError
from pyspark.sql import types as T

from jobs.errors import Exit, NightjarError
from jobs.history import History
from schemas.contract import Contract
from schemas.runs import RUNS
from schemas.tables import PUBLISHED, TABLES


class LakeLog:
    """The logs of the Delta tables of one lake."""

    def __init__(self, path: Path):
        self.path = Path(path).absolute()

    def folder(self, contract: Contract) -> Path:
        return self.path / contract.name

    def receipts(self) -> Path:
        """The folder of what erasures left as proof."""
        return self.path / "receipts"

    def create(self) -> None:
        """Make the tables that don't exist yet, empty."""
        for contract in self.missing():
            self._create(contract)

    def missing(self) -> list[Contract]:
        """The tables that don't exist yet. A log without an entry is what somebody left who was killed while making one."""
        return [table for table in TABLES.values() if not any((self.folder(table) / "_delta_log").glob("*.json"))]

    def history(self) -> History:
        """Every run that is visible."""
        rows = self.rows(RUNS).to_pylist(maps_as_pydicts="strict")
        return History(tuple(sorted(rows, key=lambda run: run["run_number"])))

    def rows(self, contract: Contract, columns=None, *, version: int | None = None, filters=None) -> pa.Table:
        """A table's rows at a version, or its newest. For small tables: all of them come here."""
        try:
            return self._table(contract, version).to_pyarrow_table(columns=columns, filters=filters)
        except (DeltaError, OSError, pa.ArrowException) as error:
            raise bad_table(contract, f"can't be opened ({type(error).__name__})") from None

    def files(self, contract: Contract, version: int | None, days: Iterable[date] | None = None) -> list[str] | None:
        """The data files of a table at a version, or its newest, of all landing dates or of these.

        None where a file alone doesn't say which rows stand.
        """
        table = self._table(contract, version)
        if table.protocol().min_reader_version > 1:
            return None
        names = [unquote(name) for name in pa.table(table.get_add_actions())["path"].to_pylist()]
        if days is not None:
            wanted = {f"landing_date={day.isoformat()}" for day in days}
            names = [name for name in names if name.partition("/")[0] in wanted]
        return [str(self.folder(contract) / name) for name in names]

    def version(self, contract: Contract) -> int:
        """Number of the table's newest commit."""
        try:
            names = os.listdir(self.folder(contract) / "_delta_log")
        except FileNotFoundError:
            names = []
        commits = [int(name[:20]) for name in names if name.endswith(".json") and name[:20].isdigit()]
        if not commits:
            raise bad_table(contract, "has no commits")
        return max(commits)

    def moved(self, run: dict | None) -> list[Contract]:
        """The tables that stand elsewhere than where a run made them visible: what a killed run left."""
        found = []
        for contract in PUBLISHED:
            wanted, current = visible_version(contract, run), self.version(contract)
            if current == wanted or self._shows(contract, current, wanted):
                continue
            if current < wanted:
                raise bad_table(contract, "is older than the last run says")
            found.append(contract)
        return found

    def commit_info(self, contract: Contract, version: int) -> dict:
        """What a commit says of itself."""
        log = self.folder(contract) / "_delta_log" / f"{version:020d}.json"
        for line in log.read_text().splitlines():
            if "commitInfo" in (action := json.loads(line)):
                return action["commitInfo"]
        raise bad_table(contract, "has a commit without its record")

    def rows_written(self, contract: Contract, before: int) -> int:
        """Rows of the commits since a version. Writing none may make no commit, or one that says nothing of rows."""
        commits = range(before + 1, self.version(contract) + 1)
        metrics = [self.commit_info(contract, version).get("operationMetrics", {}) for version in commits]
        return sum(int(found.get("numOutputRows", 0)) for found in metrics)

    def forget_history(self) -> None:
        """Remove what a table without history doesn't show. For a lake that stands at what readers see, only.

        Whoever holds the lake is its only writer, so a file that the newest version doesn't name is nobody's: it is
        simply deleted. A VACUUM would do the same in seconds, and leave two commits.
        """
        for contract in PUBLISHED:
            if not contract.history:
                for file in self._leftovers(contract):
                    _remove(file)

    def _create(self, contract: Contract) -> None:
        folder = self.folder(contract)
        if folder.exists() and any(found.name != "_delta_log" for found in folder.iterdir()):
            raise bad_table(contract, "is a folder without a Delta log")
        # Statistics go into the log in clear and outlive a deletion: only the columns that may carry them.
        statistics = (
            {"delta.dataSkippingStatsColumns": ",".join(contract.statistics)}
            if contract.statistics
            else {"delta.dataSkippingNumIndexedCols": "0"}
        )
        DeltaTable.create(
            folder,
            Schema.from_json(contract.schema.json()),
            partition_by=list(contract.partition_by),
            description=contract.row,
            configuration={"delta.enableChangeDataFeed": str(contract.change_feed).lower(), **statistics},
        )
        _sum_up(folder / "_delta_log" / f"{0:020d}.json")

    def _table(self, contract: Contract, version: int | None) -> DeltaTable:
        try:
            table = DeltaTable(self.folder(contract), version=version)
            require_columns(contract, T.StructType.fromJson(json.loads(table.schema().to_json())))
        except (DeltaError, OSError) as error:
            raise bad_table(contract, f"can't be opened ({type(error).__name__})") from None
        return table

    def _leftovers(self, contract: Contract) -> list[Path]:
        """Data files that the newest version doesn't know."""
        known = {Path(file).name for file in self._table(contract, None).file_uris()}
        return [file for file in self.folder(contract).glob("*.parquet") if file.name not in known]

    def _shows(self, contract: Contract, current: int, wanted: int) -> bool:
        """Whether the newest version shows the wanted one's rows: but for purges it is that one, or went back to it."""
        while current > wanted:
            info = self.commit_info(contract, current)
            if not info["operation"].startswith("VACUUM"):
                return info["operation"] == "RESTORE" and int(info["operationParameters"]["version"]) == wanted
            current -= 1
        return current == wanted


def visible_version(contract: Contract, run: dict | None) -> int:
    """The version of a table that a run made visible; before the first run, as it was created."""
    if run is None:
        return 0
    if contract.name not in run["tables"]:
        raise NightjarError(
            Exit.TABLE,
            f"table {contract.name} is not one that the last run wrote: the lake is of an earlier build",
            fix="nightjar backfill into a new lake, with the same key file",
        )
    return run["tables"][contract.name]


def require_columns(contract: Contract, schema: T.StructType) -> None:
    """TABLE unless a table has the contract's columns."""
    found = [(field.name, field.dataType.simpleString()) for field in schema]
    wanted = [(field.name, field.dataType.simpleString()) for field in contract.schema]
    if found != wanted:
        raise bad_table(contract, "has other columns than its contract")


def bad_table(contract: Contract, how: str) -> NightjarError:
    return NightjarError(Exit.TABLE, f"table {contract.name} {how}", fix="restore the lake from its backup")


def _sum_up(entry: Path) -> None:
    """Write the checksum of a log's first entry, as Delta's protocol has it ("Version Checksum File"): the state after it.

    Spark goes on from there; without it, the first commit to each table would compute that state, as a job.
    """
    said = {name: action for line in entry.read_text().splitlines() for name, action in json.loads(line).items()}
    state = {
        **{"tableSizeBytes": 0, "numFiles": 0, "numMetadata": 1, "numProtocol": 1},
        **{"metadata": said["metaData"], "protocol": said["protocol"]},
    }
    entry.with_suffix(".crc").write_text(json.dumps(state))


def _remove(file: Path) -> None:
    """A data file, after the checksum that Hadoop keeps beside it: killed in between, the file is found again."""
    file.with_name(f".{file.name}.crc").unlink(missing_ok=True)
    file.unlink()
