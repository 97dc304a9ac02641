"""The peer: what a good engineer would write for one machine, in Polars and delta-rs, without a guard.

One landing date into an empty folder: the same gates, the same scorer, the same tables row for row as a first night.
It keeps the raw lines in memory between the gates and the scorer, so it reads them once. It checks nothing: no reference
row, no file that changes while it is read, no rule, no count; it can't be rerun, killed or corrected.

Two worker processes read, decode and score; Polars joins and sums in this one.
"""

import gzip
import hashlib
from datetime import date, datetime, timedelta
from multiprocessing import Pipe, Process, cpu_count
from pathlib import Path

import click
import msgspec
import polars as pl
import pyarrow as pa
from deltalake import write_deltalake

from jobs.batch import settings_of
from jobs.decay import factor
from jobs.digests import account_digest
from jobs.landing import end_of
from jobs.lines import LineRules, facts_of
from jobs.policy import ISO_3166_1, Policy, policy_on, read_policies
from jobs.scoring.scorer import Scorer
from schemas.words import AI_APP, PERSONALISED_APPS, SOURCES

AMOUNT = pl.Decimal(38, 0)
AT_ONCE = 4_000
FACTS = pa.schema(
    [
        ("source", pa.string()),
        ("file", pa.string()),
        ("position", pa.int64()),
        ("reason", pa.string()),
        ("misdated", pa.bool_()),
        ("id_digest", pa.binary()),
        ("content_digest", pa.binary()),
        ("conversation_digest", pa.binary()),
        ("account_id", pa.string()),
        ("app", pa.string()),
        ("surface", pa.string()),
        ("occurred_at", pa.timestamp("us", "UTC")),
        ("dwell_milli", pa.int64()),
    ]
)
SCORED = pa.schema(
    [
        ("line", pa.int64()),
        ("verdict", pa.string()),
        ("topics", pa.list_(pa.struct([("topic_id", pa.string()), ("score", pa.int32())]))),
        ("keys", pa.list_(pa.binary())),
    ]
)


REFERENCE = {
    "account_links": ("account_id", "app", "profile_id", "valid_from", "valid_to"),
    "profile_regions": ("profile_id", "country", "valid_from", "valid_to"),
    "notices": ("profile_id", "notified_at"),
    "erasures": ("profile_id", "requested_at"),
}


class Label(msgspec.Struct):
    name: str


class Words(msgspec.Struct):
    """The fields of a line that the scorer reads."""

    text: str | None = None
    target_text: str | None = None
    labels: list[Label] | None = None

    @property
    def said(self) -> str | None:
        return self.target_text if self.text is None else self.text

    @property
    def names(self) -> list[str]:
        return [label.name for label in self.labels or ()]


@click.command()
@click.option("--landing", type=click.Path(path_type=Path), required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True)
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), required=True)
@click.option("--key-file", type=click.Path(path_type=Path), required=True)
@click.option(
    "--admitted", "told", type=click.Path(path_type=Path), help="Also write which lines were scored, for the bound."
)
def main(landing: Path, out: Path, day: datetime, key_file: Path, told: Path | None):
    """Write the tables of a first night."""
    key, landing_date = key_file.read_bytes(), day.date()
    policy = policy_on(read_policies(), landing_date)
    with Workers(landing, landing_date, policy, key) as workers:
        reference = {name: _reference(landing, name) for name in REFERENCE}
        lines = admitted(workers.facts(), reference, policy, end_of(landing_date))
        passing = lines.filter(pl.col("outcome").is_null())
        verdicts = workers.score(passing.select("line"))
    if told:
        passing.select("source", "file", "position").write_parquet(told)
    lines = screened(lines, verdicts)
    write(out, lines, reference, policy, landing_date, key)


