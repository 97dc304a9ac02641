"""The night: its stages in order, and how one landing date goes through them, from raw files to its rows."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F

from jobs import (
    accrue,
    activate,
    admit,
    attribute,
    ingest,
    ledger,
    link,
    profile,
    score,
    screen,
    segment,
    settle,
    whole,
    withdraw,
)
from jobs.abreast import abreast
from jobs.batch import settings_of
from jobs.errors import Exit, NightjarError
from jobs.lake import Lake
from jobs.landing import end_of, inputs_changed, list_night
from jobs.lines import LineRules
from jobs.policy import Policy, policy_on
from jobs.runner import Runner
from schemas.lines import ADMITTED, RAW_LINES, SCORED, SCREENED, SETTLED
from schemas.outcomes import OUTCOME_COUNTS
from schemas.rejects import REJECTS
from schemas.signals import SIGNALS

GATES = (ingest.REPEATED_STAGE, ingest.STAGE, link.STAGE, admit.STAGE, whole.STAGE)
IN_FLIGHT = (*GATES, score.STAGE, screen.TAINTED_STAGE, screen.STAGE)
SETTLING = (settle.WITHHELD_STAGE, settle.STAGE)
STORED = (*ledger.STAGES, accrue.STAGE)
MERGED = (
    *(withdraw.SUSPECTS_STAGE, withdraw.ASKED_AGAIN_STAGE, withdraw.STAGE),
    *(profile.STAGE, profile.DELTAS_STAGE, attribute.STAGE),
)
DELIVERED = (segment.MEMBERS_STAGE, segment.STAGE, activate.STAGE)
NIGHT = (*IN_FLIGHT, ledger.ARRIVALS_STAGE, *SETTLING, *STORED, *MERGED, *DELIVERED)


@dataclass(frozen=True)
class Setting:
    """What a run reads and judges by: the landing zone, all policy versions, the digest key, the scoring model.

    An erasure reads no landing zone.
    """

    spark: SparkSession
    landing: str | None
    policies: list[Policy]
    key: bytes
    model: Path


class Night:
    """One landing date: its files, its frames, and what was counted and checked on the way."""

    def __init__(self, setting: Setting, landing_date: date, progress: Callable[[str, float], None]):
        self.setting, self.landing_date = setting, landing_date
        self.files = list_night(setting.landing, landing_date)
        self.policy = policy_on(setting.policies, landing_date)
        self.runner = Runner(setting.spark, landing_date, progress)
        self.runner.values |= {
            "policy": self.policy,
            "as_of": end_of(landing_date),
            "files": self.files,
            "settings": settings_of(self.policy, setting.model),
        }
        self.manifests: dict[int, Row] = {}
        self.counts: Counter[str] = Counter()
        self.sensitive: dict[str, int] = {}

    def read(self) -> None:
        """The first read: raw lines in memory, and each file's manifest."""
        policy, runner = self.policy, self.runner
        rules = LineRules(self.landing_date, policy.lateness_days, policy.max_line_bytes, self.setting.key)
        with runner.timed("read"):
            raw = ingest.read_raw_lines(self.setting.spark, self.files, rules)
            raw_lines = runner.fly(RAW_LINES, raw, kept=True)
            rows = raw_lines.where("position = 0").select("file", "manifest").collect()
            self.manifests = {row["file"]: row["manifest"] for row in rows}
            for file in self.files:
                if self.manifests[file.index]["error"]:
                    raise NightjarError(
                        Exit.INPUT,
                        f"{file.source}/{file.name} is {self.manifests[file.index]['error']}",
                        date=self.landing_date,
                        fix="deliver the file again",
                    )
            runner.land(self.lines_read + len(self.files))
        runner.values["digests"] = {index: manifest["sha256"] for index, manifest in self.manifests.items()}

    def fly(self, reference: dict[str, DataFrame], elsewhere: DataFrame) -> None:
        """Every line to the outcome that its own date gives it, in one pass over the texts."""
        runner = self.runner
        runner.frames |= {**reference, "elsewhere": elsewhere}
        with runner.timed("screen"):
            runner.take(*IN_FLIGHT)
            lines, self.sensitive = ledger.totals(runner.frames[SCREENED.name])
            self._require_every_line(lines)
            runner.land(self.lines_read)
            runner.drop(ADMITTED, SCORED)

    def publish(self, lake: Lake) -> None:
        """Remember what arrived, settle every line, and write the date's rows in place of those it had."""
        publish = self.runner.publish
        abreast(self.setting.spark, partial(publish, ledger.ARRIVALS_STAGE, lake), self.settle)
        abreast(self.setting.spark, *(partial(publish, stage, lake) for stage in STORED))

    def settle(self) -> None:
        """Every line to its one final outcome, counted."""
        runner = self.runner
        with runner.timed("settle"):
            runner.take(*SETTLING)
            counted = (
                runner.frames[SETTLED.name]
                .groupBy("source", "surface", "outcome")
                .agg(F.count(F.lit(1)).alias("lines"), F.sum(F.size("topics")).alias("signals"))
            )
            self._count(counted.collect())
            runner.land(self.lines_read)

    def forget(self) -> None:
        """Give back the memory of its frames."""
        self.runner.drop(RAW_LINES, SCREENED, SETTLED)

    @property
    def lines_read(self) -> int:
        return sum(manifest["lines"] for manifest in self.manifests.values())

    def inputs(self) -> list[tuple]:
        """The files as a run remembers them."""
        return [
            (f.source, self.landing_date, f.name, f.size, f.modified_ns, m["sha256"], m["lines"])
            for f, m in ((file, self.manifests[file.index]) for file in self.files)
        ]

    def require_unchanged_inputs(self) -> None:
        if list_night(self.setting.landing, self.landing_date) != self.files:
            raise inputs_changed(self.landing_date, "the landing folder")

    def _count(self, counted: list[Row]) -> None:
        self.counts = Counter()
        for row in counted:
            self.counts[f"{row['source']}/{row['outcome']}"] += row["lines"]
        self._require_every_line(self.counts.total())
        self.runner.expected = {
            REJECTS.name: sum(row["lines"] for row in counted if row["outcome"] == "malformed"),
            OUTCOME_COUNTS.name: len(counted),
            SIGNALS.name: sum(row["signals"] for row in counted),
        }

    def _require_every_line(self, counted: int) -> None:
        if counted != self.lines_read:
            raise NightjarError(
                Exit.GUARD_FAILED,
                f"{self.lines_read} lines were read but {counted} counted",
                date=self.landing_date,
                fix="report this; the previous night is still visible",
            )
