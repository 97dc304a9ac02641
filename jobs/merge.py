"""Merge: what the landing dates of a run change in all that the dates share: withdrawals, profiles, deltas, audiences."""

from dataclasses import dataclass
from datetime import date
from functools import partial, reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs import activate, attribute, profile, segment, tighten, withdraw
from jobs.abreast import abreast
from jobs.errors import Exit, NightjarError
from jobs.lake import Lake, nothing
from jobs.night import Setting
from jobs.policy import policy_on
from jobs.runner import Runner
from schemas.profile_deltas import PROFILE_DELTAS
from schemas.profiles import PROFILES
from schemas.signal_accounts import SIGNAL_ACCOUNTS
from schemas.signals import SIGNALS


@dataclass
class Merge:
    """One run's: after its landing dates are stated, before any of it is visible.

    `landing_date` is the one that the run is for, `restated` are all that it stated, `before` those that were run when it
    began, `last` is the run that readers see, `reference` are the reference tables by name.
    """

    setting: Setting
    lake: Lake
    runner: Runner
    reference: dict[str, DataFrame]
    last: dict | None
    landing_date: date
    restated: list[date]
    before: frozenset[date]

    @property
    def dates(self) -> list[date]:
        """Every landing date that is run by now, in order."""
        return sorted(self.before.union(self.restated))

    def publish(self) -> None:
        """All of it: what needs what came before, after it; what doesn't, side by side."""
        seen = {table.name: self.lake.read(table, self.last) for table in (SIGNAL_ACCOUNTS, PROFILES)}
        self.runner.frames |= {**self.reference, **seen}
        version = self._merge(self._withdraw())
        newest = max(self.dates)
        self.runner.frames[PROFILES.name] = self.lake.read_written(PROFILES)
        self.runner.values |= {"newest": newest, "policy": policy_on(self.setting.policies, newest)}
        abreast(self.setting.spark, partial(self._deltas, version), self._attribute, self._audiences, self._activate)

    def _withdraw(self) -> set[date]:
        """Delete the signals that no longer stand; the landing dates that they are of."""
        lake, signals = self.lake, self.lake.read_written(SIGNALS)
        with self.runner.timed(withdraw.STAGE.name):
            found = [self._fallen(signals), self._forbidden(signals)]
            fallen = [frame for frame in found if frame is not None]
            if not fallen:
                return set()
            gone = reduce(DataFrame.unionByName, fallen).distinct().persist()
            counted = {row["landing_date"]: row["count"] for row in gone.groupBy("landing_date").count().collect()}
            if counted and lake.withdraw(gone) != sum(counted.values()):
                raise self._guard(
                    f"{sum(counted.values())} signals no longer stand, but not as many were withdrawn",
                )
        return set(counted)

    def _fallen(self, signals: DataFrame) -> DataFrame | None:
        """One row (landing_date, signal_key) per signal that falls; None where no signal has to be looked at for that."""
        runner, policies, night = self.runner, self.setting.policies, self.landing_date
        judges = [day for day in self.dates if day == night or day > self.restated[0]]
        runner.values |= {
            "policy": policy_on(policies, night),
            "restated": self.restated,
            "nights": [(day, policy_on(policies, day)) for day in judges],
        }
        suspects = self._suspects(judges[-1]).persist()
        due = withdraw.due(night, judges, self.restated, policies)
        runner.frames["accrued"] = signals.where(due)
        if not suspects.isEmpty():
            theirs = signals.where(~due).join(suspects, on="profile_id", how="left_semi")
            runner.frames["accrued"] = runner.frames["accrued"].unionByName(theirs)
        elif judges == [night] and self.dates[0] > withdraw.last_to_expire(night, policies):
            return None
        return runner.transform(withdraw.STAGE)

    def _suspects(self, last_judge: date) -> DataFrame:
        """One row (profile_id) per profile of which something may fall, but for its age."""
        runner, lake = self.runner, self.lake
        runner.frames |= {
            "judged": lake.read_written(SIGNALS, [day for day in self.restated if day < last_judge]),
            "stated": lake.read_written(SIGNALS, self.restated),
        }
        found = map(runner.transform, (withdraw.SUSPECTS_STAGE, withdraw.ASKED_AGAIN_STAGE))
        return reduce(DataFrame.unionByName, found).distinct()

    def _forbidden(self, signals: DataFrame) -> DataFrame | None:
        """One row (landing_date, signal_key) per signal that a stricter policy forbids; None where none has to judge."""
        anew = tighten.judged_anew(self.dates, self.before, self.restated, self.setting.policies)
        return tighten.forbidden(signals, self.setting, self.reference, anew, self.dates) if anew else None

    def _merge(self, withdrawn: set[date]) -> int | None:
        """Restated signals minus visible ones into profiles; the version that this made, None where nothing changed."""
        runner, lake, days = self.runner, self.lake, sorted({*self.restated, *withdrawn})
        # Where every date is new and nothing fell, no signal can be gone: none of the others has to be looked at.
        some_go = bool(withdrawn or self.before.intersection(self.restated))
        runner.values["some_go"] = some_go
        runner.frames |= {
            "restated": lake.read_written(SIGNALS, days),
            "visible": lake.read(SIGNALS, self.last, days),
            "signals": lake.read_written(SIGNALS) if some_go else nothing(self.setting.spark, SIGNALS),
        }
        with runner.timed(profile.STAGE.name):
            changes = runner.transform(profile.STAGE).persist()
            return lake.merge(changes) if changes.count() else None

    def _deltas(self, version: int | None) -> None:
        """What a version of profiles changed, appended; both tables checked by each other."""
        with self.runner.timed(profile.DELTAS_STAGE.name):
            self._append_deltas(version)

    def _append_deltas(self, version: int | None) -> None:
        runner, lake = self.runner, self.lake
        appended = 0
        if version is not None:
            runner.frames["changed"] = lake.changed(PROFILES, version)
            appended = lake.append(PROFILE_DELTAS, runner.transform(profile.DELTAS_STAGE))
        ours = (F.col("landing_date") == F.lit(self.landing_date)) & (F.col("run_id") == runner.values["run_id"])
        written = lake.read_written(PROFILE_DELTAS).where(ours)
        counted = {row["change"]: row["count"] for row in written.groupBy("change").count().collect()}
        runner.check_written(PROFILE_DELTAS, written, appended)
        before = lake.read(PROFILES, self.last).count()
        more = counted.get("added", 0) - counted.get("removed", 0)
        runner.check_written(PROFILES, lake.read_written(PROFILES), before + more)

    def _attribute(self) -> None:
        """By which accounts profiles have their signals now: no signal stands that nobody would withdraw."""
        self.runner.publish(attribute.STAGE, self.lake)
        sums = [self.lake.read_written(table).agg(F.sum("signals")) for table in (SIGNAL_ACCOUNTS, PROFILES)]
        known, counted = (row[0] or 0 for row in reduce(DataFrame.unionAll, sums).collect())
        if known != counted:
            raise self._guard(f"{counted} signals stand in profiles, but accounts are known for {known}")

    def _audiences(self) -> None:
        """Who is in which audience, as of the end of the newest landing date, and how large each is."""
        for stage in (segment.MEMBERS_STAGE, segment.STAGE):
            self.runner.publish(stage, self.lake)

    def _activate(self) -> None:
        self.runner.publish(activate.STAGE, self.lake)

    def _guard(self, what: str) -> NightjarError:
        return NightjarError(
            Exit.GUARD_FAILED, what, date=self.landing_date, fix="report this; the previous night is still visible"
        )
