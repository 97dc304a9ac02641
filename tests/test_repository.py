"""What must agree across files."""

import re

from jobs import ledger
from jobs.night import DELIVERED, IN_FLIGHT, MERGED, NIGHT, SETTLING, STORED
from schemas.tables import PUBLISHED, TABLES
from tests.conftest import ROOT


def test_delta_has_one_version():
    wheel = re.search(r"^delta[-_]spark==(.+)$", (ROOT / "requirements.txt").read_text(), re.M).group(1)
    assert f"io.delta:delta-spark_4.1_2.13:{wheel}\n" in (ROOT / "conf" / "spark-defaults.conf").read_text()


def test_every_pin_is_exact_and_stands_once():
    lines = [
        line
        for name in ("requirements.txt", "requirements-dev.txt", "requirements-model.txt")
        for line in (ROOT / name).read_text().splitlines()
        if line and not line.startswith("#")
    ]
    names = [line.partition("==")[0].lower().replace("_", "-") for line in lines]
    assert all("==" in line for line in lines) and len(names) == len(set(names))


def test_the_night_stands_in_order_and_each_table_has_its_stage():
    assert [stage.name for stage in NIGHT] == [
        *("repeated", "ingest", "link", "admit", "divided", "score", "tainted", "screen"),
        *("arrivals", "withheld", "settle", "rejects", "outcomes", "accrue"),
        *("suspects", "asked_again", "withdraw", "profile", "deltas", "attribute"),
        *("members", "segment", "activate"),
    ]
    stored = {stage.gives.name for stage in (ledger.ARRIVALS_STAGE, *STORED, *MERGED, *DELIVERED)}
    assert stored == {contract.name for contract in PUBLISHED}
    assert not any(stage.gives.stored for stage in (*IN_FLIGHT, *SETTLING))


def test_no_column_that_says_something_of_a_person_carries_statistics():
    for contract in TABLES.values():
        assert set(contract.statistics) <= {"run_number"}
        assert set(contract.partition_by) <= {"landing_date"}
        assert all(column.meaning for column in contract.columns)
