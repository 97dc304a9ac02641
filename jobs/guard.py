"""Guard: the only import of Great Expectations. A contract becomes a suite; a frame passes it, or the night stops.

No result ever holds a value of a row: GX runs with `BOOLEAN_ONLY`, how many rows break a rule is counted here. GX
reports an expectation that crashed as one that failed; here that is another end (the guard could not run).
"""

import logging
import os
from dataclasses import dataclass, field

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from jobs.errors import Exit, NightjarError
from schemas.contract import Contract

# Google-style analytics of GX are off before it is ever imported.
os.environ["GX_ANALYTICS_ENABLED"] = "false"
ROWS = "rows"


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


def observe(frame: DataFrame, contract: Contract) -> tuple[DataFrame, Observation]:
    """The frame, and an observation that measures it against its contract in whatever pass computes it."""
    observation = Observation(contract.name)
    measures = [F.count(F.lit(1)).alias(ROWS)]
    measures += [_broken(rule.condition).alias(rule.name) for rule in contract.all_rules]
    return frame.observe(observation, *measures), observation


def check_measures(contract: Contract, observation: Observation, expected_rows: int) -> Check:
    """Check a frame in flight by what was measured as it passed: one row of counts, each of which must be nought."""
    import pandas as pd

    # Where nothing passes, Spark may leave the measuring out: no row was there to break a rule.
    measures = _measured(observation) if expected_rows else {ROWS: 0}
    if ROWS not in measures:
        raise _could_not_run(contract, "was not measured")
    if measures[ROWS] != expected_rows:
        raise _could_not_run(contract, f"measured {measures[ROWS]} rows where {expected_rows} passed")
    # On no rows at all a count of broken ones is null.
    counts = {rule.name: int(measures.get(rule.name) or 0) for rule in contract.all_rules}
    expectations = [
        ("ExpectColumnValuesToBeBetween", {"column": name, "min_value": 0, "max_value": 0}) for name in counts
    ]
    passed = _run(contract, pd.DataFrame([counts]), expectations, engine="pandas")
    return Check(
        contract.name,
        expected_rows,
        tuple(
            Verdict(rule.name, rule.meaning, kind, passed[at], counts[rule.name])
            for at, (rule, (kind, _)) in enumerate(zip(contract.all_rules, expectations, strict=True))
        ),
    )


def check_rows(contract: Contract, frame: DataFrame, expected_rows: int) -> Check:
    """Check the rows that are about to be visible: how many there are, that their key is unique, and every rule."""
    ruled = frame.select(
        "*",
        *(F.coalesce(F.expr(rule.condition), F.lit(False)).alias(f"rule_{rule.name}") for rule in contract.all_rules),
    )
    # GX's uniqueness takes nulls for no values, so a key with one is spelled out.
    key = [F.coalesce(F.col(name).cast("string"), F.lit("")).alias(f"key_{name}") for name in contract.key]
    keyed = ruled.select(*(f"rule_{rule.name}" for rule in contract.all_rules), *key)
    expectations = [
        ("ExpectTableRowCountToEqual", {"value": expected_rows}),
        ("ExpectCompoundColumnsToBeUnique", {"column_list": [f"key_{name}" for name in contract.key]}),
    ]
    if len(contract.key) == 1:
        expectations[1] = ("ExpectColumnValuesToBeUnique", {"column": f"key_{contract.key[0]}"})
    expectations += [
        ("ExpectColumnValuesToBeInSet", {"column": f"rule_{rule.name}", "value_set": [True]})
        for rule in contract.all_rules
    ]
    passed = _run(contract, keyed, expectations, engine="spark")
    named = [
        ("row_count", "as many rows as another path counted"),
        ("unique_key", f"unique: {', '.join(contract.key)}"),
    ]
    named += [(rule.name, rule.meaning) for rule in contract.all_rules]
    broken = _count_broken(contract, frame) if not all(passed[2:]) else {}
    return Check(
        contract.name,
        expected_rows,
        tuple(
            Verdict(name, meaning, kind, held, broken.get(name))
            for (name, meaning), (kind, _), held in zip(named, expectations, passed, strict=True)
        ),
    )


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


def _run(contract: Contract, frame, expectations: list[tuple[str, dict]], *, engine: str) -> list[bool]:
    """Whether each expectation held, in order. A crash of GX, or of one expectation, is that: not a failure."""
    logging.getLogger("great_expectations").setLevel(logging.CRITICAL)
    try:
        import great_expectations as gx
        from great_expectations import expectations as gxe

        context = gx.get_context(mode="ephemeral")
        context.variables.progress_bars = {"globally": False, "metric_calculations": False}
        source = getattr(context.data_sources, f"add_or_update_{engine}")("night")
        batch = source.add_dataframe_asset(contract.name).add_batch_definition_whole_dataframe("all")
        suite = context.suites.add(gx.ExpectationSuite(name=contract.name))
        for at, (kind, arguments) in enumerate(expectations):
            suite.add_expectation(getattr(gxe, kind)(**arguments, meta={"at": at}))
        result = context.validation_definitions.add(
            gx.ValidationDefinition(name=contract.name, data=batch, suite=suite)
        ).run(batch_parameters={"dataframe": frame}, result_format="BOOLEAN_ONLY")
    except Exception as error:
        raise _could_not_run(contract, f"raised {type(error).__name__}") from None
    found: dict[int, bool] = {}
    for one in result.results:
        if _raised(one.exception_info):
            raise _could_not_run(contract, f"raised in {one.expectation_config.type}")
        found[one.expectation_config.meta["at"]] = bool(one.success)
    if sorted(found) != list(range(len(expectations))) or not expectations:
        raise _could_not_run(contract, f"ran {len(found)} of {len(expectations)} checks")
    return [found[at] for at in range(len(expectations))]


def _raised(info: dict) -> bool:
    """Whether an expectation, or any metric under it, crashed."""
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(_raised(inner) for inner in info.values() if isinstance(inner, dict))


def _count_broken(contract: Contract, frame: DataFrame) -> dict[str, int]:
    counted = frame.agg(*(_broken(rule.condition).alias(rule.name) for rule in contract.all_rules)).first()
    return {name: int(lines or 0) for name, lines in counted.asDict().items()}


def _broken(condition: str):
    return F.count_if(~F.coalesce(F.expr(condition), F.lit(False)))


def _could_not_run(contract: Contract, why: str) -> NightjarError:
    return NightjarError(
        Exit.GUARD_COULD_NOT_RUN,
        f"guard of {contract.name} could not run: it {why}",
        fix="nightjar doctor; nothing was published",
    )
