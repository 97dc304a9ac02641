"""Periods: what they say of an instant is what the intervals say of it, each by itself."""

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from pyspark.sql import Row
from pyspark.sql import types as T

from jobs.periods import by_period, met, valid_at

NOON = datetime(2025, 12, 17, 12, tzinfo=UTC)
# Few instants, so that intervals touch, nest, coincide and are empty; the ends of time are among those asked about.
HOURS = range(6)
INTERVAL = st.tuples(st.sampled_from("ab"), st.sampled_from(HOURS), st.none() | st.sampled_from(HOURS))
ASKED = [(who, hour) for who in ("p1", "p2", "p3", "nobody") for hour in (-0.5, *HOURS, 2.5, 99)]
HISTORIES = st.dictionaries(st.sampled_from(["p1", "p2", "p3"]), st.lists(INTERVAL, max_size=4))

VALUES = T.ArrayType(
    T.StructType(
        [
            T.StructField("value", T.StringType()),
            T.StructField("valid_from", T.TimestampType()),
            T.StructField("valid_to", T.TimestampType()),
        ]
    )
)
KNOWN = T.StructType([T.StructField("who", T.StringType()), T.StructField("facts", VALUES)])
LINES = T.StructType([T.StructField("who", T.StringType()), T.StructField("occurred_at", T.TimestampType())])


def at(hour: float | None) -> datetime | None:
    return None if hour is None else NOON + timedelta(hours=hour)


def told(spark, histories) -> list[tuple]:
    """(who, instant, whether anything is known of whom, values) of every line, by periods."""
    known = spark.createDataFrame(
        [Row(who, [(value, at(since), at(until)) for value, since, until in rows]) for who, rows in histories.items()],
        KNOWN,
    )
    lines = spark.createDataFrame([*((who, at(hour)) for who, hour in ASKED), ("p1", None), (None, at(0))], LINES)
    periods = by_period(known, "facts")
    said = periods.select("who", "since", "until", valid_at("facts", "value", periods["since"]).alias("values"))
    return [
        (who, instant and instant.astimezone(UTC), values is not None, sorted(values or ()))
        for who, instant, values in met(lines, said, ["who"]).collect()
    ]


def wanted(histories) -> list[tuple]:
    """The same, of each interval by itself."""

    def values(who, hour) -> list[str]:
        found = {v for v, since, until in histories.get(who, ()) if since <= hour and (until is None or hour < until)}
        return sorted(found)

    return [(who, at(hour), who in histories, values(who, hour)) for who, hour in ASKED]


@settings(max_examples=25, deadline=None)
@given(HISTORIES)
def test_every_line_meets_its_one_period_and_learns_what_held_then(spark, histories):
    said = told(spark, histories)
    timed = [row for row in said if row[0] is not None and row[1] is not None]
    assert sorted(timed) == sorted(wanted(histories))
    # Neither a line without a time nor one without an owner is lost, or told anything.
    assert len(said) == len(timed) + 2
    assert (None, at(0), False, []) in said
