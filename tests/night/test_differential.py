"""The same night in another engine: gates, conversations, withdrawal and sums once more in DuckDB's SQL, line by line.

What it takes as given: which lines are well formed (`tests/model.py` decodes them again), what the scorer says of a line's
text, and the days' factors. What it computes itself: everything else.
"""

from datetime import UTC, date, datetime

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from jobs import decay
from jobs.batch import settings_of
from jobs.landing import list_night, open_lines
from jobs.rebuild import rebuild, settled_nights
from jobs.reference import read_all
from jobs.scoring.model import DEFAULT
from jobs.scoring.scorer import Scorer
from tests import model
from tests.conftest import SHARED, Runs

DAYS = [date(2025, 12, day) for day in (15, 16, 17)]

GATES = """
create table held as
select n, moment, list_sort(list(distinct k.profile)) as profiles
from moments m join links k
  on k.account = m.account and k.app = m.app and k.since <= m.ts and (k.until is null or m.ts < k.until)
group by n, moment;

create table linked as
select l.*, coalesce(t.profiles, []) as profiles_then, coalesce(w.profiles, []) as profiles_now, t.profiles[1] as profile
from lines l
left join held t on t.n = l.n and t.moment = 'then'
left join held w on w.n = l.n and w.moment = 'now';

create table lives as
select l.n, m.moment, list_sort(list(distinct coalesce(i.code, ''))) as codes
from linked l join moments m using (n)
join regions r on r.profile = l.profile and r.since <= m.ts and (r.until is null or m.ts < r.until)
left join aliases a on a.alias = upper(trim(r.country, E' \\t\\n\\r\\f\\x0b'))
left join iso i on i.code = coalesce(a.code, upper(trim(r.country, E' \\t\\n\\r\\f\\x0b')))
group by l.n, m.moment;

create table uses as
select l.n, m.moment, count(*) as apps
from linked l join moments m using (n)
join links k on k.profile = l.profile and k.app <> 'meta_ai' and k.since <= m.ts and (k.until is null or m.ts < k.until)
group by l.n, m.moment;

create table told as select profile, min(ts) as ts from notices where ts >= timestamp '2025-10-07 00:00:00' group by profile;

create table copies as
select l.n, count(distinct o.content) > 1 as differing,
       bool_or(o.content = l.content and (o.day, o.file, o.position) < (l.day, l.file, l.position)) as again
from lines l join lines o on o.source = l.source and o.id = l.id and abs(o.day - l.day) <= 7
group by l.n;

create table gated as
select l.*, l.source = 'interactions' as ai, case
    when not (l.ts >= l.day - interval 7 day and l.ts < l.day + interval 1 day) then 'misdated'
    when c.differing then 'conflicting'
    when c.again then 'duplicate'
    when ai and l.ts < timestamp '2025-12-16 12:00:00' then 'before_effective'
    when coalesce(l.account, '') = '' then 'logged_out'
    when len(profiles_then) = 0 then 'unlinked'
    when len(profiles_then) > 1 or len(profiles_now) > 1 then 'ambiguous_link'
    when profiles_then <> profiles_now then 'unlinked'
    when ai and (ut.apps is null or un.apps is null) then 'no_app_account'
    when coalesce(len(lt.codes), 0) <> 1 or coalesce(len(ln.codes), 0) <> 1 or lt.codes = [''] or ln.codes = [''] then 'region_unknown'
    when lt.codes[1] in (select code from excluded) or ln.codes[1] in (select code from excluded) then 'region_excluded'
    when ai and not coalesce(told.ts < l.ts, false) then 'not_notified'
  end as gate
from linked l join copies c using (n)
left join lives lt on lt.n = l.n and lt.moment = 'then' left join lives ln on ln.n = l.n and ln.moment = 'now'
left join uses ut on ut.n = l.n and ut.moment = 'then' left join uses un on un.n = l.n and un.moment = 'now'
left join told on told.profile = l.profile;
"""

