"""Sample: a seeded landing zone of any size, with what each of its lines is kept apart. People and texts are invented.

Each person has one fate (linked or not, where they live, what they were told), each conversation one subject, and a
few lines are dirty. The truth beside the landing zone gives each line's intended outcome, topic and category.
"""

import gzip
import json
import random
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from jobs.errors import Exit, NightjarError
from jobs.scoring import taxonomy
from schemas.words import ENGAGEMENT_KINDS, PERSONALISED_APPS

EFFECTIVE = datetime(2025, 12, 16, 12, tzinfo=UTC)
FILES_PER_DATE = 2
ENGAGEMENTS_PER_INTERACTION = 0.35

# Share of people by what stops them; the rest are eligible.
FATES = {
    "unlinked": 0.04,
    "ambiguous_link": 0.02,
    "erased": 0.01,
    "no_app_account": 0.04,
    "region_unknown": 0.04,
    "region_excluded": 0.15,
    "not_notified": 0.04,
}
# Share of lines by what is wrong with them.
DIRT = {
    "malformed": 0.015,
    "misdated": 0.01,
    "duplicate": 0.01,
    "conflicting": 0.004,
    "logged_out": 0.01,
    "empty": 0.004,
}
SURFACE_SHARES = {
    "chat": 0.45,
    "voice": 0.15,
    "imagine": 0.12,
    "vibes": 0.12,
    "glasses_voice": 0.06,
    "glasses_photo": 0.06,
    "glasses_video": 0.04,
}
SENSITIVE_SHARE, SMALL_TALK_SHARE = 0.15, 0.12
ELIGIBLE_COUNTRIES = ("US", "CA", "MX", "BR", "AU", "IN", "JP", "NG", "us ", "NA")
EXCLUDED_COUNTRIES = ("DE", "FR", "GB", "UK", "KR", "EL", "PL", "CH", "RE")
UNKNOWN_COUNTRIES = ("", "XX", "EU", "Germany")

# How each surface sounds; every frame takes every word of a topic.
FRAMES = {
    "chat": (
        "I want to get into {}, where do I start?",
        "can you compare two options for {} for me",
        "give me a short overview of {}",
        "what do people get wrong about {}?",
        "help me plan something around {} for Saturday",
        "what's a fair price for {}?",
        "my neighbour keeps talking about {}, what is the fuss about",
    ),
    "voice": (
        "hey, what's new with {}",
        "find me something about {}",
        "play a podcast on {}",
        "remind me to look up {} later",
        "uh, how much is {} these days",
    ),
    "glasses_voice": ("what is this, some kind of {}?", "tell me more about this {}", "save this {} for later"),
    "glasses_photo": ("{} in front of me", "close-up of {}", "{} on a table"),
    "glasses_video": ("walking past {}", "clip of {}", "{} from above"),
    "vibes": ("{} but oddly satisfying", "pov: {}", "ten seconds of {}", "{} compilation"),
    "imagine": (
        "{} at golden hour, wide angle",
        "watercolor of {}",
        "a tiny world made of {}",
        "{}, studio lighting, highly detailed",
    ),
}


@dataclass(frozen=True)
class Recipe:
    """What to make: first landing date, days, interactions a day, people, seed, and a corpus to draw texts from."""

    first: date
    days: int
    lines: int
    people: int
    seed: int
    texts: Path | None = None


@dataclass
class Person:
    """A made-up person and the one thing, if any, that stops them."""

    number: int
    fate: str | None

    @property
    def profile(self) -> str:
        return f"p{self.number:07d}"

    @property
    def account(self) -> str:
        return f"m{self.number:07d}"

    @property
    def app(self) -> str:
        return PERSONALISED_APPS[self.number % 2]

    @property
    def app_account(self) -> str:
        return f"f{self.number:07d}"


def make(out: Path, recipe: Recipe) -> int:
    """Make the landing zone under `out` and the truth under `out`.truth; how many interaction lines it has."""
    truth = out.with_name(out.name + ".truth")
    for folder in (out, truth):
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            raise NightjarError(Exit.USAGE, f"{folder.name} already holds something", fix="give --out a new folder")
    draw = random.Random(recipe.seed)
    people = [Person(n, _pick(draw, FATES)) for n in range(recipe.people)]
    _reference(out, people, draw)
    subjects, total = _Subjects(draw, recipe.texts), 0
    for day in (recipe.first + timedelta(n) for n in range(recipe.days)):
        lines = _Day(day, people, subjects, draw).lines(recipe.lines)
        total += len(lines)
        _write(out / "interactions", truth / "interactions", day, lines)
        _write(out / "engagements", truth / "engagements", day, _engagements(day, people, subjects, draw, recipe.lines))
    return total


