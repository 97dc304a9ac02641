"""The one runner: it transforms, writes and checks, always in that order, so that nothing unguarded can be published.

A frame in flight is measured as it passes; a stored one is read back from the commit that is about to be visible.
"""

import inspect
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import date

from py4j.protocol import Py4JError
from pyspark import SparkContext
from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from jobs import guard
from jobs.guard import Check
from jobs.lake import Lake, nothing
from jobs.session import tasks_at_once, works_on_little
from jobs.stage import Stage
from schemas.contract import Contract

# A hash or a digest a row: some tens of megabytes.
MOST_ROWS_TO_BROADCAST = 1_000_000


class Runner:
    """Runs stages of one landing date: their frames and plain values by name, the checks made, the seconds taken."""

    def __init__(self, spark: SparkSession, landing_date: date, progress: Callable[[str, float], None]):
        self.spark, self.landing_date, self._progress = spark, landing_date, progress
        self.frames: dict[str, DataFrame] = {}
        self.values: dict[str, object] = {"landing_date": landing_date}
        self.checks: list[Check] = []
        self.seconds: dict[str, float] = {}
        # Rows that a table must have, where the pass over all lines already counted them.
        self.expected: dict[str, int] = {}
        # With the rows that a frame has where that isn't the number of the date's lines.
        self._flying: list[tuple[Contract, Observation, int | None]] = []
        # Frames that are computed again for each use, as they are when nothing measures them.
        self._unmeasured: dict[str, DataFrame] = {}
        # Sets that are too large to be brought to lines.
        self._large: set[str] = set()

    @contextmanager
    def timed(self, name: str):
        """Count the seconds of a step, and say that it is done. Spark's jobs carry its name meanwhile."""
        started, context = time.monotonic(), self.spark.sparkContext
        context.setJobDescription(name)
        try:
            yield
        finally:
            _forget_description(context)
        self.seconds[name] = round(self.seconds.get(name, 0) + time.monotonic() - started, 3)
        self._progress(name, self.seconds[name])

    def fly(self, contract: Contract, frame: DataFrame, *, kept: bool = False, counted: bool = False) -> DataFrame:
        """Take a frame in flight among the frames, measured in whatever pass will compute it first."""
        shaped = _shaped(contract, frame)
        frame, observation = guard.observe(shaped, contract)
        rows = None
        if kept:
            frame = _kept(frame, counted=counted)
        elif counted:
            frame, rows = self._set_apart(contract, frame)
        else:
            self._unmeasured[contract.name] = shaped
        self.frames[contract.name] = frame
        self._flying.append((contract, observation, rows))
        return frame

    def take(self, *stages: Stage) -> None:
        """Let stages in flight give what they give, one after the other."""
        for stage in stages:
            self.fly(stage.gives, self.transform(stage), kept=self._is_kept(stage), counted=stage.counted)

    def land(self, lines: int) -> None:
        """Check what has flown by since the last time; the action that computed the last of it has just run."""
        for contract, observation, rows in self._flying:
            self._check(guard.check_measures(contract, observation, lines if rows is None else rows))
        self._flying.clear()
        # Once is enough.
        self.frames |= self._unmeasured
        self._unmeasured.clear()

    def drop(self, *contracts: Contract) -> None:
        """Give back the memory of kept frames."""
        for contract in contracts:
            self.frames.pop(contract.name).unpersist()

    def transform(self, stage: Stage) -> DataFrame:
        """The frame that a stage gives, not computed yet."""
        arguments = {
            name: (self.values if parameter.kind is parameter.KEYWORD_ONLY else self.frames)[name]
            for name, parameter in inspect.signature(stage.transform).parameters.items()
        }
        return stage.transform(**arguments)

    def publish(self, stage: Stage, lake: Lake) -> None:
        """Write what a stage gives in place of the landing date's rows, or of all, read it back and check it."""
        with self.timed(stage.name):
            rows = _shaped(stage.gives, self.transform(stage))
            if stage.gives.write == "overwrite":
                counted = lake.overwrite(stage.gives, rows)
                written = lake.read_written(stage.gives)
            else:
                counted = lake.replace(stage.gives, rows, self.landing_date)
                written = lake.read_written(stage.gives, [self.landing_date])
            self.check_written(stage.gives, written, self.expected.get(stage.gives.name, counted))
            self.frames[stage.gives.name] = written

    def check_written(self, contract: Contract, written: DataFrame, expected_rows: int) -> None:
        """Check rows of a commit against how many another path counted."""
        started = time.monotonic()
        self._check(guard.check_rows(contract, written, expected_rows))
        self.seconds["guards"] = round(self.seconds.get("guards", 0) + time.monotonic() - started, 3)

    def _is_kept(self, stage: Stage) -> bool:
        if isinstance(stage.kept, Contract):
            return stage.kept.name in self._large or works_on_little(self.spark)
        return stage.kept

    def _set_apart(self, contract: Contract, frame: DataFrame) -> tuple[DataFrame, int]:
        """A set computed now, as a leaf of whatever is planned around it, and its rows; broadcast where these are few.

        Dealt out anew, for Spark doesn't recognise two uses of a leaf that is partitioned by a column as the same, and
        would compute what is kept above them again.
        """
        frame = frame.repartition(tasks_at_once(self.spark)).localCheckpoint()
        rows = frame.count()
        if not rows:
            return nothing(self.spark, contract), rows
        if rows > MOST_ROWS_TO_BROADCAST:
            self._large.add(contract.name)
            return frame, rows
        return F.broadcast(frame), rows

    def _check(self, check: Check) -> None:
        self.checks.append(check)
        guard.require(check)


def _kept(frame: DataFrame, *, counted: bool) -> DataFrame:
    """The same rows, which stay in memory.

    Little is computed now, and is a leaf of whatever is planned around it: to plan where it came from again, for each that
    needs it, costs more than it does. Spark frees it once nothing refers to it. Much is packed by columns.
    """
    if works_on_little(frame.sparkSession):
        return frame.localCheckpoint()
    frame = frame.persist()
    if counted:
        frame.count()
    return frame


def _forget_description(context: SparkContext) -> None:
    try:
        context.setJobDescription(None)
    except (Py4JError, OSError):
        # The JVM is gone; what the step itself raised says so.
        return


def _shaped(contract: Contract, frame: DataFrame) -> DataFrame:
    """The frame with the contract's columns; a stage that gives other types is a bug, found before anything runs."""
    frame = frame.select(contract.names)
    wanted = {field.name: field.dataType.simpleString() for field in contract.schema}
    given = {field.name: field.dataType.simpleString() for field in frame.schema}
    if wanted != given:
        wrong = sorted(name for name in wanted if wanted[name] != given[name])
        raise TypeError(f"{contract.name}: columns of another type than the contract's: {', '.join(wrong)}")
    return frame