SETTLED = """
create table judged as
select g.*, v.verdict,
       coalesce(gate <> 'duplicate', false) as stops,
       exists (select 1 from gated o where o.conversation = g.conversation and o.day = g.day and o.gate <> 'duplicate')
         as stopped_today
from gated g left join verdicts v using (day, file, position);

create table turned as
select *, case when gate is not null then gate when stopped_today then 'conversation' end as gate_today,
       gate is null and not stopped_today and verdict in ('sensitive', 'unsupported_language') as unscreened
from judged;

create table final as
select t.*, case
    when gate_today is not null then gate_today
    when verdict in ('unsupported_language') then verdict
    when verdict <> 'empty' and exists (select 1 from turned o where o.conversation = t.conversation and o.day = t.day
                                        and o.unscreened) then 'sensitive'
    when verdict = 'sensitive' then 'sensitive'
    when exists (select 1 from turned o where o.conversation = t.conversation and o.day <> t.day
                 and abs(o.day - t.day) <= 7 and (o.stops or o.unscreened)) then 'conversation'
    when verdict = 'used' and weighed.weight = 0 then 'no_interest'
    else verdict
  end as outcome, weighed.weight
from turned t left join (
    select n, case when surface = 'vibes' then weight * least(coalesce(dwell, 0), 30000) // 30000 else weight end as weight
    from lines join weights using (surface)
) weighed using (n);
"""

SUMS = """
create table standing as
select f.n, f.profile, s.topic, s.score, f.weight, cast(f.ts as date) as day
from final f join topics s using (day, file, position)
where f.outcome = 'used' and not exists (
    select 1 from ends e where e.day > f.day and not (
        coalesce((select list(distinct profile) from links k where k.account = f.account and k.app = f.app
           and k.since <= e.ts and (k.until is null or e.ts < k.until)), []) = [f.profile]
        and (select count(distinct coalesce(a.code, upper(trim(r.country)))) from regions r
             left join aliases a on a.alias = upper(trim(r.country))
             where r.profile = f.profile and r.since <= e.ts and (r.until is null or e.ts < r.until)) = 1
        and not exists (select 1 from regions r left join aliases a on a.alias = upper(trim(r.country))
             where r.profile = f.profile and r.since <= e.ts and (r.until is null or e.ts < r.until)
             and (coalesce(a.code, upper(trim(r.country))) in (select code from excluded)
                  or coalesce(a.code, upper(trim(r.country)), '') not in (select code from iso)))
        and (f.source = 'engagements' or exists (select 1 from links k where k.profile = f.profile and k.app <> 'meta_ai'
             and k.since <= e.ts and (k.until is null or e.ts < k.until)))
    ));

select profile, topic, cast(sum(cast(score as hugeint) * weight * factor) as varchar), count(*), min(day), max(day)
from standing join factors using (day) group by profile, topic order by 1, 2;
"""


def naive(stamp):
    """An instant as DuckDB's plain timestamp, UTC."""
    return None if stamp is None else model.moment(stamp).astimezone(UTC).replace(tzinfo=None)


def facts(folder):
    """Reference tables and well-formed lines as rows for DuckDB, which lines are malformed, and the others' texts."""
    rows = {name: [model.json.loads(line) for line in model.read(folder / "reference" / name)] for name in REFERENCE}
    tables = {
        "links": [
            (r["account_id"], r["app"], r["profile_id"], naive(r["valid_from"]), naive(r.get("valid_to")))
            for r in rows["account_links"]
        ],
        "regions": [
            (r["profile_id"], r["country"], naive(r["valid_from"]), naive(r.get("valid_to")))
            for r in rows["profile_regions"]
        ],
        "notices": [(r["profile_id"], naive(r["notified_at"])) for r in rows["notices"]],
    }
    lines, malformed, texts = [], set(), {}
    for day in DAYS:
        for file in list_night(str(folder), day):
            for position, raw in open_lines(file).lines:
                item = model.parse(file.source, raw)
                if item is None:
                    malformed.add((day, file.index, position))
                else:
                    lines.append((len(lines), file.source, day, file.index, position, *line_of(file.source, item)))
                    texts[day, file.index, position] = text_of(file.source, item)
    return {**tables, "lines": lines}, malformed, texts


def line_of(source, item):
    ai = source == "interactions"
    dwell = item.get("dwell_seconds")
    return (
        item["interaction_id" if ai else "engagement_id"],
        str(hash(model.content(item))),
        item.get("account_id"),
        "meta_ai" if ai else item["app"],
        item["surface" if ai else "kind"],
        "\0".join(model.conversation(item)) if ai and model.conversation(item) else None,
        naive(item["occurred_at"]),
        None if dwell is None else int(max(0, min(dwell, 86_400)) * 1_000),
    )


def text_of(source, item):
    """A line's text and the names of its labels."""
    if source == "engagements":
        return item["target_text"], []
    return item.get("text"), [label["name"] for label in item.get("labels") or ()]


