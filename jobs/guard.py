"""Guard: the only import of Great Expectations. A contract becomes a suite; a frame passes it, or the night stops.

What is checked is a frame's measures: how many rows it has, how many keys, how many rows break each rule. They are
taken in one pass, by Spark, and GX judges them as a frame with a row for each rule, the count taken beside the count
wanted: no value of a row ever reaches it, and it runs no job of its own. GX reports an expectation that crashed as one that
failed; here that is another end (the guard could not run).
"""

import logging
import os
from dataclasses import dataclass, field
from typing import NamedTuple

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from jobs.errors import Exit, NightjarError
from schemas.contract import Contract, Rule

# Google-style analytics of GX are off before it is ever imported.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
ROWS, SOUND, KEYS = "rows", "sound_rows", "distinct_keys"
EXPECTATION = "ExpectColumnPairValuesToBeEqual"
# Its results name the rules that fail; there is nothing else in the frame but counts.
NAMING_RULES = {
    "result_format": "COMPLETE",
    "unexpected_index_column_names": ["rule"],
    "return_unexpected_index_query": False,
}


class Measure(NamedTuple):
    """A count taken of a frame, and what it must be."""

    name: str
    meaning: str
    value: int
    wanted: int


@dataclass(frozen=True)
class Verdict:
    """One expectation's result: what it is about, whether it held, and how many rows broke it, where that is known."""

    rule: str
    meaning: str
    expectation: str
    passed: bool
    broken: int | None = None


@dataclass(frozen=True)
class Check:
    """A contract's suite on one frame."""

    contract: str
    rows: int
    verdicts: tuple[Verdict, ...] = field(default=())

    @property
    def passed(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)

    @property
    def failed(self) -> list[str]:
        return [verdict.rule for verdict in self.verdicts if not verdict.passed]


def load() -> None:
    """Import Great Expectations, which takes seconds: while something else is waited for."""
    import great_expectations  # noqa: F401


def observe(frame: DataFrame, contract: Contract) -> tuple[DataFrame, Observation]:
    """The frame, and an observation that measures it against its contract in whatever pass computes it."""
    # Named by Spark: frames of several landing dates may meet in one plan, and no two measures there may share a name.
    observation = Observation()
    return frame.observe(observation, *_measures(contract)), observation


def check_measures(contract: Contract, observation: Observation, expected_rows: int) -> Check:
    """Check a frame in flight by what was measured as it passed: counts, each of which must be nought."""
    # Where nothing passes, Spark may leave the measuring out: no row was there to break a rule.
    measures = _measured(observation) if expected_rows else {ROWS: 0}
    if ROWS not in measures:
        raise _could_not_run(contract, "was not measured")
    if measures[ROWS] != expected_rows:
        raise _could_not_run(contract, f"measured {measures[ROWS]} rows where {expected_rows} passed")
    return _checked(contract, expected_rows, [_nought(rule, measures) for rule in contract.all_rules])


def check_rows(contract: Contract, frame: DataFrame, expected_rows: int) -> Check:
    """Check the rows that are about to be visible: how many there are, that their key is unique, and every rule.

    Rows that are right are read once, for three counts: of rows, of those that keep every rule, and of the hashes of their
    keys, for as many hashes as rows are as many keys. Only where one falls short is it counted which rule is broken, or
    whether keys themselves are equal and not just their hashes. No row leaves Spark.
    """
    # With every key go the other counts: two, not one for each rule.
    sound = F.expr(" and ".join(["true", *map(_kept, contract.all_rules)]))
    # A distinct count passes over nulls, but a struct of one is none.
    key, hashed = F.struct(*contract.key), F.xxhash64(*contract.key)
    counts = F.count(F.lit(1)).alias(ROWS), F.count_if(sound).alias(SOUND), F.count_distinct(hashed).alias(KEYS)
    try:
        measures = frame.agg(*counts).collect()[0].asDict()
        if measures[SOUND] < measures[ROWS]:
            measures |= frame.agg(*_measures(contract)).collect()[0].asDict()
        if measures[KEYS] < measures[ROWS]:
            measures |= frame.agg(F.count_distinct(key).alias(KEYS)).collect()[0].asDict()
    except (Py4JError, PySparkException) as error:
        raise _could_not_run(contract, f"raised {type(error).__name__}") from None
    count = Measure("row_count", "as many rows as another path counted", measures[ROWS], expected_rows)
    repeated = Measure("unique_key", f"unique: {', '.join(contract.key)}", measures[ROWS] - measures[KEYS], 0)
    rules = [_nought(rule, measures) for rule in contract.all_rules]
    return _checked(contract, expected_rows, [count, repeated, *rules])


