"""The rules in plain Python: what each raw line must come to before scoring. Slow, obvious, shares no code with jobs."""

import gzip
import json
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

EFFECTIVE = datetime(2025, 12, 16, 12, tzinfo=UTC)
NOTICE = datetime(2025, 10, 7, tzinfo=UTC)
EXCLUDED = set(
    "AT BE BG HR CY CZ DK EE FI FR DE GR HU IE IT LV LT LU MT NL PL PT RO SK SI ES SE GB KR "
    "GP MQ RE GF YT MF AX JE GG IM GI IS LI NO CH".split()
)
ALIASES = {"UK": "GB", "EL": "GR"}
ISO = set((Path(__file__).parent.parent / "schemas" / "iso_3166_1.txt").read_text().split())
SURFACES = {"chat", "voice", "glasses_voice", "glasses_photo", "glasses_video", "vibes", "imagine"}
UNSCREENED = {"sensitive", "unsupported_language"}
STAMP = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.I | re.A)


def read(folder: Path) -> list[bytes]:
    """The raw lines of a folder of .jsonl and .jsonl.gz files."""
    lines = []
    for file in sorted(folder.iterdir()) if folder.is_dir() else ():
        if file.name == "_SUCCESS" or file.name.endswith(".crc"):
            continue
        data = gzip.open(file).read() if file.name.endswith(".gz") else file.read_bytes()
        lines += data.removesuffix(b"\n").split(b"\n") if data else []
    return lines


def reference(landing: Path) -> dict[str, list[dict]]:
    """Links, regions, notices and erasures as they were delivered."""
    return {
        name: [json.loads(line) for line in read(landing / where)]
        for name, where in (
            ("links", "reference/account_links"),
            ("regions", "reference/profile_regions"),
            ("notices", "reference/notices"),
            ("erasures", "erasures"),
        )
    }


def gates(
    landing: Path, day: date, beside: Iterable[date] = (), excluded: set = EXCLUDED
) -> dict[str, list[tuple[dict | None, str | None]]]:
    """By source, (object, outcome) of each raw line in order; None for a line that goes on to be scored.

    `beside` are the other landing dates of the window: they share ids, not yet conversations.
    """
    facts = _indexed(reference(landing))
    sources = ("interactions", "engagements")
    return {source: _gates(source, landing, day, list(beside), excluded, **facts) for source in sources}


def counts(landing: Path, day: date) -> dict[str, Counter]:
    """By source, lines by gate; `None` counts those that go on to be scored."""
    return {source: Counter(outcome for _, outcome in lines) for source, lines in gates(landing, day).items()}


def lines_of(source, landing, day) -> list[bytes]:
    return read(landing / source / f"date={day}")


def judged(
    landing: Path, verdicts: dict[date, Callable], excluded: dict[date, set]
) -> dict[tuple[date, str], list[tuple[dict | None, str]]]:
    """By landing date and source, (object, final outcome) of each raw line, each date judged by its own rules.

    `verdicts` are the scorer's word on an object, `excluded` the countries left out, both by landing date.
    """
    days = list(verdicts)

    def window(day):
        return [other for other in days if 0 < abs((other - day).days) <= 7]

    found, withholding = {}, {}
    for day in days:
        for source, lines in gates(landing, day, window(day), excluded[day]).items():
            said = [gate or verdicts[day](item) for item, gate in lines]
            talks = [item and source == "interactions" and conversation(item) or None for item, _ in lines]
            silenced = {talk for talk, word in zip(talks, said, strict=True) if talk and word in UNSCREENED}
            stopped = {
                talk
                for talk, (_, gate) in zip(talks, lines, strict=True)
                if talk and gate not in (None, "duplicate", "conversation")
            }
            cut = {conversation(item) for item in map(oversize, lines_of(source, landing, day)) if item}
            withholding[day, source] = silenced | stopped | (cut if source == "interactions" else set())
            found[day, source] = [
                (
                    item,
                    "sensitive" if gate is None and word in ("used", "no_interest") and talk in silenced else word,
                    talk,
                )
                for (item, gate), word, talk in zip(lines, said, talks, strict=True)
            ]
    return {
        (day, source): [
            (
                item,
                "conversation"
                if word in ("used", "no_interest", "empty")
                and any(talk in withholding[other, source] for other in window(day))
                else word,
            )
            for item, word, talk in lines
        ]
        for (day, source), lines in found.items()
    }