class Workers:
    """Two processes, each with half of the bytes: lines in, facts out, then verdicts on those that are asked for."""

    def __init__(self, landing: Path, day: date, policy: Policy, key: bytes):
        self.pipes, self.first = [], []
        for share in shared_out(landing, day, cpu_count()):
            ours, theirs = Pipe()
            Process(target=_work, args=(theirs, share, day, policy, key), daemon=True).start()
            self.pipes.append(ours)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for pipe in self.pipes:
            pipe.close()

    def facts(self) -> pl.DataFrame:
        """One row per line, numbered, those of each worker in a row."""
        parts = [_received(pipe) for pipe in self.pipes]
        self.first = [sum(len(part) for part in parts[:at]) for at in range(len(parts) + 1)]
        return pl.concat(parts).with_row_index("line").with_columns(pl.col("line").cast(pl.Int64))

    def score(self, wanted: pl.DataFrame) -> pl.DataFrame:
        for at, pipe in enumerate(self.pipes):
            own = wanted.filter(pl.col("line").is_between(self.first[at], self.first[at + 1], closed="left"))
            _send(pipe, own.select(pl.col("line") - self.first[at]).to_arrow())
        return pl.concat(
            _received(pipe).with_columns(pl.col("line") + self.first[at]) for at, pipe in enumerate(self.pipes)
        )


def shared_out(landing: Path, day: date, workers: int) -> list[list[tuple[str, Path]]]:
    """(source, file) of a landing date for each worker, about as many bytes for each."""
    shares: list[list[tuple[str, Path]]] = [[] for _ in range(workers)]
    load = [0] * workers
    files = [(source, file) for source in SOURCES for file in (landing / source / f"date={day}").glob("*.jsonl*")]
    for source, file in sorted(files, key=lambda found: (-found[1].stat().st_size, found)):
        least = load.index(min(load))
        shares[least].append((source, file))
        load[least] += file.stat().st_size
    return shares


def read_lines(file: Path) -> list[bytes]:
    with (gzip.open if file.suffix == ".gz" else open)(file, "rb") as stream:
        return stream.read().removesuffix(b"\n").split(b"\n")


def _work(pipe, share: list[tuple[str, Path]], day: date, policy: Policy, key: bytes) -> None:
    rules = LineRules(day, policy.lateness_days, policy.max_line_bytes, key)
    raw, batches, digests = [], [], []
    for source, file in share:
        lines = read_lines(file)
        for at in range(0, len(lines), AT_ONCE):
            some = lines[at : at + AT_ONCE]
            facts = [facts_of(source, line, rules) for line in some]
            columns = list(zip(*facts, strict=True))
            digests += zip(columns[2], columns[3], strict=True)
            own = [[source] * len(some), [file.name] * len(some), range(at + 1, at + 1 + len(some))]
            values = zip((*own, *columns), FACTS, strict=True)
            batches.append(pa.RecordBatch.from_arrays([pa.array(v, f.type) for v, f in values], schema=FACTS))
        raw += lines
    _send(pipe, pa.Table.from_batches(batches, FACTS))
    wanted = pa.ipc.open_stream(pipe.recv_bytes()).read_all().column("line").to_pylist()
    scorer = Scorer.cached(settings_of(policy))
    scored = [_scored(scorer, wanted[at : at + AT_ONCE], raw, digests) for at in range(0, len(wanted), AT_ONCE)]
    _send(pipe, pa.Table.from_batches(scored, SCORED))


def _scored(scorer: Scorer, wanted: list[int], raw: list[bytes], digests: list[tuple]) -> pa.RecordBatch:
    decode = msgspec.json.Decoder(Words).decode
    words = [decode(raw[line]) for line in wanted]
    found = scorer.judge(pa.array([one.said for one in words], pa.string()), [one.names for one in words])
    keys = [
        [_signal_key(*digests[line], topic["topic_id"]) for topic in topics]
        for line, topics in zip(wanted, found.topics.to_pylist(), strict=True)
    ]
    columns = [wanted, found.verdict, found.topics, keys]
    return pa.RecordBatch.from_arrays(
        [pa.array(c, f.type) if isinstance(c, list) else c.cast(f.type) for c, f in zip(columns, SCORED, strict=True)],
        schema=SCORED,
    )


