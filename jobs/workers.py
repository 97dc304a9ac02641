"""What runs inside Spark's Python workers: functions over Arrow batches that never let a row's value out in an error."""

from collections.abc import Iterable, Iterator
from functools import wraps

import pyarrow as pa
from pyspark.sql import types as T
from pyspark.sql.pandas.types import to_arrow_schema

INPUT_CHANGED = "nightjar-input-changed"
ROWS_PER_BATCH = 8192


class WorkerError(Exception):
    """All that Spark, its logs and its users get to see of a worker's exception: its type and place."""


class InputChanged(Exception):
    """A landing file is no longer what it was when it was listed."""


def value_free(function):
    """An iterator function whose exceptions carry a type and a place, never a message: messages quote values."""

    @wraps(function)
    def guarded(batches):
        try:
            yield from function(batches)
        except InputChanged as error:
            raise WorkerError(f"{INPUT_CHANGED}:{int(error.args[0])}") from None
        except Exception as error:
            trace = error.__traceback__
            while trace.tb_next:
                trace = trace.tb_next
            place = f"{trace.tb_frame.f_code.co_name}:{trace.tb_lineno}"
            raise WorkerError(f"{type(error).__name__} in {place}") from None

    return guarded


def batches_of(rows: Iterable[tuple], schema: T.StructType) -> Iterator[pa.RecordBatch]:
    """Tuples as Arrow batches of a Spark schema."""
    arrow = to_arrow_schema(schema)
    waiting: list[tuple] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == ROWS_PER_BATCH:
            yield _batch(waiting, arrow)
            waiting = []
    if waiting:
        yield _batch(waiting, arrow)


def _batch(rows: list[tuple], schema: pa.Schema) -> pa.RecordBatch:
    columns = zip(*rows, strict=True)
    return pa.RecordBatch.from_arrays(
        [pa.array(values, type=field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    )
