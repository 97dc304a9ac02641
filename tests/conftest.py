"""One Spark session for the suite, with the product's own settings, and factories for frames, zones and lakes."""

import os
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from pyspark.sql.pandas.types import to_arrow_schema

from jobs import session as session_module
from jobs.key import read_key
from jobs.lake import Lake
from jobs.marker import read_marker
from jobs.night import Setting
from jobs.policy import read_policies
from jobs.run import run_night
from jobs.scoring.model import DEFAULT
from jobs.session import fit_to, start
from jobs.verify import verify
from schemas.tables import TABLES
from tests.zone import NIGHT, Zone

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared"
KEY = bytes(range(32))


@pytest.fixture(scope="session")
def spark():
    os.environ["TZ"] = "UTC"
    # The product's own settings, but for the compiler: a night is too short for its second tier, the suite is not.
    os.environ["_JAVA_OPTIONS"] = "-XX:TieredStopAtLevel=4"
    session = start()
    del os.environ["_JAVA_OPTIONS"]
    # Interpreted, as the product does with as little data as a test has; but in two tasks, as with more: rows must meet.
    session_module.TASKS_OF_LITTLE = 2
    fit_to(session, 0)
    return session


@pytest.fixture(scope="session")
def policy():
    return read_policies()[0]


@pytest.fixture
def zone(tmp_path):
    return Zone(tmp_path / "landing")


@pytest.fixture
def frame(spark):
    """Rows of a contract from dictionaries; what a test doesn't name is null, or the type's plainest value."""

    def make(contract, *rows):
        plain = {"int": 0, "bigint": 0, "boolean": False, "string": "x", "binary": b"\1" * 16}
        filled = []
        for at, row in enumerate(rows):
            base = {c.name: None if c.nullable else plain.get(c.type.simpleString()) for c in contract.columns}
            if "position" in base:
                base["position"] = at + 1
            filled.append({**base, **row})
        # By Arrow: rows of Python would be asked of a Python worker, again by every job.
        table = pa.Table.from_pylist(filled, to_arrow_schema(contract.schema))
        return spark.createDataFrame(table, contract.schema)

    return make


def arrived(content=b"c", identity=b"i", day=NIGHT, **more) -> dict:
    """A row of ARRIVALS: one interaction, by the first letter of its content and its id."""
    return {
        "landing_date": day,
        "source": "interactions",
        "id_digest": identity * 16,
        "content_digest": content * 16,
        "lines": 1,
        **more,
    }


@dataclass
class Runs:
    """A lake under test: runs its nights in the suite's session and reads what is visible."""

    spark: object
    path: Path
    landing: Path
    policies: list

    @property
    def lake(self) -> Lake:
        return Lake(self.spark, self.path)

    @property
    def key_file(self) -> Path:
        return self.path.with_name(self.path.name + ".key")

    def setting(self, landing: Path | None = None, policy=None) -> Setting:
        marker = read_marker(self.path)
        key = read_key(self.key_file, expected_id=marker["key_id"]) if marker else KEY
        return Setting(self.spark, str(landing or self.landing), [policy] if policy else self.policies, key, DEFAULT)

    def night(self, day: date = NIGHT, landing: Path | None = None, policy=None):
        return run_night(self.setting(landing, policy), self.lake, day, key_file=self.key_file)

    def differences(self, run: int | None = None) -> dict[str, str]:
        """What `verify` finds wrong, by what it compared, in the last run or in one by its number."""
        history = self.lake.log.history()
        of = history.numbered(run) if run else history.last
        found = list(verify(self.setting(), self.lake, of, lambda *_: None))
        assert len(found) > 6
        return {finding.what: finding.difference for finding in found if finding.difference}

    def rows(self, name: str, *without: str) -> list[tuple]:
        """A table's visible rows, sorted, some columns left out."""
        frame = self.lake.read(TABLES[name], self.lake.log.history().last) if name != "runs" else self.lake.runs()
        columns = [column for column in TABLES[name].names if column not in without]
        return sorted((tuple(row) for row in frame.select(columns).collect()), key=repr)

    def tables(self) -> dict[str, list[tuple]]:
        """What must be identical however a night came about. Files and positions of rejects follow the files."""
        return {
            "signals": self.rows("signals"),
            "profiles": self.rows("profiles"),
            "signal_accounts": self.rows("signal_accounts"),
            "outcomes": self.rows("outcomes"),
            "rejects": self.rows("rejects", "file", "position"),
            "arrivals": self.rows("arrivals"),
            "segments": self.rows("segments"),
            "segment_members": self.rows("segment_members"),
            "activations": self.rows("activations"),
        }

    def versions(self) -> dict[str, int]:
        return {name: self.lake.log.version(contract) for name, contract in TABLES.items()}

    def outcomes(self, source="interactions") -> dict[str, int]:
        found = {}
        for _, row_source, _, outcome, lines in self.rows("outcomes"):
            if row_source == source:
                found[outcome] = found.get(outcome, 0) + lines
        return found


@pytest.fixture
def forgetful(spark):
    """The session, which forgets a test's tables after it: Delta would for an hour remember them, and fill the heap."""
    yield spark
    spark._jvm.org.apache.spark.sql.delta.DeltaLog.clearCache()


@pytest.fixture
def runs(forgetful, policy, tmp_path):
    return Runs(forgetful, tmp_path / "lake", tmp_path / "landing", [policy])


@pytest.fixture
def another_lake(spark, policy, tmp_path):
    """A second lake over the same landing zone, with the same key."""
    return Runs(spark, tmp_path / "other" / "lake", tmp_path / "landing", [policy])