def _measures(contract: Contract) -> list[Column]:
    """What is counted of a frame: its rows, and those that break each rule."""
    # As SQL, each is one call of the JVM; as columns, six.
    broken = (F.expr(f"count_if(not {_kept(rule)}) as {rule.name}") for rule in contract.all_rules)
    return [F.expr(f"count(1) as {ROWS}"), *broken]


def _kept(rule: Rule) -> str:
    """SQL: whether a row keeps a rule. One that is null is broken."""
    return f"coalesce({rule.condition}, false)"


def _nought(rule: Rule, measures: dict[str, int]) -> Measure:
    # On no rows at all a count of broken ones is null.
    return Measure(rule.name, rule.meaning, int(measures.get(rule.name) or 0), 0)


def _measured(observation: Observation) -> dict:
    """What was observed; nothing where the observed branch was never computed."""
    try:
        return observation.get
    except (Py4JError, PySparkException):
        return {}


def require(check: Check) -> None:
    """Stop the night if a guard failed."""
    if not check.passed:
        raise NightjarError(
            Exit.GUARD_FAILED,
            f"guard of {check.contract} failed: {', '.join(check.failed)}",
            fix="see the Data Docs of this night; the previous one is still visible",
        )


def _checked(contract: Contract, rows: int, measures: list[Measure]) -> Check:
    passed = _run(contract, measures)
    verdicts = (
        Verdict(m.name, m.meaning, EXPECTATION, held, m.value if m.wanted == 0 else None)
        for m, held in zip(measures, passed, strict=True)
    )
    return Check(contract.name, rows, tuple(verdicts))


def _run(contract: Contract, measures: list[Measure]) -> list[bool]:
    """Whether each measure is what is wanted. A crash of GX, or of its expectation, is that: not a failure."""
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    try:
        import great_expectations as gx
        import pandas as pd
        from great_expectations import expectations as gxe

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        source = context.data_sources.add_or_update_pandas("night")
        batch = source.add_dataframe_asset(contract.name).add_batch_definition_whole_dataframe("all")
        expectation = getattr(gxe, EXPECTATION)(column_A="counted", column_B="wanted")
        suite = context.suites.add(gx.ExpectationSuite(name=contract.name, expectations=[expectation]))
        result = context.validation_definitions.add(
            gx.ValidationDefinition(name=contract.name, data=batch, suite=suite)
        ).run(
            batch_parameters={
                "dataframe": pd.DataFrame([{"rule": m.name, "counted": m.value, "wanted": m.wanted} for m in measures])
            },
            result_format=NAMING_RULES,
        )
    except Exception as error:
        raise _could_not_run(contract, f"raised {type(error).__name__}") from None
    if len(result.results) != 1 or _raised(result.results[0].exception_info):
        raise _could_not_run(contract, f"raised in {EXPECTATION}")
    found = result.results[0].result
    failed = {row["rule"] for row in found.get("unexpected_index_list") or ()}
    judged = found.get("element_count", 0) - found.get("missing_count", 0)
    if judged != len(measures) or not measures or len(failed) != found.get("unexpected_count"):
        raise _could_not_run(contract, f"judged {judged} of {len(measures)} measures")
    if result.success != (not failed):
        raise _could_not_run(contract, "said both yes and no")
    return [m.name not in failed for m in measures]


def _raised(info: dict) -> bool:
    """Whether an expectation, or any metric under it, crashed."""
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(_raised(inner) for inner in info.values() if isinstance(inner, dict))


def _could_not_run(contract: Contract, why: str) -> NightjarError:
    return NightjarError(
        Exit.GUARD_COULD_NOT_RUN,
        f"guard of {contract.name} could not run: it {why}",
        fix="nightjar doctor; nothing was published",
    )