class _Subjects:
    """What a conversation is about: (kind, name, word), kind being topic, sensitive, neither or corpus."""

    def __init__(self, draw: random.Random, corpus: Path | None):
        self.draw = draw
        self.sources = {"topic": taxonomy.topics(), "sensitive": taxonomy.sensitive_categories()}
        self.names = {kind: sorted(found) for kind, found in self.sources.items()}
        self.corpus = _read_corpus(corpus) if corpus else None

    def pick(self) -> tuple[str, str]:
        if self.corpus:
            return "corpus", ""
        chance = self.draw.random()
        if chance < SENSITIVE_SHARE:
            return "sensitive", self.draw.choice(self.names["sensitive"])
        if chance < SENSITIVE_SHARE + SMALL_TALK_SHARE:
            return "neither", "neither"
        return "topic", self.draw.choice(self.names["topic"])

    def text(self, kind: str, name: str, surface: str) -> str:
        if kind == "corpus":
            return self.draw.choice(self.corpus)
        if kind == "neither":
            return self.draw.choice(taxonomy.neither().sayings)
        return self.draw.choice(FRAMES[surface]).format(self.draw.choice(self.sources[kind][name].words))

    def label(self, kind: str, name: str) -> str:
        if kind in ("corpus", "neither"):
            return "object"
        return self.draw.choice(self.sources[kind][name].words)


