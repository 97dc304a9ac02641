"""Record: the row of a run. Nothing that a run did is visible before it, and all of it is from then on."""

from pyspark.sql import DataFrame

from jobs.guard import Check
from jobs.key import key_id
from jobs.lake import Lake, now
from jobs.night import Setting
from jobs.rows import frame_of
from schemas.runs import RUNS
from schemas.tables import PUBLISHED


def run_row(lake: Lake, setting: Setting, last: dict | None, checks: list[Check], **said) -> DataFrame:
    """The one row of RUNS of a run that has written and checked all that it will; `last` is the run before it.

    `said` are the columns that only the run itself knows. A run that states no landing date has nothing to say of any.
    """
    values = {
        "run_number": 1 if last is None else last["run_number"] + 1,
        "landing_dates": [],
        "inputs": [],
        "reference": [],
        "policies": [],
        "key_id": key_id(setting.key),
        "tables": {contract.name: lake.log.version(contract) for contract in PUBLISHED},
        "checks": [(check.contract, len(check.verdicts), check.rows) for check in checks],
        "counts": {},
        "sensitive": {},
        "seconds": {},
        "finished_at": now(),
        **said,
    }
    return frame_of(lake.spark, [tuple(values[name] for name in RUNS.names)], RUNS.schema)
