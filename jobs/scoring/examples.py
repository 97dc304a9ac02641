"""Examples: what the model learns from, all of it the project's own: sayings as they stand, and terms in frames."""

from random import Random

from jobs.scoring import taxonomy
from jobs.scoring.grammar import expand, fill
from jobs.scoring.model import NEITHER
from jobs.scoring.reading import WINDOW
from schemas.words import SENSITIVE_CATEGORIES

# In how many frames a term is seen.
TOPIC_FRAMES, SENSITIVE_FRAMES, SIGN_FRAMES, NEITHER_FRAMES, FILLS = 6, 4, 2, 8, 32
# How often a saying counts: it is worth more than a frame. One of a sensitive category, or of none, more still.
TOPIC_SAYINGS, OTHER_SAYINGS = 6, 8
SOUPS, TOLD, ARGUED = 2_000, 4_000, 2_000
# Two sayings in one breath: one of them sensitive, or neither.
RUN_ON_SENSITIVE, RUN_ON_HARMLESS = 2_000, 6_000
# One example in so many is said again with an opening or an ending.
POLITE = 4
# Cuts of texts run together, as the screen sees them.
CUTS_SENSITIVE, CUTS_HARMLESS = 20_000, 40_000
HARMLESS = "harmless"
_LADLES = ("{}", "a {}", "the {}", "{} and", "my {}", "{} of", "to {}", "{} in")
_SOUP = ("object", "objects", "person", "name", "place", "doing", "unit", "word")


def examples() -> list[tuple[str, str]]:
    """(text, class) of every example, the same every time."""
    interests = [*_topics(), *_requests()]
    plain = [*interests, *_sensitive(), *_neither(), *_run_on(interests)]
    draw, polite = Random("polite"), taxonomy.frames()["polite"]
    return plain + [(draw.choice(polite).format(text), name) for text, name in plain if draw.randrange(POLITE) == 0]


def glimpses(said: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """(words, category or HARMLESS) of what the screen sees: the examples, and windows of two of them run together.

    A window is sensitive when most of a sensitive text is in it, and harmless when none is in reach.
    """
    known = [(text, name if name in SENSITIVE_CATEGORIES else HARMLESS) for text, name in said]
    harmless = [text.split() for text, name in known if name == HARMLESS]
    sensitive = [(text.split(), name) for text, name in known if name != HARMLESS]
    sensitive = [(words, name) for words, name in sensitive if 2 < len(words) <= WINDOW]
    draw = Random("glimpses")
    cuts = []
    for _ in range(CUTS_SENSITIVE):
        words, name = draw.choice(sensitive)
        before, after = draw.choice(harmless), draw.choice(harmless)
        room = WINDOW - len(words)
        first = draw.randint(0, room)
        cuts.append((" ".join([*before[len(before) - first :], *words, *after[: room - first]]), name))
    for _ in range(CUTS_HARMLESS):
        words = [*draw.choice(harmless), *draw.choice(harmless)]
        first = draw.randint(0, max(len(words) - WINDOW, 0))
        cuts.append((" ".join(words[first : first + WINDOW]), HARMLESS))
    return known + cuts


def terms() -> list[str]:
    """Words of all interests."""
    return [word for topic in taxonomy.topics().values() for word in topic.words]


def _topics():
    frames = taxonomy.frames()["any"]
    for name, topic in taxonomy.topics().items():
        draw = Random(name)
        yield from ((text, name) for text in (topic.about, topic.name.lower()))
        yield from ((text, name) for text in topic.sayings * TOPIC_SAYINGS)
        for word in topic.words:
            yield word, name
            yield from ((frame.format(word), name) for frame in draw.sample(frames, TOPIC_FRAMES))


def _requests():
    requests = taxonomy.requests()
    for name, forms in requests.frames.items():
        draw = Random(name)
        for form in forms.splitlines():
            yield from ((fill(form, requests.lists, draw, {}), name) for _ in range(FILLS if "{" in form else 3))


def _sensitive():
    frames, harmless = taxonomy.frames(), terms()
    for name in SENSITIVE_CATEGORIES:
        category, draw = taxonomy.sensitive_categories()[name], Random(name)
        yield from ((text, name) for text in category.sayings * OTHER_SAYINGS)
        forms = {of: text.splitlines() for of, text in category.frames.items()}
        yield from ((text, name) for text in expand(category.lists, forms, per_term=SENSITIVE_FRAMES))
        for sign in [*category.words, *category.lexicon]:
            yield sign, name
            yield from ((frame.format(sign), name) for frame in draw.sample(frames["any"], SIGN_FRAMES))
            yield draw.choice(frames["mixed"]).format(sign=sign, term=draw.choice(harmless)), name
    lists, draw = _told_lists(), Random("argued")
    yield from ((fill(draw.choice(frames["argued"]), lists, draw, {}), "political_views") for _ in range(ARGUED))


def _neither():
    neither, lists = taxonomy.neither(), _told_lists()
    yield from ((text, NEITHER) for text in neither.sayings * OTHER_SAYINGS)
    forms = {of: text.splitlines() for of, text in neither.frames.items()}
    yield from ((text, NEITHER) for text in expand(neither.lists, forms, per_term=NEITHER_FRAMES))
    for name, texts in neither.look_alikes.items():
        yield from ((text, name) for text in texts * OTHER_SAYINGS)
    draw, told = Random("told"), taxonomy.frames()["told"]
    yield from ((fill(draw.choice(told), lists, draw, {}), NEITHER) for _ in range(TOLD))
    # Harmless words that don't belong together: whatever is odd is not therefore sensitive.
    draw = Random("soup")
    words = terms() + [word for name in _SOUP for word in neither.lists[name]]
    for _ in range(SOUPS):
        count = draw.choice((2, 2, 3, 3, 4))
        yield " ".join(draw.choice(_LADLES).format(draw.choice(words)) for _ in range(count)), NEITHER


def _run_on(interests: list[tuple[str, str]]):
    """What is sensitive stays so beside something harmless, without a full stop between them, as speech is written down."""
    draw = Random("run on")
    harmless = [(text, name) for text, name in interests if name != NEITHER and len(text.split()) > 3]
    categories = {name: taxonomy.sensitive_categories()[name].sayings for name in SENSITIVE_CATEGORIES}
    for _ in range(RUN_ON_SENSITIVE):
        name = draw.choice(SENSITIVE_CATEGORIES)
        parts = [draw.choice(categories[name]), draw.choice(harmless)[0]]
        draw.shuffle(parts)
        yield " ".join(parts), name
    for _ in range(RUN_ON_HARMLESS):
        (text, name), (other, _) = draw.choice(harmless), draw.choice(harmless)
        parts = [text, " ".join(other.split()[:4])]
        draw.shuffle(parts)
        yield " ".join(parts), name


def _told_lists() -> dict[str, list[str]]:
    political = taxonomy.sensitive_categories()["political_views"].lists
    return {**taxonomy.neither().lists, "text": political["text"], "side": political["side"], "term": terms()}