class _Day:
    """One landing date's interactions: conversations of one person about one subject, and dirt."""

    def __init__(self, day: date, people: list[Person], subjects: _Subjects, draw: random.Random):
        self.day, self.people, self.subjects, self.draw, self.made = day, people, subjects, draw, 0
        self.midnight = datetime.combine(day, datetime.min.time(), UTC)

    def lines(self, count: int) -> list[tuple[str, dict]]:
        """(raw line, truth) of at least `count` lines, shuffled."""
        found = []
        while len(found) < count:
            found += self._conversation()
        self.draw.shuffle(found)
        # Of two copies the one that is read first counts, and reading goes file by file.
        seen = set()
        for part in range(FILES_PER_DATE):
            for _, truth in found[part::FILES_PER_DATE]:
                copy = truth.pop("copy_of", None)
                if copy in seen and truth["outcome"] != "misdated":
                    truth["outcome"] = "duplicate"
                seen |= {copy} - {None}
        return found

    def _conversation(self) -> list[tuple[str, dict]]:
        person, (kind, name) = self.draw.choice(self.people), self.subjects.pick()
        surface = self.draw.choices(list(SURFACE_SHARES), SURFACE_SHARES.values())[0]
        turns = 1 if self.draw.random() < 0.5 else self.draw.randint(2, 4)
        begun = self.midnight + timedelta(seconds=self.draw.randrange(86_000))
        identity = None if turns == 1 and self.draw.random() < 0.4 else f"c{self.day:%m%d}{self.made:08d}"
        turn = [
            self._turn(person, kind, name, surface, begun + timedelta(seconds=9 * n), identity) for n in range(turns)
        ]
        # A logged-out line has no account, so it is in nobody's conversation.
        own = [truth["outcome"] for _, truth in turn if truth["outcome"] not in ("malformed", "logged_out")]
        lines = []
        for item, truth in turn:
            if truth["outcome"] is None and identity and any(own):
                truth["outcome"] = "conversation"
            lines += self._raw(item, truth, kind)
        return lines

    def _turn(self, person: Person, kind, name, surface, at: datetime, conversation) -> tuple[dict, dict]:
        dirt = _pick(self.draw, DIRT)
        self.made += 1
        item = {
            "interaction_id": f"i{self.day:%y%m%d}{self.made:09d}",
            "account_id": None if dirt == "logged_out" else person.account,
            "conversation_id": conversation,
            "surface": surface,
            "occurred_at": _stamp(at - timedelta(days=9) if dirt == "misdated" else at),
            "locale": "en-US",
            "text": "" if dirt == "empty" else self.subjects.text(kind, name, surface),
        }
        if surface in ("glasses_photo", "glasses_video") and dirt != "empty":
            item["labels"] = [
                {"name": self.subjects.label(kind, name), "confidence": round(self.draw.uniform(0.5, 1), 2)}
            ]
        if surface == "vibes":
            item["dwell_seconds"] = round(self.draw.uniform(1, 60), 1)
        outcome = dirt if dirt in ("malformed", "misdated", "conflicting") else None
        outcome = outcome or ("before_effective" if at < EFFECTIVE else None)
        outcome = outcome or (dirt if dirt == "logged_out" else None) or person.fate
        return item, {"outcome": outcome, "dirt": dirt, "kind": kind, "name": name}

    def _raw(self, item: dict, truth: dict, kind: str) -> list[tuple[str, dict]]:
        """The line, or what its dirt makes of it; the truth says what comes after the gates, too."""
        dirt = truth.pop("dirt")
        intended = {"sensitive": "sensitive", "topic": "used", "neither": "no_interest"}.get(kind)
        after = {**truth, "outcome": truth["outcome"] or ("empty" if dirt == "empty" else intended)}
        line = json.dumps(item)
        if dirt == "malformed":
            broken = (line[: len(line) // 2], line.replace('"surface"', '"surface": "chat", "surface"'), "[]", "")
            return [(self.draw.choice(broken), after)]
        if dirt == "duplicate":
            copy = {**after, "copy_of": item["interaction_id"]}
            return [(line, copy), (json.dumps(dict(sorted(item.items()))), dict(copy))]
        if dirt == "conflicting":
            return [(line, after), (json.dumps({**item, "locale": "en-GB"}), {**after})]
        return [(line, after)]


def _engagements(day: date, people: list[Person], subjects: _Subjects, draw: random.Random, lines: int):
    midnight, found = datetime.combine(day, datetime.min.time(), UTC), []
    for n in range(int(lines * ENGAGEMENTS_PER_INTERACTION)):
        person, (kind, name) = draw.choice(people), subjects.pick()
        word = subjects.label(kind, name)
        item = {
            "engagement_id": f"e{day:%y%m%d}{n:09d}",
            "account_id": person.app_account,
            "app": person.app,
            "kind": draw.choice(ENGAGEMENT_KINDS),
            "target_id": f"t{hash_of(word) % 10**6:06d}",
            "target_text": word,
            "occurred_at": _stamp(midnight + timedelta(seconds=draw.randrange(86_400))),
        }
        # Neither the notice nor the AI account's own trouble concerns what somebody likes.
        stops = {"no_app_account": "unlinked", "not_notified": None, "ambiguous_link": None, "unlinked": None}
        outcome = stops.get(person.fate, person.fate)
        intended = {"sensitive": "sensitive", "topic": "used"}.get(kind, "no_interest")
        found.append((json.dumps(item), {"outcome": outcome or intended, "kind": kind, "name": name}))
    return found


def hash_of(word: str) -> int:
    """A number for a word, the same in every process."""
    return int.from_bytes(word.encode()[-6:], "big")


def _reference(out: Path, people: list[Person], draw: random.Random) -> None:
    since, moved = "2025-01-01T00:00:00Z", "2025-11-01T00:00:00Z"
    links, regions, notices, erasures = [], [], [], []
    for person in people:
        ai = {"account_id": person.account, "app": "meta_ai", "valid_from": since, "valid_to": None}
        if person.fate != "unlinked":
            links.append({**ai, "profile_id": person.profile})
        if person.fate == "ambiguous_link":
            links.append({**ai, "profile_id": f"{person.profile}x"})
        if person.fate != "no_app_account":
            links.append({**ai, "account_id": person.app_account, "app": person.app, "profile_id": person.profile})
        codes = {"region_excluded": EXCLUDED_COUNTRIES, "region_unknown": UNKNOWN_COUNTRIES}
        code = draw.choice(codes.get(person.fate, ELIGIBLE_COUNTRIES))
        region = {"profile_id": person.profile, "country": code, "valid_from": since, "valid_to": None}
        if person.number % 50 == 0:
            # Someone who moved before any of this: only where they live now counts.
            regions.append({**region, "country": "FR", "valid_to": moved})
            region["valid_from"] = moved
        regions.append(region)
        told = "2025-09-01T09:00:00Z" if person.fate == "not_notified" else "2025-10-08T09:00:00Z"
        notices.append({"profile_id": person.profile, "notified_at": told})
        if person.fate == "erased":
            erasures.append({"profile_id": person.profile, "requested_at": "2099-01-01T00:00:00Z"})
    for name, rows in (
        ("reference/account_links", links),
        ("reference/profile_regions", regions),
        ("reference/notices", notices),
        ("erasures", erasures),
    ):
        draw.shuffle(rows)
        _write_lines(out / name / "part-0.jsonl.gz", [json.dumps(row) for row in rows])


def _write(folder: Path, truth_folder: Path, day: date, lines: list[tuple[str, dict]]) -> None:
    for part in range(FILES_PER_DATE):
        own, name = lines[part::FILES_PER_DATE], f"date={day}/part-{part}.jsonl"
        _write_lines(folder / f"{name}.gz", [line for line, _ in own])
        truths = [json.dumps({"position": at, **truth}) for at, (_, truth) in enumerate(own, 1)]
        _write_lines(truth_folder / f"{name}.gz", truths)


def _write_lines(file: Path, lines: list[str]) -> None:
    """The same bytes every time: no time and no name in the gzip header."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        raw = stack.enter_context(open(file, "wb"))
        packed = stack.enter_context(gzip.GzipFile(filename="", mode="wb", fileobj=raw, mtime=0))
        for line in lines:
            packed.write(line.encode() + b"\n")


def _read_corpus(file: Path) -> list[str]:
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rt", encoding="utf-8") as handle:
            texts = [json.loads(line)["text"] for line in handle]
    except (OSError, ValueError, KeyError, TypeError, EOFError):
        texts = []
    if not texts or not all(isinstance(text, str) for text in texts):
        raise NightjarError(Exit.INPUT, f"{file.name} holds no JSON lines with `text`", fix="check --texts")
    return texts


def _pick(draw: random.Random, shares: dict[str, float]) -> str | None:
    chance = draw.random()
    for name, share in shares.items():
        chance -= share
        if chance < 0:
            return name
    return None


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