def _signal_key(identity: bytes, content: bytes, topic: str) -> bytes:
    return hashlib.sha256(f"{identity.hex()}{content.hex()}".upper().encode() + b"/" + topic.encode()).digest()[:16]


def _send(pipe, table: pa.Table) -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    pipe.send_bytes(sink.getvalue())


def _received(pipe) -> pl.DataFrame:
    return pl.from_arrow(pa.ipc.open_stream(pipe.recv_bytes()).read_all())


def _reference(landing: Path, name: str) -> pl.DataFrame:
    folder = landing / name if name == "erasures" else landing / "reference" / name
    schema = dict.fromkeys(REFERENCE[name], pl.String)
    rows = pl.concat(pl.read_ndjson(file, schema=schema) for file in sorted(folder.glob("*.jsonl*")))
    times = [column for column in schema if column.endswith(("_from", "_to", "_at"))]
    return rows.with_columns(pl.col(times).str.to_datetime(time_unit="us", time_zone="UTC")).unique()


def _holds(at: pl.Expr) -> pl.Expr:
    return (pl.col("valid_from") <= at) & (pl.col("valid_to").is_null() | (at < pl.col("valid_to")))


def _valid(lines: pl.DataFrame, facts: pl.DataFrame, on: list[str], value: str, name: str, at: pl.Expr) -> pl.DataFrame:
    """Lines, with how many distinct values hold for each at an instant, and one of them."""
    found = (
        lines.select("line", "occurred_at", *on)
        .join(facts.select(*on, value, "valid_from", "valid_to"), on=on)
        .filter(_holds(at))
        .group_by("line")
        .agg(pl.col(value).n_unique().alias(f"{name}_count"), pl.col(value).first().alias(name))
    )
    return lines.join(found, on="line", how="left").with_columns(pl.col(f"{name}_count").fill_null(0))


