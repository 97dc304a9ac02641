"""Guards: a broken rule stops the night, a crash is no failed expectation, and no result holds a value."""

from datetime import date

import pytest
from pyspark.sql import Observation
from pyspark.sql import functions as F

from jobs import docs, guard
from jobs.errors import Exit, NightjarError
from schemas.contract import LONG, TEXT, Contract, Rule, column

CONTRACT = Contract(
    name="things",
    row="a thing",
    columns=(column("name", TEXT, "its name"), column("size", LONG, "its size")),
    key=("name",),
    rules=(Rule("size_positive", "size > 0", "a thing has a size"),),
)


def things(spark, *rows):
    return spark.createDataFrame(rows, CONTRACT.schema)


def code(call):
    with pytest.raises(NightjarError) as caught:
        call()
    return caught.value.code


def test_rows_that_keep_the_contract_pass(spark):
    check = guard.check_rows(CONTRACT, things(spark, ("a", 1), ("b", 2)), 2)
    assert check.passed and len(check.verdicts) == 5
    guard.require(check)


@pytest.mark.parametrize(
    ("rows", "expected", "failed"),
    [
        ([("a", 1), ("b", 0)], 2, ["size_positive"]),
        ([("a", 1), ("a", 2)], 2, ["unique_key"]),
        ([("a", 1)], 2, ["row_count"]),
        ([], 1, ["row_count"]),
    ],
)
def test_each_kind_of_break_is_named_and_counted(spark, rows, expected, failed):
    check = guard.check_rows(CONTRACT, things(spark, *rows), expected)
    assert check.failed == failed
    broken = {verdict.rule: verdict.broken for verdict in check.verdicts}
    assert {name for name, rows in broken.items() if rows} | {"row_count"} == {*failed, "row_count"}
    assert code(lambda: guard.require(check)) == Exit.GUARD_FAILED


def test_keys_that_only_share_a_hash_are_unique_and_equal_ones_are_not(spark):
    names = tuple(column(name, TEXT, "x", nullable=True) for name in ("one", "other"))
    pairs = Contract("pairs", "a pair", names, ("one", "other"))
    # A hash passes over nulls.
    alike = [("a", None), (None, "a")]
    rows = spark.createDataFrame(alike, pairs.schema)
    assert rows.select(F.xxhash64("one", "other")).distinct().count() == 1
    assert guard.check_rows(pairs, rows, 2).passed
    again = guard.check_rows(pairs, spark.createDataFrame([*alike, alike[0]], pairs.schema), 3)
    assert {verdict.rule: verdict.broken for verdict in again.verdicts} == {"row_count": None, "unique_key": 1}


def test_a_rule_that_is_null_is_broken(spark):
    loose = Contract("loose", "x", (column("size", LONG, "x", nullable=True),), ("size",), rules=CONTRACT.rules)
    assert guard.check_rows(loose, spark.createDataFrame([(None,)], loose.schema), 1).failed == ["size_positive"]


def test_a_rule_that_crashes_could_not_run(spark):
    crashing = Contract(
        "crashing", "x", CONTRACT.columns, ("name",), rules=(Rule("boom", "cast(name as int) > 0", "x"),)
    )
    assert code(lambda: guard.check_rows(crashing, things(spark, ("secret-name", 1)), 1)) == Exit.GUARD_COULD_NOT_RUN


def test_measures_taken_in_passing_are_checked(spark):
    frame, observation = guard.observe(things(spark, ("a", 1), ("b", 0)), CONTRACT)
    assert frame.count() == 2
    check = guard.check_measures(CONTRACT, observation, 2)
    assert check.failed == ["size_positive"]
    assert {v.rule: v.broken for v in check.verdicts}["size_positive"] == 1


def test_measures_that_disagree_or_are_missing_could_not_run(spark):
    frame, observation = guard.observe(things(spark, ("a", 1)), CONTRACT)
    frame.count()
    assert code(lambda: guard.check_measures(CONTRACT, observation, 2)) == Exit.GUARD_COULD_NOT_RUN
    other = Observation("things")
    things(spark, ("a", 1)).observe(other, F.lit(1).alias("nothing")).count()
    assert code(lambda: guard.check_measures(CONTRACT, other, 1)) == Exit.GUARD_COULD_NOT_RUN


def test_no_rows_at_all_pass_only_where_none_were_expected(spark):
    assert guard.check_rows(CONTRACT, things(spark), 0).passed


def test_data_docs_hold_no_value_and_ask_nobody_for_anything(spark, tmp_path):
    check = guard.check_rows(CONTRACT, things(spark, ("secret-name", 0)), 1)
    docs.write_night(tmp_path, date(2025, 12, 17), [check])
    page, index = (tmp_path / "2025-12-17" / "things.html").read_text(), (tmp_path / "index.html").read_text()
    assert "size_positive" in page and "failed" in page and 'class="failed"' in index
    for text in (page, index):
        assert "secret" not in text and "<script" not in text and "http" not in text