def standing(landing: Path, days: list[date], item: dict, landed: date, excluded=lambda day: EXCLUDED) -> str | None:
    """The profile of a used line whose signals hold at the end of every later landing date; None where they fall.

    `excluded` gives the countries that are left out from a day on.
    """
    facts = _indexed(reference(landing))
    ai = "interaction_id" in item
    app, then = ("meta_ai" if ai else item["app"]), moment(item["occurred_at"])
    (profile,) = holding(facts["links"]["account", item["account_id"], app], then, "profile_id")
    for day in days:
        end = _end(day)
        if day > landed and not (
            holding(facts["links"]["account", item["account_id"], app], end, "profile_id") == {profile}
            and _eligible({country(c) for c in holding(facts["regions"][profile], end, "country")}, excluded(day))
            and (not ai or holding(facts["links"]["profile", profile], end, "app"))
        ):
            return None
    forgotten = any(asked.date() >= then.date() for asked in facts["erasures"][profile])
    return None if forgotten else profile


def sums(signals: Iterable[tuple]) -> dict[tuple[str, str], tuple]:
    """Weight, count, first and last day by profile and topic, of (profile, topic, day, amount)."""
    found = {}
    for profile, topic, day, amount in signals:
        weight, count, first, last = found.get((profile, topic), (0, 0, day, day))
        found[profile, topic] = weight + amount, count + 1, min(first, day), max(last, day)
    return found


def audiences(
    weights: dict[tuple[str, str], int], landing: Path, day: date, least: dict, minimum: int
) -> dict[str, set]:
    """Who is in each audience as of the end of a day; weights by profile and topic, least ones by placement."""
    facts, end, people = _indexed(reference(landing)), _end(day), defaultdict(set)
    for (profile, topic), weight in weights.items():
        codes = {country(c) for c in holding(facts["regions"][profile], end, "country")}
        for placement in (name for name, floor in least.items() if weight >= floor and _eligible(codes)):
            people[f"{placement}/{topic}"].add(profile)
            people[f"{placement}/{topic}/{min(codes)}"].add(profile)
    return {name: who for name, who in people.items() if len(who) >= minimum}


def activated(
    weights: dict[tuple[str, str], int], landing: Path, day: date, least: dict, most: int
) -> dict[tuple, list]:
    """Topics, strongest first, by profile, app and placement."""
    facts, end, found = _indexed(reference(landing)), _end(day), {}
    for profile in {profile for profile, _ in weights}:
        if not _eligible({country(c) for c in holding(facts["regions"][profile], end, "country")}):
            continue
        for app in holding(facts["links"]["profile", profile], end, "app"):
            for placement, floor in least.items():
                strong = sorted((-w, topic) for (who, topic), w in weights.items() if who == profile and w >= floor)
                if strong:
                    found[profile, app, placement] = [topic for _, topic in strong[:most]]
    return found


def _eligible(codes: set, excluded: set = EXCLUDED) -> bool:
    return len(codes) == 1 and not codes & {*excluded, None}


def _end(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), UTC) + timedelta(days=1)


def _gates(source, landing, day, beside, excluded, links, regions, notices, erasures):
    start = datetime.combine(day, datetime.min.time(), UTC)
    now = start + timedelta(days=1)
    raw = lines_of(source, landing, day)
    items = [parse(source, line) for line in raw]
    name = "interaction_id" if source == "interactions" else "engagement_id"
    contents, seen = defaultdict(set), set()
    for other in (day, *beside):
        for item in items if other == day else (parse(source, line) for line in lines_of(source, landing, other)):
            if item:
                contents[item[name]].add(content(item))
                if other < day:
                    seen.add(item[name])
    outcomes = []
    for item in items:
        outcomes.append(
            _gate(source, item, start, now, contents, seen, name, excluded, links, regions, notices, erasures)
        )
    if source == "interactions":
        withheld = {
            conversation(item)
            for item, outcome in zip(items, outcomes, strict=True)
            if item and outcome not in (None, "duplicate") and conversation(item)
        }
        withheld |= {conversation(item) for item in map(oversize, raw) if item} - {None}
        outcomes = [
            "conversation" if item and outcome is None and conversation(item) in withheld else outcome
            for item, outcome in zip(items, outcomes, strict=True)
        ]
    return list(zip(items, outcomes, strict=True))