def admitted(lines: pl.DataFrame, reference: dict, policy: Policy, as_of: datetime) -> pl.DataFrame:
    """Lines with the first gate that stops each."""
    then, now = pl.col("occurred_at"), pl.lit(as_of)
    links = reference["account_links"]
    regions = reference["profile_regions"].with_columns(country=_country(policy))
    apps = links.filter(pl.col("app").is_in(PERSONALISED_APPS)).rename({"app": "of_app"})
    known = pl.col("id_digest").is_not_null()
    copies = ["source", "id_digest"]
    lines = lines.with_columns(
        differing=known & (pl.col("content_digest").n_unique().over(copies) > 1),
        again=known & (pl.int_range(pl.len()).over(copies, order_by=["file", "position"]) > 0),
    )
    lines = _valid(lines, links, ["account_id", "app"], "profile_id", "profile_then", then)
    lines = _valid(lines, links, ["account_id", "app"], "profile_id", "profile_now", now)
    unlinked = (pl.col("profile_then_count") == 0) | (
        (pl.col("profile_then_count") == 1)
        & (pl.col("profile_now_count") < 2)
        & ((pl.col("profile_now_count") == 0) | (pl.col("profile_now") != pl.col("profile_then")))
    )
    ambiguous = (pl.col("profile_then_count") > 1) | (pl.col("profile_now_count") > 1)
    lines = lines.with_columns(profile_id=pl.when(~unlinked & ~ambiguous).then(pl.col("profile_then")))
    lines = _valid(lines, apps, ["profile_id"], "of_app", "app_then", then)
    lines = _valid(lines, apps, ["profile_id"], "of_app", "app_now", now)
    lines = _valid(lines, regions, ["profile_id"], "country", "region_then", then)
    lines = _valid(lines, regions, ["profile_id"], "country", "region_now", now)
    told = reference["notices"].filter(pl.col("notified_at") >= policy.notice_from)
    told = told.group_by("profile_id").agg(pl.col("notified_at").min())
    gone = reference["erasures"].group_by("profile_id").agg(pl.col("requested_at").max().alias("erased_until"))
    lines = lines.join(told, on="profile_id", how="left").join(gone, on="profile_id", how="left")
    ai = pl.col("source") == "interactions"
    one_region = (pl.col("region_then_count") == 1) & (pl.col("region_now_count") == 1)
    codes = ("region_then", "region_now")
    excluded = sorted(policy.regions.excluded)
    lines = lines.with_columns(
        outcome=_first(
            malformed=pl.col("reason").is_not_null(),
            misdated=pl.col("misdated"),
            conflicting=pl.col("differing"),
            duplicate=pl.col("again"),
            before_effective=ai & (then < policy.effective_from),
            logged_out=pl.col("account_id").is_null(),
            unlinked=unlinked,
            ambiguous_link=ambiguous,
            erased=then <= pl.col("erased_until"),
            no_app_account=ai & ((pl.col("app_then_count") == 0) | (pl.col("app_now_count") == 0)),
            region_unknown=~one_region | pl.any_horizontal(pl.col(code) == "" for code in codes),
            region_excluded=pl.any_horizontal(pl.col(code).is_in(excluded) for code in codes),
            not_notified=ai & ~(pl.col("notified_at") < then).fill_null(False),
        )
    )
    own = pl.col("outcome").is_not_null() & ~pl.col("outcome").is_in(["duplicate", "malformed"])
    oversize = (pl.col("reason") == "oversize").fill_null(False) & pl.col("conversation_digest").is_not_null()
    lines = lines.with_columns(withholds=own | oversize)
    withheld = lines.filter(pl.col("withholds"), pl.col("conversation_digest").is_not_null())
    stopped = pl.col("outcome").is_null() & pl.col("conversation_digest").is_in(
        withheld["conversation_digest"].unique().implode()
    ).fill_null(False)
    kept = ["line", *FACTS.names, "profile_id", "outcome", "withholds"]
    return lines.with_columns(outcome=pl.when(stopped).then(pl.lit("conversation")).otherwise("outcome")).select(kept)


def _country(policy: Policy) -> pl.Expr:
    code = pl.col("country").fill_null("").str.strip_chars(" \t\n\x0b\x0c\r").str.to_uppercase()
    code = code.replace(policy.regions.aliases)
    return pl.when(code.is_in(sorted(ISO_3166_1))).then(code).otherwise(pl.lit(""))


def _first(**rules: pl.Expr) -> pl.Expr:
    """The name of the first rule that is true."""
    return pl.coalesce(pl.when(rule).then(pl.lit(name)) for name, rule in rules.items())


def screened(lines: pl.DataFrame, verdicts: pl.DataFrame) -> pl.DataFrame:
    """Lines with their outcome; whole conversations or nothing."""
    lines = lines.join(verdicts, on="line", how="left")
    unscreened = pl.col("verdict").is_in(["sensitive", "unsupported_language"]).fill_null(False)
    lines = lines.with_columns(withholds=pl.col("withholds") | unscreened)
    bad = lines.filter(unscreened, pl.col("conversation_digest").is_not_null())["conversation_digest"].unique()
    dropped = pl.col("conversation_digest").is_in(bad.implode()).fill_null(False)
    return lines.with_columns(
        outcome=pl.when(pl.col("outcome").is_not_null())
        .then(pl.col("outcome"))
        .when(pl.col("verdict").is_in(["unsupported_language", "empty"]))
        .then(pl.col("verdict"))
        .when(dropped)
        .then(pl.lit("sensitive"))
        .otherwise(pl.col("verdict"))
    )


