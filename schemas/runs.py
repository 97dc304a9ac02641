"""runs: the only door to the lake. What a run did is visible exactly when its row is."""

from pyspark.sql import types as T

from schemas.contract import DAY, INT, LONG, TEXT, TIME, Contract, Rule, column, one_of

# Delta allows no NOT NULL inside an array, so what is nested is nullable on paper.
INPUT_FILE = T.StructType(
    [
        T.StructField("source", TEXT, True),
        T.StructField("landing_date", DAY, True),
        T.StructField("name", TEXT, True),
        T.StructField("bytes", LONG, True),
        T.StructField("modified_ns", LONG, True),
        T.StructField("sha256", TEXT, True),
        T.StructField("lines", LONG, True),
    ]
)
REFERENCE_FILE = T.StructType(
    [
        T.StructField("table", TEXT, True),
        T.StructField("name", TEXT, True),
        T.StructField("bytes", LONG, True),
        T.StructField("sha256", TEXT, True),
    ]
)
JUDGED_BY = T.StructType(
    [
        T.StructField("landing_date", DAY, True),
        T.StructField("version", TEXT, True),
        T.StructField("digest", TEXT, True),
    ]
)
CHECKS = T.StructType(
    [
        T.StructField("contract", TEXT, True),
        T.StructField("checks", INT, True),
        T.StructField("rows", LONG, True),
    ]
)

RUNS = Contract(
    name="runs",
    row="a run that finished",
    columns=(
        column("run_number", LONG, "1 for the lake's first run, then one more each"),
        column("run_id", TEXT, "a UUID of its own, never used again"),
        column("kind", TEXT, "night, backfill or erasure"),
        column("landing_dates", T.ArrayType(DAY), "the landing dates that it restated"),
        column("inputs", T.ArrayType(INPUT_FILE), "the landing files it read"),
        column("reference", T.ArrayType(REFERENCE_FILE), "the files of links, regions, notices and erasures it asked"),
        column("policies", T.ArrayType(JUDGED_BY), "name and SHA-256 of the policy that judged each landing date"),
        column("model_digest", TEXT, "SHA-256 of the scoring model"),
        column("key_id", TEXT, "id of the digest key, never the key"),
        column("tables", T.MapType(TEXT, LONG), "the version of each table that this run made visible"),
        column("checks", T.ArrayType(CHECKS), "guards passed: contract, expectations, rows"),
        column("counts", T.MapType(TEXT, LONG), "lines by source/outcome"),
        column("sensitive", T.MapType(TEXT, LONG), "lines by sensitive category, from a minimum count up"),
        column("seconds", T.MapType(TEXT, T.DoubleType()), "wall time by stage"),
        column("started_at", TIME, "wall clock"),
        column("finished_at", TIME, "wall clock"),
    ),
    key=("run_id",),
    rules=(
        Rule("known_kind", one_of("kind", ("night", "backfill", "erasure")), "the kind is one of ours"),
        Rule("does_something", "kind = 'erasure' or size(landing_dates) > 0", "a night states a landing date"),
        Rule("asked_somebody", "kind = 'erasure' or size(reference) > 0", "no night without reference data"),
        Rule("was_guarded", "size(checks) > 0", "nothing is published unguarded"),
        Rule("names_versions", "size(tables) > 0", "a run names the versions it made visible"),
        Rule(
            "every_line_counted",
            "aggregate(inputs, 0L, (n, f) -> n + f.lines) = aggregate(map_values(counts), 0L, (n, c) -> n + c)",
            "lines read are lines counted",
        ),
    ),
    write="append",
    statistics=("run_number",),
    retention="kept",
    readers="anyone: it says nothing of a person",
)
