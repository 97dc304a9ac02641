"""Report: nights as plain data and as tables for a terminal. Counts only, nothing of a person."""

from datetime import date, datetime, timedelta

from pyspark.sql import functions as F

from jobs import decay
from jobs.lake import Lake
from jobs.lake_log import LakeLog, visible_version
from jobs.policy import Policy
from jobs.scoring import taxonomy
from schemas.outcomes import OUTCOME_COUNTS
from schemas.profiles import PROFILES
from schemas.words import OUTCOMES, SOURCES


def nights(log: LakeLog, dates: list[date] | None = None) -> list[dict]:
    """Landing dates as plain data, all or some, in order: outcomes by source, policy, table versions, seconds.

    Read from the lake's logs: it needs no Spark.
    """
    history = log.history()
    newest = history.newest(history.dates if dates is None else dates)
    if not newest:
        return []
    version, chosen = visible_version(OUTCOME_COUNTS, history.last), [("landing_date", "in", sorted(newest))]
    rows = log.rows(OUTCOME_COUNTS, version=version, filters=chosen).group_by(["landing_date", "source", "outcome"])
    counted = rows.aggregate([("lines", "sum")]).to_pylist()
    lines = {(row["landing_date"], row["source"], row["outcome"]): row["lines_sum"] for row in counted}
    return [_night(day, newest[day], lines) for day in sorted(newest)]


def _night(day: date, run: dict, lines: dict[tuple, int]) -> dict:
    def by_outcome(source: str) -> dict[str, int]:
        return {outcome: lines[day, source, outcome] for outcome in OUTCOMES if (day, source, outcome) in lines}

    return {
        "date": day.isoformat(),
        "outcomes": by_outcome("interactions"),
        "engagements": by_outcome("engagements"),
        "policy": next(judged["version"] for judged in run["policies"] if judged["landing_date"] == day),
        "tables": dict(run["tables"]),
        "seconds": round(sum(seconds for name, seconds in run["seconds"].items() if name != "guards"), 1),
        "finished_at": run["finished_at"].isoformat(),
    }


def age(found: list[dict], now: datetime) -> timedelta:
    """How long ago the newest night finished; for ever, where there is none."""
    return min((now - datetime.fromisoformat(night["finished_at"]) for night in found), default=timedelta.max)


def outcome_table(night: dict) -> str:
    """Lines by outcome, interactions beside engagements, in the order in which the gates apply."""
    columns = {source: night["outcomes" if source == "interactions" else source] for source in SOURCES}
    lines = [f"night of {night['date']}  (policy {night['policy']}, {night['seconds']} s)", ""]
    lines.append(f"  {'outcome':<22}{'interactions':>14}{'engagements':>14}")
    for outcome in OUTCOMES:
        counts = [columns[source].get(outcome, 0) for source in SOURCES]
        if any(counts):
            lines.append(f"  {outcome:<22}{counts[0]:>14,}{counts[1]:>14,}")
    totals = [sum(columns[source].values()) for source in SOURCES]
    lines.append(f"  {'lines read':<22}{totals[0]:>14,}{totals[1]:>14,}")
    return "\n".join(lines) + "\n"


def status_table(found: list[dict]) -> str:
    """Every night's outcomes, and the versions that readers see."""
    if not found:
        return "no nights yet"
    newest = max(found, key=lambda night: night["finished_at"])
    versions = ", ".join(f"{name} v{version}" for name, version in sorted(newest["tables"].items()))
    return "\n".join([*(outcome_table(night) for night in found), f"tables: {versions}"])


def profiles_table(lake: Lake, policy: Policy, count: int) -> str:
    """The strongest interests of those profiles that rest on most signals, decayed to the last landing date."""
    history = lake.log.history()
    interests = lake.read(PROFILES, history.last)
    chosen = (
        interests.groupBy("profile_id").agg(F.sum("signals").alias("n")).orderBy(F.desc("n"), "profile_id").limit(count)
    )
    rows = interests.join(chosen, on="profile_id", how="left_semi").orderBy("profile_id", F.desc("weight")).collect()
    as_of, lines, shown = max(history.dates), [], None
    for row in rows:
        if row["profile_id"] != shown:
            shown = row["profile_id"]
            lines += ["", f"profile {shown}"]
        strength = decay.strength(int(row["weight"]), as_of, policy.landmark, policy.half_life_days)
        lines.append(
            f"  {strength:8.3f}  {' › '.join(taxonomy.path(row['topic_id'])):<64}{row['signals']:>4} signals, "
            f"last {row['last_day']}"
        )
    return "\n".join(lines) + "\n"
