"""Taking up a lake: what comes before anything else is written, whatever became of those who wrote last."""

from datetime import date

from jobs.erase import erase, finish_unfinished
from jobs.lake import Lake
from jobs.lake_log import LakeLog
from jobs.marker import read_marker
from jobs.night import Setting
from jobs.policy import Policy
from jobs.reference import list_all
from jobs.requests import due, unfinished
from jobs.stale import to_state
from schemas.reference import ERASURES


def up_to_date(log: LakeLog, landing: str, policies: list[Policy], key: bytes, landing_date: date) -> bool:
    """Whether a run of a landing date would do nothing: no table to take back, nobody to erase, no date to state.

    It asks what the run itself asks, and needs no Spark.
    """
    if read_marker(log.path) is None or log.missing() or unfinished(log):
        return False
    history = log.history()
    if log.moved(history.last) or to_state(history, landing, policies, landing_date):
        return False
    return not due(log, key, list_all(landing)[ERASURES])


def take_up(lake: Lake, setting: Setting) -> None:
    """Bring a lake to where it should be: erasures finished first, for behind them nothing goes back, killed runs taken back."""
    finish_unfinished(lake, setting)
    lake.restore(lake.log.history().last)
    lake.log.forget_history()


def answer_requests(lake: Lake, setting: Setting) -> None:
    """Erase whom the landing zone asks for and no tombstone answers yet. The lake is taken up."""
    asked = due(lake.log, setting.key, list_all(setting.landing)[ERASURES])
    if asked:
        erase(lake, setting, asked)
