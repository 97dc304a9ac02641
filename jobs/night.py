"""The night: its stages in order, and how one landing date is run through them."""

import re
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Row, SparkSession
from pyspark.sql import functions as F

from jobs import accrue, admit, docs, ingest, ledger, link, profile, score, screen, withdraw
from jobs.batch import settings_of
from jobs.errors import Exit, NightjarError
from jobs.guard import check_rows, require
from jobs.key import key_id, write_key
from jobs.lake import Lake, now
from jobs.landing import LandingFile, end_of, file_sha256, list_night
from jobs.lines import LineRules
from jobs.marker import write_marker
from jobs.policy import Policy, policy_on
from jobs.reference import list_all, read_reference
from jobs.runner import Runner
from jobs.scoring.model import model_digest
from jobs.workers import INPUT_CHANGED
from schemas.lines import RAW_LINES, SCREENED
from schemas.outcomes import OUTCOME_COUNTS
from schemas.profile_deltas import PROFILE_DELTAS
from schemas.profiles import PROFILES
from schemas.rejects import REJECTS
from schemas.runs import RUNS
from schemas.signals import SIGNALS
from schemas.tables import PUBLISHED

IN_FLIGHT = (ingest.STAGE, link.STAGE, admit.STAGE, score.STAGE, screen.STAGE)
STORED = (*ledger.STAGES, accrue.STAGE)
MERGED = (withdraw.STAGE, profile.STAGE, profile.DELTAS_STAGE)
NIGHT = (*IN_FLIGHT, *STORED, *MERGED)


@dataclass(frozen=True)
class Setting:
    """Where and by what a night runs.

    `policies` are all versions, `is_new` says that the lake doesn't exist yet: it is made when there is something in it.
    """

    spark: SparkSession
    lake: Path
    landing: str
    policies: list[Policy]
    key: bytes
    key_file: Path
    model: Path
    is_new: bool


@dataclass(frozen=True)
class Finished:
    """What a night came to: the run's row, and whether it had anything to do."""

    run: Row
    did_something: bool


def run_night(
    setting: Setting,
    landing_date: date,
    *,
    kind: str = "night",
    progress: Callable[[str, float], None] = lambda *_: None,
) -> Finished:
    """Run one landing date, whole or not at all. The lake is held by the caller.

    Whatever fails, every table is taken back to what readers see before the error goes on.
    """
    lake = Lake(setting.spark, setting.lake)
    files = list_night(setting.landing, landing_date)
    last = None
    if not setting.is_new:
        lake.create()
        last = lake.last_run()
        lake.restore(last)
        done = run_of(lake, landing_date)
        if done is not None and not is_stale(done, files, landing_date):
            return Finished(done, False)
    runner = Runner(landing_date, progress)
    try:
        run = _Run(setting, lake, runner, files, last, kind).row()
    except Exception as error:
        _forget_caches(setting.spark)
        if (setting.lake / "runs").exists():
            lake.restore(last)
        raise _understood(error, files, landing_date) from None
    finally:
        if runner.checks and setting.lake.exists():
            docs.write_night(lake.docs(), landing_date, runner.checks)
    _forget_caches(setting.spark)
    return Finished(run, True)


def run_of(lake: Lake, landing_date: date) -> Row | None:
    """The newest run that restated a landing date."""
    restated = lake.runs().where(F.array_contains("landing_dates", F.lit(landing_date)))
    return restated.orderBy(F.desc("run_number")).first()


def is_stale(run: Row, files: list[LandingFile], landing_date: date) -> bool:
    """Whether a landing date's files are others than the run read: names and sizes first, digests where these agree."""
    read = {(f["source"], f["name"]): f for f in run["inputs"] if f["landing_date"] == landing_date}
    if {(f.source, f.name): f.size for f in files} != {name: f["bytes"] for name, f in read.items()}:
        return True
    return any(file_sha256(file) != read[file.source, file.name]["sha256"] for file in files)