def weighed(lines: pl.DataFrame, policy: Policy) -> pl.DataFrame:
    """Lines with their outcome for good: what weighs nothing shows no interest."""
    watched = pl.min_horizontal(pl.col("dwell_milli").fill_null(0), pl.lit(policy.full_dwell_seconds * 1_000))
    of_video = policy.weights["vibes"] * watched // (policy.full_dwell_seconds * 1_000)
    others = pl.col("surface").replace_strict(policy.weights, default=0, return_dtype=pl.Int64)
    weight = pl.when(pl.col("surface") == "vibes").then(of_video).otherwise(others)
    nothing = (pl.col("outcome") == "used") & (pl.col("weight") == 0)
    return lines.with_columns(weight=weight.cast(pl.Int32)).with_columns(
        outcome=pl.when(nothing).then(pl.lit("no_interest")).otherwise("outcome")
    )


def write(out: Path, lines: pl.DataFrame, reference: dict, policy: Policy, day: date, key: bytes) -> None:
    """Every table."""
    at = pl.lit(day).alias("landing_date")
    lines = weighed(lines, policy)
    malformed = lines.filter(pl.col("outcome") == "malformed")
    _write(out, "rejects", malformed.select(at, "source", "file", "position", "reason"), by_date=True)
    surface = pl.when(pl.col("outcome") == "malformed").then(pl.lit("unknown")).otherwise("surface").alias("surface")
    counted = lines.group_by("source", surface, "outcome").agg(pl.len().cast(pl.Int64).alias("lines"))
    _write(out, "outcomes", counted.select(at, "source", "surface", "outcome", "lines"), by_date=True)
    digests = ["source", "id_digest", "content_digest", "conversation_digest"]
    oversize = (pl.col("reason") == "oversize").fill_null(False) & pl.col("conversation_digest").is_not_null()
    arrived = lines.filter(pl.col("id_digest").is_not_null() | oversize).group_by(digests)
    arrivals = arrived.agg(pl.len().cast(pl.Int64).alias("lines"), pl.col("withholds").max())
    _write(out, "arrivals", arrivals.select(at, *digests, "lines", "withholds"), by_date=True)
    signals = accrued(lines.filter(pl.col("outcome") == "used"), policy, day, key)
    _write(out, "signals", signals.select(pl.col("signal_key"), at, pl.exclude("signal_key", "app")), by_date=True)
    accounts = signals.group_by("profile_id", "account_digest", ai=pl.col("app") == AI_APP)
    _write(out, "signal_accounts", accounts.agg(pl.len().cast(pl.Int64).alias("signals")))
    profiles = signals.group_by("profile_id", "topic_id").agg(
        pl.col("amount").sum().cast(AMOUNT).alias("weight"),
        pl.len().cast(pl.Int64).alias("signals"),
        pl.col("day").min().alias("first_day"),
        pl.col("day").max().alias("last_day"),
    )
    _write(out, "profiles", profiles)
    _write(out, "profile_deltas", _deltas(profiles, day), by_date=True)
    _deliver(out, profiles, reference, policy, day)


def accrued(used: pl.DataFrame, policy: Policy, day: date, key: bytes) -> pl.DataFrame:
    """One row per used line and topic."""
    days = [day - timedelta(late) for late in range(policy.lateness_days + 1)]
    factors = {of: factor(of, policy.landmark, policy.half_life_days) for of in days}
    accounts = used.select("app", "account_id").unique()
    digests = [account_digest(key, app, account) for app, account in accounts.rows()]
    return (
        used.join(accounts.with_columns(account_digest=pl.Series(digests, dtype=pl.Binary)), on=["app", "account_id"])
        .select(
            "profile_id",
            pl.col("surface").alias("source"),
            pl.col("occurred_at").dt.date().alias("day"),
            "weight",
            "account_digest",
            "app",
            "topics",
            pl.col("keys").alias("signal_key"),
        )
        .explode("topics", "signal_key")
        .unnest("topics")
        .with_columns(
            amount=(
                pl.col("score").cast(pl.Int128)
                * pl.col("weight")
                * pl.col("day").replace_strict(factors, return_dtype=pl.Int64)
            ).cast(AMOUNT)
        )
        .select(
            "signal_key",
            "profile_id",
            "topic_id",
            "source",
            "day",
            "score",
            "weight",
            "amount",
            "account_digest",
            "app",
        )
    )


