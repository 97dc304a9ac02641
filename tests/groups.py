"""Generated lives of small groups of people: who they are, what changes for them, what they say and when it arrives."""

import random
from datetime import timedelta

from tests.zone import HARMLESS, NIGHT, SENSITIVE

# The last is a whole window after the second, and beyond that of the first.
DAYS = [NIGHT, NIGHT + timedelta(days=1), NIGHT + timedelta(days=8)]
AT_ONCE, LATE, LATER = range(3)
TEXTS = [
    HARMLESS,
    HARMLESS,
    "play some jazz",
    "how do i train for a marathon",
    SENSITIVE,
    "",
    "wo kann ich ein fahrrad kaufen",
]


class Group:
    """Two people and what they do, drawn from a seed; their lines come in parts: most at once, some late, some later."""

    def __init__(self, name: str, dice: random.Random):
        self.name, self.dice = name, dice
        self.people = [f"{name}a", f"{name}b"]
        self.lines = []
        for number in range(dice.randint(6, 14)):
            self.lines.append(self._again() if self.lines and dice.random() < 0.15 else self._line(number))

    def settle_in(self, zone) -> None:
        """Their links, regions, notices and requests, changes of mind included."""
        dice = self.dice
        for who in self.people:
            told = dice.choice(["2025-10-08T09:00:00Z"] * 8 + [None, self._moment()])
            zone.person(who, country=dice.choice(["US"] * 9 + ["DE", " br ", "??"]), told=told)
            if dice.random() < 0.25:
                moved = self._moment()
                zone.regions[-1]["valid_to"] = moved
                zone.regions.append(
                    {"profile_id": f"p-{who}", "country": dice.choice(["FR", "CA", "uk"]), "valid_from": moved}
                )
            if dice.random() < 0.25:
                moved, link = self._moment(), zone.links[dice.choice([-1, -2])]
                link["valid_to"] = moved
                if dice.random() < 0.5:
                    zone.link(link["account_id"], link["app"], f"p-{dice.choice(self.people)}", since=moved)
            if dice.random() < 0.1:
                zone.erasures.append(self._request(who))
        # Asked of us, not of the landing zone.
        self.asked = [self._request(who) for who in self.people if dice.random() < 0.15]

    def _request(self, who: str) -> dict:
        return {"profile_id": f"p-{who}", "requested_at": self._moment()}

    def add(self, zone, part: int) -> None:
        """Add the lines of one part to a landing zone."""
        for of, say, arguments in self.lines:
            if of == part:
                getattr(zone, say)(**arguments)

    def _line(self, number: int):
        """(the part that it comes with, how it is said, and what)."""
        dice = self.dice
        day, who, text = dice.choice(DAYS), dice.choice(self.people), dice.choice(TEXTS)
        happened = f"{day - timedelta(days=dice.choice([0] * 8 + [1, 7, 9]))}T{dice.randint(13, 23)}:30:00Z"
        if dice.random() < 0.2:
            given = {"text": text or "Rock Music", "engagement_id": f"{self.name}-{number}", "occurred_at": happened}
            return self._part(), "like", {**given, "who": who, "day": day}
        # Some ids are said twice with other words.
        identity = f"{self.name}-{number if dice.random() < 0.85 else 'x'}"
        talk = dice.choice([None, None, f"{self.name}1", f"{self.name}1", f"{self.name}2"])
        given = {"text": text, "at": happened, "identity": identity, "conversation": talk}
        return self._part(), "say", {**given, "who": who, "day": day}

    def _again(self):
        """An earlier line once more, under any landing date."""
        _, say, given = self.dice.choice(self.lines)
        return self._part(), say, {**given, "day": self.dice.choice(DAYS)}

    def _part(self) -> int:
        return self.dice.choice([AT_ONCE] * 6 + [LATE, LATER])

    def _moment(self) -> str:
        day = self.dice.choice(DAYS) - timedelta(days=self.dice.choice([0, 0, 3]))
        return f"{day}T{self.dice.randint(0, 23):02}:00:00Z"
