"""History: the runs of a lake that are visible, oldest first. What readers see is what the last of them says."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class History:
    """Rows of `runs` as plain data, in order of their number; instants carry UTC."""

    runs: tuple[dict, ...]

    @property
    def last(self) -> dict | None:
        """The run whose versions readers see."""
        return self.runs[-1] if self.runs else None

    @property
    def dates(self) -> list[date]:
        """Every landing date that some run stated, in order."""
        return sorted({day for run in self.runs for day in run["landing_dates"]})

    def upto(self, run: dict) -> "History":
        """As it was when this run was the last."""
        return History(tuple(one for one in self.runs if one["run_number"] <= run["run_number"]))

    def numbered(self, number: int) -> dict | None:
        """A run by its number."""
        return next((run for run in self.runs if run["run_number"] == number), None)

    def of(self, run_id: str) -> dict | None:
        """A run by its id."""
        return next((run for run in self.runs if run["run_id"] == run_id), None)

    def newest(self, dates: Iterable[date]) -> dict[date, dict]:
        """By landing date, the newest run that stated it; those never run are left out."""
        wanted = set(dates)
        return {day: run for run in self.runs for day in run["landing_dates"] if day in wanted}