def _deltas(profiles: pl.DataFrame, day: date) -> pl.DataFrame:
    values = ("weight", "signals", "first_day", "last_day")
    sides = [
        column
        for name in values
        for column in (
            pl.lit(None, dtype=profiles.schema[name]).alias(f"{name}_before"),
            pl.col(name).alias(f"{name}_after"),
        )
    ]
    return profiles.select(
        pl.lit("peer").alias("run_id"),
        pl.lit(day).alias("landing_date"),
        "profile_id",
        "topic_id",
        pl.lit("added").alias("change"),
        *sides,
    )


def _deliver(out: Path, profiles: pl.DataFrame, reference: dict, policy: Policy, day: date) -> None:
    """Audiences, who is in them, and activations."""
    now, one = pl.lit(end_of(day)), 10_000 * factor(day, policy.landmark, policy.half_life_days)
    floors = pl.DataFrame(
        {"placement": list(policy.floors), "floor": [floor * one for floor in policy.floors.values()]},
        schema={"placement": pl.String, "floor": pl.Int128},
    ).with_columns(pl.col("floor").cast(AMOUNT))
    strong = profiles.join(floors, how="cross").filter(pl.col("weight") >= pl.col("floor"))
    excluded = ["", *sorted(policy.regions.excluded)]
    where = (
        reference["profile_regions"]
        .filter(_holds(now))
        .group_by("profile_id")
        .agg(_country(policy).unique().alias("codes"))
        .filter(pl.col("codes").list.len() == 1)
        .select("profile_id", pl.col("codes").list.first().alias("country"))
        .filter(~pl.col("country").is_in(excluded))
    )
    in_places = strong.join(where, on="profile_id")
    audience = pl.concat_str("placement", "topic_id", separator="/")
    candidates = pl.concat(
        in_places.select(name.alias("segment_id"), "profile_id", "placement", "topic_id", country.alias("country"))
        for name, country in (
            (audience, pl.lit(None, dtype=pl.String)),
            (pl.concat_str(audience, "country", separator="/"), pl.col("country")),
        )
    )
    people = candidates.group_by("segment_id", "placement", "topic_id", "country").agg(pl.len().cast(pl.Int64))
    large = people.filter(pl.col("len") >= policy.minimum_audience)
    members = candidates.join(large, on="segment_id", how="semi").select("segment_id", "profile_id")
    _write(out, "segment_members", members)
    minimum = pl.lit(policy.minimum_audience, dtype=pl.Int64)
    sizes = large.select(
        pl.exclude("len"),
        (pl.col("len") - pl.col("len") % minimum).alias("size"),
        minimum.alias("minimum"),
        pl.lit(day).alias("as_of"),
    )
    _write(out, "segments", sizes)
    links = reference["account_links"].filter(pl.col("app").is_in(PERSONALISED_APPS), _holds(now))
    reach = links.select("profile_id", "app").unique().join(where, on="profile_id", how="semi")
    best = (
        strong.sort("weight", "topic_id", descending=[True, False])
        .group_by("profile_id", "placement", maintain_order=True)
        .agg(pl.col("topic_id").head(policy.top_interests).alias("topic_ids"))
    )
    _write(out, "activations", best.join(reach, on="profile_id").select("profile_id", "app", "placement", "topic_ids"))


def _write(out: Path, name: str, frame: pl.DataFrame, *, by_date: bool = False) -> None:
    write_deltalake(out / name, frame.to_arrow(), partition_by=["landing_date"] if by_date else None)


if __name__ == "__main__":
    main()