class _Run:
    """One attempt at a landing date: reads, flies, publishes, and at last makes it all visible."""

    def __init__(self, setting: Setting, lake: Lake, runner: Runner, files, last: Row | None, kind: str):
        self.setting, self.lake, self.runner, self.files, self.last, self.kind = (
            setting,
            lake,
            runner,
            files,
            last,
            kind,
        )
        self.run_id, self.started_at = str(uuid.uuid4()), now()
        self.policy = policy_on(setting.policies, runner.landing_date)
        self.settings = settings_of(self.policy, setting.model)
        runner.values |= {
            "policy": self.policy,
            "as_of": end_of(runner.landing_date),
            "files": files,
            "settings": self.settings,
            "run_id": self.run_id,
        }

    def row(self) -> Row:
        digest = model_digest(self.setting.model)
        manifests = self._read()
        counts, sensitive = self._fly(sum(m["lines"] for m in manifests.values()))
        self._found()
        for stage in STORED:
            self.runner.publish(stage, self.lake)
        self._merge(self._withdraw())
        with self.runner.timed("runs"):
            self._require_unchanged_inputs()
            policy = self.policy
            return self._make_visible(
                {
                    "run_number": 1 if self.last is None else self.last["run_number"] + 1,
                    "run_id": self.run_id,
                    "kind": self.kind,
                    "landing_dates": [self.runner.landing_date],
                    "inputs": [
                        (f.source, self.runner.landing_date, f.name, f.size, m["sha256"], m["lines"])
                        for f, m in ((file, manifests[file.index]) for file in self.files)
                    ],
                    "policy_version": policy.version,
                    "policy_digest": policy.digest,
                    "model_digest": digest,
                    "key_id": key_id(self.setting.key),
                    "tables": {contract.name: self.lake.version(contract) for contract in PUBLISHED},
                    "checks": [(check.contract, len(check.verdicts), check.rows) for check in self.runner.checks],
                    "counts": counts,
                    "sensitive": sensitive,
                    "seconds": dict(self.runner.seconds),
                    "started_at": self.started_at,
                    "finished_at": now(),
                }
            )

    def _read(self) -> dict[int, Row]:
        """The first read: raw lines in memory, and each file's manifest by index."""
        policy, runner = self.policy, self.runner
        rules = LineRules(runner.landing_date, policy.lateness_days, policy.max_line_bytes, self.setting.key)
        with runner.timed("read"):
            raw = ingest.read_raw_lines(self.setting.spark, self.files, rules)
            raw_lines = runner.fly(RAW_LINES, raw).persist()
            runner.frames[RAW_LINES.name] = raw_lines
            rows = raw_lines.where("position = 0").select("file", "manifest").collect()
            manifests = {row["file"]: row["manifest"] for row in rows}
            for file in self.files:
                if manifests[file.index]["error"]:
                    raise NightjarError(
                        Exit.INPUT,
                        f"{file.source}/{file.name} is {manifests[file.index]['error']}",
                        fix="deliver the file again",
                    )
            runner.land(sum(m["lines"] for m in manifests.values()) + len(self.files))
            for contract, listed in list_all(self.setting.landing).items():
                runner.frames[contract.name] = read_reference(self.setting.spark, contract, listed, self.setting.key)
        runner.values["digests"] = {index: manifest["sha256"] for index, manifest in manifests.items()}
        return manifests

    def _fly(self, lines_read: int) -> tuple[dict[str, int], dict[str, int]]:
        """Every line to its outcome, in one pass; lines by source/outcome, and by sensitive category."""
        runner = self.runner
        with runner.timed("screen"):
            for stage in IN_FLIGHT:
                runner.fly(stage.gives, runner.transform(stage))
            screened = runner.frames[SCREENED.name].persist()
            runner.frames[SCREENED.name] = screened
            counted = screened.groupBy("source", "surface", "outcome").agg(
                F.count(F.lit(1)).alias("lines"), F.sum(F.size("topics")).alias("signals")
            )
            counted = counted.collect()
            counts = Counter()
            for row in counted:
                counts[f"{row['source']}/{row['outcome']}"] += row["lines"]
            if sum(counts.values()) != lines_read:
                raise NightjarError(
                    Exit.GUARD_FAILED,
                    f"{lines_read} lines were read but {sum(counts.values())} counted",
                    fix="report this; the previous night is still visible",
                )
            runner.land(lines_read)
            runner.expected = {
                REJECTS.name: sum(row["lines"] for row in counted if row["outcome"] == "malformed"),
                OUTCOME_COUNTS.name: len(counted),
                SIGNALS.name: sum(row["signals"] for row in counted),
            }
            sensitive = ledger.sensitive_counts(screened, minimum=self.policy.minimum_category_count)
        return dict(counts), sensitive

    def _found(self) -> None:
        """Make the lake, if this is its first night."""
        if self.setting.is_new:
            if not self.setting.key_file.exists():
                write_key(self.setting.key_file, self.setting.key)
            write_marker(self.setting.lake, key_id(self.setting.key))
            self.lake.create()

    def _withdraw(self) -> set[date]:
        """Delete the signals that no longer stand; the landing dates that they are of."""
        runner, lake = self.runner, self.lake
        if self.last is None:
            return set()
        with runner.timed(withdraw.STAGE.name):
            runner.frames["accrued"] = lake.read_written(SIGNALS)
            runner.values["later"] = [
                (day, policy_on(self.setting.policies, day)) for day in lake.dates_run() if day > runner.landing_date
            ]
            gone = runner.transform(withdraw.STAGE).persist()
            counted = {row["landing_date"]: row["count"] for row in gone.groupBy("landing_date").count().collect()}
            if counted and lake.withdraw(gone) != sum(counted.values()):
                raise NightjarError(
                    Exit.GUARD_FAILED,
                    f"{sum(counted.values())} signals no longer stand, but not as many were withdrawn",
                    fix="report this; the previous night is still visible",
                )
        return set(counted)

    def _merge(self, withdrawn: set[date]) -> None:
        """Restated signals minus visible ones into profiles, and what that changed into profile_deltas."""
        runner, lake = self.runner, self.lake
        day = F.col("landing_date").isin(*({self.runner.landing_date} | withdrawn))
        runner.frames |= {
            "signals": lake.read_written(SIGNALS),
            "restated": lake.read_written(SIGNALS).where(day),
            "visible": lake.read(SIGNALS, self.last).where(day),
        }
        with runner.timed(profile.STAGE.name):
            changes = runner.transform(profile.STAGE).persist()
            version = lake.merge(changes) if changes.count() else None
        with runner.timed(profile.DELTAS_STAGE.name):
            added = removed = 0
            written = lake.read_written(PROFILE_DELTAS).where(F.col("run_id") == self.run_id)
            if version is not None:
                runner.frames["changed"] = lake.changed(PROFILES, version)
                lake.append(PROFILE_DELTAS, runner.transform(profile.DELTAS_STAGE))
                written = lake.read_written(PROFILE_DELTAS).where(F.col("run_id") == self.run_id)
                counted = {row["change"]: row["count"] for row in written.groupBy("change").count().collect()}
                added, removed = counted.get("added", 0), counted.get("removed", 0)
                runner.check_written(PROFILE_DELTAS, written, lake.rows_written(PROFILE_DELTAS))
            else:
                runner.check_written(PROFILE_DELTAS, written, 0)
            before = lake.read(PROFILES, self.last).count()
            runner.check_written(PROFILES, lake.read_written(PROFILES), before + added - removed)

    def _require_unchanged_inputs(self) -> None:
        if list_night(self.setting.landing, self.runner.landing_date) != self.files:
            raise _inputs_changed(self.runner.landing_date, "the landing folder")

    def _make_visible(self, values: dict) -> Row:
        """Check the run's own row, then append it: from that commit on the night is visible."""
        frame = self.setting.spark.createDataFrame([tuple(values[name] for name in RUNS.names)], RUNS.schema)
        check = check_rows(RUNS, frame, 1)
        self.runner.checks.append(check)
        require(check)
        self.lake.append(RUNS, frame.coalesce(1))
        return frame.first()


def _forget_caches(spark: SparkSession) -> None:
    try:
        spark.catalog.clearCache()
    except (Py4JError, PySparkException):
        # The JVM is gone, and its memory with it.
        return


def _understood(error: Exception, files: list[LandingFile], landing_date: date) -> Exception:
    """A worker's word that an input changed, as the error it is; anything else as it came."""
    found = re.search(rf"{INPUT_CHANGED}:(\d+)", str(error)) if isinstance(error, PySparkException) else None
    if found:
        file = files[int(found.group(1))]
        return _inputs_changed(landing_date, f"{file.source}/{file.name}")
    return error


def _inputs_changed(landing_date: date, what: str) -> NightjarError:
    return NightjarError(
        Exit.INPUT, f"{what} changed while it was read", date=landing_date, fix="rerun when the delivery is complete"
    )