def _gate(source, item, start, now, contents, seen, name, excluded, links, regions, notices, erasures):
    if item is None:
        return "malformed"
    then = moment(item["occurred_at"])
    if not start - timedelta(days=7) <= then < now:
        return "misdated"
    if len(contents[item[name]]) > 1:
        return "conflicting"
    if item[name] in seen:
        return "duplicate"
    seen.add(item[name])
    ai = source == "interactions"
    if ai and then < EFFECTIVE:
        return "before_effective"
    account = item.get("account_id")
    if not account:
        return "logged_out"
    app = "meta_ai" if ai else item["app"]
    at, later = (holding(links["account", account, app], moment_, "profile_id") for moment_ in (then, now))
    if not at:
        return "unlinked"
    if len(at) > 1 or len(later) > 1:
        return "ambiguous_link"
    if later != at:
        return "unlinked"
    (profile,) = at
    if any(then <= asked for asked in erasures[profile]):
        return "erased"
    if ai and not all(holding(links["profile", profile], m, "app") for m in (then, now)):
        return "no_app_account"
    here = [{country(c) for c in holding(regions[profile], m, "country")} for m in (then, now)]
    if any(len(codes) != 1 or None in codes for codes in here):
        return "region_unknown"
    if any(codes & excluded for codes in here):
        return "region_excluded"
    if ai and not any(told < then for told in [min((t for t in notices[profile] if t >= NOTICE), default=then)]):
        return "not_notified"
    return None


def parse(source, line: bytes, longest=65_536):
    """The object of a well-formed line, else None."""
    try:
        if len(line) > longest:
            return None
        item = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_never, parse_float=Decimal)
        assert isinstance(item, dict)
        json.dumps(item, default=str, ensure_ascii=False).encode()
        text = ["account_id", "conversation_id", "locale", "text"] if source == "interactions" else []
        need = (
            ["interaction_id", "surface"]
            if source == "interactions"
            else ["engagement_id", "account_id", "app", "kind", "target_id"]
        )
        assert all(isinstance(item.get(k), str) and item[k] for k in [*need, "occurred_at"])
        assert all(item.get(k) is None or isinstance(item[k], str) for k in text)
        if source == "engagements":
            assert isinstance(item.get("target_text"), str)
            assert item["app"] in ("facebook", "instagram") and item["kind"] in ("like", "follow", "join")
        else:
            assert item["surface"] in SURFACES
            assert item.get("dwell_seconds") is None or _is_number(item["dwell_seconds"])
            labels = item.get("labels")
            assert labels is None or isinstance(labels, list)
            assert all(isinstance(x["name"], str) and _is_number(x["confidence"]) for x in labels or ())
        moment(item["occurred_at"])
        return item
    except (AssertionError, ValueError, KeyError, TypeError, RecursionError):
        return None


def oversize(line: bytes):
    if len(line) <= 65_536:
        return None
    try:
        item = json.loads(line.decode(), object_pairs_hook=_unique, parse_constant=_never)
        return item if all(isinstance(item.get(k), str) for k in ("account_id", "conversation_id")) else None
    except ValueError:
        return None


def moment(text: str) -> datetime:
    assert STAMP.fullmatch(text)
    return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.upper()))


def content(value):
    """Hashable and equal for equal content: nulls are absent, numbers are their values."""
    if isinstance(value, dict):
        return frozenset((k, content(v)) for k, v in value.items() if v is not None)
    if isinstance(value, list):
        return ("list", *map(content, value))
    return ("number", value) if _is_number(value) else (type(value).__name__, value)


def conversation(item):
    pair = item.get("account_id"), item.get("conversation_id")
    return pair if all(pair) else None


def country(code):
    code = (code or "").strip().upper()
    code = ALIASES.get(code, code)
    return code if code in ISO else None


def holding(facts, at, field):
    return {
        f[field]
        for f in facts
        if moment(f["valid_from"]) <= at and (f.get("valid_to") is None or at < moment(f["valid_to"]))
    }


def _indexed(reference):
    links, regions, notices, erasures = (defaultdict(list) for _ in range(4))
    for fact in reference["links"]:
        links["account", fact["account_id"], fact["app"]].append(fact)
        if fact["app"] != "meta_ai":
            links["profile", fact["profile_id"]].append(fact)
    for fact in reference["regions"]:
        regions[fact["profile_id"]].append(fact)
    for fact in reference["notices"]:
        notices[fact["profile_id"]].append(moment(fact["notified_at"]))
    for fact in reference["erasures"]:
        erasures[fact["profile_id"]].append(moment(fact["requested_at"]))
    return {"links": links, "regions": regions, "notices": notices, "erasures": erasures}


def _is_number(value):
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _unique(pairs):
    assert len({k for k, _ in pairs}) == len(pairs)
    return dict(pairs)


def _never(_):
    raise ValueError