def judged(texts, policy):
    """What the scorer says of each of these texts, as rows: its verdict, and each interest with its score."""
    found = Scorer.cached(settings_of(policy, DEFAULT)).judge(
        pa.array([text for text, _ in texts.values()], pa.string()), [labels for _, labels in texts.values()]
    )
    verdicts = [(*where, verdict) for where, verdict in zip(texts, found.verdict.to_pylist(), strict=True)]
    topics = [
        (*where, topic["topic_id"], topic["score"])
        for where, shown in zip(texts, found.topics.to_pylist(), strict=True)
        for topic in shown
    ]
    return verdicts, topics


REFERENCE = ("account_links", "profile_regions", "notices")
COLUMNS = {
    "links": ("account", "app", "profile", "since", "until"),
    "regions": ("profile", "country", "since", "until"),
    "notices": ("profile", "ts"),
    "lines": (
        *("n", "source", "day", "file", "position", "id", "content"),
        *("account", "app", "surface", "conversation", "ts", "dwell"),
    ),
    "verdicts": ("day", "file", "position", "verdict"),
    "topics": ("day", "file", "position", "topic", "score"),
    "excluded": ("code",),
    "iso": ("code",),
    "aliases": ("alias", "code"),
    "weights": ("surface", "weight"),
    "factors": ("day", "factor"),
    "ends": ("day", "ts"),
}
TYPES = {"until": "timestamp", "since": "timestamp", "ts": "timestamp", "day": "date", "dwell": "bigint"}


def engine(tables):
    """A DuckDB with these tables."""
    base = duckdb.connect()
    for name, rows in tables.items():
        columns = COLUMNS[name]
        frame = pd.DataFrame(rows, columns=columns, dtype=object)  # noqa: F841 (DuckDB finds it by its name)
        chosen = ", ".join(f"cast({c} as {TYPES[c]}) as {c}" if c in TYPES else c for c in columns)
        base.execute(f"create table {name} as select {chosen} from frame")
    base.execute("create table moments as select n, 'then' as moment, account, app, ts from lines")
    base.execute("insert into moments select n, 'now', account, app, day + interval 1 day from lines")
    return base


@pytest.mark.skipif(not (SHARED / "landing").exists(), reason="the shared landing zone is not here")
def test_another_engine_gives_every_line_the_same_outcome_and_every_interest_the_same_sum(spark, policy, tmp_path):
    folder = SHARED / "landing"
    setting = Runs(spark, tmp_path / "lake", folder, [policy]).setting()
    reference = read_all(spark, setting.landing, setting.key).frames
    nights = settled_nights(setting, DAYS, reference, lambda *_: None)
    tables, malformed, texts = facts(folder)
    verdicts, topics = judged(texts, policy)
    ours = {}
    for day, night in nights.items():
        for row in night.runner.frames["settled"].select("file", "position", "outcome").collect():
            ours[day, row["file"], row["position"]] = row["outcome"]
    days = pd.date_range(DAYS[0] - pd.Timedelta(days=7), DAYS[-1]).date
    base = engine(
        {
            **tables,
            "verdicts": verdicts,
            "topics": topics,
            "excluded": [(code,) for code in sorted(model.EXCLUDED)],
            "iso": [(code,) for code in sorted(model.ISO)],
            "aliases": sorted(model.ALIASES.items()),
            "weights": sorted(policy.weights.items()),
            "factors": [(day, decay.factor(day, policy.landmark, policy.half_life_days)) for day in days],
            "ends": [(day, datetime.combine(day, datetime.min.time()) + pd.Timedelta(days=1)) for day in DAYS],
        }
    )
    for statement in (GATES, SETTLED):
        base.execute(statement)
    theirs = {
        (day, file, at): outcome
        for day, file, at, outcome in base.execute("select day, file, position, outcome from final").fetchall()
    }
    theirs |= dict.fromkeys(malformed, "malformed")
    assert len(theirs) == len(ours) > 20_000
    assert {where: (ours[where], theirs[where]) for where in ours if ours[where] != theirs.get(where)} == {}
    assert len(set(theirs.values())) >= 14
    stored = rebuild(setting, DAYS, lambda *_: None)["profiles"].collect()
    ranked = sorted((r[0], r[1], str(r[2]), r[3], r[4], r[5]) for r in stored)
    assert ranked == sorted(base.execute(SUMS).fetchall()) and len(ranked) > 1_000
