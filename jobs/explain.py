"""Explain: why each interest of a profile is there, and which gate, if any, stops the person now.

Never a text, and never a word about what was withheld: a count of that alone would give a sensitive line away.
"""

from datetime import date, datetime

import msgspec
from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from jobs import decay
from jobs.admit import admit
from jobs.errors import Exit, NightjarError
from jobs.lake import Lake
from jobs.landing import end_of
from jobs.link import link
from jobs.people import people
from jobs.policy import Policy
from jobs.scoring import taxonomy
from schemas.lines import INGESTED
from schemas.profiles import PROFILES
from schemas.signals import SIGNALS
from schemas.words import AI_APP, GATES, SOURCES, SURFACES


class Evidence(msgspec.Struct, frozen=True):
    """A signal: when, where, how sure, and what it adds. Score in 1/10,000, weight in 1/1,000; the amount is exact."""

    day: date
    source: str
    surface: str
    score: int
    weight: int
    amount: str


class Interest(msgspec.Struct, frozen=True):
    """An interest as it is stored, its strength in full signals of the last landing date, and all that it rests on."""

    topic_id: str
    path: list[str]
    weight: str
    strength: str
    evidence: list[Evidence]


class Explanation(msgspec.Struct, frozen=True):
    """`stopped_now` names, by source, the gate at which a line of now would stop; null where none does."""

    as_of: date
    policy: str
    stopped_now: dict[str, str | None]
    interests: list[Interest]


def explain(lake: Lake, reference: dict[str, DataFrame], profile: str, *, as_of: date, policy: Policy) -> Explanation:
    """Everything that the lake holds of a profile, as of the end of its last landing date."""
    run, asked = lake.log.history().last, people(lake.spark, [profile])
    stored = lake.read(PROFILES, run).join(asked, on="profile_id", how="left_semi").collect()
    signals = lake.read(SIGNALS, run).join(asked, on="profile_id", how="left_semi").collect()
    interests = [_interest(row, signals, as_of, policy) for row in stored]
    _require_sums(stored, signals)
    return Explanation(
        as_of,
        policy.version,
        stopped_now(asked, reference, as_of=end_of(as_of), policy=policy),
        sorted(interests, key=lambda interest: (-int(interest.weight), interest.topic_id)),
    )


def stopped_now(
    asked: DataFrame, reference: dict[str, DataFrame], *, as_of: datetime, policy: Policy
) -> dict[str, str | None]:
    """By source, the gate that stops a line said now. Asked of the gates themselves: a line of each account is sent."""
    links = reference["account_links"]
    source = F.when(F.col("app") == AI_APP, "interactions").otherwise("engagements")
    given = {"source": source, "file": F.lit(0), "occurred_at": F.lit(as_of), "surface": F.lit("unknown")}
    given |= {"account_id": F.col("account_id"), "app": F.col("app"), "position": F.monotonically_increasing_id() + 1}
    accounts = links.join(asked, on="profile_id", how="left_semi").select("account_id", "app").distinct()
    lines = accounts.select(
        *(given.get(column.name, F.lit(None)).cast(column.type).alias(column.name) for column in INGESTED.columns)
    )
    # An account that is another's by now would tell that one's gates: for this person it is no account.
    own = F.coalesce(F.col("own"), F.lit(False))
    linked = (
        link(lines, links, as_of=as_of)
        .join(asked.withColumn("own", F.lit(True)), on="profile_id", how="left")
        .withColumn("link_outcome", F.when(own, None).otherwise(F.coalesce("link_outcome", F.lit("unlinked"))))
        .withColumn("profile_id", F.when(own, F.col("profile_id")))
    )
    admitted = admit(
        linked,
        links,
        reference["profile_regions"],
        reference["notices"],
        reference["erasures"],
        policy=policy,
        as_of=as_of,
    )
    gates: dict[str, set[str | None]] = {name: set() for name in SOURCES}
    for name, gate in admitted.select("source", "outcome").collect():
        gates[name].add(gate)
    # Of several accounts, the one that comes furthest.
    return {
        name: None if None in reached else max(reached, key=GATES.index, default="unlinked")
        for name, reached in gates.items()
    }


def _interest(row: Row, signals: list[Row], as_of: date, policy: Policy) -> Interest:
    strength = decay.strength(int(row["weight"]), as_of, policy.landmark, policy.half_life_days)
    own = sorted(
        (s for s in signals if s["topic_id"] == row["topic_id"]), key=lambda s: (s["day"], s["source"], s["amount"])
    )
    return Interest(
        row["topic_id"],
        list(taxonomy.path(row["topic_id"])),
        str(row["weight"]),
        f"{strength:.3f}",
        list(map(_evidence, own)),
    )


def _evidence(signal: Row) -> Evidence:
    source = "interactions" if signal["source"] in SURFACES else "engagements"
    return Evidence(signal["day"], source, signal["source"], signal["score"], signal["weight"], str(signal["amount"]))


def _require_sums(stored: list[Row], signals: list[Row]) -> None:
    sums: dict[str, int] = {}
    for signal in signals:
        sums[signal["topic_id"]] = sums.get(signal["topic_id"], 0) + int(signal["amount"])
    if sums != {row["topic_id"]: int(row["weight"]) for row in stored}:
        raise NightjarError(
            Exit.TABLE, "table profiles is not the sum of its signals for this profile", fix="nightjar verify"
        )


def table(found: Explanation) -> str:
    """An explanation for a terminal."""
    lines = [f"as of the end of {found.as_of}, policy {found.policy}"]
    for source, gate in found.stopped_now.items():
        lines.append(f"  {source} said now: {'would go on to the screen' if gate is None else f'stopped, {gate}'}")
    for interest in found.interests:
        lines += ["", f"{' › '.join(interest.path)}   strength {interest.strength}, weight {interest.weight}"]
        lines += [
            f"  {one.day}  {one.surface:<14} score {one.score / 10_000:.4f}  weight {one.weight / 1000:g}  {one.amount:>30}"
            for one in interest.evidence
        ]
    return "\n".join([*lines, "" if found.interests else "\nno interests"])
