"""Policy: what the nights may use, as dated data. Anything doubtful in a policy file is an error that names it."""

import hashlib
from datetime import UTC, date, datetime
from pathlib import Path

import msgspec
import yaml

from jobs import decay
from jobs.errors import Exit, NightjarError
from schemas.words import ENGAGEMENT_KINDS, PLACEMENTS, SENSITIVE_CATEGORIES, SURFACES

BUILT_IN = Path(__file__).parent.parent / "schemas" / "policy"
ISO_3166_1 = frozenset((BUILT_IN.parent / "iso_3166_1.txt").read_text().split())
HEADROOM_DAYS = 730


class Regions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Codes that are left out, by how surely the announcement means them, and other spellings of codes."""

    announced: list[str]
    cautious: list[str]
    aliases: dict[str, str]

    @property
    def excluded(self) -> frozenset[str]:
        return frozenset(self.announced) | frozenset(self.cautious)


class Interest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How sure the scorer must be of a topic; below what share of all sensitive categories together, in the whole line and
    in any few words of it (1/10,000); and how many topics one line may show."""

    threshold: int
    most_sensitive: int
    most_sensitive_few_words: int
    most_topics: int


class Policy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One version of the policy. Weights and floors are in 1/1,000, thresholds in 1/10,000."""

    version: str
    valid_from: date
    valid_to: date | None
    effective_from: datetime
    notice_from: datetime
    lateness_days: int
    max_line_bytes: int
    regions: Regions
    sensitive_thresholds: dict[str, int]
    few_words_threshold: int
    interest: Interest
    weights: dict[str, int]
    full_dwell_seconds: int
    half_life_days: int
    landmark: date
    retention_days: int
    floors: dict[str, int]
    top_interests: int
    minimum_audience: int
    minimum_category_count: int

    @property
    def digest(self) -> str:
        """SHA-256 of what the policy says, however its file is laid out."""
        return hashlib.sha256(msgspec.json.encode(self, order="sorted")).hexdigest()

    def holds_on(self, day: date) -> bool:
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


class _UniqueKeys(yaml.SafeLoader):
    """YAML as it comes takes the last of two equal keys; here that is an error."""

    def construct_mapping(self, node, deep=False):
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = sorted({str(key) for key in keys if keys.count(key) > 1})
        if twice:
            raise yaml.constructor.ConstructorError(None, None, f"key `{twice[0]}` stands twice", node.start_mark)
        return super().construct_mapping(node, deep)


def read_policies(folder: Path | None = None) -> list[Policy]:
    """The versions of a policy folder by date; NightjarError(CONFIGURATION) names the file and key of what is wrong."""
    folder = Path(folder or BUILT_IN)
    files = sorted(folder.glob("*.y*ml")) if folder.is_dir() else []
    if not files:
        raise _wrong(folder, "holds no policy file")
    versions = sorted((read_policy(file) for file in files), key=lambda policy: policy.valid_from)
    for one, other in zip(versions, versions[1:], strict=False):
        if one.valid_to != other.valid_from:
            what = "a gap" if one.valid_to and one.valid_to < other.valid_from else "an overlap"
            raise _wrong(folder, f"{what} between `valid_to` of {one.version} and `valid_from` of {other.version}")
        if one.landmark != other.landmark:
            raise _wrong(folder, f"`landmark` differs between {one.version} and {other.version}")
    return versions


def read_policy(file: Path) -> Policy:
    """One version from one file."""
    try:
        raw = yaml.load(file.read_text(encoding="utf-8"), Loader=_UniqueKeys)  # noqa: S506 (a SafeLoader)
        policy = msgspec.convert(raw, Policy, strict=True)
    except (yaml.YAMLError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise _wrong(file, " ".join(str(error).split())) from None
    complaint = next(_complaints(policy), None)
    if complaint:
        raise _wrong(file, complaint)
    return policy


def policy_on(policies: list[Policy], day: date) -> Policy:
    """The version that judges a landing date."""
    for policy in policies:
        if policy.holds_on(day):
            return policy
    raise NightjarError(Exit.CONFIGURATION, "no policy holds on this date", date=day, fix="add a version that does")


def tightens(policy: Policy, than: Policy) -> bool:
    """Whether a policy forbids a line that another may use."""
    interest, of = policy.interest, than.interest
    lower = [
        *((policy.sensitive_thresholds[name], than.sensitive_thresholds[name]) for name in SENSITIVE_CATEGORIES),
        (policy.few_words_threshold, than.few_words_threshold),
        (interest.most_sensitive, of.most_sensitive),
        (interest.most_sensitive_few_words, of.most_sensitive_few_words),
        (interest.most_topics, of.most_topics),
        (policy.lateness_days, than.lateness_days),
        (policy.max_line_bytes, than.max_line_bytes),
        # A source without weight gives nothing.
        *((min(policy.weights[name], 1), min(than.weights[name], 1)) for name in than.weights),
        (than.interest.threshold, interest.threshold),
        (than.effective_from, policy.effective_from),
        (than.notice_from, policy.notice_from),
    ]
    more = policy.regions.excluded - than.regions.excluded or policy.regions.aliases != than.regions.aliases
    return bool(more) or any(now < then for now, then in lower)


def _complaints(policy: Policy):
    """What a well-typed policy may still get wrong, first thing first."""
    yield from _keys("sensitive_thresholds", policy.sensitive_thresholds, SENSITIVE_CATEGORIES)
    yield from _keys("weights", policy.weights, (*SURFACES, *ENGAGEMENT_KINDS))
    yield from _keys("floors", policy.floors, PLACEMENTS)
    for code in sorted({*policy.regions.excluded, *policy.regions.aliases.values()} - ISO_3166_1):
        yield f"`regions`: {code} is not a code of ISO 3166-1"
    if not policy.regions.announced:
        yield "`regions.announced` is empty"
    for name in ("effective_from", "notice_from"):
        if getattr(policy, name).tzinfo is None:
            yield f"`{name}` has no time zone"
    if policy.valid_to is not None and policy.valid_to <= policy.valid_from:
        yield "`valid_to` is not after `valid_from`"
    for name, least in (
        ("lateness_days", 0),
        ("max_line_bytes", 1),
        ("full_dwell_seconds", 1),
        ("half_life_days", 1),
        ("retention_days", 1),
        ("top_interests", 1),
        ("minimum_audience", 2),
        ("minimum_category_count", 2),
    ):
        if getattr(policy, name) < least:
            yield f"`{name}` is below {least}"
    for name, values in (("sensitive_thresholds", policy.sensitive_thresholds), ("weights", policy.weights)):
        for key, value in values.items():
            if value < 0 or (name == "sensitive_thresholds" and not 1 <= value <= 10_000):
                yield f"`{name}.{key}` is out of range"
    if not 1 <= policy.few_words_threshold <= 10_000:
        yield "`few_words_threshold` is out of range"
    interest = policy.interest
    shares = (interest.most_sensitive, interest.most_sensitive_few_words)
    if not (
        1 <= interest.threshold <= 10_000 and all(0 <= of <= 10_000 for of in shares) and interest.most_topics >= 1
    ):
        yield "`interest` is out of range"
    if policy.landmark > policy.effective_from.astimezone(UTC).date():
        yield "`landmark` is after `effective_from`"
    if decay.headroom_days(policy.landmark, policy.effective_from.date(), policy.half_life_days, _most(policy)) < (
        HEADROOM_DAYS
    ):
        yield "`half_life_days` leaves under two years before a weight overflows"


def _most(policy: Policy) -> int:
    """The largest score times weight that one signal can have."""
    return 10_000 * max(policy.weights.values())


def _keys(name: str, given: dict, wanted: tuple[str, ...]):
    for key in wanted:
        if key not in given:
            yield f"`{name}.{key}` is missing"
    for key in given:
        if key not in wanted:
            yield f"`{name}.{key}` is unknown"


def _wrong(where: Path, what: str) -> NightjarError:
    return NightjarError(Exit.CONFIGURATION, f"policy {where.name}: {what}", fix=f"correct {where.name}")
